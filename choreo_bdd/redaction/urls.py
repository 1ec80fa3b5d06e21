"""Logins in URLs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, partial

from choreo_bdd.redaction.known_secrets import REDACTED, looks_like_token
from choreo_bdd.redaction.secret_names import is_secret_key

_SCHEME = re.compile(r"(?:[a-z][a-z0-9+.-]*)?://", re.IGNORECASE)
_HOST_PORT = re.compile(r"(?:\[[^\]]*\]|[^:\[\]@]*)(?::\d*)?")
_URL_QUERY_KEYS = frozenset(
    {"password", "token", "secret", "key", "auth", "credential", "credentials", "username", "user"}
)
_URL = cache(
    partial(
        re.compile,
        r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}://(?:(?![,;|]?[a-z][a-z0-9+.-]{0,30}://)[^\s\"'<>`])+",
        re.IGNORECASE,
    )
)
_LOGIN = cache(
    partial(
        re.compile,
        r"(?<![\w.+:@/\\-])(?P<name>[A-Za-z][\w.+-]{0,63}+):(?P<value>[^\s:@/\"'<>]{4,100}+)@(?=[\w.-]{1,253}:\d{2,5}(?!\w))",
    )
)
"""``user:x@host:5432``, without a scheme before it."""
_COUNTED = re.compile(
    r"(?:epoch|generation|id|index|line|node|no|number|offset|order|partition|pid|port|replica|seq|sequence|shard|slot"
    r"|version|worker)\Z",
    re.IGNORECASE,
)
"""What a number belongs to that is no password: ``partition:12345@broker:9092``."""
_AT_A_PORT = cache(partial(re.compile, r"@[\w.-]{1,253}:\d{2}"))
_TOKEN_IN_URL = 16
"""So long is a name in a URL that is a token and needs no password."""


def _split_userinfo(rest: str) -> tuple[str, str]:
    """Split what follows ``scheme://`` into user info (may be empty) and the remainder."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        userinfo = authority.rpartition("@")[0]
    elif "@" in rest and not _HOST_PORT.fullmatch(authority):
        userinfo = rest.rpartition("@")[0]  # a password that holds / ? or # unescaped
    else:
        return "", rest
    return userinfo, rest[len(userinfo) + 1 :]


def _mask_query(tail: str) -> str:
    path, mark, query = tail.partition("?")
    if not mark:
        return tail
    parts = re.split(r"([&;#])", query)
    return path + mark + "".join(_mask_parameter(part) for part in parts)


def _mask_parameter(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    from urllib.parse import unquote  # noqa: PLC0415 - slow to load, and few URLs have a query

    key = unquote(name)
    if equals and value and (key.lower() in _URL_QUERY_KEYS or is_secret_key(key)):
        return f"{name}={REDACTED}"
    return parameter


def _safe_single_url(url: str) -> str:
    scheme = _SCHEME.match(url)
    head = scheme.group() if scheme else ""
    userinfo, tail = _split_userinfo(url[len(head) :])
    return head + (f"{REDACTED}@" if userinfo else "") + _mask_query(tail)


def safe_url(url: str) -> str:
    """The URL without its credentials: user info and secret query values become ``<redacted>``.

    Works on text only, so it never raises and treats an unparsable URL like any other; everything that is no
    secret stays as it was written. A comma-separated list of URLs is treated URL by URL.
    """
    parts = re.split(r"(,\s*(?=[A-Za-z][A-Za-z0-9+.-]*://))", str(url))
    return "".join(part if index % 2 else _safe_single_url(part) for index, part in enumerate(parts))


def secrets_in_urls(text: str) -> Iterator[str]:
    """The password of each URL of a list, as written and as meant; in NATS a name without one is a token."""
    from urllib.parse import unquote, urlsplit  # noqa: PLC0415 - slow to load, and few texts hold a URL

    for url in re.split(r"[,\s]+", text):
        try:
            parts = urlsplit(url)
            is_token = parts.password is None and parts.scheme in ("nats", "tls")
            given = parts.username if is_token else parts.password
        except ValueError:
            continue
        if given:
            yield from {given, unquote(given)}


def mask_urls(text: str, _found: set[str] | None) -> tuple[str, int]:
    """Mask the logins in URLs, which hold no blank: nearly no line has one."""
    if "@" not in text:
        return text, 0
    lines, hits = text.split("\n"), 0
    for number, line in enumerate(lines):
        if "@" in line and "://" in line:
            lines[number] = _URL().sub(_mask_url, line)
            hits += lines[number].count(f"{REDACTED}@") - line.count(f"{REDACTED}@")
    return ("\n".join(lines), hits) if hits else (text, 0)


def may_hold_login(text: str) -> bool:
    """Whether a login without a scheme may be in a text; ``False`` is certain."""
    return "@" in text and _AT_A_PORT().search(text) is not None


def mask_logins(text: str, _found: set[str] | None) -> tuple[str, int]:
    """The text without the passwords of addresses that have no scheme, and how many there were."""
    if not may_hold_login(text):
        return text, 0
    hits = 0

    def mask(match: re.Match[str]) -> str:
        nonlocal hits
        value = match["value"]
        if value.isdigit() and _COUNTED.search(match["name"]):
            return match.group()
        hits += 1
        return match.group().replace(f":{value}@", f":{REDACTED}@")

    return _LOGIN().sub(mask, text), hits


def _mask_url(match: re.Match[str]) -> str:
    scheme, mark, rest = match.group().partition("://")
    userinfo, tail = _split_userinfo(rest)
    _, colon, password = userinfo.partition(":")
    is_token = not colon and len(userinfo) >= _TOKEN_IN_URL and looks_like_token(userinfo)
    if not (password or is_token):
        return match.group()
    return f"{scheme}{mark}{REDACTED}@{tail}"
