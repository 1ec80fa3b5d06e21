"""Scenarios that fail on purpose: what whoever reads their messages is told."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.runs import ROOT, Run

FEATURE = ROOT / "features/orders/deliberate.feature"
pytestmark = pytest.mark.timeout(120)


@dataclass(frozen=True, slots=True)
class Told:
    """Verdict and topic of the expectation that fails, and what its message says."""

    outcome: str
    topic: str
    step: str
    parts: tuple[str, ...]
    attempts: int = 0

    def heading(self, scenario: str) -> str:
        """The first line of the message: verdict, step and its place."""
        lines = FEATURE.read_text("utf-8").splitlines()
        begin = lines.index(f"  Scenario: {scenario}")
        line = next(number for number, text in enumerate(lines) if number > begin and text.endswith(self.step))
        return f"[{self.outcome.upper()}] {self.step}  (features/orders/deliberate.feature:{line + 1})"


EXPECTED = {
    "Settled in the wrong currency": Told(
        "fail",
        "orders.settled",
        'I expect "orders.settled":',
        (
            "wrong shape: 1 near-miss on 'orders.settled' within 300 ms, the closest differs in settlement.currency",
            "closest near-miss (3 of 4 fields right):",
            'settlement.currency: expected "EUR", got "XXX"',
        ),
        attempts=1,
    ),
    "A silent service": Told(
        "timeout",
        "orders.settled",
        'I expect "orders.settled"',
        ("nothing arrived: no matching message arrived on 'orders.settled' within 300 ms",),
    ),
    "A slow service": Told(
        "slow",
        "orders.settled",
        'I expect "orders.settled" within 100ms',
        (
            "over budget: the message on 'orders.settled' took",
            "over the budget of 100.0 ms",
        ),
    ),
    "A service slower than anybody waits": Told(
        "timeout",
        "orders.settled",
        'I expect "orders.settled" where order.id is "d-4"',
        ("too late: the message on 'orders.settled' came", "after the wait of 200 ms had ended"),
    ),
    "A stranger's correlation id": Told(
        "timeout",
        "orders.settled",
        'I expect "orders.settled" where order.id is "d-5"',
        ("wrong correlation: a matching message came on 'orders.settled', but with correlation id",),
    ),
    "A typo in a topic": Told(
        "timeout",
        "orders.settled",
        'I expect "orders.settled" where order.id is "d-6"',
        ("wrong topic?: no matching message arrived on 'orders.settled'", "one did on 'orders.setled'"),
    ),
    "Bytes that nobody can read": Told(
        "fail",
        "orders.settled",
        'I expect "orders.settled" where order.id is "d-7"',
        ("undecodable: 1 message on 'orders.settled' could not be read",),
    ),
    "A message that should not have come": Told(
        "fail",
        "orders.settled",
        'I expect no "orders.settled" for 200ms',
        ("unexpected: 1 matching on 'orders.settled', wanted none",),
        attempts=1,
    ),
    "A message too few": Told(
        "fail",
        "orders.settled",
        'I expect exactly 3 "orders.settled" messages within 200ms',
        ("too few: 2 matching on 'orders.settled' within 200 ms, wanted exactly 3",),
    ),
}


def test_all_of_them_fail_and_so_does_the_run(deliberate: Run) -> None:
    outcomes = {test["name"]: test["outcome"] for test in deliberate.report["tests"] if test["outcome"] != "skipped"}
    assert set(outcomes.values()) == {"failed"}
    assert outcomes.keys() >= EXPECTED.keys()
    assert deliberate.code == 1


@pytest.mark.parametrize("name", EXPECTED)
def test_verdict_and_message(deliberate: Run, name: str) -> None:
    told = EXPECTED[name]
    test = next(test for test in deliberate.report["tests"] if test["name"] == name)
    (scenario,) = test["scenarios"]
    failed = [handle for handle in scenario["handles"] if handle["outcome"] != "pass"]
    assert [(each["topic"], each["outcome"], each["attempts"]) for each in failed] == [
        (told.topic, told.outcome, told.attempts)
    ]
    for part in (told.heading(name), *told.parts):
        assert part in test["traceback"], test["traceback"]
        assert part in deliberate.text
