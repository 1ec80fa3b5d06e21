"""Verdicts: from judged messages and deadlines to outcomes, with the reason (spec/harness.md 3.4, 3.5)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from choreo_bdd import topic_patterns
from choreo_bdd.inbound.listening import Delivery
from choreo_bdd.matchers import MatchFailure, MatchResult
from choreo_bdd.scenario.judging.diagnosis import Cause, Diagnosis, Facts, closest_of, explain
from choreo_bdd.scenario.judging.expectation import Expectation, closeness_of, match_delivery
from choreo_bdd.scenario.judging.handle import Outcome
from choreo_bdd.scenario.links import Link
from choreo_bdd.scenario.options import ScopeOptions
from choreo_bdd.scenario.sending.outbox import Outbox
from choreo_bdd.scenario.subscriptions import Proofs
from choreo_bdd.scenario.timeline import TimelineAction, _Timeline


@dataclass(frozen=True, slots=True)
class _Unseen:
    """Messages an absence or a count has not seen; ``counts`` says whether they might break it."""

    number: int
    sentence: str
    cause: Cause
    counts: bool


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
        options: ScopeOptions,
        clock: Callable[[], float],
        notify: Callable[[], None],
    ) -> None:
        self._expectations = expectations
        self._links = links
        self._outbox = outbox
        self._proofs = proofs
        self._timeline = timeline
        self._options = options
        self._clock = clock
        self._notify = notify
        self._opened_at = clock()

    def judge(self, expectation: Expectation, delivery: Delivery) -> None:
        """Let a pending expectation have a message, and settle it if that decides it."""
        assert expectation.matcher is not None  # expectations without a matcher hold instead
        result = expectation.judge(delivery, expectation.matcher)
        if not result.matched:
            expectation.note_near_miss(delivery, result)
            self._record(expectation, delivery, TimelineAction.MISMATCHED, result.reason)
            return
        if expectation.is_gone(delivery.message):
            self._record(expectation, delivery, TimelineAction.MISMATCHED, "an expectation before has taken it")
            return
        if expectation.is_early(delivery):
            self._record(expectation, delivery, TimelineAction.MISMATCHED, expectation.note_early(delivery))
            return
        expectation.take(delivery)
        self._settle(expectation, delivery, result)
        if expectation.decisive is delivery.message:
            self._judge_successors(expectation)

    def _settle(self, expectation: Expectation, delivery: Delivery, result: MatchResult) -> None:
        """Decide an expectation by the match it has just taken, if that decides it."""
        occurs = expectation.occurs
        if occurs.maximum is not None and expectation.count > occurs.maximum:
            self._exceeded(expectation, delivery)
        elif occurs.maximum is None and expectation.count >= occurs.minimum:
            self._met(expectation, delivery, result)
        else:
            self._record(expectation, delivery, TimelineAction.MATCHED, result.reason)

    def _judge_successors(self, met: Expectation) -> None:
        """Judge again what came between a message that was held back and now, on expectations that come after it."""
        assert met.decisive is not None  # it has just been met
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
                    self.judge(successor, delivery)

    def _met(self, expectation: Expectation, delivery: Delivery, result: MatchResult) -> None:
        latency = self._latency(expectation, delivery.message.received_at)
        earliest = expectation.handle.earliest_ms
        if earliest is not None and latency < earliest:
            self._too_early(expectation, delivery, latency, earliest)
            return
        budget = _exceeded_budget(expectation, latency)
        slow = "" if budget is None else f" [SLOW {latency:.1f}ms>{budget:.1f}ms]"
        self._record(expectation, delivery, TimelineAction.MATCHED, result.reason + slow)
        note = ": it came before the act had ended" if self._outbox.is_during_act(delivery.message.received_at) else ""
        sentence = f"matched on '{expectation.topic}' after {latency:.1f} ms{note}"
        self._pass_or_slow(expectation, result.reason, latency, sentence)

    def _pass_or_slow(self, expectation: Expectation, reason: str, latency: float, sentence: str) -> None:
        """Settle an expectation that was met: PASS with this sentence, or SLOW when it took too long."""
        budget = _exceeded_budget(expectation, latency)
        if budget is None:
            self._resolve(expectation, Outcome.PASS, reason, latency, Diagnosis(Cause.MATCHED, sentence, sentence))
            return
        note = f"{latency:.1f} ms, {latency - budget:.1f} ms over the budget of {budget:.1f} ms"
        late = f"the message on '{expectation.topic}' took {note}"
        slow = Diagnosis(Cause.OVER_BUDGET, late, f"{Cause.OVER_BUDGET.value}: {late}")
        self._resolve(expectation, Outcome.SLOW, f"{note}: {reason}", latency, slow)

    def _too_early(self, expectation: Expectation, delivery: Delivery, latency: float, earliest: float) -> None:
        handle, since = expectation.handle, expectation.handle.budget_topic
        came = f"{latency:.1f} ms after '{since}'" if since is not None else f"after {latency:.1f} ms"
        sooner = f"{earliest - latency:.1f} ms sooner than the {earliest:g} ms it may not come before"
        sentence = f"the message on '{expectation.topic}' came {came}, {sooner}"
        handle.note_mismatch(sentence, delivery.value, MatchFailure("predicate", "<root>", {"not_before_ms": earliest}))
        self._record(expectation, delivery, TimelineAction.MISMATCHED, f"{Cause.TOO_EARLY.value}: {sentence}")
        text = f"{Cause.TOO_EARLY.value}: {sentence}"
        self._resolve(expectation, Outcome.FAIL, sentence, latency, Diagnosis(Cause.TOO_EARLY, sentence, text))

    def _exceeded(self, expectation: Expectation, delivery: Delivery) -> None:
        handle = expectation.handle
        wanted = expectation.occurs
        reason = f"{expectation.count} matching on {handle.topic!r}, wanted {wanted}"
        failure = MatchFailure("predicate", "<root>", {"max_count": wanted.maximum}, delivery.value)
        handle.note_mismatch(reason, delivery.value, failure)
        self._record(expectation, delivery, TimelineAction.MISMATCHED, f"unexpected: {reason}")
        latency = self._latency(expectation, delivery.message.received_at)
        text = f"{Cause.UNEXPECTED.value}: {reason}; the last came after {latency:.1f} ms"
        self._resolve(expectation, Outcome.FAIL, reason, latency, Diagnosis(Cause.UNEXPECTED, reason, text))

    def expire(self, expectation: Expectation, *, timeout_ms: float | None = None, mark: bool = True) -> None:
        """Settle an expectation whose time has run out; ``mark`` notes the deadline on the timeline.

        ``timeout_ms`` is the wait to name; by default the time since the scope's anchor.
        """
        if not expectation.is_pending:
            return
        handle, occurs = expectation.handle, expectation.occurs
        closed = min(self._clock(), expectation.closes_at or math.inf)
        expectation.closed_at = closed
        latency = self._latency(expectation, closed)
        timeout_ms = round(latency, 1) if timeout_ms is None else timeout_ms
        broken = self._transport_failure(expectation) or self._outbox.overdue
        if occurs.maximum is not None and expectation.count >= occurs.minimum and broken is None:
            reason = f"{expectation.count} matching on {handle.topic!r} within {timeout_ms:g} ms, wanted {occurs}"
            unseen = self._unseen(expectation)
            if unseen:
                reason = "; ".join([reason, *(each.sentence for each in unseen)])
                handle.notes = tuple(each.sentence for each in unseen)
            meant = next(
                (each for each in unseen if each.counts and expectation.count + each.number > occurs.maximum), None
            )
            if meant is not None:
                text = f"{meant.cause.value}: {reason}"
                self._resolve(expectation, Outcome.FAIL, reason, latency, Diagnosis(meant.cause, reason, text))
                return
            if expectation.matched_at is None:
                self._resolve(expectation, Outcome.PASS, reason, latency, Diagnosis(Cause.MATCHED, reason, reason))
            else:
                self._pass_or_slow(expectation, reason, self._latency(expectation, expectation.matched_at), reason)
            return
        if mark:
            self._mark_deadline(expectation)
        outcome, reason = _shortfall(expectation, timeout_ms, broken)
        if expectation.count and expectation.count < occurs.minimum:
            wanted = {"min_count": occurs.minimum}
            handle.note_failure(MatchFailure("predicate", "<root>", wanted, expectation.count))
        if handle.transport is not None:
            reason = f"[{handle.transport}] {reason}"
        handle.resolve(outcome, reason, latency, diagnose=lambda: explain(self._facts(expectation, timeout_ms, broken)))
        self._notify()

    def _unseen(self, expectation: Expectation) -> list[_Unseen]:
        """Messages that could have been meant, and that could not be judged or attributed (spec/steps.md 5)."""
        unseen: list[_Unseen] = []
        if expectation.unreadable:
            number, error = len(expectation.unreadable), expectation.unreadable[-1]
            came = "message that came could" if number == 1 else "messages that came could"
            sentence = f"{number} {came} not be read ({error})"
            unseen.append(_Unseen(number, sentence, Cause.UNDECODABLE, counts=expectation.is_unconditional))
        unattributed, link = self._options.unattributed, self._links[expectation.link]
        if unattributed != "ignore" and link.wire_id is not None:
            foreign = link.harness.router.foreign_since(expectation.topic, expectation.opened_at)
            number = sum(each.correlation_id is None and _accepts(expectation, each) for each in foreign)
            if number:
                sentence = f"{number} matching without a correlation id, so nobody can tell whose"
                unseen.append(_Unseen(number, sentence, Cause.WRONG_CORRELATION, counts=unattributed == "fail"))
        return unseen

    def abort(self, expectation: Expectation, why: str) -> None:
        """Settle an expectation whose scope ended before its time."""
        if not expectation.is_pending:
            return
        reason = f"aborted: {why}"
        diagnosis = Diagnosis(Cause.ABORTED, reason, reason)
        expectation.handle.resolve(Outcome.TIMEOUT, reason, 0.0, diagnose=lambda: diagnosis)

    # --- details --------------------------------------------------------------------------------------------------

    def _resolve(
        self, expectation: Expectation, outcome: Outcome, reason: str, latency: float, diagnosis: Diagnosis
    ) -> None:
        expectation.closed_at = self._clock()
        expectation.handle.resolve(outcome, reason, latency, diagnose=lambda: diagnosis)
        self._notify()

    def _latency(self, expectation: Expectation, at: float) -> float:
        """Milliseconds to ``at``, from the anchor this scope holds budgets against; both numbers are noted."""
        handle = expectation.handle
        handle.since_registration_ms = max(0.0, (at - expectation.opened_at) * 1000)
        hop = _hop_start(expectation)
        if hop is not None:
            return max(0.0, (at - hop) * 1000)
        if handle.budget_topic is None and self._outbox.is_during_act(at):
            handle.since_publish_ms = 0.0
            return 0.0
        # a topic the budget names may have been published in an earlier phase
        since = expectation.opened_at if handle.budget_topic is None else self._opened_at
        sent = self._outbox.last_sent(at, handle.budget_topic, since=since)
        handle.since_publish_ms = None if sent is None else (at - sent) * 1000
        if handle.since_publish_ms is None:
            return handle.since_registration_ms
        anchored = self._options.latency_from == "publish" or handle.budget_topic is not None
        return handle.since_publish_ms if anchored else handle.since_registration_ms

    def _record(self, expectation: Expectation, delivery: Delivery, action: TimelineAction, detail: str) -> None:
        on_stage = expectation.link is not None
        self._timeline.record(
            action=action,
            topic=expectation.topic if on_stage else delivery.message.topic,
            detail="" if on_stage and action is TimelineAction.MATCHED else detail,
            transport=expectation.link,
            source="expect" if on_stage else None,
        )

    def _mark_deadline(self, expectation: Expectation) -> None:
        parts = [f"{expectation.count} matching"] if expectation.count else []
        parts += [_near_misses(expectation)] if expectation.handle.attempts else []
        self._timeline.record(
            action=TimelineAction.DEADLINE,
            topic=expectation.topic,
            detail=", ".join(parts) or "no message",
            transport=expectation.link,
            source="expect" if expectation.link is not None else None,
            at=expectation.closed_at,  # who waits one after the other asks later than the time ran out
        )

    def _facts(self, expectation: Expectation, timeout_ms: float, broken: str | None) -> Facts:
        handle, matcher = expectation.handle, expectation.matcher
        link = self._links[expectation.link]
        router = link.harness.router
        foreign = [
            delivery
            for delivery in router.foreign_since(expectation.topic, expectation.opened_at)
            if not router.dispatcher.is_known(delivery.correlation_id or "")
        ]
        unreadable = expectation.unreadable
        late = expectation.late_at
        closed = expectation.closed_at or self._clock()
        return Facts(
            topic=handle.topic,
            transport=handle.transport,
            correlation_id=handle.correlation_id,
            waited_ms=timeout_ms,
            wanted=str(expectation.occurs),
            arrived=expectation.count,
            early=_early(expectation),
            after=expectation.after.topic if expectation.after is not None and expectation.after.is_met else None,
            near_misses=handle.attempts,
            reason=handle.last_mismatch_reason or "",
            closest=closest_of(closeness_of(matcher, each) for each in expectation.near_misses)
            if matcher is not None
            else None,
            contract_problem=_contract_problem(expectation),
            late_ms=None if late is None else max(0.0, (late - closed) * 1000),
            transport_failure=broken or self._transport_failure(expectation),
            unreadable=(len(unreadable), unreadable[-1]) if unreadable else None,
            foreign_ids=tuple(delivery.correlation_id for delivery in foreign),
            foreign_matched=any(_accepts(expectation, delivery) for delivery in foreign),
            similar_topics=self._similar_topics(expectation),
        )

    def _transport_failure(self, expectation: Expectation) -> str | None:
        """What transports failed to do for this scope: first the expectation's own transport, then any other."""
        outbox = self._outbox
        own = [each for each in outbox.failures if each.transport == expectation.link]
        if own:
            return own[-1].reason
        unproven = self._proofs.failure(expectation.link, expectation.topic)
        if unproven is not None:
            return unproven
        if outbox.failures:
            elsewhere = outbox.failures[-1]
            return f"on {elsewhere.transport}, {elsewhere.reason}"
        return None

    def _similar_topics(self, expectation: Expectation) -> tuple[str, ...]:
        if topic_patterns.is_pattern(expectation.topic):
            return ()
        router = self._links[expectation.link].harness.router
        patterns = router.nearby.beside(expectation.topic)
        beside = chain.from_iterable(router.seen_since(each, expectation.opened_at) for each in patterns)
        own = self._links[expectation.link].wire_id
        candidates = {
            delivery.message.topic
            for delivery in beside
            if delivery.message.topic not in self._outbox.topics
            and (own is None or delivery.correlation_id == own)
            and _accepts(expectation, delivery)
        }
        return topic_patterns.similar(expectation.topic, candidates)


