"""What is known about an expectation when it is decided: pure functions of what it heard and what stands around it."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

from choreo_bdd import topic_patterns
from choreo_bdd.inbound.listening import Delivery
from choreo_bdd.matchers import Closeness, Matcher
from choreo_bdd.scenario.judging.diagnosis import Cause, Facts, closest_of
from choreo_bdd.scenario.judging.expectation import Expectation
from choreo_bdd.scenario.judging.matching import accepts, closeness_of
from choreo_bdd.scenario.options import Unattributed
from choreo_bdd.shared.minted import is_minted_elsewhere

_NAMED = 3


class Unseen(NamedTuple):
    """Messages an absence or a count has not seen; ``counts`` says whether they might break it."""

    number: int
    sentence: str
    cause: Cause
    counts: bool


class OutsideEvidence(NamedTuple):
    """What an expectation has not heard itself."""

    failure: str | None = None
    """What a transport failed to do: to subscribe, to send, or to say that all has come."""
    foreign: Sequence[Delivery] = ()
    """Messages on its topic that carry no id of a scenario at hand."""
    former_ids: frozenset[str] = frozenset()
    """Those of their ids that scenarios before it had."""
    beside: Sequence[Delivery] = ()
    """Messages on other topics that it could have been meant to listen to."""
    listened: frozenset[str] = frozenset()
    """The topics that the scenario's checks listen to."""
    elsewhere: Sequence[tuple[str, Delivery]] = ()
    """Messages of the scenario on its topic, on transports that it does not listen to, with the names of these."""
    remarks: tuple[str, ...] = ()
    """What is known of its topic."""
    remarks_on_sent: tuple[str, ...] = ()
    """What is known of the topics that were published on: why nobody may have answered."""
    nobody_listens: str | None = None
    """What the broker says, where nothing that it depends on has reached anybody."""


def unseen(expectation: Expectation, nobodys: Sequence[Delivery], unattributed: Unattributed) -> tuple[Unseen, ...]:
    """Messages that could have been meant, and that could not be judged or attributed (spec/steps.md 5).

    ``nobodys`` carry no id where one is expected.
    """
    found: list[Unseen] = []
    if expectation.unreadable:
        number, error = len(expectation.unreadable), expectation.unreadable[-1]
        came = "message that came could" if number == 1 else "messages that came could"
        sentence = f"{number} {came} not be read ({error})"
        found.append(Unseen(number, sentence, Cause.UNDECODABLE, counts=expectation.is_unconditional))
    if expectation.unjudged:
        number, why = len(expectation.unjudged), expectation.unjudged[-1]
        sentence = f"{number} that came could not be judged ({why})"
        found.append(Unseen(number, sentence, Cause.WRONG_SHAPE, counts=True))
    if expectation.hidden:
        number, why = len(expectation.hidden), expectation.hidden[-1]
        sentence = f"{number} that came would match but for a name in capital or small letters: it has {why}"
        found.append(Unseen(number, sentence, Cause.WRONG_SHAPE, counts=True))
    if unattributed != "ignore":
        number = sum(accepts(expectation.matcher, each) for each in nobodys)
        if number:
            sentence = f"{number} matching without a correlation id, so nobody can tell whose"
            found.append(Unseen(number, sentence, Cause.NO_CORRELATION_ID, counts=unattributed == "fail"))
    return tuple(found)


def facts(expectation: Expectation, outside: OutsideEvidence, *, waited_ms: float) -> Facts:
    """What bears on an expectation that was not met."""
    handle, matcher, after = expectation.handle, expectation.matcher, expectation.after
    fitting = {each.message.topic: each for each in outside.beside if accepts(matcher, each)}
    unreadable, late, closed = expectation.unreadable, expectation.late_at, expectation.closed_at
    foreign_ids = tuple(each.correlation_id for each in outside.foreign)
    texts = [each for each in foreign_ids if isinstance(each, str)]  # a policy may read anything
    return Facts(
        topic=handle.topic,
        transport=handle.transport,
        asked=handle.asked,
        correlation_id=handle.correlation_id,
        waited_ms=waited_ms,
        wanted=str(expectation.occurs),
        arrived=expectation.count,
        early=_early(expectation),
        after=after.topic if after is not None and after.is_met else None,
        near_misses=handle.attempts,
        reason=handle.last_mismatch_reason or "",
        closest=None
        if matcher is None
        else closest_of(_near(expectation, matcher, each) for each in expectation.near_misses),
        contract_problem=_contract_problem(expectation),
        late_ms=None if late is None or closed is None else max(0.0, (late - closed) * 1000),
        transport_failure=outside.failure,
        unreadable=(len(unreadable), unreadable[-1]) if unreadable else None,
        foreign_ids=foreign_ids,
        foreign_matched=tuple(each.correlation_id for each in outside.foreign if accepts(matcher, each)),
        former_ids=outside.former_ids,
        ids_elsewhere=frozenset(filter(is_minted_elsewhere, texts)) - outside.former_ids,
        foreign_closest=None
        if matcher is None
        else closest_of(closeness_of(matcher, each) for each in outside.foreign),
        similar_topics=topic_patterns.similar(expectation.topic, fitting),
        unlike_topics=_unlike_topics(fitting, outside.listened),
        other_transports=tuple(dict.fromkeys(name for name, each in outside.elsewhere if accepts(matcher, each))),
        leftovers=expectation.leftovers,
        remarks=outside.remarks,
        remarks_on_sent=outside.remarks_on_sent,
        nobody_listens=outside.nobody_listens,
    )


def _near(expectation: Expectation, matcher: Matcher, delivery: Delivery) -> Closeness:
    """How near a message came; one that those before it in order have taken was never to be had."""
    near = closeness_of(matcher, delivery)
    if near.taken is not None or not expectation.is_gone(delivery.message):
        return near
    number, before = 0, expectation.after
    while before is not None:
        number, before = number + 1, before.after
    return near._replace(taken=f"taken by the {'one' if number == 1 else number} before it in order")


def _contract_problem(expectation: Expectation) -> str | None:
    """What is wrong under its contract with the message that was meant, if nothing else is wrong with it."""
    broken = [delivery for delivery in expectation.near_misses if delivery.problems]
    meant = [delivery for delivery in broken if accepts(expectation.matcher, delivery)]
    if not meant and len(broken) < len(expectation.near_misses):
        return None
    return next((str(delivery.problems[0]) for delivery in meant or broken), None)


def _early(expectation: Expectation) -> str | None:
    """How many matching messages came out of order, and out of what order."""
    if not expectation.early:
        return None
    first, count = expectation.after, len(expectation.early)
    messages = "a matching message" if count == 1 else f"{count} matching messages"
    if first is None:
        publish = expectation.begins_with
        return f"{messages} came before the publish on {None if publish is None else publish.topic!r}"
    if any(map(expectation.is_untold, expectation.early)):
        return (
            f"a matching message came, but whether before or after the one on {first.topic!r} cannot be told: "
            f"the broker does not say"
        )
    return f"{messages} came before the expected one on {first.topic!r}" + (
        "" if first.is_met else ", which never came"
    )


def _unlike_topics(fitting: Mapping[str, Delivery], listened: Container[str]) -> tuple[str, ...]:
    """Topics beside it, however they are called, where messages came that carry an id, which is the scenario's own."""
    owned = sorted(topic for topic, each in fitting.items() if each.correlation_id is not None)
    return tuple(topic for topic in owned if topic not in listened)[:_NAMED]
