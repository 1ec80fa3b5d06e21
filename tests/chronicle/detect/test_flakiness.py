"""Flaky, broken, fixed, or an outage: what the verdicts of a scenario over time say about it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from choreo_bdd_chronicle.detect import Run
from choreo_bdd_chronicle.detect.flakiness import ScenarioHistory, Verdict, flakiness


def run(number: int, *, per_commit: int = 2, commit: str | None = "") -> Run:
    """So many runs of each commit, unless one is given."""
    sha = f"c{number // per_commit:02}" if commit == "" else commit
    return Run(f"r{number:02}", datetime(2027, 1, 1, tzinfo=UTC) + timedelta(hours=number), sha, "main", "ci")


def history(verdicts: Iterable[str], name: str = "an order is shipped", *, per_commit: int = 2) -> ScenarioHistory:
    """From letters: passed, failed, x for failed and then passed, a dot for not run."""
    counts = {"p": (1, 0), "f": (0, 1), "x": (1, 1), ".": (0, 0)}
    told = tuple(Verdict(run(number, per_commit=per_commit), *counts[one]) for number, one in enumerate(verdicts))
    return ScenarioHistory(name, f"features/orders.feature::{name}", told)


@pytest.mark.parametrize(
    ("verdicts", "condition"),
    [
        ("pppppppp", "stable"),
        ("", "stable"),
        ("....", "stable"),
        ("pppfpppp", "flaky"),  # c01: passed, failed
        ("pppxpppp", "flaky"),  # failed, passed when tried again
        ("ppfppf.fpfppp", "flaky"),
        ("ppppffff", "broken"),
        ("pppffff", "broken"),  # the first failure is at a commit that had passed
        ("ffffffff", "broken"),
        ("ppffffpppp", "fixed"),
        ("ppfffppppp", "fixed"),  # the last failure is at a commit that then passed
        ("ppffpppp", "stable"),  # one commit was bad: no persistence, and no doubt
        ("pfpfppfppfffffff", "broken"),  # flaky, but so many in a row are no chance
        ("pffpffpfpfff", "flaky"),  # three in a row are, where two in three fail
    ],
)
def test_the_condition_of_a_scenario(verdicts: str, condition: str) -> None:
    (judged,) = flakiness([history(verdicts)]).scenarios
    assert judged.condition == condition


def test_evidence_names_the_commit_and_its_runs() -> None:
    (judged,) = flakiness([history("pppfpppp")]).of("flaky")
    (evidence,) = judged.evidence
    assert (evidence.commit, evidence.passed_in, evidence.failed_in) == ("c01", ("r02",), ("r03",))
    assert (judged.rate, judged.transitions, judged.runs) == (1 / 8, 2, 8)


def test_broken_and_fixed_say_since_when() -> None:
    (broken,) = flakiness([history("pppffff")]).of("broken")
    (fixed,) = flakiness([history("ppffffpp")]).of("fixed")
    assert (broken.since, fixed.since) == (run(3), run(6))


def test_the_worst_come_first() -> None:
    often, seldom, never = history("pfpfpfpf", "often"), history("pppfpppp", "seldom"), history("pppppppp", "never")
    assert [one.name for one in flakiness([never, seldom, often]).scenarios] == ["often", "seldom", "never"]


def test_a_run_in_which_nearly_all_failed_counts_for_none() -> None:
    outage = [history("ppppfppp", f"scenario {number}") for number in range(5)]
    result = flakiness([*outage, history("pppppppp", "untouched")])
    assert [one.run_id for one in result.infrastructure] == ["r04"]
    assert {one.condition for one in result.scenarios} == {"stable"}
    assert {one.rate for one in result.scenarios} == {0}


def test_most_of_a_suite_broken_is_no_outage() -> None:
    result = flakiness([history("ppppffff", f"scenario {number}") for number in range(3)])
    assert result.infrastructure == ()
    assert len(result.of("broken")) == 3


def test_a_desk_proves_nothing() -> None:
    desk = tuple(Verdict(run(number), number % 2, 1 - number % 2, is_telling=False) for number in range(8))
    result = flakiness([ScenarioHistory("on a desk", "x", desk)])
    assert result.of("flaky") == []
    assert result.why_empty is not None
    assert "No run is from continuous integration" in result.why_empty


@pytest.mark.parametrize(
    ("histories", "why"),
    [
        ([], "There are no runs yet"),
        ([history("pfpfpp", per_commit=1)], "No commit was run twice"),
        ([history("pppppp")], "No scenario passed and failed at one commit"),
        ([ScenarioHistory("x", "x", (Verdict(run(1, commit=None), 1, 0),))], "No run names its commit"),
    ],
)
def test_an_empty_list_says_why(histories: list[ScenarioHistory], why: str) -> None:
    assert why in (flakiness(histories).why_empty or "")


def test_a_list_that_is_not_empty_needs_no_reason() -> None:
    assert flakiness([history("pppfpppp")]).why_empty is None


@pytest.mark.parametrize("seed", range(8))
def test_seeded_scenarios_are_told_apart(seed: int) -> None:
    random = np.random.default_rng(seed)
    runs = 40
    flaky = [history(["fp"[random.random() > 0.25] for _ in range(runs)], f"flaky {n}") for n in range(5)]
    broken = [history("p" * start + "f" * (runs - start), f"broken {n}") for n, start in enumerate((8, 21, 33))]
    fixed = [history("p" * start + "f" * 6 + "p" * (runs - start - 6), f"fixed {n}") for n, start in enumerate((5, 14))]
    stable = [history("p" * runs, f"stable {n}") for n in range(10)]
    result = flakiness([*flaky, *broken, *fixed, *stable])
    assert {one.name.split()[0] for one in result.of("flaky")} == {"flaky"}
    assert len(result.of("flaky")) >= 4
    assert sorted(one.name for one in result.of("broken")) == ["broken 0", "broken 1", "broken 2"]
    assert sorted(one.name for one in result.of("fixed")) == ["fixed 0", "fixed 1"]
