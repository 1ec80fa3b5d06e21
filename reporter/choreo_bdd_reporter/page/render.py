"""Fill the page's shell: styles, data and script in one document that asks nothing of the network."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from choreo_bdd_reporter.limits import clean_text
from choreo_bdd_reporter.page.bundle import bundle, squeeze_css
from choreo_bdd_reporter.page.data import page_data
from choreo_bdd_reporter.page.entries import Json

_LISTED_FAILURES = 500
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    r"\U000e0000-\U000e007f]"
)
_PACKAGE = "choreo_bdd_reporter.page"
_STYLES = (
    "tokens",
    "base",
    "layout",
    "header",
    "broke",
    "tree",
    "scenario",
    "steps",
    "diff",
    "expectations",
    "replies",
    "waterfall",
    "message",
    "overview",
    "dialogs",
    "narrow",
    "print",
)


@dataclass(frozen=True, slots=True)
class _Assets:
    style: str
    script: str

    @property
    def policy(self) -> str:
        """A content security policy that lets exactly these two texts run and nothing be fetched."""
        return (
            f"default-src 'none'; script-src '{_digest(self.script)}'; style-src '{_digest(self.style)}'; "
            "base-uri 'none'; form-action 'none'"
        )


def render_page(results: Mapping[str, Any], gherkin: Mapping[str, Any]) -> str:
    """The whole report as one HTML text, to be written as UTF-8; `write_page` does the same in pieces."""
    return "".join(_pieces(results, gherkin, all_bodies=False))


def write_page(
    results: Mapping[str, Any], gherkin: Mapping[str, Any], stream: TextIO, *, all_bodies: bool = False
) -> None:
    """Write the report piece by piece, so that it never stands in memory as a whole.

    `results` is a results document of schema 1.3. `gherkin` adds what that schema has no place for: features,
    steps and message bodies; it may be empty. A report of ordinary size embeds both as they are; above
    `data.WHOLE_TESTS_MAX` or `data.WHOLE_BYTES_MAX` it embeds the results in brief and all else in chunks, and
    above `data.EVENTS_WITH_BODIES_MAX` no message bodies of passed scenarios, unless `all_bodies` asks for them.
    """
    stream.writelines(_pieces(results, gherkin, all_bodies=all_bodies))


def _pieces(results: Json, gherkin: Json, *, all_bodies: bool) -> Iterator[str]:
    assets, data = _assets(), page_data(results, gherkin, all_bodies=all_bodies)
    failures = [_failure(group, row) for group in data.index["groups"] for row in group["rows"] if row.get("failing")]
    yield _shell().render(
        policy=assets.policy,
        style=Markup(assets.style),
        failures=failures[:_LISTED_FAILURES],
        failures_left_out=max(0, len(failures) - _LISTED_FAILURES),
        total=len(results["tests"]),
    )
    yield from data.before_script()
    # async: it starts while the parser still reads the chunks that follow
    yield f'<script type="module" async>{assets.script}</script>\n'
    yield from data.after_script()
    yield "</body>\n</html>\n"


def _failure(group: Json, row: Json) -> tuple[str, ...]:
    """Feature, scenario, cause and sentence for the reader without scripts."""
    finding = row["findings"][0]
    return tuple(_spelt(str(text)) for text in (group["name"], row["name"], finding["cause"], finding["sentence"]))


def _spelt(text: str) -> str:
    """The text as the script shows it too: what would hide or reorder characters is spelt out."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", clean_text(text))


@cache
def _assets() -> _Assets:
    style = squeeze_css("\n".join(_read("css", f"{name}.css") for name in _STYLES))
    return _Assets(style=style, script=bundle("main.js", lambda name: _read("js", name)))


def _read(folder: str, name: str) -> str:
    return files(_PACKAGE).joinpath(folder, name).read_text(encoding="utf-8")


@cache
def _shell() -> Template:
    environment = Environment(
        loader=PackageLoader(_PACKAGE, "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("shell.html.j2")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