def _hop_start(expectation: Expectation) -> float | None:
    """When the message came from which the budget counts, where that is the one this expectation comes after."""
    before = expectation.after
    if before is None or before.decisive is None or before.topic != expectation.handle.budget_topic:
        return None
    return before.decisive.received_at


def _exceeded_budget(expectation: Expectation, latency: float) -> float | None:
    budget = expectation.handle.budget_ms
    return None if budget is None or latency <= budget else budget


def _shortfall(expectation: Expectation, timeout_ms: float, broken: str | None) -> tuple[Outcome, str]:
    """Outcome and reason of an expectation that was not met in time."""
    handle, before = expectation.handle, f"before timeout_ms={timeout_ms:g}"
    latest = f"; latest: {handle.last_mismatch_reason}" if handle.attempts else ""
    if broken is not None:
        outcome = Outcome.FAIL if handle.attempts or expectation.count else Outcome.TIMEOUT
        return outcome, f"transport failed: {broken} (timeout_ms={timeout_ms:g})"
    if expectation.count:
        near = f", {_near_misses(expectation)}" if handle.attempts else ""
        wanted = f"wanted {expectation.occurs}"
        return Outcome.FAIL, f"{expectation.count} matching on {handle.topic!r} {before}, {wanted}{near}{latest}"
    if handle.attempts:
        return Outcome.FAIL, f"{_near_misses(expectation)}, none matched {before}{latest}"
    return Outcome.TIMEOUT, f"no matching message arrived on {handle.topic!r} {before}"


