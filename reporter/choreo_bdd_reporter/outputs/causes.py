"""What a message from outside came of: its headers tell, else it is placed after the message before it.

``page/js/message/causes.js`` draws it alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_CAUSE_HEADERS = frozenset({"causation-id", "causation_id", "causationid", "x-causation-id", "ce-causationid"})
_TRACE_HEADER = "traceparent"

Headers = Mapping[str, Any]


class Causes:
    """The messages of a scenario as they come by; each has a place, which is what is handed back of its effects."""

    def __init__(self, work: Iterable[Mapping[str, Any]]) -> None:
        """``work`` is what services told of, as spans."""
        self._work = {span["id"]: span for span in work}
        self._ids: dict[str, int] = {}
        self._traced: dict[str, int] = {}
        self._last: int | None = None

    def remember(self, place: int, headers: Headers) -> None:
        """A message was sent, or came."""
        for name, value in _lower(headers):
            if name == _TRACE_HEADER:
                self._traced[_span(value)] = place
            elif name not in _CAUSE_HEADERS:
                self._ids.setdefault(value, place)
        self._last = place

    def of(self, headers: Headers) -> tuple[int | None, bool]:
        """The place of the cause, and whether headers name it: the order of arrivals alone is no proof."""
        given = list(_lower(headers))
        for name, value in given:
            if name in _CAUSE_HEADERS and value in self._ids:
                return self._ids[value], True
        sender = next((_span(value) for name, value in given if name == _TRACE_HEADER), None)
        for parent in self._parents(sender):
            if parent in self._traced:
                return self._traced[parent], True
        # a service may hand the header on as it came: then it is the order within one trace
        return self._traced.get(sender or "", self._last), False

    def _parents(self, name: str | None) -> Iterator[str]:
        seen = set()
        while (span := self._work.get(name or "")) is not None and name not in seen:
            seen.add(name)
            name = span["parent"]
            yield span["parent"]


def _lower(headers: Headers) -> Iterator[tuple[str, str]]:
    return ((name.lower(), str(value)) for name, value in headers.items())


def _span(traceparent: str) -> str:
    """The id of the span that sent a message; empty in what is no ``traceparent``."""
    return ([*traceparent.split("-"), "", "", ""])[2]
