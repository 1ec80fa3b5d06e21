"""Findings become anomalies that are opened once, brought up to date and resolved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from choreo_bdd_chronicle.detect import Finding, Subject
from choreo_bdd_chronicle.detect.detecting import detect
from choreo_bdd_chronicle.detect.lifecycle import Change, Known, reconcile
from tests.chronicle.detect.evaluating import raised
from tests.chronicle.detect.generating import Planted, generated, run_at, step

RUNS = [run_at(number) for number in range(40)]
SHIFT = Finding(
    subject=Subject("orders.placed", "nats", "ci", "main"),
    method="change_point",
    metric="mean_ms",
    severity="warning",
    current=13.0,
    baseline=10.0,
    spread=0.4,
    change_pct=30.0,
    first=RUNS[20],
    before=RUNS[19],
)


def moved(finding: Finding, place: int) -> Finding:
    return replace(finding, first=RUNS[place], before=RUNS[place - 1])


def kinds(changes: list[Change]) -> list[tuple[str, str | None]]:
    return [(change.kind, change.anomaly_id) for change in changes]


def test_a_new_finding_is_opened_in_the_run_that_showed_it() -> None:
    assert reconcile([], [SHIFT], RUNS[:25]) == [Change("opened", None, SHIFT, RUNS[24])]


def test_the_same_finding_changes_nothing() -> None:
    assert reconcile([Known("7", SHIFT)], [SHIFT], RUNS) == []


@pytest.mark.parametrize("place", [17, 20, 24])
def test_new_numbers_and_a_place_nearby_update_it(place: int) -> None:
    newer = moved(replace(SHIFT, current=13.4), place)
    assert reconcile([Known("7", SHIFT)], [newer], RUNS) == [Change("updated", "7", newer, RUNS[-1])]


def test_a_second_change_far_away_is_another_anomaly() -> None:
    later = moved(SHIFT, 32)
    assert kinds(reconcile([Known("7", SHIFT)], [SHIFT, later], RUNS)) == [("opened", None)]


@pytest.mark.parametrize(
    "other",
    [
        replace(SHIFT, subject=replace(SHIFT.subject, topic="other")),
        replace(SHIFT, subject=replace(SHIFT.subject, transport="kafka")),
        replace(SHIFT, metric="p90_ms"),
        replace(SHIFT, change_pct=-30.0),
    ],
)
def test_what_is_about_something_else_is_another_anomaly(other: Finding) -> None:
    assert ("opened", None) in kinds(reconcile([Known("7", SHIFT)], [SHIFT, other], RUNS))


def test_it_is_resolved_in_the_run_where_the_level_was_back() -> None:
    over = replace(SHIFT, ended=RUNS[33])
    assert reconcile([Known("7", SHIFT)], [over], RUNS) == [Change("resolved", "7", over, RUNS[33])]
    assert reconcile([Known("7", over, is_resolved=True)], [over], RUNS) == []


def test_what_no_run_shows_any_more_is_resolved() -> None:
    assert reconcile([Known("7", SHIFT)], [], RUNS) == [Change("resolved", "7", SHIFT, RUNS[-1])]


def test_what_shows_again_is_reopened_and_not_raised_twice() -> None:
    assert kinds(reconcile([Known("7", SHIFT, is_resolved=True)], [SHIFT], RUNS)) == [("reopened", "7")]


def test_what_somebody_closed_stays_closed() -> None:
    by_hand = Known("7", SHIFT, is_resolved=True, is_closed_by_hand=True)
    assert reconcile([by_hand], [moved(SHIFT, 22)], RUNS) == []


def test_a_change_that_the_runs_reach_back_to_no_longer_stays_open() -> None:
    assert reconcile([Known("7", SHIFT)], [], RUNS[25:]) == []
    assert reconcile([Known("7", SHIFT)], [], RUNS[18:]) == []


def test_it_is_resolved_even_then_by_a_change_that_leads_back() -> None:
    back = replace(moved(SHIFT, 34), current=10.2, baseline=13.0, change_pct=-22.0)
    assert kinds(reconcile([Known("7", SHIFT)], [back], RUNS[25:])) == [("opened", None), ("resolved", "7")]


def test_a_missed_budget_stays_one_anomaly_however_long_it_lasts() -> None:
    missed = replace(SHIFT, method="budget", metric="budget_violation_pct")
    assert kinds(reconcile([Known("7", missed)], [moved(missed, 38)], RUNS)) == [("updated", "7")]
    assert kinds(reconcile([Known("7", missed)], [], RUNS)) == [("resolved", "7")]
    closed = Known("7", missed, is_resolved=True)
    assert kinds(reconcile([closed], [moved(missed, 38)], RUNS)) == [("opened", None)]


def test_findings_of_another_branch_are_seen_in_its_own_last_run() -> None:
    branch = [replace(run, run_id=f"b{run.run_id}", branch="fix") for run in RUNS[:30]]
    there = replace(SHIFT, subject=replace(SHIFT.subject, branch="fix"), first=branch[20], before=branch[19])
    (change,) = reconcile([], [there], [*RUNS, *branch])
    assert change.at == branch[-1]


@pytest.mark.thorough
def test_run_by_run_a_change_is_opened_once_and_resolved_when_it_is_over() -> None:
    there_and_back = Planted("back", 25, lambda run: 1.5 if 25 <= run < 42 else 1.0)
    topics = generated([Planted("stable")] * 5 + [there_and_back], 21)
    assert [one.finding.subject.topic for one in raised(topics)] == ["back.5"]
    (over,) = detect(topics)
    assert (over.first, over.ended) == (run_at(25), run_at(42))


@pytest.mark.thorough
def test_two_changes_of_one_topic_are_two_anomalies() -> None:
    twice = Planted("twice", 20, lambda run: 1.0 if run < 20 else 1.5 if run < 40 else 2.4)
    opened = raised(generated([Planted("stable")] * 5 + [twice, step("once", 30, 1.5)], 22))
    assert sorted((one.finding.subject.topic, one.place) for one in opened) == [
        ("once.6", 30),
        ("twice.5", 20),
        ("twice.5", 40),
    ]
