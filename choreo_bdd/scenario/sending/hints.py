"""What a scenario has done itself that may explain why nothing came: each is one sentence beside the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from choreo_bdd import topic_patterns
from choreo_bdd.scenario.judging.diagnosis import differing_in
from choreo_bdd.scenario.judging.expectation import Expectation
from choreo_bdd.scenario.judging.matching import closeness_of
from choreo_bdd.scenario.sending.replies import Reply
from choreo_bdd.shared.counted import counted

_PAST = ("d", "ed")
"""What parts ``order.place`` from ``order.placed``: a deed and its outcome, no slip."""


def hints(expectation: Expectation, replies: Iterable[Reply], published: Iterable[str]) -> Iterator[str]:
    """What stands in the scenario itself, where nothing at all met the expectation."""
    if expectation.count or expectation.handle.attempts:
        return
    for topic in topic_patterns.similar(expectation.topic, [each for each in published if each != expectation.topic]):
        if not _is_its_outcome(expectation.topic, topic):
            yield f"this scenario itself has published on {topic!r}: is that the topic that was meant?"
    for reply in replies:
        link = reply.link if reply.plan.link is None else reply.plan.link
        if link == expectation.link and topic_patterns.matches(expectation.topic, reply.plan.reply_topic):
            yield from _silence(reply)


def _is_its_outcome(topic: str, other: str) -> bool:
    pairs = zip(topic.split("."), other.split("."), strict=True)
    return any(ours.removeprefix(theirs) in _PAST or theirs.removeprefix(ours) in _PAST for ours, theirs in pairs)


def _silence(reply: Reply) -> Iterator[str]:
    """Why a stand-in that could have sent the message has answered nobody."""
    if reply.matches or reply.plan.is_silent or reply.failure is not None:  # the last is told in its own words
        return
    trigger, service = reply.trigger_topic, f"the stand-in that answers {reply.trigger_topic!r}"
    if reply.passed_over is None or reply.matcher is None:
        yield f"{service} has answered nothing: no message has come on {trigger!r} since it stands there"
        return
    closest = closeness_of(reply.matcher, reply.passed_over)
    messages = counted(reply.candidates, "message")
    yield f"{service} has answered nothing: {messages} came there, and the last differs in {differing_in(closest)}"
