"""What each hop added to a scenario: the time from the message before it to its own arrival.

A latency counts from when a message was expected, so that of a chain of services each looks as slow as all before it.
What was sent on the topic here is where its hop began. A message from outside began where its headers say, else at the
last message before, as ``js/message/causes.js`` draws it.
"""

from __future__ import annotations

from collections.abc import Sequence

from choreo_bdd_reporter.model.schema_types import ResultsScenario, TimelineEntry
from choreo_bdd_reporter.read.entries import Json

_SENT = ("published", "replied")
_MET = ("pass", "slow")
_CAUSE_HEADERS = frozenset({"causation-id", "causation_id", "causationid", "x-causation-id", "ce-causationid"})


def added_by_handle(part: ResultsScenario, note: Json, causation: str | None = None) -> list[float | None]:
    """For each expectation of a scope what its message added, in milliseconds; ``None`` of one that is not known.

    ``note`` has the messages of the scope and the spans of services, ``causation`` is the header that names a cause.
    """
    added: list[float | None] = [None] * len(part["handles"])
    for topic, transport, took in _matches(part["timeline"], _Causes(note, causation)):
        place = next(
            (
                place
                for place, handle in enumerate(part["handles"])
                if added[place] is None
                and handle["outcome"] in _MET
                and (handle["topic"], handle.get("transport")) == (topic, transport)
            ),
            None,
        )
        if place is not None:
            added[place] = took
    return added


class _Causes:
    """When each message came that a later one may name in its headers: by an id it carries, or by its trace."""

    def __init__(self, note: Json, causation: str | None) -> None:
        self._messages: Sequence[Json] = note.get("messages") or ()
        self._places: Sequence[int] = note.get("timeline") or ()
        self._names = _CAUSE_HEADERS | ({causation.lower()} if causation else set())
        self._parents = {span["id"]: span["parent"] for span in note.get("spans") or ()}
        self._ids: dict[str, float] = {}
        self._traced: dict[str, float] = {}

    def remember(self, event: int, at: float) -> None:
        """Note an event's message for those that come after."""
        for name, value in self._headers(event):
            if name == "traceparent":
                self._traced[_span_in(value)] = at
            elif name not in self._names:
                self._ids.setdefault(value, at)

    def of(self, event: int) -> float | None:
        """When the message came that this one says it came of; ``None`` where it does not say, or not of one here."""
        headers = self._headers(event)
        named = next((self._ids[value] for name, value in headers if name in self._names and value in self._ids), None)
        if named is not None:
            return named
        span = next((_span_in(value) for name, value in headers if name == "traceparent"), "")
        passed: set[str] = set()
        while span in self._parents and span not in passed:
            passed.add(span)
            span = self._parents[span]
            if span in self._traced:
                return self._traced[span]
        return None

    def _headers(self, event: int) -> list[tuple[str, str]]:
        place = self._places[event] if event < len(self._places) else -1
        if place < 0:
            return []
        return [(name.lower(), str(value)) for name, value in (self._messages[place].get("headers") or {}).items()]


def _span_in(traceparent: str) -> str:
    return next(iter(traceparent.split("-")[2:]), "")


def _matches(timeline: Sequence[TimelineEntry], causes: _Causes) -> list[tuple[str | None, str | None, float | None]]:
    """Topic, transport and what was added, of each match in turn."""
    found: list[tuple[str | None, str | None, float | None]] = []
    sent: dict[tuple[str | None, str | None], float] = {}
    waiting: dict[tuple[str | None, str | None], list[float | None]] = {}
    last: float | None = None
    for number, event in enumerate(timeline):
        action, channel = event["action"], (sent_on(event), event.get("transport"))
        if action in _SENT:
            sent[channel] = last = event["offset_ms"]
            causes.remember(number, last)
        elif action == "received":
            began = sent[channel] if channel in sent else causes.of(number)
            began = last if began is None else began
            waiting.setdefault(channel, []).append(None if began is None else event["offset_ms"] - began)
            last = event["offset_ms"]
            causes.remember(number, last)
        elif action in ("matched", "mismatched"):
            queue = waiting.get(channel)
            took = queue.pop(0) if queue else None
            if action == "matched":
                found.append((*channel, took))
    return found


def sent_on(event: TimelineEntry) -> str | None:
    """Where a message travelled: a single harness files its reply under the trigger and names the answer beside it."""
    if event["action"] == "replied" and event["detail"].startswith("reply="):
        return str(event["detail"]).removeprefix("reply=")
    topic: str | None = event.get("topic")
    return topic
