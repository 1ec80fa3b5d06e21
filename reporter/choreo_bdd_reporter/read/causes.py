"""Which message a service's message came of, as far as headers tell; ``page/js/message/causes.js`` draws it alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

_CAUSE_HEADERS = frozenset({"causation-id", "causation_id", "causationid", "x-causation-id", "ce-causationid"})
_TRACE_HEADER = "traceparent"

Headers = Mapping[str, Any]
T = TypeVar("T")
"""What stands for a message: its place, or when it came."""


class Causes(Generic[T]):
    """The messages of a scope as they come by, for those that come after them."""

    def __init__(self, work: Iterable[Mapping[str, Any]], causation: str | None) -> None:
        """``work`` is what services told of, as spans; ``causation`` a header of the project's that names a cause."""
        self._parents: dict[str, str] = {span["id"]: span["parent"] for span in work}
        self._names = _CAUSE_HEADERS | ({causation.lower()} if causation else set())
        self._ids: dict[str, T] = {}
        self._traced: dict[str, T] = {}

    def remember(self, message: T, headers: Headers) -> None:
        """A message was sent, or came."""
        for name, value in _lower(headers):
            if name == _TRACE_HEADER:
                self._traced[_span_in(value)] = message
            elif name not in self._names:
                self._ids.setdefault(value, message)

    def of(self, headers: Headers) -> T | None:
        """The message that headers name as their cause; ``None`` where they name none, or none of these."""
        for name, value in _lower(headers):
            if name in self._names and value in self._ids:
                return self._ids[value]
        return next((self._traced[span] for span in self._above(_sender(headers)) if span in self._traced), None)

    def in_trace(self, headers: Headers) -> T | None:
        """The last message with the same ``traceparent``: a service may hand it on as it came, so that is no proof."""
        return self._traced.get(_sender(headers))

    def _above(self, span: str) -> Iterator[str]:
        passed = set()
        while span in self._parents and span not in passed:
            passed.add(span)
            span = self._parents[span]
            yield span


def headers_of(note: Mapping[str, Any], event: int) -> Headers:
    """Those of the message of an event; none in a report without bodies. ``note`` is what is known of its scope."""
    places = note.get("timeline") or ()
    place = places[event] if event < len(places) else -1
    return (note["messages"][place].get("headers") or {}) if place >= 0 else {}


def _lower(headers: Headers) -> Iterator[tuple[str, str]]:
    return ((name.lower(), str(value)) for name, value in headers.items())


def _sender(headers: Headers) -> str:
    return next((_span_in(value) for name, value in _lower(headers) if name == _TRACE_HEADER), "")


def _span_in(traceparent: str) -> str:
    """Empty in what is no ``traceparent``."""
    return next(iter(traceparent.split("-")[2:]), "")
