"""The verdict: pure functions of an expectation, the evidence and the fence's answer (spec/harness.md 3.4, 3.5)."""

from __future__ import annotations

from collections.abc import Sequence

from choreo_bdd.matchers import MatchFailure
from choreo_bdd.scenario.judging.diagnosis import Cause, Diagnosis, in_quotes
from choreo_bdd.scenario.judging.evidence import Unseen
from choreo_bdd.scenario.judging.expectation import MET, Expectation
from choreo_bdd.scenario.judging.handle import Handle, Outcome
from choreo_bdd.scenario.judging.ruling import Ruling, Timing
from choreo_bdd.scenario.judging.slips import slips
from choreo_bdd.shared.counted import counted

_PASS, _MATCHED = Outcome.PASS, Cause.MATCHED


def timing(expectation: Expectation, at: float, *, sent: float | None, from_publish: bool) -> Timing:
    """Milliseconds to the loop time ``at``; ``sent`` is when the publish left from which it may count.

    ``from_publish`` says that it counts from there where no budget says otherwise.
    """
    since_registration = (at - expectation.opened_at) * 1000 if at > expectation.opened_at else 0.0
    hop = None if expectation.after is None else hop_start(expectation)
    if hop is not None:
        return Timing(max(0.0, (at - hop) * 1000), since_registration)
    if sent is None:
        return Timing(since_registration, since_registration)
    since_publish = (at - sent) * 1000
    anchored = from_publish or expectation.handle.budget_topic is not None
    return Timing(since_publish if anchored else since_registration, since_registration, since_publish)


def hop_start(expectation: Expectation) -> float | None:
    """When the message came from which the budget counts, where that is the one this expectation comes after."""
    before = expectation.after
    if before is None or before.decisive is None or before.topic != expectation.handle.budget_topic:
        return None
    return before.decisive.received_at


def by_message(expectation: Expectation, reason: str, took: Timing, topic: str) -> Ruling:
    """What the message says that has just been counted and has decided it; ``topic`` is the one it came on."""
    handle = expectation.handle
    if expectation.occurs.maximum is not None:
        spoke = "" if topic == handle.topic else f" on {topic!r}"  # of those that a pattern stands for
        text = f"{Cause.UNEXPECTED.value}: {reason}; the last came{spoke} after {took.latency_ms:.1f} ms"
        return Ruling(Outcome.FAIL, reason, took, Diagnosis(Cause.UNEXPECTED, reason, text))
    return _met(handle, reason, took, f"matched on {in_quotes(handle.topic)} after {took.latency_ms:.1f} ms{took.note}")


def by_time(
    expectation: Expectation,
    *,
    waited_ms: float,
    waited: Timing,
    matched: Timing | None,
    failure: str | None,
    unseen: Sequence[Unseen],
    came_close: bool = False,
) -> Ruling:
    """What the end of the wait decides; ``came_close`` says that something came, though nobody could judge it.

    ``failure`` is what a transport failed to do, the fence included: without its answer nothing has been seen not to
    come. ``matched`` has the times of the last match, if there is one.
    """
    handle, occurs = expectation.handle, expectation.occurs
    if expectation.state is not MET or failure is not None:
        return _unmet(expectation, waited_ms, waited, failure, came_close=came_close)
    reason = f"{expectation.count} matching on {handle.topic!r} within {waited_ms:g} ms, wanted {occurs}"
    notes = (*(each.sentence for each in unseen), *slips(expectation))
    reason = "; ".join([reason, *notes])
    meant = next((each for each in unseen if each.counts and not occurs.allows(expectation.count + each.number)), None)
    if meant is not None:
        diagnosis = Diagnosis(meant.cause, reason, f"{meant.cause.value}: {reason}")
        return Ruling(Outcome.FAIL, reason, waited, diagnosis, notes)
    if matched is None:
        return Ruling(_PASS, reason, waited, Diagnosis(_MATCHED, reason, reason), notes)
    return _met(handle, reason, matched, reason, notes)


def by_end_of_scope(why: str, failure: str | None = None) -> Ruling:
    """What is left of an expectation whose scope ended too soon; ``failure`` is what a transport failed to do."""
    reason = f"aborted: {why}"
    if failure is not None:
        return Ruling(Outcome.TIMEOUT, f"{reason}; transport failed: {failure}", Timing(0.0))
    return Ruling(Outcome.TIMEOUT, reason, Timing(0.0), Diagnosis(Cause.ABORTED, reason, reason))


