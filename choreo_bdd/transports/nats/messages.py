"""How messages look in NATS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from choreo_bdd.message import NO_HEADERS

REPLY_TO = "nats.reply_to"
"""The header under which the reply subject of a message travels between us and our users."""


def says_nobody_listens(raw: Any) -> bool:
    """The server's own answer to a request on a subject without a subscriber: status 503 and no data."""
    return not raw.data and (raw.headers or NO_HEADERS).get("Status") == "503"


def headers_of(raw: Any) -> Mapping[str, str]:
    """A message's headers, its reply subject among them."""
    headers: Mapping[str, str] = raw.headers or NO_HEADERS
    return {**headers, REPLY_TO: raw.reply} if raw.reply else headers
