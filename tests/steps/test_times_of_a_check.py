"""The times that a check names: its budget, its patience, and the moment before which nothing may come."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import pytest

from choreo_bdd_steps.run.scenario_run import ScenarioRun
from tests.steps.conftest import MakeBench
from tests.support.step_bench import Bench, Message

PUBLISH = 'When I publish "a"'


def test_a_check_that_waits_longer_than_the_timeout_sees_what_comes_later(bench: Bench) -> None:
    bench.echo("a", "x", after_s=0.3)
    assert bench.play(PUBLISH, 'Then I expect "x"').outcomes == ["timeout"]
    bench.play(PUBLISH, 'Then I expect "x" waiting up to 2s').passed()


def test_a_check_may_wait_less_than_the_timeout(make_bench: MakeBench) -> None:
    bench = make_bench(timeout_s=5.0)
    (handle,) = bench.play(PUBLISH, 'Then I expect "x" waiting up to 50ms').handles
    assert handle.outcome.value == "timeout"
    assert "timeout_ms=50" in handle.reason


@pytest.mark.parametrize(
    "check",
    [
        'I expect another "x" waiting up to 2s',
        'I expect at least 1 "x" message waiting up to 2s',
        "I expect in order waiting up to 2s:\n| topic |\n| x     |",
    ],
)
def test_every_check_of_presence_takes_a_patience_of_its_own(bench: Bench, check: str) -> None:
    bench.echo("a", "x", after_s=0.3)
    bench.play(PUBLISH, f"Then {check}").passed()


def test_a_budget_stays_a_budget_beside_a_longer_patience(bench: Bench) -> None:
    bench.echo("a", "x", after_s=0.3)
    assert bench.play(PUBLISH, 'Then I expect "x" within 50ms waiting up to 2s').outcomes == ["slow"]


def test_a_budget_of_an_order_is_waited_for_whatever_the_timeout(bench: Bench) -> None:
    bench.echo("a", "x", after_s=0.3)
    bench.play(PUBLISH, "Then I expect in order within 2s:\n| topic |\n| a     |\n| x     |").passed()


def test_what_a_loop_that_was_blocked_across_the_end_of_a_wait_finds_is_looked_at_late(make_bench: MakeBench) -> None:
    bench = make_bench(timeout_s=0.2, in_real_time=True)
    is_blocked = threading.Event()

    def answer(message: Message) -> list[tuple[str, Message]]:
        asyncio.get_running_loop().call_later(0.01, block, message)
        return []

    def block(message: Message) -> None:
        is_blocked.set()
        time.sleep(0.4)
        for _ in range(3):
            bench.session.transport("bus").publish("x", json.dumps(message).encode())

    def wait(_: ScenarioRun) -> None:
        assert is_blocked.wait(5)

    bench.service("a", answer)
    bench.play(
        PUBLISH, "When I wait for it", 'Then I expect exactly 3 "x" messages', own={"I wait for it": wait}
    ).passed()


@pytest.mark.thorough
@pytest.mark.parametrize(
    "check",
    [
        'I expect "x"',
        'I expect at least 3 "x" messages',
        'I expect exactly 3 "x" messages',
        'I expect between 2 and 3 "x" messages where n exists',
        "I expect in order:\n| topic |\n| a     |\n| x     |",
    ],
)
def test_a_step_that_is_reached_after_a_blocked_loop_has_what_that_came_to_look_at_late(
    make_bench: MakeBench, check: str
) -> None:
    bench = make_bench(timeout_s=0.2, in_real_time=True)
    is_over = threading.Event()

    def block(message: Message) -> None:
        time.sleep(0.4)
        for n in range(3):
            bench.session.transport("bus").publish("x", json.dumps({**message, "n": n}).encode())
        asyncio.get_running_loop().call_later(0.05, is_over.set)

    def wait(_: ScenarioRun) -> None:
        assert is_over.wait(5)

    def answer(message: Message) -> list[tuple[str, Message]]:
        asyncio.get_running_loop().call_later(0.01, block, message)
        return []

    bench.service("a", answer)
    bench.play(PUBLISH, "When I wait for it", f"Then {check}", own={"I wait for it": wait}).passed()


def test_a_step_that_is_reached_late_has_nothing_that_came_late(make_bench: MakeBench) -> None:
    bench = make_bench(timeout_s=0.2)
    bench.echo("a", "x", after_s=0.3)
    played = bench.play(
        PUBLISH,
        "When I wait for it",
        'Then I expect exactly 1 "x" messages',
        own={"I wait for it": lambda _: bench.pass_time(0.4)},
    )
    assert played.outcomes == ["timeout"]


def test_a_message_that_comes_too_early_fails_and_says_so(bench: Bench) -> None:
    bench.echo("a", "x")
    played = bench.play(PUBLISH, 'Then I expect "x" not before 150ms')
    assert played.outcomes == ["fail"]
    assert "too early: the message on 'x' came" in played.message
    assert "the 150 ms it may not come before" in played.message


def test_a_message_that_does_not_come_too_early_passes(bench: Bench) -> None:
    bench.echo("a", "x", after_s=0.1)
    bench.play(PUBLISH, 'Then I expect "x" where @topic is "x" within 2s of "a" not before 50ms').passed()


def test_one_that_must_not_come_early_is_waited_for_from_there_on(bench: Bench) -> None:
    bench.echo("a", "x", after_s=0.3)
    bench.play(PUBLISH, 'Then I expect "x" not before 250ms').passed()


def test_another_message_may_not_come_early_either(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {}), ("x", {})])
    played = bench.play(PUBLISH, 'Then I expect "x"', 'And I expect another "x" not before 150ms')
    assert played.outcomes == ["pass", "fail"]
    assert "too early" in played.message


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ('I expect "x" within 50ms not before 100ms', "no message can come within 50ms and not before 100ms"),
        ('I expect "x" not before 100ms waiting up to 50ms', "waits up to 50ms sees no message"),
        ('I expect "x" within 0ms', "a duration of 0 leaves no time"),
        ('I expect "x" waiting up to 0s', "a duration of 0 leaves no time"),
        ('I expect no "x" for 0s', "a duration of 0 leaves no time"),
        ('I expect between 3 and 1 "x" messages', "no number lies between 3 and 1"),
    ],
)
def test_what_can_never_be_is_told_before_anything_is_published(bench: Bench, check: str, told: str) -> None:
    bench.echo("a", "x")
    played = bench.play(PUBLISH, f"Then {check}")
    assert told in played.message
    assert played.message.startswith("features/play.feature:4: ")
    assert bench.heard == []


@pytest.mark.parametrize(("number", "outcome"), [(1, "fail"), (2, "pass"), (3, "pass"), (4, "fail")])
def test_so_many_messages_are_expected_as_lie_between_two_numbers(bench: Bench, number: int, outcome: str) -> None:
    bench.service("a", lambda _: [("x", {"n": 1})] * number)
    played = bench.play(PUBLISH, 'Then I expect between 2 and 3 "x" messages where n is 1 within 100ms of "a"')
    assert played.outcomes == [outcome]


def test_too_few_between_two_numbers_are_told(bench: Bench) -> None:
    bench.echo("a", "x")
    played = bench.play(PUBLISH, 'Then I expect between 2 and 3 "x" messages')
    assert "too few: 1 matching on 'x' within 200 ms, wanted at least 2 and at most 3" in played.message