def too_early(handle: Handle, took: Timing) -> str | None:
    """What to say of a match that came before it may."""
    earliest = handle.earliest_ms
    if earliest is None or took.most_ms >= earliest:
        return None
    since = handle.budget_topic
    came = f"{took.latency_ms:.1f} ms after '{since}'" if since is not None else f"after {took.latency_ms:.1f} ms"
    sooner = f"{earliest - took.latency_ms:.1f} ms sooner than the {earliest:g} ms it may not come before"
    return f"the message on {in_quotes(handle.topic)} came {came}, {sooner}"


def over_budget(handle: Handle, latency_ms: float) -> float | None:
    """The budget, where a latency is beyond it."""
    budget = handle.budget_ms
    return None if budget is None or latency_ms <= budget else budget


def near_misses(handle: Handle) -> str:
    """How many there were, in words."""
    return counted(handle.attempts, "near-miss", "near-misses")


def _met(handle: Handle, reason: str, took: Timing, sentence: str, notes: tuple[str, ...] = ()) -> Ruling:
    """PASS with this sentence, SLOW when it took too long, or FAIL when it came too early."""
    if handle.budget_ms is None and handle.earliest_ms is None:
        return Ruling(_PASS, reason, took, Diagnosis(_MATCHED, sentence, sentence), notes)
    early = too_early(handle, took)
    if early is not None:
        text = f"{Cause.TOO_EARLY.value}: {early}"
        return Ruling(Outcome.FAIL, early, took, Diagnosis(Cause.TOO_EARLY, early, text), notes)
    latency, budget, earliest = took.latency_ms, over_budget(handle, took.most_ms), handle.earliest_ms
    if earliest is not None and took.least_ms < earliest:
        untold = _untold(handle, took, f"it may not come before {earliest:g} ms")
        return Ruling(Outcome.FAIL, untold.sentence, took, untold, notes)
    if budget is None:
        return Ruling(_PASS, reason, took, Diagnosis(_MATCHED, sentence, sentence), notes)
    if took.least_ms <= budget:
        untold = _untold(handle, took, f"the budget is {budget:.1f} ms")
        return Ruling(Outcome.SLOW, untold.sentence, took, untold, notes)
    note = f"{latency:.1f} ms, {latency - budget:.1f} ms over the budget of {budget:.1f} ms"
    late = f"the message on {in_quotes(handle.topic)} took {note}"
    slow = Diagnosis(Cause.OVER_BUDGET, late, f"{Cause.OVER_BUDGET.value}: {late}")
    return Ruling(Outcome.SLOW, f"{note}: {reason}", took, slow, notes)


def _untold(handle: Handle, took: Timing, bound: str) -> Diagnosis:
    """Neither within a bound nor beyond it: it came while nobody could look."""
    between = f"the message on {in_quotes(handle.topic)} took between {took.least_ms:.1f} and {took.most_ms:.1f} ms"
    what = "it" if took.unseen_ms else f"the one on '{handle.budget_topic}'"
    why = f"the event loop was blocked for {took.unseen_ms or took.late_ms:.0f} ms before {what} could be read"
    told = f"{between}, and {bound}: {why}; keep what sleeps or computes for long off the loop"
    return Diagnosis(Cause.LATENCY_UNKNOWN, told, f"{Cause.LATENCY_UNKNOWN.value}: {told}")


def _unmet(
    expectation: Expectation, waited_ms: float, waited: Timing, failure: str | None, *, came_close: bool
) -> Ruling:
    handle, minimum = expectation.handle, expectation.occurs.minimum
    outcome, reason = _shortfall(expectation, waited_ms, failure, came_close=came_close)
    if handle.transport is not None:
        reason = f"[{handle.transport}] {reason}"
    too_few = 0 < expectation.count < minimum
    counted = MatchFailure("predicate", "<root>", {"min_count": minimum}, expectation.count) if too_few else None
    return Ruling(outcome, reason, waited, failure=counted)


def _shortfall(
    expectation: Expectation, waited_ms: float, failure: str | None, *, came_close: bool
) -> tuple[Outcome, str]:
    handle, before = expectation.handle, f"before timeout_ms={waited_ms:g}"
    latest = f"; latest: {handle.last_mismatch_reason}" if handle.attempts else ""
    if failure is not None:
        outcome = Outcome.FAIL if handle.attempts or expectation.count else Outcome.TIMEOUT
        return outcome, f"transport failed: {failure}"
    if expectation.count:
        near = f", {near_misses(handle)}" if handle.attempts else ""
        wanted = f"wanted {expectation.occurs}"
        return Outcome.FAIL, f"{expectation.count} matching on {handle.topic!r} {before}, {wanted}{near}{latest}"
    if handle.attempts:
        return Outcome.FAIL, f"{near_misses(handle)}, none matched {before}{latest}"
    outcome = Outcome.FAIL if came_close else Outcome.TIMEOUT
    return outcome, f"no matching message arrived on {handle.topic!r} {before}"
