"""Secrets in the columns of tables: CSV, tabs, and tables of features, whose first line names the columns."""

from __future__ import annotations

import re
from collections.abc import Sequence

from choreo_bdd.redaction.known_secrets import REDACTED, looks_like_token
from choreo_bdd.redaction.secret_names import is_secret_key

_SEPARATORS = ("|", "\t", ",", ";")
_NAME = re.compile(r"\"?[\w.-]{1,60}\"?")
_OF_LOGINS = re.compile(r"pass|pwd|secret", re.IGNORECASE)
_COLUMNS_MAX = 100


def mask_columns(text: str, _found: set[str] | None) -> tuple[str, int]:
    """The text without what stands below the names of secrets, and how many there were."""
    lines, hits = text.split("\n"), 0
    for separator in _SEPARATORS:
        if separator in text:
            hits += _mask_tables(lines, separator)
    return ("\n".join(lines), hits) if hits else (text, 0)


def _mask_tables(lines: list[str], separator: str) -> int:
    """Mask in place; a table ends with the first line that has another number of cells."""
    width, secret, hits = 0, dict[int, str](), 0
    for number, line in enumerate(lines):
        cells = line.split(separator) if separator in line else []
        if width and len(cells) == width:
            masked = [_masked(secret[at], cell) if at in secret else cell for at, cell in enumerate(cells)]
            if masked != cells:
                hits += sum(shown != cell for shown, cell in zip(masked, cells, strict=True))
                lines[number] = separator.join(masked)
            continue
        secret = _secret_columns(cells, separator)
        width = len(cells) if secret else 0
    return hits


def _secret_columns(cells: Sequence[str], separator: str) -> dict[int, str]:
    """The names of secrets by their place, where a line can be a heading.

    The first of several columns is none, for beside a field's name stands what is said of it.
    """
    first = 1 if separator == "|" else 0
    last = len(cells) - first
    names = [cell.strip() if separator in "|\t" else cell.rstrip("\r") for cell in cells[first:last]]
    if not names or len(names) > _COLUMNS_MAX or not all(map(_NAME.fullmatch, names)):
        return {}
    begin = 0 if len(names) == 1 else 1
    return {first + at: name for at, name in enumerate(names) if at >= begin and is_secret_key(name.strip('"'))}


def _masked(name: str, cell: str) -> str:
    told = cell.strip().strip('"')
    is_one = _OF_LOGINS.search(name) or (looks_like_token(told) and not told.isdigit())
    if told in ("", REDACTED) or not is_one:
        return cell
    return cell.replace(told, REDACTED, 1)
