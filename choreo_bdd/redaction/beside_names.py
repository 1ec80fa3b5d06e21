"""Values that stand apart from the name of the secret they are: in an element, a member or an attribute beside it."""

from __future__ import annotations

import re
from functools import cache, partial

from choreo_bdd.redaction.known_secrets import REDACTED
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
        r"(?P<value>\\?\"[^\"\\]{1,4000}|'[^'\\]{1,4000}|[^\s\"'<>,;\\]{1,4000})",
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

    if "</" in text:
        text = _NAMED_ELEMENT().sub(mask, _ELEMENT().sub(mask, text))
    return (_MEMBER().sub(mask, text) if "value" in text.lower() else text), hits
