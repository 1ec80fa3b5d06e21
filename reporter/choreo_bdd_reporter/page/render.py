"""Fill the page's shell: styles, data and script, in one document that asks nothing of the network or in a folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from choreo_bdd_reporter.model.limits import clean_text
from choreo_bdd_reporter.page.assets import assets, policy
from choreo_bdd_reporter.page.data import PageData, page_data
from choreo_bdd_reporter.read.entries import Json

_LISTED_FAILURES = 500
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    r"\U000e0000-\U000e007f]"
)
_PACKAGE = "choreo_bdd_reporter.page"


class PageTooLargeError(ValueError):
    """The page would have more bytes than one file may have."""


def render_page(results: Mapping[str, Any], gherkin: Mapping[str, Any]) -> str:
    """The whole report as one HTML text, to be written as UTF-8; ``write_page`` does the same in pieces."""
    return "".join(_pieces(results, gherkin, all_bodies=False))


def write_page(
    results: Mapping[str, Any],
    gherkin: Mapping[str, Any],
    stream: TextIO,
    *,
    all_bodies: bool = False,
    at_most: int | None = None,
) -> None:
    """Write the report piece by piece, so that it never stands in memory as a whole.

    ``results`` is a results document of schema 1.3. ``gherkin`` adds what that schema has no place for: features,
    steps and message bodies; it may be empty. A report of ordinary size embeds both as they are; above
    ``data.WHOLE_TESTS_MAX`` or ``data.WHOLE_BYTES_MAX`` it embeds the results in brief and all else in chunks, and
    above ``data.EVENTS_WITH_BODIES_MAX`` no message bodies of passed scenarios, unless ``all_bodies`` asks for them.
    Raises ``PageTooLargeError`` when the page would have more than ``at_most`` bytes.
    """
    pieces = _pieces(results, gherkin, all_bodies=all_bodies)
    stream.writelines(pieces if at_most is None else _limited(pieces, at_most))


def write_folder_page(
    results: Mapping[str, Any], gherkin: Mapping[str, Any], stream: TextIO, folder: Path, *, name: str
) -> None:
    """Write the page for a strict content security policy, or for a report too large for one file.

    Styles, script and chunks become files of the existing directory ``folder``; under ``name``, it must stay beside the
    page.
    """
    shell = assets()
    # a module is not loaded from another file of this disk, a plain script is; the braces keep its names to itself
    (folder / "app.js").write_text(f"{{'use strict';{shell.script}}}\n", "utf-8")
    (folder / "style.css").write_text(shell.style, "utf-8")
    with page_data(results, gherkin, folder=name) as data:
        for chunk, text in data.chunk_texts():
            (folder / f"{chunk}.js").write_text(f'choreoChunk("{chunk}","{text}");\n', "ascii")
        stream.write(_head(data, policy=policy(script="'self'", style="'self'"), folder=name))
        stream.writelines(data.before_script())
    stream.write(f'<script src="{escape(name)}/app.js" defer></script>\n</body>\n</html>\n')


def _limited(pieces: Iterable[str], at_most: int) -> Iterator[str]:
    size = 0
    for piece in pieces:
        size += len(piece) if piece.isascii() else len(piece.encode())
        if size > at_most:
            raise PageTooLargeError(f"the page has more than {at_most} bytes")
        yield piece


def _pieces(results: Json, gherkin: Json, *, all_bodies: bool) -> Iterator[str]:
    shell = assets()
    with page_data(results, gherkin, all_bodies=all_bodies) as data:
        yield _head(data, policy=shell.policy, style=Markup(shell.style))
        yield from data.before_script()
        # async: it starts while the parser still reads the chunks that follow
        yield f'<script type="module" async>{shell.script}</script>\n'
        yield from data.after_script()
    yield "</body>\n</html>\n"


def _head(data: PageData, *, policy: str, style: str = "", folder: str = "") -> str:
    failures = [_failure(group, row) for group in data.index["groups"] for row in group["rows"] if row.get("failing")]
    return _shell().render(
        policy=policy,
        style=style,
        folder=folder,
        failures=failures[:_LISTED_FAILURES],
        failures_left_out=max(0, len(failures) - _LISTED_FAILURES),
        total=len(data.results["tests"]),
    )


def _failure(group: Json, row: Json) -> tuple[str, ...]:
    """Feature, scenario, cause and sentence for the reader without scripts."""
    finding = row["findings"][0]
    return tuple(_spelt(str(text)) for text in (group["name"], row["name"], finding["cause"], finding["sentence"]))


def _spelt(text: str) -> str:
    """The text as the script shows it too: what would hide or reorder characters is spelt out."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", clean_text(text))


@cache
def _shell() -> Template:
    environment = Environment(
        loader=PackageLoader(_PACKAGE, "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("shell.html.j2")
