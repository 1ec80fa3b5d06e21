"""Which reply answers which request: an inbox has a name that was drawn, and tells nobody anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from choreo_bdd.observers.traffic import Sent
from choreo_bdd.topic_patterns import INBOXES
from choreo_bdd_steps.plan.plan import PlannedStep
from choreo_bdd_steps.recording import Recording
from choreo_bdd_steps.vocabulary.acts import Request


class Replies(Struct, frozen=True):
    """Where the replies of each phase were heard, and to which topic's request each place belongs."""

    by_phase: Mapping[int, Sequence[str]]
    asked: Mapping[str, str]

    def topics(self, phase: int) -> Sequence[str]:
        """Where the replies came that a step of a phase is about: those of the latest requests before it."""
        return self.by_phase.get(max((each for each in self.by_phase if each <= phase), default=-1), ())

    def name(self, topic: str) -> str:
        """What came there, in words: what stands behind `of`."""
        return f"the reply to {self.asked[topic]!r}" if topic in self.asked else repr(topic)

    def message(self, topic: str) -> str:
        """A message that came there, in words."""
        return self.name(topic) if topic in self.asked else f"the message on {topic!r}"


def replies_of(recording: Recording, steps: Sequence[PlannedStep]) -> Replies:
    """The replies of a scenario that has passed, so that each of its requests was sent, in the order of its steps."""
    sent = sorted((each for link in recording.links.values() for each in link.sent), key=lambda each: each.at)
    requests: dict[str, str] = {}
    for each in sent:
        if (inbox := _inbox(each, recording.tokens)) is not None:
            requests.setdefault(inbox, each.topic)
    heard = sorted({each.message.topic for link in recording.links.values() for each in link.heard})
    topics = {inbox: [topic for topic in heard if inbox in topic] for inbox in requests}
    phases = sorted({step.phase for step in steps if isinstance(step.act, Request)})
    if len(phases) != len(requests):  # some were not kept
        everywhere = [topic for found in topics.values() for topic in found]
        by_phase: dict[int, Sequence[str]] = dict.fromkeys(phases, everywhere)
    else:
        by_phase = {phase: topics[inbox] for phase, inbox in zip(phases, requests, strict=True)}
    return Replies(by_phase, {topic: requests[inbox] for inbox, found in topics.items() for topic in found})


def _inbox(sent: Sent, tokens: Sequence[str]) -> str | None:
    """The token of the inbox that a message asks to be answered in."""
    said = [*sent.headers.values(), sent.payload.decode("utf-8", "replace")]
    return next((each for each in tokens if any(f"{name}{each}" in text for text in said for name in INBOXES)), None)
