"""Secrets of statements and settings without a sign: ``setx API_TOKEN x``, ``AUTH x``, ``IDENTIFIED BY 'x'``.

Those of rows that SQL inserts, too, which are named by their columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, partial

from choreo_bdd.redaction.known_secrets import REDACTED, looks_like_token
from choreo_bdd.redaction.secret_names import is_secret_key

_REST = r"(?P<value>[^\s\"',;@]+)"
_OPTION = r"(?:\s{1,8}--?\w{1,20})?"
_SET = rf"{_OPTION}\s{{1,8}}[\"']?(?P<name>[^\s\"'=-][^\s\"'=]{{0,99}})[\"']?{_OPTION}\s{{1,8}}[\"']?(?!-){_REST}"
_GAP = r"[\"']?,?\s{1,8}[\"']?"
_WORDS = r"\s{1,8}[\"']?"
_END = r"(?=[\"'\]]{0,2}\s*(?:[\n|;&]|\Z))"
_PROMPT = r"(?:(?<![^\n]AUTH)|(?<=[>\"']AUTH)|(?<=[>\]\d] AUTH))"
_FLAG = r"(?:\s{1,4}-[a-zA-Z]{1,9})"
_FLAGS_WITH_B = rf"(?={_FLAG}{{0,3}}?\s{{1,4}}-[a-zA-Z]{{0,8}}b){_FLAG}{{1,4}}"
_ARGUMENT = r"(?:\s{1,4}[^\s|;&-][^\s|;&]{0,99})"
_MACHINE = r"(?:(?<![^\n\"'\[(]machine)|(?=\s{1,8}\S{0,99}[.\d]))"
"""Where a line begins with it, or before what can only be a host; else it is prose."""
_STATEMENTS = (
    ("set", rf"(?:x|env)?{_SET}"), ("SET", rf"X?{_SET}"), ("ENV", _SET), ("ARG", _SET),
    ("git config", _SET),
    ("requirepass", f"{_WORDS}{_REST}"), ("masterauth", f"{_WORDS}{_REST}"),
    ("IDENTIFIED", rf"\s{{1,8}}(?:WITH\s{{1,8}}\S{{1,60}}\s{{1,8}})?(?:BY|AS){_WORDS}{_REST}"),
    ("identified", rf"\s{{1,8}}(?:with\s{{1,8}}\S{{1,60}}\s{{1,8}})?(?:by|as)\s{{1,8}}[\"']{_REST}"),
    ("add_user", rf"\s{{1,8}}\S{{1,99}}{_WORDS}{_REST}"),
    ("authenticate_user", rf"\s{{1,8}}\S{{1,99}}{_WORDS}{_REST}"),
    ("change_password", rf"\s{{1,8}}\S{{1,99}}{_WORDS}{_REST}"),
    ("convertto-securestring", rf"(?:\s{{1,8}}-string)?{_WORDS}{_REST}"),
    ("machine", rf"{_MACHINE}\s{{1,8}}\S{{1,99}}\s{{1,8}}login\s{{1,8}}\S{{1,99}}\s{{1,8}}password{_WORDS}{_REST}"),
    ("jdbc:oracle:", rf"\w{{1,9}}:[^\s/]{{1,99}}/{_REST}"), ("sqlplus", rf"\s[^\n|;/]{{1,99}}/{_REST}(?=@)"),
    ("-pass", rf"(?:in|out|word)?\s{{1,8}}pass:{_REST}"),
    ("vault login", rf"\s{{1,8}}(?![\w-]{{1,60}}=){_REST}"),
    ("htpasswd", rf"{_FLAGS_WITH_B}{_ARGUMENT}{{1,2}}\s{{1,4}}(?P<value>[^\s|;&-][^\s|;&]*){_END}"),
    ("AUTH", rf"{_PROMPT}{_GAP}(?:[^\s\"']{{1,99}}{_GAP})?(?P<value>[^\s\"'\]]+){_END}"),
    ('"auth"', r"\s(?:\"[^\"\n]{1,99}\"\s)?\"(?P<value>[^\"\n]+)"),
)  # fmt: skip
"""How a statement begins, in the case of the first where that tells it from prose, and what leads to its secret."""
_OF_ANY_CASE = frozenset({"convertto-securestring", "jdbc:oracle:", "machine"})
_OUTCOMES = frozenset({
    "failed", "failure", "required", "error", "errors", "ok", "success", "succeeded", "successful", "enabled",
    "disabled", "plain", "login",
})  # fmt: skip
"""What ``AUTH`` is followed by where somebody tells how it went."""


@cache
def _statement(head: str, rest: str) -> re.Pattern[str]:
    return re.compile(rf"{head}(?<!\w{head}){rest}" if head[0].isalnum() else head + rest, _flags(head))


def _flags(head: str) -> int:
    return re.IGNORECASE if head in _OF_ANY_CASE else 0


def mask_statements(text: str, found: set[str] | None) -> tuple[str, int]:
    """The text without the secrets of its statements, and how many there were."""
    hits, lower = 0, text.lower()

    def mask(match: re.Match[str]) -> str:
        nonlocal hits
        if not _is_secret(match):
            return match.group()
        hits += 1
        begin, end = (place - match.start() for place in match.span("value"))
        return f"{match.group()[:begin]}{REDACTED}{match.group()[end:]}"

    if "values" in lower and "into" in lower:
        text, hits = _mask_rows(text, found)
    for head, rest in _STATEMENTS:
        if head in (lower if head in _OF_ANY_CASE else text):
            text = _statement(head, rest).sub(mask, text)
    return text, hits


def _mask_rows(text: str, found: set[str] | None) -> tuple[str, int]:
    """The text without what SQL inserts into columns that are named like secrets."""
    pieces: list[str] = []
    done = 0
    for start, told in _secrets_of_rows(text):
        pieces += [text[done:start], f"'{REDACTED}'" if told.startswith("'") else REDACTED]
        done = start + len(told)
        if found is not None and looks_like_token(told.strip("'")):
            found.add(told.strip("'"))
    return "".join([*pieces, text[done:]]), len(pieces) // 2


def _secrets_of_rows(text: str) -> Iterator[tuple[int, str]]:
    """Each secret that is inserted, with where it begins."""
    at = 0
    while (insert := _INSERT().search(text, at)) is not None:
        at = insert.end()
        columns = enumerate(insert["columns"].split(","))
        secret = {place for place, name in columns if is_secret_key(name.strip(" \t\r\n\\\"'`[]"))}
        for place, value in _values(text, at) if secret else ():
            at = value.end()
            told = value["value"].strip()
            if place in secret and not _OF_NO_SECRET.fullmatch(told) and REDACTED not in told:
                yield value.start() + len(value["value"]) - len(value["value"].lstrip()), told


def _values(text: str, at: int) -> Iterator[tuple[int, re.Match[str]]]:
    """Each value of the rows that stand behind each other here, with its place in its row."""
    place = 0
    while (value := _SQL_VALUE().match(text, at)) is not None:
        yield place, value
        at, place = value.end(), place + 1
        if value["end"] != ",":
            row = _NEXT_ROW().match(text, at) if value["end"] else None
            if row is None:
                return
            at, place = row.end(), 0


_INSERT = cache(
    partial(
        re.compile,
        r"\binto\s{1,8}[^\s()]{1,200}\s{0,8}\((?P<columns>[^()]{1,4000})\)\s{0,8}values\s{0,8}\(",
        re.IGNORECASE,
    )
)
_SQL_VALUE = cache(
    partial(
        re.compile,
        r"(?P<value>(?:[^'(),]++|'(?:[^'\\]|''|\\.)*+(?:'|\Z)"
        r"|\((?:[^'()]|'(?:[^'\\]|''|\\.){0,400}+'|\((?:[^'()]|'(?:[^'\\]|''|\\.){0,400}+'){0,400}+\)){0,400}+\))*+)"
        r"(?P<end>[,)]|\Z)",
        re.DOTALL,
    )
)
"""A value of a row; a text may have been cut within it."""
_NEXT_ROW = cache(partial(re.compile, r"\s*+,\s*+\("))
_OF_NO_SECRET = re.compile(r"|null|default|''|\?|[$:@%]\(?\w{1,60}\)?s?|\{\{?[^{}]{0,100}\}?\}", re.IGNORECASE)
"""What stands where a value is missing, or is put in later."""


def _is_secret(match: re.Match[str]) -> bool:
    told, name = match.groupdict(), match.groupdict().get("name")
    value = told["value"]
    if value.startswith(REDACTED) or value.lower() in _OUTCOMES:
        return False
    if name is None:
        return True
    # a name that is no plain word is that of a setting; behind others may follow what is said of them
    return is_secret_key(re.split(r"[/:]", name)[-1]) and (
        looks_like_token(value) or not name.isalpha() or name.isupper()
    )
