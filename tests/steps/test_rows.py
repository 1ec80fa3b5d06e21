"""A table of several rows expects several messages: each row takes one of its own, in whatever order they come."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from choreo_bdd.scenario import Handle
from choreo_bdd.scenario.judging.expectation import Expectation
from choreo_bdd.scenario.scope import Scope
from tests.steps.conftest import MakeBench
from tests.support.examples import examples
from tests.support.step_bench import Bench

KINDS = [("A", "1"), ("A", "2"), ("B", "1")]


def table(rows: list[tuple[str, str]]) -> str:
    return "\n".join(["| status | id |", *(f"| {status} | {number} |" for status, number in rows)])


def test_two_equal_rows_need_two_messages(bench: Bench) -> None:
    rows = [("A", "1"), ("A", "1")]
    played = bench.play(f'When I publish "t":\n{table(rows[:1])}', f'Then I expect "t":\n{table(rows)}')
    assert "a message that no other row has taken" in played.message
    bench.play(f'When I publish "t":\n{table(rows)}', f'Then I expect "t":\n{table(rows)}').passed()


def test_a_row_within_another_needs_a_message_of_its_own(bench: Bench) -> None:
    rows = [("A", "1"), ("A", "")]
    played = bench.play(f'When I publish "t":\n{table(rows[:1])}', f'Then I expect "t":\n{table(rows)}')
    assert played.outcomes == ["pass", "fail"]


@pytest.mark.parametrize("sent", [[("A", "1"), ("A", "2")], [("A", "2"), ("A", "1")]])
@pytest.mark.parametrize("rows", [[("A", ""), ("", "1")], [("", "1"), ("A", "")]])
def test_no_order_keeps_a_row_from_its_message(
    bench: Bench, sent: list[tuple[str, str]], rows: list[tuple[str, str]]
) -> None:
    bench.play(f'When I publish "t":\n{table(list(sent))}', f'Then I expect "t":\n{table(list(rows))}').passed()


def fits(row: tuple[str, str], message: tuple[str, str]) -> bool:
    return all(asked in ("", there) for asked, there in zip(row, message, strict=True))


ROWS = st.lists(st.sampled_from([*KINDS, ("A", ""), ("", "1")]), min_size=2, max_size=4)


@examples(40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, sent=st.lists(st.sampled_from(KINDS), min_size=1, max_size=5))
def test_rows_pass_just_when_each_can_have_a_message_of_its_own(
    make_bench: MakeBench, rows: list[tuple[str, str]], sent: list[tuple[str, str]]
) -> None:
    played = make_bench(timeout_s=0.02).play(
        f'When I publish "t":\n{table(sent)}', f'Then I expect "t":\n{table(rows)}'
    )
    possible = any(all(map(fits, rows, chosen)) for chosen in itertools.permutations(sent, len(rows)))
    assert (played.error is None) == possible, (rows, sent)


def test_a_row_that_judges_a_message_does_not_ask_all_the_others(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    number, asked, find = 20, [0], Scope.expectation_of

    def counting(scope: Scope, handle: Handle) -> Expectation:
        asked[0] += 1
        return find(scope, handle)

    monkeypatch.setattr(Scope, "expectation_of", counting)
    rows = table([("A", str(each)) for each in range(number)])
    bench.play(f'When I publish "t":\n{rows}', f'Then I expect "t":\n{rows}').passed()
    assert asked[0] < 4 * number**2, "each of 400 judgements asks a few at most"


def test_rows_that_wait_for_a_variable_take_their_own_messages_too(bench: Bench) -> None:
    steps = [
        'When I publish "t":\n| id |\n| 1 |',
        'Then I expect "t"',
        'And I keep "id" of "t" as it',
        'And I expect "t":\n| id |\n| {{ it }} |\n| {{ it }} |',
    ]
    assert "a message that no other row has taken" in bench.play(*steps).message


def test_the_second_of_two_equal_messages_in_order_did_not_come(bench: Bench) -> None:
    order = "| topic | id |\n| t | 1 |\n| t | 1 |\n| t | 1 |"
    played = bench.play('When I publish "t":\n| id |\n| 1 |', f"Then I expect in order:\n{order}")
    assert "nothing arrived: no matching message arrived on 't' after the expected one on 't'" in played.message
    assert "out of order" not in played.message


@pytest.mark.parametrize("quantity", ["exactly", "at least", "at most"])
def test_a_count_beside_several_rows_asks_which_of_the_two_is_meant(bench: Bench, quantity: str) -> None:
    played = bench.play('When I publish "t"', f'Then I expect {quantity} 1 "t" message:\n| id |\n| 1 |\n| 2 |')
    assert f"`{quantity} 1` and a table of 2 rows, a message each: which of the two is meant?" in played.message
    assert played.failed_step == 'I publish "t"'


def test_a_step_that_looks_at_one_message_takes_no_table_of_several(bench: Bench) -> None:
    played = bench.play('When I publish "t"', 'Then I expect "t"', 'And the "t" message has:\n| a |\n| 1 |\n| 2 |')
    assert "this table asks for 2 messages, one a row, and the step looks at one" in played.message


ORDER = "| topic | n |\n| t | 1 |\n| t | 2 |\n| t | 3 |"
ROWS_OF_ONE = "| n |\n| 1 |\n| 2 |\n| 3 |"


def test_what_rows_before_have_taken_is_no_near_miss_of_the_last_in_order(bench: Bench) -> None:
    said = bench.play('When I publish "t":\n| n |\n| 1 |\n| 2 |', f"Then I expect in order:\n{ORDER}").message
    assert "too few: 2 messages on 't' within" in said
    assert "taken by the 2 before it in order; one more was wanted" in said
    assert "n: expected 3" in said


def test_a_message_that_nobody_took_is_the_near_miss(bench: Bench) -> None:
    sent = "| n |\n| 1 |\n| 2 |\n| 4 |"
    said = bench.play(f'When I publish "t":\n{sent}', f"Then I expect in order:\n{ORDER}").message
    assert "wrong shape" in said
    assert "n: expected 3, got 4" in said


@pytest.mark.parametrize(
    "check",
    [
        f"Then I expect in order:\n{ORDER}",
        f'Then I expect "t":\n{ROWS_OF_ONE}',
        'Then I expect at least 2 "t" messages\n\nThen I expect another "t" where n is 3',
    ],
)
@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (b'{"n": 3}', "no correlation id: a matching message came on 't'"),
        (b'{"n": 3, "correlation_id": "x"}', "wrong correlation: a matching message came on 't'"),
        (b'{"n": 3', "undecodable: 1 message on 't' could not be read"),
    ],
)
def test_what_others_have_taken_hides_no_cause(bench: Bench, check: str, said: bytes, cause: str) -> None:
    """It is no evidence of what became of the message that is missing."""
    bus = bench.session.transport("bus")

    async def speak() -> None:
        bus.publish("t", said)

    played = bench.play(
        'When I publish "t":\n| n |\n| 1 |\n| 2 |',
        "And a stranger speaks",
        *check.split("\n\n"),
        own={"a stranger speaks": lambda _: bench.session.run(speak())},
    )
    assert cause in played.message
