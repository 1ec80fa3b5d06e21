"""What each hop added to a scenario: the time from the message before it to its own arrival.

A latency counts from when a message was expected, so that of a chain of services each looks as slow as all before it.
What was sent on the topic here is where its hop began. A message from outside began where its headers say, else at the
last message before, or the beginning or the end of an act, as ``js/message/causes.js`` draws it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence

from choreo_bdd_reporter.model.schema_types import ResultsScenario, TimelineEntry
from choreo_bdd_reporter.read.causes import Causes, acts_in, message_of
from choreo_bdd_reporter.read.entries import Json

_SENT = ("published", "replied")
_MET = ("pass", "slow")
_Channel = tuple[str | None, str | None]
"""A topic and the transport it is on."""


def added_by_handle(part: ResultsScenario, note: Json, causation: str | None = None) -> list[float | None]:
    """For each expectation of a scope what its message added, in milliseconds; ``None`` of one that is not known.

    ``note`` has the messages of the scope and the spans of services, ``causation`` is the header that names a cause.
    """
    added: list[float | None] = [None] * len(part["handles"])
    places: defaultdict[_Channel, deque[int]] = defaultdict(deque)
    for place, handle in enumerate(part["handles"]):
        if handle["outcome"] in _MET:
            places[handle["topic"], handle.get("transport")].append(place)
    for channel, took in _matches(part["timeline"], note, causation):
        if took is not None and (waiting := places[channel]):
            added[waiting.popleft()] = took
    return added


def _matches(
    timeline: Sequence[TimelineEntry], note: Json, causation: str | None
) -> Iterator[tuple[_Channel, float | None]]:
    """Topic and transport, and what was added, of each match in turn."""
    causes: Causes[float] = Causes(note.get("spans") or (), causation)
    acts = deque(at for act in acts_in(note) for at in (act["offset_ms"], act["offset_ms"] + act["duration_ms"]))
    sent: dict[_Channel, float] = {}
    waiting: dict[_Channel, list[float | None]] = {}
    last: float | None = None
    for number, event in enumerate(timeline):
        action, channel = event["action"], (sent_on(event), event.get("transport"))
        while acts and acts[0] <= event["offset_ms"]:
            last = acts.popleft()
        if action in _SENT:
            sent[channel] = last = event["offset_ms"]
            causes.remember(last, message_of(note, number))
        elif action == "received":
            began = sent[channel] if channel in sent else causes.of(message_of(note, number))
            began = last if began is None else began
            waiting.setdefault(channel, []).append(None if began is None else event["offset_ms"] - began)
            last = event["offset_ms"]
            causes.remember(last, message_of(note, number))
        elif action in ("matched", "mismatched"):
            queue = waiting.get(channel)
            took = queue.pop(0) if queue else None
            if action == "matched":
                yield channel, took


def sent_on(event: TimelineEntry) -> str | None:
    """Where a message travelled: a single harness files its reply under the trigger and names the answer beside it."""
    if event["action"] == "replied" and event["detail"].startswith("reply="):
        return str(event["detail"]).removeprefix("reply=")
    topic: str | None = event.get("topic")
    return topic
