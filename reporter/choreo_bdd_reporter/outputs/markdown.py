"""Text from tests inside Markdown: shown as it is, never read as markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from choreo_bdd.redaction.printable import on_one_line

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~&@-])")


def in_short(text: str, at_most: int = 500) -> str:
    """A text that leaves room for others: of a longer one its beginning and its end, between which names differ."""
    end = at_most // 4
    return text if len(text) <= at_most else f"{text[: at_most - end]} … {text[-end:]}"


def plain(text: str) -> str:
    """Running text on one line, its special characters escaped."""
    return _SPECIAL.sub(r"\\\1", on_one_line(" ".join(text.split())))


def code(text: str) -> str:
    """A code span on one line, safe in a table, too."""
    line = on_one_line(" ".join(text.split())).replace("|", "\\|")
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", line)), default=0))
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table whose cells are Markdown already."""
    yield f"| {' | '.join(headings)} |"
    yield f"|{'---|' * len(headings)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
