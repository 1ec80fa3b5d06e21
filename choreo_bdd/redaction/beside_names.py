"""Values that stand apart from the name of the secret they are: in an element, a member, an attribute or a column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, partial

from choreo_bdd.redaction.known_secrets import REDACTED, looks_like_token
from choreo_bdd.redaction.secret_names import is_secret_key

_ELEMENT = cache(
    partial(
        re.compile, r"(?P<head><(?:[\w.-]{1,60}:)?(?P<name>[\w.-]{1,100})(?:\s[^<>]{0,300})?>)(?P<value>[^<>]+)(?=</)"
    )
)
"""``<password>x</password>``"""
_MEMBER = cache(
    partial(
        re.compile,
        r"(?P<head>(?<![\w-])(?:name|key|variable)\\?[\"']?\s{0,8}[:=]\s{0,8}\\?[\"']?(?P<name>[\w.-]{1,100})\\?[\"']?"
        r"[\s,]{1,40}\\?[\"']?value\\?[\"']?\s{0,8}[:=]\s{0,8})"
        r"(?P<value>(?:[!&][^\s\"'<>]{0,100}[ \t]{1,8})*+"  # tags of YAML
        r"(?:\\?\"[^\"\\]{1,4000}|'[^'\\]{1,4000}|[^\s\"'<>,;\\]{1,4000}))",
        re.IGNORECASE,
    )
)
"""``<add key="password" value="x"/>``, ``{"name": "password", "value": "x"}``"""
_NAMED_ELEMENT = cache(
    partial(
        re.compile,
        r"(?P<head><[\w.:-]{1,100}\s(?:[^<>]{0,200}\s)?(?:name|key)=[\"'](?P<name>[\w.-]{1,100})[\"'][^<>]{0,200}(?<!/)>)"
        r"(?P<value>[^<>]+)(?=</)",
    )
)
"""``<entry key="password">x</entry>``"""
_PAIR = cache(
    partial(
        re.compile,
        r"(?P<head>[(\[]\s{0,8}b?[\"'](?P<name>[\w.-]{1,100})[\"'],\s{0,8}b?[\"'])(?P<value>[^\s\"'\\]{1,4000})(?=[\"']\s{0,8}[)\]])",
    )
)
"""``('x-api-key', 'x')``, as headers are often shown"""
_LINE_END = r"(?:\r?\n|(?:\\{1,4}r)?\\{1,4}n)"
"""As it is, or escaped in what is JSON or ``repr`` by now."""
_FORM_FIELD = cache(
    partial(
        re.compile,
        rf"(?P<head>form-data;\s{{0,8}}name=\\{{0,4}}[\"']?(?P<name>[\w.\[\]-]{{1,100}})\\{{0,4}}[\"']?(?=;|\s|\\)"
        rf"(?:(?!{_LINE_END}).){{0,300}}(?:{_LINE_END}(?:(?!{_LINE_END}|form-data).){{1,200}}){{0,3}}?{_LINE_END}{{2}})"
        rf"(?P<value>(?:(?!{_LINE_END}|<redacted>).){{1,4000}})",
        re.IGNORECASE,
    )
)
"""A field of ``multipart/form-data``: headers, an empty line, the value."""
_SEPARATORS = ("|", "\t", ",", ";")
_NAME = re.compile(r"\"?[\w.-]{1,60}\"?")
_HEADING_BEGINS = re.compile(r"[\s|]*+\"?[\w.-]{0,60}+\"?\s*[|\t,;]")
"""How a line begins that may be one: most are told from it by their first blank."""
_OF_LOGINS = re.compile(r"pass|pwd|secret", re.IGNORECASE)
_COLUMNS_MAX = 100
_PAIR_CHARS = 8
_DIGIT = re.compile(r"\d")


def is_told_in_pair(name: object, value: object) -> bool:
    """Whether the second of two is what the first names; a list of the names of fields is none."""
    return (
        is_secret_key(name)
        and isinstance(value, str)
        and len(value) >= _PAIR_CHARS
        and _DIGIT.search(value) is not None
    )


def mask_beside(text: str, _found: set[str] | None) -> tuple[str, int]:
    """The text without them, and how many there were."""
    hits = 0

    def mask(match: re.Match[str]) -> str:
        nonlocal hits
        value = match["value"]
        quote = value[: len(value) - len(value.lstrip("\\\"'"))]
        if not is_secret_key(match["name"]) or value in (quote, quote + REDACTED):
            return match.group()
        hits += 1
        return f"{match['head']}{quote}{REDACTED}"

    def mask_second(match: re.Match[str]) -> str:
        return mask(match) if is_told_in_pair(match["name"], match["value"]) else match.group()

    if "'," in text or '",' in text:
        text = _PAIR().sub(mask_second, text)
    if "</" in text:
        text = _NAMED_ELEMENT().sub(mask, _ELEMENT().sub(mask, text))
    if "form-data" in text.lower():
        text = _FORM_FIELD().sub(mask, text)
    return (_MEMBER().sub(mask, text) if "value" in text.lower() else text), hits


def mask_columns(text: str, found: set[str] | None) -> tuple[str, int]:
    """The text without what stands below the names of secrets in CSV and tables, and how many there were.

    Where the same text is quoted its lines are none any more, so what was there is told.
    """
    lines, hits = text.split("\n"), 0
    for separator in _SEPARATORS:
        if separator in text:
            hits += _mask_tables(lines, separator, found)
    return ("\n".join(lines), hits) if hits else (text, 0)


def _mask_tables(lines: list[str], separator: str, found: set[str] | None) -> int:
    """Mask in place; a table ends with the first line that has another number of cells."""
    width, secret, hits = 0, dict[int, str](), 0
    for number, line in enumerate(lines):
        is_row = separator in line and (width or _HEADING_BEGINS.match(line))
        cells = line.split(separator) if is_row else []
        if width and len(cells) == width:
            masked = [_masked(secret[at], cell) if at in secret else cell for at, cell in enumerate(cells)]
            if masked != cells:
                hidden = [cell for shown, cell in zip(masked, cells, strict=True) if shown != cell]
                hits += len(hidden)
                if found is not None:
                    found.update(map(_bare, hidden))
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


def _bare(cell: str) -> str:
    return cell.strip().strip('"')


def _masked(name: str, cell: str) -> str:
    told = _bare(cell)
    is_one = _OF_LOGINS.search(name) or (looks_like_token(told) and not told.isdigit())
    if told in ("", REDACTED) or not is_one:
        return cell
    return cell.replace(told, REDACTED, 1)
