"""Budgets, windows, counts and the settings that bear on them."""

from __future__ import annotations

import warnings
from contextlib import closing

import pytest

from choreo_bdd_project.config import ConfigError, memory_config
from choreo_bdd_steps.run.session import Session
from tests.steps.conftest import MakeBench
from tests.support.step_bench import Bench

SLOW = ('When I publish "a"', 'Then I expect "x" within 50ms')


# --- budgets ----------------------------------------------------------------------------------------------------------


def test_a_match_over_its_budget_is_slow_and_fails_the_step_with_both_numbers(bench: Bench) -> None:
    bench.echo("a", "x", after_s=0.1)
    played = bench.play(*SLOW)
    assert played.outcomes == ["slow"]
    assert played.failed_step == 'I expect "x" within 50ms'
    assert "over budget" in played.message
    assert "over the budget of 50.0 ms" in played.message


def test_slow_warn_lets_the_step_pass_and_keeps_the_verdict(make_bench: MakeBench) -> None:
    bench = make_bench(slow="warn")
    bench.echo("a", "x", after_s=0.1)
    assert bench.play(*SLOW).passed().outcomes == ["slow"]


def test_the_tag_slow_warn_holds_against_the_configuration(bench: Bench) -> None:
    bench.echo("a", "x", after_s=0.1)
    assert bench.play(*SLOW, tags=["slow(warn)"]).passed().outcomes == ["slow"]


def test_the_tag_slow_fail_holds_against_the_configuration(make_bench: MakeBench) -> None:
    bench = make_bench(slow="warn")
    bench.echo("a", "x", after_s=0.1)
    assert "[SLOW]" in bench.play(*SLOW, tags=["slow(fail)"]).message


def test_slow_warn_excuses_no_other_verdict(make_bench: MakeBench) -> None:
    bench = make_bench(slow="warn")
    assert "[TIMEOUT]" in bench.play(*SLOW).message


def test_the_innermost_tag_wins(bench: Bench) -> None:
    bench.echo("a", "x", after_s=0.1)
    assert bench.play(*SLOW, tags=["slow(fail)", "slow(warn)"]).passed().outcomes == ["slow"]
    assert bench.play(*SLOW, tags=["slow(warn)", "slow(fail)"]).failed_step == 'I expect "x" within 50ms'


def test_the_slow_policy_of_the_command_line_is_fail_or_warn() -> None:
    with closing(Session(memory_config(), slow="warn")) as session:
        assert session.config.slow == "warn"
    with pytest.raises(ConfigError, match="the slow policy is 'fail' or 'warn', not 'maybe'"):
        Session(memory_config(), slow="maybe")


@pytest.mark.parametrize(
    ("tag", "complaint"), [("timeout(soon)", "'soon' is not a duration"), ("slow(maybe)", "'fail' or 'warn'")]
)
def test_a_tag_that_cannot_be_read_is_an_error_with_its_place(bench: Bench, tag: str, complaint: str) -> None:
    with pytest.raises(AssertionError, match=r"features/play\.feature:3: ") as raised:
        bench.begin('When I publish "a"', tags=[tag])
    assert f"@{tag}" in str(raised.value)
    assert complaint in str(raised.value)


def test_a_budget_of_a_topic_counts_from_the_publish_on_it(bench: Bench) -> None:
    bench.echo("b", "x")
    steps = ('When I publish "a"', "And I wait 100ms", 'And I publish "b"')
    assert bench.play(*steps, 'Then I expect "x" within 80ms').passed().outcomes == ["pass"]
    assert bench.play(*steps, 'Then I expect "x" within 80ms of "b"').passed().outcomes == ["pass"]
    assert bench.play(*steps, 'Then I expect "x" within 80ms of "a"').outcomes == ["slow"]


def test_a_budget_may_count_from_the_publish_of_an_earlier_phase(bench: Bench) -> None:
    bench.echo("a", "y")
    bench.echo("b", "x")
    played = bench.play(
        'When I publish "a"',
        'Then I expect "y"',
        "And I wait 100ms",
        'When I publish "b"',
        'Then I expect "x" within 80ms of "a"',
    )
    assert played.outcomes == ["pass", "slow"]


