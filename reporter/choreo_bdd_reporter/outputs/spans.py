"""The timelines of a report as traces: what was sent and received with its times, and what happened in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from choreo_bdd_reporter.documents.results import row_ids
from choreo_bdd_reporter.model.clock import epoch_seconds
from choreo_bdd_reporter.read.causes import Causes, Message, acts_in, message_of

_SENT = ("published", "replied")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A message sent, or on its way and received, or an act of the test's own, whose ``topic`` is its step.

    ``parent`` is the place of what caused it in the same trace, and ``error`` what an act failed with.

    Times are in microseconds since the epoch. What was received of a topic came of the last message sent on it before;
    of a message from outside its headers tell the cause, else it is the message before it. ``is_told`` is for headers
    only, everything else is an inference, which ``page/js/timeline/causality.js`` draws alike. Of a reply it is the
    delivery of its trigger to whoever replies. ``size`` is that of the body, in bytes.
    """

    kind: Literal["send", "receive", "act"]
    topic: str
    transport: str | None
    start: int
    end: int
    parent: int | None
    is_told: bool = False
    size: int | None = None
    error: str | None = None

    def left_by(self, at: int) -> int:
        """When what came of it ``at`` a time left: its end, or the beginning of an act that was under way then.

        Never later than ``at``: a kernel's stamp of what came can be older than ours of what was sent.
        """
        return self.end if self.end <= at else min(self.start, at)


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
    """One scenario; ``place`` counts those of its test, ``work`` is what services told of theirs for it."""

    row: str
    test: Any
    scenario: Any
    place: int
    start: int
    end: int
    spans: Sequence[Span]
    moments: Sequence[Moment]
    work: Sequence[Any]


def traces(results: Any, gherkin: Any) -> Iterator[Trace]:
    """A trace for each scenario that has a timeline; on a single harness, one that passed need not have kept it."""
    details, causation = gherkin.get("details") or {}, gherkin.get("causation")
    transport = results["run"].get("transport")
    for row, test in zip(row_ids(results["tests"]), results["tests"], strict=True):
        notes = details.get(row) or ()
        for place, scenario in enumerate(test["scenarios"]):
            if scenario["timeline"]:
                told = notes[place] if place < len(notes) else {}
                yield _Reader(scenario, told.get("transport") or transport, told, causation).trace(row, test, place)


def without_timeline(results: Any) -> int:
    """How many scenarios no trace can be made of."""
    return sum(not scenario["timeline"] for test in results["tests"] for scenario in test["scenarios"])


class _Reader:
    """Goes through one timeline."""

    def __init__(self, scenario: Any, transport: str | None, notes: Any, causation: str | None) -> None:
        self._notes = notes
        self._scenario = scenario
        self._transport = transport
        first = scenario["timeline"][0]
        self._began = round(epoch_seconds(first["wall_clock"]) * 1_000_000) - round(first["offset_ms"] * 1000)
        self._work = [span for span in notes.get("spans") or () if span["kind"] != "act"]
        self._acts = deque(self._act(act) for act in acts_in(notes))
        self._acting: int | None = None
        self._causes: Causes[int] = Causes(self._work, causation)
        self._spans: list[Span] = []
        self._moments: list[Moment] = []
        self._sent: dict[tuple[str, str | None], int] = {}
        self._received: dict[str, int] = {}
        self._last: tuple[Any, ...] = ()
        self._latest: int | None = None

    def trace(self, row: str, test: Any, place: int) -> Trace:
        for index, event in enumerate(self._scenario["timeline"]):
            self._pass_acts(self._began + round(event["offset_ms"] * 1000))
            self._read(index, event)
        self._spans += self._acts
        last = self._began + round(
            max(self._scenario["duration_ms"], self._scenario["timeline"][-1]["offset_ms"]) * 1000
        )
        return Trace(
            row=row,
            test=test,
            scenario=self._scenario,
            place=place,
            start=self._began,
            end=max([last, *(span.end for span in self._spans)]),
            spans=self._spans,
            moments=self._moments,
            work=self._work,
        )

    def _act(self, act: Any) -> Span:
        start = self._began + max(0, round(act["offset_ms"] * 1000))
        end = start + round(act["duration_ms"] * 1000)
        return Span(
            kind="act", topic=act["name"], transport=None, start=start, end=end, parent=None, error=act["error"]
        )

    def _pass_acts(self, by: int) -> None:
        """Have an act be what came last at its beginning, and at its end once more."""
        while self._acts and self._acts[0].start <= by:
            self._acting = self._latest = len(self._spans)
            self._spans.append(self._acts.popleft())
            self._last = ()
        if self._acting is not None and self._spans[self._acting].end <= by:
            self._latest, self._acting, self._last = self._acting, None, ()

    def _read(self, index: int, event: Any) -> None:
        topic, transport = event.get("topic"), event.get("transport") or self._transport
        at = self._began + round(event["offset_ms"] * 1000)
        if topic is not None and event["action"] in _SENT:
            self._send(index, event, topic, transport, at)
        elif topic is not None and event["action"] == "received":
            self._receive(index, event, topic, transport, at)
        else:
            self._moments.append(
                Moment(name=event["action"], topic=topic, transport=transport, detail=event["detail"], at=at)
            )

    def _add(self, index: int, span: Span, *, is_again: bool = False) -> int:
        place = len(self._spans)
        self._causes.remember(place, message_of(self._notes, index))
        self._latest = self._latest if is_again else place
        self._spans.append(span)
        return place

    def _cause(self, message: Message) -> tuple[int | None, bool]:
        """Of a message from outside; and whether headers name it, for the order of arrivals is no proof."""
        if (named := self._causes.of(message)) is not None:
            return named, True
        traced = self._causes.in_trace(message)
        return self._latest if traced is None else traced, False

    def _send(self, index: int, event: Any, topic: str, transport: str | None, at: int) -> None:
        trigger, sent = None, topic
        if event["action"] == "replied":  # a Stage files it under the answer, a single harness under the trigger
            word, _, other = event["detail"].partition("=")
            trigger, sent = (other, topic) if word == "trigger" else (topic, other or topic)
        cause = None if trigger is None else self._received.get(trigger)
        size = message_of(self._notes, index).get("size")
        span = Span(kind="send", topic=sent, transport=transport, start=at, end=at, parent=cause, size=size)
        self._sent[sent, transport] = self._add(index, span)

    def _receive(self, index: int, event: Any, topic: str, transport: str | None, at: int) -> None:
        message = message_of(self._notes, index)
        same = (topic, transport, id(message)) if message else ()
        is_again = same == self._last != ()
        parent, is_told = self._sent.get((topic, transport)), False
        if is_again:
            parent, is_told = self._spans[-1].parent, self._spans[-1].is_told
        elif parent is None:
            parent, is_told = self._cause(message)
        start = at if parent is None else self._spans[parent].left_by(at)
        span = Span(
            kind="receive", topic=topic, transport=transport, start=start, end=at, parent=parent, is_told=is_told,
            size=message.get("size"),
        )  # fmt: skip
        place = self._add(index, span, is_again=is_again)
        self._last = same
        if event.get("source") == "reply" or event["detail"].startswith("reply:"):
            self._received[topic] = place
