"""The documentation as a site: the Markdown pages as they stand, read from the repository's root, and their menu.

``python3 dev.py docs`` builds it. What is generated is generated here once more, so that no page can be out of date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / room) for room in ("", "project", "steps", "reporter", "schemas")]

from choreo_bdd import __version__
from choreo_bdd_schemas.reference import config_reference
from choreo_bdd_steps.vocabulary import PHRASES
from choreo_bdd_steps.vocabulary_docs.step_book import as_markdown

project = "choreo-bdd"
author = "The authors of choreo-bdd"
project_copyright = author
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]

root_doc = "docs/index"
include_patterns = [
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"),
    *("docs/*.md", "docs/decisions/*.md", "examples/*/README.md", "features/*/README.md"),
]
# not walked through in search of pages
exclude_patterns = [
    *(
        ".*",
        "build",
        "dist",
        "test-report",
        "**/__pycache__",
        "**/node_modules",
        "bench",
        "tests",
        "docker",
        "docs/site",
    ),
    *("choreo_bdd", "chronicle", "project", "reporter", "schemas", "steps"),
]

html_theme = "furo"
html_title = f"choreo-bdd {__version__}"
html_extra_path = ["start"]  # index.html, which leads to the first page
html_copy_source = False
html_show_sphinx = False
html_show_search_summary = False  # it asks for the pages found, which a browser refuses to those read from a disk

myst_heading_anchors = 3
myst_links_external_new_tab = False
linkcheck_timeout = 20
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True

PUBLIC = {
    "Steps": ("choreo_bdd_steps", ("act",)),
    "The running scenario": ("choreo_bdd_steps.run.scenario_run", ("ScenarioRun",)),
    "The session of a run": ("choreo_bdd_steps.run.session", ("Session",)),
    "Extensions": ("choreo_bdd_steps.language", ("matcher", "function", "BodyError")),
    "Brokers": ("choreo_bdd.brokers", ("start", "Broker")),
    "The engine": (
        "choreo_bdd",
        ("Harness", "Scenario", "Handle", "Outcome", "ScenarioResult", "ScopeOptions", "Stage"),
    ),
}
"""What the reference of the Python API takes from the docstrings: module and names below each heading."""
_GUIDE = re.compile(r"\((?P<page>[\w-]+)\.md\)")


def setup(app: Sphinx) -> None:
    """Called by Sphinx: what is added to pages as they are read."""
    app.add_lexer("output", TextLexer)
    app.connect("source-read", _complete)


def _complete(_: Sphinx, page: str, source: list[str]) -> None:
    """Put the generated part of a page in."""
    match page:
        case "docs/index":
            source[0] += "\n".join(_menu(source[0]))
        case "docs/steps":
            source[0] = as_markdown(PHRASES)
        case "docs/settings":
            source[0] = config_reference()
        case "docs/python-api":
            source[0] += "\n".join(_signatures())


def _menu(index: str) -> Iterator[str]:
    """The menu beside each page: the guides in the order of the index, and what else there is."""
    guides, _, _ = index.partition("## The rooms")
    reference = ("steps", "settings", "python-api", "architecture")
    named = [each for each in dict.fromkeys(_GUIDE.findall(guides)) if each not in reference]
    yield from _tree("Guides", ["/README", *named])
    yield from _tree("Reference", reference)
    examples = sorted(f"/{each.parent.relative_to(ROOT).as_posix()}/README" for each in _read_me())
    yield from _tree("Examples", examples)
    yield from _tree("Decisions", sorted(f"decisions/{each.stem}" for each in (ROOT / "docs/decisions").glob("*.md")))
    yield from _tree("Project", ["/CONTRIBUTING", "/SECURITY", "/CHANGELOG"])


def _read_me() -> Iterator[Path]:
    for folder in ("examples", "features"):
        yield from (ROOT / folder).glob("*/README.md")


def _tree(caption: str, pages: Iterable[str]) -> Iterator[str]:
    yield from ("", "```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", "")


def _signatures() -> Iterator[str]:
    """The public names with their signatures, as their docstrings tell them."""
    yield from ("", "## Signatures", "", "From the docstrings of the installed package.", "")
    for heading, (module, names) in PUBLIC.items():
        yield from ("", f"### {heading}", "", f"`from {module} import {', '.join(names)}`", "", "```{eval-rst}")
        for name in names:
            is_class = name[0].isupper()
            yield f".. {'autoclass' if is_class else 'autofunction'}:: {module}.{name}"
            yield from ("   :members:", "") if is_class else ("",)
        yield "```"
