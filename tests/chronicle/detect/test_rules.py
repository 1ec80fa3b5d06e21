"""Each rule by itself, on series written out by hand: what is raised, where it is placed, and what is left alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from choreo_bdd_chronicle.detect import EVERY_TOPIC, Finding, TopicRun, TopicSeries
from choreo_bdd_chronicle.detect.detecting import detect
from choreo_bdd_chronicle.detect.measures.statistics import binomial_tail, student_p
from tests.chronicle.detect.generating import RUNS, Planted, generated, run_at, step

STABLE = Planted("stable")


def cell(
    number: int,
    mean_ms: float | None = 10.0,
    *,
    arrived: int = 20,
    failed: int = 0,
    timed_out: int = 0,
    with_budget: int = 0,
    over_budget: int = 0,
) -> TopicRun:
    """One run of a topic with its messages, or none that arrived; a little uneven, as latencies are."""
    uneven = 1 + 0.02 * math.sin(number * 2.4)
    log = None if mean_ms is None else math.log(mean_ms * uneven)
    p90 = None if mean_ms is None else mean_ms * uneven * 1.5
    came = 0 if mean_ms is None else arrived
    return TopicRun(run_at(number), log, p90, came, failed, timed_out, with_budget, over_budget)


def series(cells: Sequence[TopicRun], topic: str = "orders.placed") -> TopicSeries:
    return TopicSeries(topic, "nats", tuple(cells))


def found(*many: TopicSeries, method: str) -> list[Finding]:
    return [finding for finding in detect(many) if finding.method == method]


def steps(*means: tuple[int, float | None]) -> list[TopicRun]:
    """So many runs with each mean, one after the other."""
    values = [mean for runs, mean in means for _ in range(runs)]
    return [cell(number, mean) for number, mean in enumerate(values)]


def test_a_change_is_placed_at_the_first_bad_run_with_the_commits_it_came_between() -> None:
    (change,) = found(series(steps((20, 10), (6, 13))), method="change_point")
    assert (change.before and change.before.commit, change.first.commit) == ("c19", "c20")
    assert change.change_pct == pytest.approx(30, abs=1)
    assert change.current == pytest.approx(13, rel=0.02)
    assert change.baseline == pytest.approx(10, rel=0.02)
    assert change.ended is None


def test_fewer_than_four_runs_are_no_change_yet() -> None:
    assert found(series(steps((20, 10), (3, 13))), method="change_point") == []
    assert len(found(series(steps((20, 10), (4, 13))), method="change_point")) == 1


def test_an_improvement_has_a_negative_change() -> None:
    (change,) = found(series(steps((20, 10), (6, 7))), method="change_point")
    assert change.change_pct == pytest.approx(-30, abs=1)
    assert change.is_better


def test_a_change_is_over_when_the_level_is_back_and_the_way_back_is_no_improvement() -> None:
    (change,) = found(series(steps((20, 10), (10, 14), (8, 10))), method="change_point")
    assert change.ended == run_at(30)
    assert not change.is_better


def test_what_became_worse_after_an_improvement_is_raised() -> None:
    better, worse = found(series(steps((20, 10), (10, 7), (8, 10))), method="change_point")
    assert better.ended == run_at(30)
    assert (worse.first, worse.is_better, worse.ended) == (run_at(30), False, None)


@pytest.mark.parametrize(("before", "after"), [(10.0, 10.5), (1.0, 1.6)])
def test_less_than_seven_percent_or_a_millisecond_is_no_change(before: float, after: float) -> None:
    assert found(series(steps((20, before), (20, after))), method="change_point") == []


@pytest.mark.parametrize("slow", [1, 2, 3])
def test_a_few_outliers_are_no_change(slow: int) -> None:
    assert found(series(steps((20, 10), (slow, 60), (20, 10))), method="change_point") == []
    assert found(series(steps((20, 10), (slow, 60), (2, 10))), method="change_point") == []


def test_a_tail_that_grows_alone_is_found_as_a_tail() -> None:
    cells = steps((40, 10))
    slow = [replace(one, p90_ms=30.0) if number >= 25 else one for number, one in enumerate(cells)]
    (change,) = found(series(slow), method="change_point")
    assert (change.metric, change.first) == ("p90_ms", run_at(25))


def test_a_change_of_all_topics_is_one_of_the_runs_and_of_no_topic() -> None:
    slower = [replace(step("slower", 30, 1.4), kind=f"slower{number}") for number in range(8)]
    changes = found(*generated(slower, 5), method="change_point")
    assert [change.subject.topic for change in changes] == [EVERY_TOPIC]
    assert changes[0].metric == "run_factor"
    assert changes[0].change_pct == pytest.approx(40, abs=12)


def test_a_noisy_machine_hides_no_change_of_one_topic() -> None:
    topics = generated([STABLE] * 6 + [step("slower", 40, 1.3)], 7, noise=0.4)
    alone = found(topics[-1], method="change_point")
    together = found(*topics, method="change_point")
    assert [(change.subject.topic, change.first) for change in together] == [("slower.6", run_at(40))]
    assert alone == []  # without the others there is no telling


def test_branches_and_environments_are_kept_apart() -> None:
    def elsewhere(one: TopicRun, number: int) -> TopicRun:
        return replace(one, run=replace(one.run, branch="slow" if number % 2 else "main"))

    mixed = [elsewhere(cell(number, 20 if number % 2 else 10), number) for number in range(40)]
    assert detect([series(mixed)]) == []


def test_runs_that_lack_a_topic_do_not_shift_the_place() -> None:
    cells = [one for number, one in enumerate(steps((30, 10), (10, 15))) if number % 3 != 1]
    other = series(steps((40, 10)), "other")
    (change,) = found(series(cells), other, method="change_point")
    assert change.first == run_at(30)


def test_a_spike_is_raised_at_once_and_over_after_two_calm_runs() -> None:
    spiking = [*steps((12, 10)), cell(12, 40.0), cell(13), cell(14)]
    assert found(series(spiking[:12]), method="rolling_baseline") == []
    for runs in (13, 14):
        (spike,) = found(series(spiking[:runs]), method="rolling_baseline")
        assert spike.first == run_at(12)
        assert spike.current == pytest.approx(40, rel=0.02)
    assert found(series(spiking), method="rolling_baseline") == []


def test_spikes_in_a_row_are_one_and_then_a_change() -> None:
    lasting = steps((12, 10), (5, 40))
    for runs in (13, 14, 15):
        assert [one.first for one in found(series(lasting[:runs]), method="rolling_baseline")] == [run_at(12)]
    assert [finding.method for finding in detect([series(lasting)])] == ["change_point"]


def test_twice_the_usual_is_no_spike_where_latencies_vary() -> None:
    varying = [cell(number, 10 * (1 + number % 3)) for number in range(20)]
    assert found(series([*varying, cell(20, 50.0)]), method="rolling_baseline") == []


def budget_cells(*over: int) -> list[TopicRun]:
    return [cell(number, with_budget=10, over_budget=late) for number, late in enumerate(over)]


def test_a_missed_budget_is_one_finding_as_long_as_it_lasts() -> None:
    over = [0, 0, 1, 0, 0, 6, 5, 7, 6, 6]
    for runs in range(6, 11):
        (missed,) = found(series(budget_cells(*over[:runs])), method="budget")
        assert missed.first in (run_at(5), run_at(2) if runs == 6 else run_at(5))
    assert missed.current == pytest.approx(100 * 19 / 30)
    assert found(series(budget_cells(*over, 0, 0, 0)), method="budget") == []


def test_one_late_message_misses_no_budget() -> None:
    rare = [cell(number, with_budget=1, over_budget=int(number == 9)) for number in range(10)]
    assert found(series(rare), method="budget") == []


def test_a_topic_that_begins_to_time_out_is_raised_in_its_first_bad_run() -> None:
    cells = [*steps((10, 10)), cell(10, None, timed_out=20)]
    (shift,) = found(series(cells), method="outcome")
    assert (shift.first, shift.before, shift.current, shift.baseline) == (run_at(10), run_at(9), 100, 0)
    assert found(series([*cells, cell(11)]), method="outcome") == []


def test_a_few_failures_of_a_topic_that_often_fails_are_nothing_new() -> None:
    failing = [cell(number, arrived=12, failed=8 if number % 2 else 3) for number in range(20)]
    assert found(series(failing), method="outcome") == []


def test_one_message_a_run_needs_several_runs_to_be_sure() -> None:
    good = [cell(number, arrived=1) for number in range(15)]
    bad = [cell(number, None, timed_out=1) for number in range(15, 19)]
    assert found(series([*good, *bad[:1]]), method="outcome") == []
    assert [one.first for one in found(series([*good, *bad]), method="outcome")] == [run_at(15)]


def test_a_run_that_failed_as_a_whole_is_raised_once_and_of_no_topic() -> None:
    def topic(name: str) -> TopicSeries:
        return series([*steps((10, 10)), cell(10, None, timed_out=20)], name)

    outage = found(*map(topic, "abcde"), method="outcome")
    assert [one.subject.topic for one in outage] == [EVERY_TOPIC]


def test_a_topic_that_stopped_is_missed_after_three_runs() -> None:
    other = series(steps((14, 10)), "other")
    third = series(steps((14, 10)), "third")
    for runs, silent in ((11, 1), (12, 0)):
        topics = (series(steps((runs, 10))), other, third)
        assert [one.first for one in found(*topics, method="silence")] == [run_at(runs)] * silent


def test_a_part_of_the_suite_silences_nothing() -> None:
    whole = [series(steps((10, 10)), name) for name in "abcd"]
    part = series(steps((20, 10)), "e")
    assert found(*whole, part, method="silence") == []


def test_nothing_at_all_shows_nothing() -> None:
    assert detect([]) == []
    assert detect([TopicSeries("quiet", None, ())]) == []
    assert detect([series(steps((12, None)))]) == []


def test_the_same_runs_give_the_same_findings() -> None:
    topics = generated([STABLE] * 4 + [step("slower", 30, 1.5)], 3, runs=RUNS)
    assert detect(topics) == detect(topics)
    assert detect(topics) != []


@pytest.mark.parametrize(
    ("t", "freedom", "p"),  # from tables of Student's distribution
    [(2.228, 10, 0.05), (4.587, 10, 0.001), (2.042, 30, 0.05), (12.706, 1, 0.05), (0, 5, 1.0), (6.437, 20, 2.8e-6)],
)
def test_probabilities_of_student_are_those_of_the_tables(t: float, freedom: int, p: float) -> None:
    assert student_p(t, freedom) == pytest.approx(p, rel=0.01)


def test_binomial_tails_are_the_sums_they_stand_for() -> None:
    assert binomial_tail(0, 5, 0.3) == pytest.approx(1)
    assert binomial_tail(5, 5, 0.3) == pytest.approx(0.3**5)
    assert binomial_tail(1, 20, 0.1) == pytest.approx(1 - 0.9**20)


def test_latencies_of_no_time_are_a_level_like_others() -> None:
    assert np.isfinite([one.current for one in detect([series(steps((20, 1e-6), (10, 5.0)))])]).all()
