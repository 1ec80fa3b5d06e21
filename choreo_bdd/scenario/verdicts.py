"""The judge of a scope: asks what stands around an expectation, has it decided, and tells whoever waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain

from choreo_bdd import topic_patterns
from choreo_bdd.inbound.listening import Delivery
from choreo_bdd.matchers import MatchFailure
from choreo_bdd.message import values_of
from choreo_bdd.observers.traffic import Fenced
from choreo_bdd.scenario.arming import Proofs
from choreo_bdd.scenario.judging.diagnosis import Cause, Diagnosis, explain
from choreo_bdd.scenario.judging.evidence import OutsideEvidence, facts, unseen
from choreo_bdd.scenario.judging.expectation import (
    HELD,
    LATE,
    LEFT,
    MATCHED,
    NO_ROOM,
    TOO_MANY,
    UNCONCERNED,
    Expectation,
    Heard,
)
from choreo_bdd.scenario.judging.ruling import Ruling, Timing
from choreo_bdd.scenario.judging.strays import Stray, StrayReason, judged, nearest
from choreo_bdd.scenario.judging.verdict import (
    by_end_of_scope,
    by_message,
    by_time,
    hop_start,
    near_misses,
    over_budget,
    timing,
    too_early,
)
from choreo_bdd.scenario.links import Link
from choreo_bdd.scenario.options import ScopeOptions
from choreo_bdd.scenario.sending.hints import hints
from choreo_bdd.scenario.sending.outbox import Outbox
from choreo_bdd.scenario.sending.replies import Reply
from choreo_bdd.scenario.timeline import TimelineAction, _Timeline
from choreo_bdd.shared.pauses import pauses

_STRAYS_KEPT = 100
_COUNTED = (MATCHED, TOO_MANY)
_UNTOLD = (UNCONCERNED, LATE, HELD, LEFT)
_MATCHED, _MISMATCHED = TimelineAction.MATCHED, TimelineAction.MISMATCHED


class Verdicts:
    """The judge of one scope."""

    def __init__(
        self,
        expectations: Sequence[Expectation],
        links: Mapping[str | None, Link],
        outbox: Outbox,
        proofs: Proofs,
        timeline: _Timeline,
        *,
        replies: Sequence[Reply],
        options: ScopeOptions,
        clock: Callable[[], float],
        notify: Callable[[], None],
    ) -> None:
        self._expectations = expectations
        self._links = links
        self._outbox = outbox
        self._proofs = proofs
        self._timeline = timeline
        self._replies = replies
        self._options = options
        self._clock = clock
        self._pauses = pauses()
        self._notify = notify
        self._opened_at = clock()

    # --- by messages ----------------------------------------------------------------------------------------------

    def hear(self, expectation: Expectation, delivery: Delivery) -> None:
        """Let an expectation have a message, and draw the consequences."""
        self.follow(expectation, delivery, *expectation.hear(delivery))

    def follow(self, expectation: Expectation, delivery: Delivery, heard: Heard, why: str) -> None:
        """Draw the consequences of what an expectation has heard."""
        if heard not in _UNTOLD and (end := expectation.closes_at) is not None:
            came_at = delivery.message.received_at
            if came_at > end and (traffic := self._links[expectation.link].harness.router.traffic) is not None:
                traffic.fence(Fenced(end, came_at, (expectation.topic,)))
        if heard in _COUNTED:
            self._counted(expectation, delivery, heard, why)
            if expectation.decisive is delivery.message:
                self._hear_successors(expectation)
        elif heard is NO_ROOM:
            link, reason = self._links[expectation.link], "too many messages to hold until this check can be judged"
            self._outbox.failed(link, expectation.topic, reason)
        elif heard not in _UNTOLD:
            self._record(expectation, delivery, _MISMATCHED, why)

    def _counted(self, expectation: Expectation, delivery: Delivery, heard: Heard, why: str) -> None:
        if not expectation.is_decided:
            self._record(expectation, delivery, TimelineAction.MATCHED, why)
            return
        took = self._arrived(expectation, delivery.message.received_at)
        early = None if heard is TOO_MANY else too_early(expectation.handle, took)
        if early is not None:
            failure = MatchFailure("predicate", "<root>", {"not_before_ms": expectation.handle.earliest_ms})
            expectation.handle.note_mismatch(early, delivery.value, failure)
            self._record(expectation, delivery, _MISMATCHED, f"{Cause.TOO_EARLY.value}: {early}")
        elif heard is TOO_MANY:
            self._record(expectation, delivery, _MISMATCHED, f"unexpected: {why}")
        else:
            budget = over_budget(expectation.handle, took.latency_ms)
            slow = "" if budget is None else f" [SLOW {took.latency_ms:.1f}ms>{budget:.1f}ms]"
            self._record(expectation, delivery, _MATCHED, why + slow)
        self._settle(expectation, by_message(expectation, why, took, delivery.message.topic), self._clock())

    def _hear_successors(self, met: Expectation) -> None:
        """Let expectations that come after hear again what came between a message that was held back and now."""
        for successor in self._expectations:
            if successor.after is not met or not successor.early:
                continue
            early, successor.early = successor.early, []
            for delivery in early:
                if successor.is_gone(delivery.message):
                    continue
                if not successor.is_pending or successor.is_early(delivery, held_back=True):
                    successor.early.append(delivery)
                else:
                    self.hear(successor, delivery)

    # --- by time --------------------------------------------------------------------------------------------------

    def expire(self, expectation: Expectation, *, timeout_ms: float | None = None, mark: bool = True) -> None:
        """Settle an expectation whose time has run out; ``mark`` notes the deadline on the timeline.

        ``timeout_ms`` is the wait to name; by default the time since the scope's anchor.
        """
        if not expectation.is_pending:
            return
        closed = expectation.closes_by(self._clock())
        waited = self._timing(expectation, closed)
        waited_ms = round(waited.latency_ms, 1) if timeout_ms is None else timeout_ms
        overdue = self._outbox.overdue if expectation.asked is None else None  # it is known by now that nothing comes
        failure = self._failure(expectation) or overdue or self._overlooked(expectation)
        matched_at = expectation.matched_at
        ruling = by_time(
            expectation,
            waited_ms=waited_ms,
            waited=waited,
            matched=None if matched_at is None else self._arrived(expectation, matched_at),
            failure=failure,
            unseen=unseen(expectation, self._unattributable(expectation), self._options.unattributed),
            came_close=self._options.unreadable == "near-miss" and bool(expectation.unreadable),
        )
        if mark and ruling.diagnosis is None:
            self._mark_deadline(expectation, closed)
        self._settle(expectation, ruling, closed, waited_ms, failure)

    def abort(self, expectation: Expectation, why: str) -> None:
        """Settle an expectation whose scope ended before its time."""
        failure = self._failure(expectation) or self._proofs.given_up
        self._settle(expectation, by_end_of_scope(why, failure), self._clock(), failure=failure)

    def _settle(
        self,
        expectation: Expectation,
        ruling: Ruling,
        at: float,
        waited_ms: float = 0.0,
        failure: str | None = None,
    ) -> None:
        expectation.settle(ruling, at=at, explain=partial(self._explain, expectation, waited_ms, failure))
        self._notify()

    # --- what stands around ---------------------------------------------------------------------------------------

    def _arrived(self, expectation: Expectation, at: float) -> Timing:
        """The times of a message that was noted at a loop time, which is late where the loop was blocked before it."""
        took = self._timing(expectation, at)
        unseen_s = self._pauses.unseen_s(at, since=at - took.latency_ms / 1000)
        start = None if expectation.after is None else hop_start(expectation)
        late_s = 0.0 if start is None else self._pauses.unseen_s(start, since=self._caused_at(expectation, start))
        return took._replace(unseen_ms=unseen_s * 1000, late_ms=late_s * 1000) if unseen_s or late_s else took

    def _caused_at(self, expectation: Expectation, at: float) -> float:
        """The latest moment from which on a message noted at a loop time may have come."""
        began = self._since(expectation)
        return self._outbox.last_sent(at, since=began) or began

    def _timing(self, expectation: Expectation, at: float) -> Timing:
        topic = expectation.handle.budget_topic
        if topic is None and self._outbox.is_during_act(at):
            took = timing(expectation, at, sent=at, from_publish=True)
            return took._replace(note=": it came before the act had ended")
        link = None if expectation.begins_with is None else expectation.begins_with.link
        sent = self._outbox.last_sent(at, topic, link, since=self._since(expectation))
        return timing(expectation, at, sent=sent, from_publish=self._options.latency_from == "publish")

    def _since(self, expectation: Expectation) -> float:
        """When what it depends on began; a topic that the budget names may have been published in an earlier phase."""
        return expectation.opened_at if expectation.handle.budget_topic is None else self._opened_at

    def _explain(self, expectation: Expectation, waited_ms: float, failure: str | None) -> Diagnosis:
        depends_on = expectation.asked or expectation.handle.budget_topic
        unheard = self._outbox.nobody_listens(depends_on, since=self._since(expectation))
        told = "; ".join(unheard.sentences)
        foreign, dispatcher = self._foreign(expectation), self._links[expectation.link].harness.router.dispatcher
        ids = chain.from_iterable(values_of(each.correlation_id or "") for each in foreign)
        outside = OutsideEvidence(
            failure or self._failure(expectation),
            foreign,
            frozenset(filter(dispatcher.has_left, ids)),
            self._beside(expectation),
            frozenset(each.topic for each in self._expectations),
            self._elsewhere(expectation),
            self._remarks(expectation) + (() if unheard.are_all else unheard.sentences),
            self._remarks_on(expectation, sorted(self._outbox.topics)),
            told if unheard.are_all else None,
        )
        return explain(facts(expectation, outside, waited_ms=waited_ms))

    def _unattributable(self, expectation: Expectation) -> Sequence[Delivery]:
        """What could break an absence or a count and carries no id, where ids are expected."""
        link = self._links[expectation.link]
        if link.wire_id is None or not expectation.occurs.waits_the_window_out:
            return ()
        came = link.harness.router.nobodys_since(expectation.topic, expectation.opened_at)
        in_time = [each for each in came if not expectation.is_over_for(each.message.received_at)]
        return [each for each in in_time if not expectation.is_before_the_publish(each.message.received_at)]

    def _foreign(self, expectation: Expectation) -> list[Delivery]:
        router, topic = self._links[expectation.link].harness.router, expectation.topic
        return [
            delivery
            for delivery in router.foreign_since(topic, expectation.opened_at)
            if not any(
                router.dispatcher.accounts_for(each, topic, delivery.message.received_at)
                for each in values_of(delivery.correlation_id or "")
            )
        ]

    def _beside(self, expectation: Expectation) -> list[Delivery]:
        if topic_patterns.is_pattern(expectation.topic):
            return []
        link = self._links[expectation.link]
        router = link.harness.router
        patterns = router.nearby.beside(expectation.topic)
        beside = [*chain.from_iterable(router.seen_since(each, expectation.opened_at) for each in patterns)]
        if not beside:
            return []
        published = self._outbox.topics
        own = (link.wire_id,) if router.correlates(expectation.topic) else (link.wire_id, None)
        return [
            delivery
            for delivery in beside
            if delivery.message.topic not in published and (link.wire_id is None or delivery.correlation_id in own)
        ]

    def _elsewhere(self, expectation: Expectation) -> list[tuple[str, Delivery]]:
        """What came on its topic on another transport, seen there because checks listen to that one, or beside it.

        What one of these waits for and has taken was meant for there.
        """
        others = [each for each in self._links.values() if each.name not in (None, expectation.link)]
        if not others or topic_patterns.is_pattern(expectation.topic) or expectation.topic in self._outbox.topics:
            return []
        came: list[tuple[str, Delivery]] = []
        for link in others:
            router = link.harness.router
            listening = [each for each in self._expectations if each.link == link.name]
            heard = [*chain.from_iterable(_unwanted(each) for each in listening)]
            for pattern in router.nearby.beside(expectation.topic):
                heard += router.seen_since(pattern, expectation.opened_at)
            came += [(link.name or "", each) for each in heard if _is_at(each, expectation.topic, link.wire_id)]
        return came

    def _remarks(self, expectation: Expectation) -> tuple[str, ...]:
        """Replies that could not be made, what the transport knows of its topic, and what hints at a slip."""
        broken = (each.failure for each in self._replies)
        hinted = hints(expectation, self._replies, self._outbox.topics)
        known = self._remarks_on(expectation, [expectation.topic])
        return tuple(filter(None, (*dict.fromkeys(broken), *known, *hinted)))

    def _remarks_on(self, expectation: Expectation, topics: Sequence[str]) -> tuple[str, ...]:
        return tuple(filter(None, map(self._links[expectation.link].harness.remark, topics)))

    def _failure(self, expectation: Expectation) -> str | None:
        """What transports failed to do for this scope: first the expectation's own transport, then any other."""
        unproven = self._proofs.failure(expectation.link, expectation.topic)
        if unproven is not None:  # of what follows from it, others tell
            return unproven
        outbox = self._outbox
        own = [each for each in outbox.failures if each.transport == expectation.link]
        if own:
            return own[-1].reason
        if outbox.failures:
            elsewhere = outbox.failures[-1]
            return f"on {elsewhere.transport}, {elsewhere.reason}"
        return None

    def _overlooked(self, expectation: Expectation) -> str | None:
        """Why an absence or a count cannot be told: some of what its pattern stands for is not heard."""
        if not expectation.occurs.waits_the_window_out or not topic_patterns.is_pattern(expectation.topic):
            return None
        return self._links[expectation.link].harness.router.overlooked(expectation.topic)

    # --- what met nothing -----------------------------------------------------------------------------------------

    def strays(self) -> tuple[Stray, ...]:
        """What came by on the topics of these expectations and met none of them, in order of time; the first of it."""
        returned = self._outbox.returned
        passing = [(each, *passed) for each in self._expectations for passed in self._passing_by(each)]
        if not returned and not passing:
            return ()
        seen = judged(self._expectations)
        found: list[tuple[float, Stray]] = [
            (at, Stray(StrayReason.RETURNED, self._timeline.epoch_of(at), each.record(each.link.name), detail=words))
            for at, each, words in returned
        ]
        for expectation, why, delivery in passing:
            message = delivery.message
            if id(message) in seen:
                continue
            seen.add(id(message))
            rivals = [e for e in self._expectations if (e.link, e.topic) == (expectation.link, expectation.topic)]
            at, record = self._timeline.epoch_of(message.received_at), delivery.record(expectation.link)
            ids = () if delivery.correlation_id is None else values_of(delivery.correlation_id)
            found.append((message.received_at, Stray(why, at, record, *nearest(rivals, delivery), ids=ids)))
        return tuple(stray for _, stray in sorted(found, key=lambda pair: pair[0])[:_STRAYS_KEPT])

    def _passing_by(self, expectation: Expectation) -> Iterator[tuple[StrayReason, Delivery]]:
        link = self._links[expectation.link]
        dispatcher = link.harness.router.dispatcher
        yield from ((StrayReason.LATE, delivery) for delivery in expectation.late)
        for delivery in link.harness.router.foreign_since(expectation.topic, expectation.opened_at):
            ids, own = values_of(delivery.correlation_id or ""), {link.minted, link.wire_id, *link.adopted}
            if delivery.correlation_id is None:
                yield StrayReason.NO_ID, delivery
            elif own.isdisjoint(ids) and not any(map(dispatcher.owner, ids)):
                yield StrayReason.FOREIGN, delivery
        beside = self._beside(expectation)
        if not beside:
            return
        alike = topic_patterns.similar(expectation.topic, {each.message.topic for each in beside})
        yield from ((StrayReason.OTHER_TOPIC, delivery) for delivery in beside if delivery.message.topic in alike)

    # --- on the timeline ------------------------------------------------------------------------------------------

    def _record(self, expectation: Expectation, delivery: Delivery, action: TimelineAction, detail: str) -> None:
        on_stage = expectation.link is not None
        self._timeline.record(
            action=action,
            topic=expectation.topic if on_stage else delivery.message.topic,
            detail="" if on_stage and action is _MATCHED else detail,
            transport=expectation.link,
            source="expect" if on_stage else None,
        )

    def _mark_deadline(self, expectation: Expectation, closed: float) -> None:
        parts = [f"{expectation.count} matching"] if expectation.count else []
        parts += [near_misses(expectation.handle)] if expectation.handle.attempts else []
        self._timeline.record(
            action=TimelineAction.DEADLINE,
            topic=expectation.topic,
            detail=", ".join(parts) or "no message",
            transport=expectation.link,
            source="expect" if expectation.link is not None else None,
            at=closed,  # who waits one after the other asks later than the time ran out
        )


def _unwanted(expectation: Expectation) -> Sequence[Delivery]:
    """What an expectation has heard and does not wait for."""
    return (*expectation.near_misses, *(() if expectation.occurs.minimum else expectation.taken))


def _is_at(delivery: Delivery, topic: str, wire_id: str | None) -> bool:
    return wire_id is not None and delivery.correlation_id == wire_id and delivery.message.topic == topic
