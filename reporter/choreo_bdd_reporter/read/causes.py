"""Which message a service's message came of, as far as headers tell; ``page/js/message/causes.js`` draws it alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

_CAUSE_HEADERS = frozenset({"causation-id", "causation_id", "causationid", "x-causation-id", "ce-causationid"})
_TRACE_HEADER = "traceparent"

Message = Mapping[str, Any]
"""What is known of a message, as a report keeps it; empty where nothing is."""
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
        self._bodies: dict[tuple[str, int | None], T] = {}

    def remember(self, place: T, message: Message) -> None:
        """A message was sent, or came."""
        if topic := message.get("topic"):
            self._bodies[topic, message["payload"]] = self._bodies[topic, None] = place
        for name, value in _headers(message):
            if name == _TRACE_HEADER:
                self._traced[_span_in(value)] = place
            elif name not in self._names:
                self._ids.setdefault(value, place)

    def of(self, message: Message) -> T | None:
        """The message that headers name as their cause; ``None`` where they name none, or none of these."""
        if message.get("moved") and (origin := self._origin(message)) is not None:
            return origin
        for name, value in _headers(message):
            if name in self._names and value in self._ids:
                return self._ids[value]
        return next((self._traced[span] for span in self._above(_sender(message)) if span in self._traced), None)

    def in_trace(self, message: Message) -> T | None:
        """The last message with the same ``traceparent``: a service may hand it on as it came, so that is no proof."""
        return self._traced.get(_sender(message))

    def _origin(self, message: Message) -> T | None:
        """Of a dead letter: itself, where it was before; with the same body, if one of these has it."""
        keys = ((topic, body) for topic in message["moved"]["origins"] for body in (message["payload"], None))
        return next((self._bodies[key] for key in keys if key in self._bodies), None)

    def _above(self, span: str) -> Iterator[str]:
        passed = set()
        while span in self._parents and span not in passed:
            passed.add(span)
            span = self._parents[span]
            yield span


def message_of(note: Mapping[str, Any], event: int) -> Message:
    """That of an event; none of most in a report without bodies. ``note`` is what is known of its scope."""
    places = note.get("timeline") or ()
    place = places[event] if event < len(places) else -1
    return note["messages"][place] if place >= 0 else {}


def acts_in(note: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Steps of the test's own that make messages come, one after the other."""
    acts = [span for span in note.get("spans") or () if span["kind"] == "act"]
    return sorted(acts, key=lambda act: act["offset_ms"])


def _headers(message: Message) -> Iterator[tuple[str, str]]:
    return ((name.lower(), str(value)) for name, value in (message.get("headers") or {}).items())


def _sender(message: Message) -> str:
    return next((_span_in(value) for name, value in _headers(message) if name == _TRACE_HEADER), "")


def _span_in(traceparent: str) -> str:
    """Empty in what is no ``traceparent``."""
    return next(iter(traceparent.split("-")[2:]), "")
