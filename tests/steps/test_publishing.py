"""Bursts with keys, and messages without a payload."""

from __future__ import annotations

import pytest

from choreo_bdd_steps.errors import StepError
from tests.steps.conftest import MakeBench
from tests.support.step_bench import Bench


def test_each_message_of_a_burst_has_a_key_of_its_own(bench: Bench) -> None:
    bench.play(
        'When I publish 3 "a" messages with key "k-{{ index }}":\n  n: "{{ index }}"',
        'Then I expect "a":\n| @key | n |\n| k-0  | 0 |\n| k-1  | 1 |\n| k-2  | 2 |',
    ).passed()


def test_a_key_may_be_empty(bench: Bench) -> None:
    bench.play('When I publish "a" with key ""', 'Then I expect "a" where @key is ""').passed()


def test_two_keys_for_one_message_are_an_error(bench: Bench) -> None:
    played = bench.play('When I publish "a" with key "k":\n| @key | n |\n| l    | 1 |', 'Then I expect "a"')
    assert isinstance(played.error, StepError)
    assert "the sentence names a key, and the body another one (@key)" in played.message


@pytest.mark.parametrize(
    ("burst", "told"),
    [
        ('I publish 0 "a" messages', "a burst of 0 messages publishes nothing"),
        ('I publish 2 "a" messages at 0 per second', "at a rate of 0 per second no message ever leaves"),
    ],
)
def test_a_burst_of_nothing_is_an_error(bench: Bench, burst: str, told: str) -> None:
    played = bench.play(f"When {burst}", 'Then I expect "a"')
    assert played.message.startswith("features/play.feature:3: ")
    assert told in played.message


def test_a_message_without_a_payload_is_a_message(make_bench: MakeBench) -> None:
    bench = make_bench(correlation=None)
    gone = 'When I publish "a" with key "k-1" and no payload'
    bench.play(gone, 'Then I expect "a" where @key is "k-1"', 'And I expect exactly 1 "a" message within 50ms').passed()
    assert bench.play(gone, 'Then I expect no "a" for 50ms').outcomes == ["fail"]
    played = bench.play(gone, 'Then I expect "a" where n is 1')
    assert "wrong shape: 1 near-miss on 'a'" in played.message


def test_no_body_stands_below_no_payload(bench: Bench) -> None:
    played = bench.play('When I publish "a" with key "k" and no payload:\n  n: 1', 'Then I expect "a"')
    assert "a doc string stands below this step, which takes nothing" in played.message


@pytest.mark.parametrize(
    "step",
    [
        'When I publish "a.*"',
        'When I publish "a*"',
        'When I request "a.>"',
        'Given a service that answers "a" with "b.*"',
    ],
)
def test_a_pattern_is_nothing_to_publish_on(bench: Bench, step: str) -> None:
    played = bench.play(step, 'When I publish "a"', 'Then I expect "a"')
    assert isinstance(played.error, StepError)
    assert played.message.startswith("features/play.feature:3: ")
    assert "pattern" in played.message or "wildcard" in played.message