@pytest.mark.parametrize(
    "check", ['I expect "x" within 80ms of "c"', 'I expect exactly 1 "x" message within 80ms of "c"']
)
def test_a_budget_of_a_topic_nobody_published_is_an_error(bench: Bench, check: str) -> None:
    bench.echo("b", "x")
    message = bench.play('When I publish "a"', 'And I publish "b"', f"Then {check}").message
    assert message == (
        "features/play.feature:5: the time counts from the publish of 'c', but this scenario has not published it; it "
        "has published 'a', 'b'. Where that message is a service's, write: from \"c\" to \"x\" takes at most …"
    )


def test_a_topic_in_a_budget_may_be_a_template(bench: Bench) -> None:
    bench.echo("a.7", "x")
    played = bench.play(
        'Given id is "7"',
        'When I publish "a.{{ id }}"',
        'Then I expect "x" within 1s of "a.{{ id }}"',
        tags=["timeout(1s)"],
    )
    assert played.passed().handles[0].budget_topic == "a.7"


def test_a_budget_longer_than_the_timeout_raises_it_without_a_word(bench: Bench) -> None:
    bench.echo("a", "x", after_s=0.3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        played = bench.play('When I publish "a"', 'Then I expect "x" within 600ms')
    assert played.passed().outcomes == ["pass"]


def test_a_check_above_its_publish_says_so(bench: Bench) -> None:
    played = bench.play('Given I expect "x"', 'When I publish "a"', 'Then I expect "x"')
    assert "this check stands above the publish in line 4: put it below" in played.message


def test_the_tag_timeout_changes_how_long_a_check_waits(bench: Bench) -> None:
    bench.echo("a", "x", after_s=0.3)
    steps = ('When I publish "a"', 'Then I expect "x"')
    assert bench.play(*steps).outcomes == ["timeout"]
    assert bench.play(*steps, tags=["timeout(1s)"]).passed().outcomes == ["pass"]
    assert bench.play(*steps, tags=["timeout(1s)", "timeout(100ms)"]).outcomes == ["timeout"]


def test_a_missing_message_is_timeout_and_a_wrong_one_is_fail(bench: Bench) -> None:
    bench.echo("a", "x", n=2)
    played = bench.play('When I publish "a"', 'Then I expect "x" where n is 1', 'And I expect "y"')
    assert played.outcomes == ["fail", "timeout"]
    assert "wrong shape: 1 near-miss on 'x'" in played.message
    assert "n: expected 1, got 2" in played.message


def test_a_message_right_after_the_wait_is_told_as_too_late(bench: Bench) -> None:
    bench.echo("a", "x", after_s=0.3)
    played = bench.play('When I publish "a"', 'Then I expect "x"')
    assert "too late: the message on 'x' came" in played.message


def test_a_message_right_after_the_wait_for_a_number_of_them_is_told_as_too_late(bench: Bench) -> None:
    bench.echo("a", "x", after_s=0.3)
    played = bench.play('When I publish "a"', 'Then I expect exactly 1 "x" messages')
    assert "too late: the message on 'x' came" in played.message
    bench.service("b", lambda _: [("x", {})])
    played = bench.play('When I publish "b"', 'And I publish "a"', 'Then I expect exactly 2 "x" messages')
    assert "too late: 1 matching on 'x' within" in played.message
    assert "wanted exactly 2; the next came" in played.message


# --- windows ----------------------------------------------------------------------------------------------------------


def test_a_message_long_before_the_step_of_an_absence_fails_it(bench: Bench) -> None:
    bench.echo("a", "x", after_s=0.15)
    played = bench.play('When I publish "a"', "And I wait 250ms", 'Then I expect no "x" for 50ms')
    assert played.outcomes == ["fail"]


def test_an_absence_is_watched_for_its_whole_duration_after_its_step_is_reached(bench: Bench) -> None:
    bench.echo("a", "x", after_s=0.35)
    played = bench.play('When I publish "a"', "And I wait 250ms", 'Then I expect no "x" for 200ms')
    assert played.outcomes == ["fail"]


def test_a_message_after_the_window_of_an_absence_does_not_fail_it(bench: Bench) -> None:
    bench.echo("a", "x", after_s=0.3)
    bench.play('When I publish "a"', 'Then I expect no "x" for 50ms', "And I wait 300ms").passed()


def test_a_message_within_the_window_fails_it_though_a_long_check_stands_in_between(bench: Bench) -> None:
    bench.echo("a", "x")
    bench.echo("a", "y", after_s=0.15)
    played = bench.play('When I publish "a"', 'Then I expect "y"', 'And I expect no "x" for 50ms')
    assert played.failed_step == 'I expect no "x" for 50ms'
    assert played.outcomes == ["pass", "fail"]
    assert "unexpected" in played.message


def test_an_absence_waits_its_window_out(bench: Bench) -> None:
    bench.echo("a", "x", after_s=0.1)
    assert bench.play('When I publish "a"', 'Then I expect no "x" for 190ms').outcomes == ["fail"]


def test_an_absence_counts_matching_messages_only(bench: Bench) -> None:
    bench.echo("a", "x", n=1)
    bench.play('When I publish "a"', 'Then I expect no "x" where n is 2 for 50ms').passed()
    assert bench.play('When I publish "a"', 'Then I expect no "x" where n is 1 for 50ms').outcomes == ["fail"]


@pytest.mark.parametrize(
    ("quantity", "sent", "outcome"),
    [
        ("exactly 2", 1, "fail"),
        ("exactly 2", 2, "pass"),
        ("exactly 2", 3, "fail"),
        ("exactly 0", 0, "pass"),
        ("at least 2", 1, "fail"),
        ("at least 2", 3, "pass"),
        ("at most 2", 0, "pass"),
        ("at most 2", 2, "pass"),
        ("at most 2", 3, "fail"),
    ],
)
def test_counts(bench: Bench, quantity: str, sent: int, outcome: str) -> None:
    bench.service("a", lambda _: [("x", {"n": 1})] * sent)
    played = bench.play('When I publish "a"', f'Then I expect {quantity} "x" messages within 50ms')
    assert played.outcomes == [outcome]
    assert (played.error is None) == (outcome == "pass")


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("quantity", ["exactly", "at most"])
def test_a_count_is_over_its_window_wherever_its_step_stands(bench: Bench, quantity: str, number: int) -> None:
    bench.service("a", lambda _: [("x", {})] * number)
    bench.echo("a", "x", after_s=0.12)
    check = f'Then I expect {quantity} {number} "x" messages within 50ms'
    bench.play('When I publish "a"', "And I wait 180ms", check).passed()


def test_a_count_nothing_came_for_is_timeout(bench: Bench) -> None:
    assert bench.play('When I publish "a"', 'Then I expect exactly 2 "x" messages within 50ms').outcomes == ["timeout"]


def test_a_count_leaves_out_what_does_not_match(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {"n": 1}), ("x", {"n": 2}), ("x", {"n": 1})])
    bench.play('When I publish "a"', 'Then I expect exactly 2 "x" messages where n is 1 within 50ms').passed()


@pytest.mark.parametrize(("after_s", "outcome"), [(0.1, "fail"), (0.3, "pass")])
def test_exactly_waits_its_window_out_for_one_too_many(bench: Bench, after_s: float, outcome: str) -> None:
    bench.echo("a", "x")
    bench.echo("a", "x", after_s=after_s)
    assert bench.play('When I publish "a"', 'Then I expect exactly 1 "x" message within 200ms').outcomes == [outcome]


def test_a_row_of_a_table_is_a_message_of_its_own(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {"n": 2}), ("x", {"n": 1})])
    check = 'Then I expect "x":\n  | n | k |\n  | 1 | absent |\n  | {} | absent |'
    assert bench.play('When I publish "a"', check.format(2)).passed().outcomes == ["pass", "pass"]
    played = bench.play('When I publish "a"', check.format(3))
    assert played.outcomes == ["pass", "fail"]
