"""The timelines of a report as traces: what was sent and received with its times, and what happened in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from choreo_bdd_reporter.model.clock import epoch_seconds

_SENT = ("published", "replied")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A message sent, or on its way and received; ``parent`` is the place of what caused it in the same trace.

    Times are in microseconds since the epoch. A message carries no mark of who sent it: the cause is the last message
    sent on its topic before, and so an inference, which ``page/js/timeline/causality.js`` draws alike. Of a reply it is
    the delivery of its trigger to whoever replies.
    """

    kind: Literal["send", "receive"]
    topic: str
    transport: str | None
    start: int
    end: int
    parent: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What happened without taking time: a match, a near-miss, a deadline."""

    name: str
    topic: str | None
    transport: str | None
    detail: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One scenario; ``place`` counts those of its test."""

    test: Any
    scenario: Any
    place: int
    start: int
    end: int
    spans: Sequence[Span]
    moments: Sequence[Moment]


def traces(results: Any) -> Iterator[Trace]:
    """A trace for each scenario that has a timeline; on a single harness, one that passed need not have kept it."""
    for test in results["tests"]:
        for place, scenario in enumerate(test["scenarios"]):
            if scenario["timeline"]:
                yield _Reader(scenario, results["run"].get("transport")).trace(test, place)


def without_timeline(results: Any) -> int:
    """How many scenarios no trace can be made of."""
    return sum(not scenario["timeline"] for test in results["tests"] for scenario in test["scenarios"])


class _Reader:
    """Goes through one timeline."""

    def __init__(self, scenario: Any, transport: str | None) -> None:
        self._scenario = scenario
        self._transport = transport
        first = scenario["timeline"][0]
        self._began = round(epoch_seconds(first["wall_clock"]) * 1_000_000) - round(first["offset_ms"] * 1000)
        self._spans: list[Span] = []
        self._moments: list[Moment] = []
        self._sent: dict[tuple[str, str | None], int] = {}
        self._received: dict[str, int] = {}

    def trace(self, test: Any, place: int) -> Trace:
        for event in self._scenario["timeline"]:
            self._read(event)
        last = round(max(self._scenario["duration_ms"], self._scenario["timeline"][-1]["offset_ms"]) * 1000)
        return Trace(
            test=test,
            scenario=self._scenario,
            place=place,
            start=self._began,
            end=self._began + last,
            spans=self._spans,
            moments=self._moments,
        )

    def _read(self, event: Any) -> None:
        topic, transport = event.get("topic"), event.get("transport") or self._transport
        at = self._began + round(event["offset_ms"] * 1000)
        if topic is not None and event["action"] in _SENT:
            self._send(event, topic, transport, at)
        elif topic is not None and event["action"] == "received":
            sender = self._sent.get((topic, transport))
            start = at if sender is None else self._spans[sender].end
            if event.get("source") == "reply" or event["detail"].startswith("reply:"):
                self._received[topic] = len(self._spans)
            self._spans.append(
                Span(kind="receive", topic=topic, transport=transport, start=start, end=at, parent=sender)
            )
        else:
            self._moments.append(
                Moment(name=event["action"], topic=topic, transport=transport, detail=event["detail"], at=at)
            )

    def _send(self, event: Any, topic: str, transport: str | None, at: int) -> None:
        trigger, sent = None, topic
        if event["action"] == "replied":  # a Stage files it under the answer, a single harness under the trigger
            word, _, other = event["detail"].partition("=")
            trigger, sent = (other, topic) if word == "trigger" else (topic, other or topic)
        cause = None if trigger is None else self._received.get(trigger)
        self._sent[sent, transport] = len(self._spans)
        self._spans.append(Span(kind="send", topic=sent, transport=transport, start=at, end=at, parent=cause))
