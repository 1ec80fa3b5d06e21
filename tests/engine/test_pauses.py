"""What came while the loop was blocked: how much earlier than noted it may have come, and what is said of it then."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from choreo_bdd import Handle, Outcome
from choreo_bdd.matchers import anything
from choreo_bdd.scenario.judging.diagnosis import Cause
from choreo_bdd.scenario.judging.expectation import Expectation
from choreo_bdd.scenario.judging.ruling import Ruling, Timing
from choreo_bdd.scenario.judging.verdict import by_message
from choreo_bdd.shared.pauses import Pauses


class Loop:
    """As much of an event loop as its pauses are seen by, with a clock that is told what time it is."""

    def __init__(self) -> None:
        self.now = 0.0
        self._selector = SimpleNamespace(select=lambda _=None: [])

    def time(self) -> float:
        return self.now

    def look(self, *, at: float) -> None:
        """Look at the sockets once; nothing has come."""
        self.now = at
        self._selector.select(0)


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def pauses(loop: Any) -> Pauses:
    seen = Pauses(loop)
    loop.look(at=0.001)
    loop.look(at=0.401)
    return seen


@pytest.mark.parametrize(
    ("at", "since", "expected"),
    [
        pytest.param(0.401, 0.0, 0.4, id="read right behind the pause"),
        pytest.param(0.201, 0.0, 0.2, id="known to have come by the middle of it"),
        pytest.param(0.401, 0.101, 0.3, id="caused during the pause"),
        pytest.param(0.441, 0.0, 0.44, id="fetched from the broker right behind it"),
        pytest.param(0.501, 0.0, 0.0, id="long after it"),
        pytest.param(0.411, 0.405, 0.0, id="caused after it"),
        pytest.param(0.001, 0.0, 0.0, id="before it"),
    ],
)
def test_how_much_earlier_a_message_may_have_come(pauses: Pauses, at: float, since: float, expected: float) -> None:
    assert pauses.unseen_s(at, since=since) == pytest.approx(expected, abs=0.0011)


def test_a_loop_that_looks_often_has_no_pauses(loop: Any) -> None:
    seen = Pauses(loop)
    for turn in range(100):
        loop.look(at=turn / 200)
    assert seen.unseen_s(0.4, since=0.0) == 0


def test_a_loop_of_another_make_is_taken_at_its_word() -> None:
    foreign: Any = SimpleNamespace(time=lambda: 0.0)
    assert Pauses(foreign).unseen_s(1.0, since=0.0) == 0


def ruled(took: Timing, *, budget_ms: float | None = None, earliest_ms: float | None = None) -> Ruling:
    handle = Handle("orders", "anything", "my-id")
    if budget_ms is not None:
        handle.within_ms(budget_ms)
    if earliest_ms is not None:
        handle.not_before_ms(earliest_ms)
    expectation = Expectation(handle, anything(), topic="orders", link=None, opened_at=0.0)
    return by_message(expectation, "it matched", took, "orders")


@pytest.mark.parametrize(
    ("unseen_ms", "expected"),
    [
        pytest.param(0, (Outcome.SLOW, Cause.OVER_BUDGET), id="seen"),
        pytest.param(350, (Outcome.SLOW, Cause.OVER_BUDGET), id="too slow all the same"),
        pytest.param(450, (Outcome.SLOW, Cause.LATENCY_UNKNOWN), id="perhaps in time"),
    ],
)
def test_a_budget_is_not_called_missed_by_what_may_have_come_in_time(
    unseen_ms: float, expected: tuple[Outcome, Cause]
) -> None:
    ruling = ruled(Timing(500.0, unseen_ms=unseen_ms), budget_ms=100)
    assert ruling.diagnosis is not None
    assert (ruling.outcome, ruling.diagnosis.cause) == expected


def test_what_may_have_come_too_early_does_not_pass() -> None:
    ruling = ruled(Timing(500.0, unseen_ms=450), earliest_ms=100)
    assert ruling.diagnosis is not None
    assert (ruling.outcome, ruling.diagnosis.cause) == (Outcome.FAIL, Cause.LATENCY_UNKNOWN)
    assert "took between 50.0 and 500.0 ms" in ruling.diagnosis.sentence
    assert "the event loop was blocked for 450 ms" in ruling.diagnosis.sentence


def test_what_was_in_time_whenever_it_came_passes() -> None:
    assert ruled(Timing(500.0, unseen_ms=450), budget_ms=501, earliest_ms=50).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("late_ms", "budget_ms", "earliest_ms", "expected"),
    [
        pytest.param(60, 100, None, (Outcome.SLOW, Cause.LATENCY_UNKNOWN), id="perhaps too slow"),
        pytest.param(40, 100, None, (Outcome.PASS, Cause.MATCHED), id="in time whenever it began"),
        pytest.param(60, 40, None, (Outcome.SLOW, Cause.OVER_BUDGET), id="too slow whenever it began"),
        pytest.param(60, None, 100, (Outcome.FAIL, Cause.LATENCY_UNKNOWN), id="perhaps late enough"),
        pytest.param(40, None, 100, (Outcome.FAIL, Cause.TOO_EARLY), id="too early whenever it began"),
    ],
)
def test_a_start_that_was_noted_late_makes_it_longer(
    late_ms: float, budget_ms: float | None, earliest_ms: float | None, expected: tuple[Outcome, Cause]
) -> None:
    ruling = ruled(Timing(50.0, late_ms=late_ms), budget_ms=budget_ms, earliest_ms=earliest_ms)
    assert ruling.diagnosis is not None
    assert (ruling.outcome, ruling.diagnosis.cause) == expected
