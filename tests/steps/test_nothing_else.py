"""No other message, and nothing else: what no earlier check of the scenario has taken must not come."""

from __future__ import annotations

import pytest

from choreo_bdd_steps.errors import StepError
from tests.steps.conftest import MakeBench
from tests.steps.test_further_checks import answer_requests
from tests.support.step_bench import Bench, plan_of

PUBLISH = 'When I publish "a"'
ONE = 'Then I expect "x"'
REST = ('And I expect no other "x" for 50ms', "And I expect nothing else for 50ms")


@pytest.mark.parametrize("rest", REST)
def test_what_an_earlier_check_has_taken_is_no_other(bench: Bench, rest: str) -> None:
    bench.echo("a", "x")
    bench.play(PUBLISH, ONE, rest).passed()


@pytest.mark.parametrize("rest", REST)
def test_one_more_is_another(bench: Bench, rest: str) -> None:
    bench.service("a", lambda _: [("x", {"n": 1}), ("x", {"n": 2})])
    played = bench.play(PUBLISH, ONE, rest)
    assert played.outcomes == ["pass", "fail"]
    assert "unexpected: 1 matching on 'x', wanted none" in played.message


@pytest.mark.parametrize("check", ['I expect no "x.*" for 50ms', 'I expect exactly 0 "x.>" messages within 50ms'])
def test_of_a_pattern_the_topic_that_spoke_is_named(bench: Bench, check: str) -> None:
    bench.echo("a", "x.b")
    assert "the last came on 'x.b' after" in bench.play(PUBLISH, f"Then {check}").message


@pytest.mark.parametrize("rest", REST)
def test_one_more_that_comes_later_is_another_too(bench: Bench, rest: str) -> None:
    bench.echo("a", "x")
    bench.echo("a", "x", after_s=0.03)
    assert bench.play(PUBLISH, ONE, rest).outcomes == ["pass", "fail"]


@pytest.mark.parametrize("rest", REST)
def test_two_messages_alike_are_two(bench: Bench, rest: str) -> None:
    bench.service("a", lambda _: [("x", {}), ("x", {})])
    assert bench.play(PUBLISH, ONE, rest).outcomes == ["pass", "fail"]
    bench.play(PUBLISH, 'Then I expect exactly 2 "x" messages within 50ms', rest).passed()


@pytest.mark.parametrize("rest", REST)
def test_what_several_checks_have_taken_is_taken(bench: Bench, rest: str) -> None:
    bench.service("a", lambda _: [("x", {"n": 1}), ("x", {"n": 2}), ("x", {"n": 3})])
    rows = 'And I expect "x":\n| n |\n| 2 |\n| 3 |'
    bench.play(PUBLISH, 'Then I expect "x" where n is 1', rows, rest).passed()


def test_only_the_topic_it_names_is_meant(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {}), ("y", {}), ("y", {})])
    bench.play(PUBLISH, ONE, 'And I expect "y"', REST[0]).passed()


def test_everything_is_what_the_checks_listen_to(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {}), ("y", {}), ("y", {}), ("z", {})])
    played = bench.play(PUBLISH, ONE, 'And I expect "y"', REST[1])
    assert played.outcomes == ["pass", "pass", "pass", "fail"]
    assert "unexpected: 1 matching on 'y'" in played.message
    assert "'z'" not in played.message


def test_a_condition_narrows_what_must_not_come(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {"n": 1}), ("x", {"n": 2})])
    bench.play(PUBLISH, 'Then I expect "x" where n is 1', 'And I expect no other "x" where n is 1 for 50ms').passed()


def test_a_message_taken_by_a_pattern_is_no_other_on_its_own_topic(bench: Bench) -> None:
    bench.service("a", lambda _: [("x.eu", {})])
    bench.play(PUBLISH, 'Then I expect "x.*"', 'And I expect no other "x.eu" for 50ms').passed()


@pytest.mark.parametrize("rest", ['And I expect no other "x.eu" for 50ms', "And I expect nothing else for 50ms"])
def test_one_just_like_it_is_another_though(bench: Bench, rest: str) -> None:
    bench.service("a", lambda _: [("x.eu", {}), ("x.eu", {})])
    assert bench.play(PUBLISH, 'Then I expect "x.*"', rest).outcomes == ["pass", "fail"]


