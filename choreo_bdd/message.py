"""One message object, end to end: transports make it, policies, matchers, replies and the timeline read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


def _no_headers() -> Mapping[str, str]:
    return NO_HEADERS


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a transport delivered it.

    ``received_at`` is loop time in seconds, taken when the client library handed the bytes over; ``broker_time`` is
    the broker's own stamp in epoch seconds, where it keeps one. ``repr`` never shows payload, headers or key.
    """

    topic: str
    payload: bytes = field(repr=False)
    received_at: float = 0.0
    headers: Mapping[str, str] = field(default_factory=_no_headers, repr=False)
    key: str | None = field(default=None, repr=False)
    partition: int | None = None
    offset: int | None = None
    broker_time: float | None = None


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """A message as results and reports keep it: decoded, and named by the transport it came over."""

    topic: str
    transport: str | None
    payload: Any = field(repr=False)
    size: int = 0
    headers: Mapping[str, str] = field(default_factory=_no_headers, repr=False)
    key: str | None = field(default=None, repr=False)
    partition: int | None = None
    offset: int | None = None
    broker_time: float | None = None
