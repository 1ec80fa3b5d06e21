from __future__ import annotations

import pytest

from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.plan.plan import Plan
from choreo_bdd_steps.vocabulary.expectation_spec import ExpectationSpec
from tests.support.step_bench import plan_of


def phases(plan: Plan) -> list[int]:
    return [step.phase for step in plan.steps]


def checked(plan: Plan, phase: int) -> list[str]:
    return [check.call.text for check in plan.checks(phase)]


def test_publishes_in_a_row_and_their_checks_are_one_phase() -> None:
    plan = plan_of('When I publish "a"', 'And I publish "b"', 'Then I expect "x"', 'And I expect no "y" for 1s')
    assert phases(plan) == [0, 0, 0, 0]
    assert checked(plan, 0) == ['I expect "x"', 'I expect no "y" for 1s']


def test_a_publish_after_a_check_begins_the_next_phase() -> None:
    plan = plan_of(
        'When I publish "a"', 'And I publish "b"', 'Then I expect "x"', 'When I publish "c"', 'Then I expect "y"'
    )
    assert phases(plan) == [0, 0, 0, 1, 1]
    assert checked(plan, 1) == ['I expect "y"']


def test_what_a_service_answered_is_a_check_too() -> None:
    plan = plan_of('When I publish "a"', 'Then the service answered "a"', 'When I publish "b"', 'Then I expect "x"')
    assert phases(plan) == [0, 0, 1, 1]
    assert checked(plan, 0) == []


@pytest.mark.parametrize("between", ["I wait 10ms", 'colour is "red"', "my own step", 'a service that drops "s"'])
def test_neither_check_nor_publish_divides_no_phase(between: str) -> None:
    assert phases(plan_of('When I publish "a"', f"And {between}", 'When I publish "b"')) == [0, 0, 0]


def test_a_check_before_any_publish_has_a_phase_that_publishes_nothing() -> None:
    plan = plan_of('Then I expect "x"', 'When I publish "a"', 'Then I expect "y"')
    assert phases(plan) == [0, 1, 1]
    assert [plan.has_trigger(phase) for phase in (0, 1)] == [False, True]


def test_background_steps_are_steps_like_any_other() -> None:
    background = ('Given id is "7"', 'And I publish "warm.up"', 'Then I expect "warm"')
    plan = plan_of(*background, 'When I publish "a"', 'Then I expect "x"')
    assert phases(plan) == [0, 0, 0, 1, 1]


def test_the_last_publish_of_a_phase_is_known() -> None:
    plan = plan_of('When I publish "a"', 'And I publish "b"', 'Then I expect "x"', 'When I publish "c"')
    assert [plan.is_last_trigger(step) for step in plan.steps if step.call.text.startswith("I publish")] == [
        False,
        True,
        True,
    ]


def test_variables_set_between_two_steps() -> None:
    plan = plan_of(
        'Given a is "1"',
        "And b is 2",
        "And c is a unique id",
        "And the variables:\n  | name | value |\n  | d    | 4     |\n  | e    | 5     |",
        'When I publish "t"',
        'Then I expect "x"',
        'And I keep "id" of "x" as f',
        'And I expect "y"',
    )
    assert plan.assigned_between(-1, 8) == frozenset("abcdef")
    assert plan.assigned_between(0, 3) == frozenset("bc")
    assert plan.assigned_between(4, 7) == frozenset("f")
    assert plan.assigned_between(6, 7) == frozenset()


def test_a_step_of_the_users_own_is_told_apart() -> None:
    plan = plan_of('When I publish "a"', "And my own step", 'Then I expect "x"')
    assert plan.has_foreign_step(0, 2)
    assert not plan.has_foreign_step(1, 2)


def test_transports_in_order_of_first_use() -> None:
    plan = plan_of(
        'Given a service on redis that answers "a" with "b" on nats',
        'When I publish "a"',
        'Then I expect "b" on nats',
        default_transport="kafka",
    )
    assert plan.transports == ("redis", "nats", "kafka")


def test_the_default_transport_changes_from_its_step_on() -> None:
    plan = plan_of('When I publish "a"', "Given the default transport is nats", 'Then I expect "b"')
    assert [step.transport for step in plan.steps] == ["bus", "nats", "nats"]
    assert plan.transports == ("bus", "nats")


def test_the_transport_of_variables_and_waits_does_not_count() -> None:
    assert plan_of('Given a is "1"', "When I wait 1ms").transports == ()


def spec_of(plan: Plan) -> ExpectationSpec:
    spec = plan.steps[-1].spec
    assert isinstance(spec, ExpectationSpec)
    return spec


def test_within_is_a_budget_for_a_presence_and_the_window_of_a_count() -> None:
    presence = spec_of(plan_of('Then I expect "x" within 50ms of "a"'))
    assert (presence.budget_s, presence.budget_topic, presence.window_s) == (0.05, "a", None)
    count = spec_of(plan_of('Then I expect exactly 2 "x" messages within 50ms'))
    assert (count.budget_s, count.window_s, str(count.occurs)) == (None, 0.05, "exactly 2")
    at_least = spec_of(plan_of('Then I expect at least 2 "x" messages within 50ms'))
    assert (at_least.budget_s, at_least.window_s) == (0.05, None)
    absence = spec_of(plan_of('Then I expect no "x" for 1.5s'))
    assert (absence.budget_s, absence.window_s, str(absence.occurs)) == (None, 1.5, "none")


def test_a_table_of_several_rows_expects_a_message_a_row() -> None:
    assert spec_of(plan_of('Then I expect "x":\n  | id | sku |\n  | 1  | a   |\n  | 2  | b   |')).body.count == 2


def test_a_check_that_cannot_be_read_keeps_its_complaint_for_its_own_step() -> None:
    plan = plan_of('When I publish "a"', 'Then I expect "x":\n  id: [', 'And I expect "y"')
    assert isinstance(plan.steps[1].unread, BodyError)
    assert isinstance(plan.steps[2].spec, ExpectationSpec)