def test_in_a_later_phase_earlier_messages_are_past(bench: Bench) -> None:
    bench.echo("a", "x")
    bench.play(PUBLISH, ONE, PUBLISH, ONE, *REST).passed()


def test_topics_of_earlier_phases_are_still_listened_to(bench: Bench) -> None:
    bench.echo("a", "x")
    bench.service("b", lambda _: [("y", {}), ("x", {})])
    played = bench.play(PUBLISH, ONE, 'When I publish "b"', 'Then I expect "y"', REST[1])
    assert "unexpected: 1 matching on 'x'" in played.message


def test_topics_of_later_phases_are_listened_to_already(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {}), ("y", {})])
    played = bench.play(PUBLISH, ONE, REST[1], 'When I publish "b"', 'Then I expect "y"')
    assert played.failed_step == "I expect nothing else for 50ms"
    assert "unexpected: 1 matching on 'y'" in played.message


@pytest.mark.parametrize("later", ["b", "*"])
def test_what_the_scenario_says_itself_for_a_later_phase_is_nothing_else(bench: Bench, later: str) -> None:
    bench.echo("a", "x")
    bench.echo("c", "b")
    acts = (PUBLISH, 'And I publish "b"', ONE, REST[1], 'When I publish "c"')
    bench.play(*acts, f'Then I expect "{later}"').passed()


def test_a_topic_that_a_later_phase_learns_is_left_out(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {"to": "y"})])
    bench.echo("b", "y")
    keep = 'And I keep "to" of "x" as topic'
    bench.play(PUBLISH, ONE, keep, REST[1], 'When I publish "b"', 'Then I expect "{{ topic }}"').passed()


def test_without_any_check_there_is_nothing_else(bench: Bench) -> None:
    played = bench.play(PUBLISH, REST[1])
    assert isinstance(played.error, StepError)
    assert "features/play.feature:4: no check of this scenario listens to anything" in played.message
    assert bench.heard == []


def test_a_transport_bounds_everything(bench: Bench) -> None:
    played = bench.play(PUBLISH, ONE, "And I expect nothing else on kafka for 50ms")
    assert "no check of this scenario listens to anything on kafka" in played.message
    plan = plan_of(PUBLISH, 'Then I expect "x" on kafka', ONE, "And I expect nothing else on kafka for 50ms")
    assert plan.steps[3].spec_transports == ("kafka",)


@pytest.mark.parametrize("rest", REST)
def test_one_that_nobody_can_read_is_another(bench: Bench, rest: str) -> None:
    bench.echo("a", "x")
    raw = 'And I publish "x" as raw bytes:\n"""\nhex: ff00\n"""'
    assert bench.play(PUBLISH, raw, ONE, rest).outcomes == ["pass", "fail"]


def test_after_a_failed_step_it_still_gets_its_true_verdict(make_bench: MakeBench) -> None:
    bench = make_bench(timeout_s=0.1)
    bench.service("a", lambda _: [("x", {}), ("x", {})])
    assert bench.play(PUBLISH, ONE, 'And I expect "never"', REST[0]).outcomes == ["pass", "timeout", "fail"]
    bench = make_bench(timeout_s=0.1)
    bench.echo("a", "x")
    assert bench.play(PUBLISH, ONE, 'And I expect "never"', REST[0]).outcomes == ["pass", "timeout", "pass"]


def test_an_absence_with_alternatives_leaves_out_what_cannot_be_read(bench: Bench) -> None:
    raw = 'When I publish "x" as raw bytes:\n"""\nhex: ff00\n"""'
    with pytest.warns(UserWarning, match="could not be read"):
        bench.play(raw, 'Then I expect no "x" where n is 1 or n is 2 for 50ms').passed()


def test_a_reply_that_comes_twice_is_something_else(bench: Bench) -> None:
    answers_twice(bench)
    played = bench.play('When I request "ask"', "Then I expect a reply", REST[1])
    assert played.outcomes == ["pass", "fail"]


def answers_twice(bench: Bench) -> None:
    answer_requests(bench, "ask")
    answer_requests(bench, "ask")