def _contract_problem(expectation: Expectation) -> str | None:
    """What is wrong under its contract with the message that was meant, if nothing else is wrong with it."""
    broken = [delivery for delivery in expectation.near_misses if delivery.problems]
    meant = [delivery for delivery in broken if _accepts(expectation, delivery)]
    if not meant and len(broken) < len(expectation.near_misses):
        return None
    return next((str(delivery.problems[0]) for delivery in meant or broken), None)


def _early(expectation: Expectation) -> str | None:
    """How many matching messages came out of order, and out of what order."""
    if not expectation.early or expectation.after is None:
        return None
    first = expectation.after
    if any(map(expectation.is_untold, expectation.early)):
        return (
            f"a matching message came, but whether before or after the one on {first.topic!r} cannot be told: "
            f"the broker gives both the same time"
        )
    count = len(expectation.early)
    messages = "a matching message" if count == 1 else f"{count} matching messages"
    return f"{messages} came before the expected one on {first.topic!r}" + (
        "" if first.is_met else ", which never came"
    )


def _near_misses(expectation: Expectation) -> str:
    count = expectation.handle.attempts
    return f"{count} {'near-miss' if count == 1 else 'near-misses'}"


def _accepts(expectation: Expectation, delivery: Delivery) -> bool:
    if expectation.matcher is None:
        return False
    try:
        return match_delivery(expectation.matcher, delivery).matched
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - only a hint is lost; the near-miss itself is reported elsewhere
        return False
