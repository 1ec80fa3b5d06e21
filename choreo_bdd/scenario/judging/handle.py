"""Handle: one expectation as its author sees it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, NoReturn

from choreo_bdd.matchers import Matcher, MatchFailure
from choreo_bdd.matchers.protocols import expected_shape
from choreo_bdd.message import MessageRecord
from choreo_bdd.scenario.judging.diagnosis import Diagnosis
from choreo_bdd.scenario.timeline import Recordable

_FAILURES_MAX = 20


class Outcome(StrEnum):
    """What became of an expectation."""

    PENDING = "pending"
    PASS = "pass"
    FAIL = "fail"
    TIMEOUT = "timeout"
    SLOW = "slow"


_PENDING = Outcome.PENDING  # a member that is looked up in its enum costs as much as a call does


class Handle:
    """One expectation and what became of it. Readable at any time, also after its scenario has ended.

    All ``*_ms`` are milliseconds. ``latency_ms`` is the number the budget is held against; beside it stand
    ``since_registration_ms`` and ``since_publish_ms``, whichever of them it is.
    """

    def __init__(
        self,
        topic: str,
        matcher_description: str,
        correlation_id: str | None = None,
        *,
        matcher: Matcher | None = None,
        transport: str | None = None,
        origin: str | None = None,
        step_text: str | None = None,
    ) -> None:
        self.topic = topic
        self.matcher_description = matcher_description
        self.correlation_id = correlation_id
        self.origin = origin
        self.step_text = step_text
        self.asserted = True
        self.outcome = _PENDING
        self.reason = ""
        self.attempts = 0
        self.failures_dropped = 0
        self.last_mismatch_reason: str | None = None
        self.last_mismatch_payload: Any = None
        self.since_registration_ms: float | None = None
        self.since_publish_ms: float | None = None
        self.notes: tuple[str, ...] = ()
        """What stands beside the verdict: messages that could have been meant, but not be read or attributed."""
        self._expected: Any = None
        self._matcher = matcher
        self._transport = transport
        self._failures: list[MatchFailure] = []
        self._messages: list[Recordable] = []
        self.budget_ms: float | None = None
        """The declared latency budget."""
        self.budget_topic: str | None = None
        """The topic whose publish the budget counts from; ``None`` for the scenario's usual anchor."""
        self.earliest_ms: float | None = None
        """The latency below which a match comes too early."""
        self.asked: str | None = None
        """The topic of the request that it waits for an answer to, where that is known."""
        self._latency_ms: float | None = None
        self._diagnosis: Diagnosis | None = None
        self._diagnose: Callable[[], Diagnosis] | None = None

    @property
    def matcher_expected(self) -> Any:
        """What is expected, as data; made when somebody asks, as a report does. ``None`` where its matcher has none."""
        if self._matcher is not None:
            self._expected, self._matcher = expected_shape(self._matcher), None
        return self._expected

    @property
    def transport(self) -> str | None:
        """The Stage transport this expectation listens on; ``None`` for a single harness."""
        return self._transport

    @property
    def messages(self) -> tuple[MessageRecord, ...]:
        """Every message that was counted, in order of arrival."""
        return tuple(each.record(self._transport) for each in self._messages)

    @property
    def message(self) -> Any:
        """Decoded payload of the (first) match, ``None`` after a failure; ``RuntimeError`` while pending."""
        if self.outcome is _PENDING:
            raise RuntimeError(f"the expectation on {self.topic!r} is still pending: there is no message yet")
        has_one = bool(self._messages) and self.outcome in (Outcome.PASS, Outcome.SLOW)
        return self._messages[0].record(self._transport).payload if has_one else None

    @property
    def latency_ms(self) -> float:
        """Latency of the match, or the time waited; ``RuntimeError`` before there is one."""
        if self._latency_ms is None:
            raise RuntimeError(f"the expectation on {self.topic!r} has no latency yet")
        return self._latency_ms

    @property
    def failures(self) -> tuple[MatchFailure, ...]:
        """Structured near-misses, oldest first, at most 20: the first ones, and always the latest."""
        return tuple(self._failures)

    @property
    def diagnosis(self) -> Diagnosis | None:
        """Why it came out as it did; ``None`` while pending."""
        if self._diagnosis is None and self._diagnose is not None and self.outcome is not _PENDING:
            self._diagnosis = self._diagnose()
        return self._diagnosis

    def was_fulfilled(self) -> bool:
        """Whether it passed, within its budget."""
        return self.outcome is Outcome.PASS

    def within_ms(self, budget_ms: float, *, of: str | None = None) -> Handle:
        """Set the latency budget; a match beyond it is SLOW.

        ``of`` names a topic: the budget then counts from the publish on it. Raises ``TypeError`` or ``ValueError``
        for a budget that is no positive finite number, ``RuntimeError`` once the expectation is resolved.
        """
        self._require_duration(budget_ms, "a latency budget")
        if self.budget_ms is not None:
            warnings.warn(
                f"within_ms({budget_ms}) overrides the budget of {self.budget_ms:g} ms on {self.topic!r}",
                UserWarning,
                stacklevel=2,
            )
        self.budget_ms = float(budget_ms)
        self.budget_topic = of
        return self

    def not_before_ms(self, earliest_ms: float, *, of: str | None = None) -> Handle:
        """Let a match that comes sooner than this fail, as too early; counted, and ``of``, as in ``within_ms``.

        Raises ``TypeError``, ``ValueError`` and ``RuntimeError`` as it does.
        """
        self._require_duration(earliest_ms, "the earliest time of a message")
        self.earliest_ms = float(earliest_ms)
        self.budget_topic = of
        return self

    def counted_from(self, topic: str) -> Handle:
        """Have the latency count from the publish on a topic, with or without a budget; returns the handle."""
        self.budget_topic = topic
        return self

    def answers(self, topic: str) -> Handle:
        """Say that what it waits for is the answer to a request on a topic; returns the handle."""
        self.asked = topic
        return self

    def _require_duration(self, milliseconds: float, what: str) -> None:
        if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
            raise TypeError(f"{what} is a number of milliseconds, not {type(milliseconds).__name__}")
        if not math.isfinite(milliseconds) or milliseconds <= 0:
            raise ValueError(f"{what} must be positive and finite, not {milliseconds!r} ms")
        if self.outcome is not _PENDING:
            raise RuntimeError(
                f"the expectation on {self.topic!r} is already {self.outcome.value}: too late for {what}"
            )

    def __repr__(self) -> str:
        transport = f" transport={self._transport!r}" if self._transport is not None else ""
        return f"<Handle {self.topic!r}{transport} {self.outcome.value} {self.matcher_description}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("Handle cannot be pickled: it belongs to a running scenario")

    # --- for the engine -------------------------------------------------------------------------------------------

    def expects(self, matcher: Matcher) -> None:
        """Tell of a matcher that was not known yet."""
        self.matcher_description, self._matcher = matcher.description, matcher

    def note_message(self, message: Recordable) -> None:
        """Keep a message that was counted."""
        self._messages.append(message)

    def note_mismatch(self, reason: str, payload: Any, failure: MatchFailure | None) -> None:
        """Count a near-miss."""
        self.attempts += 1
        self.last_mismatch_reason = reason
        self.last_mismatch_payload = payload
        if failure is not None:
            self.note_failure(failure)

    def note_failure(self, failure: MatchFailure) -> None:
        """Keep a structured account of what was wrong; when there is no more room, the latest takes the last place."""
        if len(self._failures) < _FAILURES_MAX:
            self._failures.append(failure)
        else:
            self._failures[-1] = failure
            self.failures_dropped += 1

    def resolve(self, outcome: Outcome, reason: str, latency_ms: float, *, diagnose: Callable[[], Diagnosis]) -> None:
        """Settle the outcome, once; the diagnosis is made when somebody asks for it."""
        if self.outcome is _PENDING:
            self.outcome = outcome
            self.reason = reason
            self._latency_ms = latency_ms
            self._diagnose = diagnose

    def add_to_diagnosis(self, evidence: Sequence[str]) -> None:
        """Let the diagnosis tell of evidence from elsewhere, too, the likeliest first; it decides nothing."""
        diagnosis = self.diagnosis
        if diagnosis is not None and evidence:
            self._diagnosis = replace(
                diagnosis,
                sentence=f"{diagnosis.sentence}; {evidence[0]}",
                text="\n".join([diagnosis.text, *(f"  {each}" for each in evidence)]),
            )

    def forget_diagnosis(self) -> None:
        """Have the diagnosis made anew: something that bears on it, such as a late message, has happened since."""
        self._diagnosis = None


def are_resolved(waiting: list[Handle]) -> bool:
    """Whether all of these have their outcome; those that have it are taken out, and not asked again."""
    while waiting and waiting[-1].outcome is not _PENDING:
        waiting.pop()
    return not waiting
