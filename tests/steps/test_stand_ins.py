"""Services that the scenario plays itself, and what it keeps from messages."""

from __future__ import annotations

import pytest

from choreo_bdd_steps.language import matcher
from tests.steps.conftest import MakeBench
from tests.support.step_bench import Bench


def test_a_stand_in_answers_every_trigger_with_a_template_of_it(bench: Bench) -> None:
    bench.play(
        'Given a service that answers "ask" with "answer":\n  echo: "{{ trigger.n }}"',
        'When I publish 3 "ask" messages:\n  n: "{{ index }}"',
        'Then I expect exactly 3 "answer" messages within 50ms',
        'And I expect "answer" where echo is 2',
        'And the service answered "ask" 3 times',
    ).passed()


@pytest.mark.parametrize(("times", "count"), [("once", 1), ("twice", 2), ("3 times", 3)])
def test_a_stand_in_may_answer_so_often_and_no_more(bench: Bench, times: str, count: int) -> None:
    bench.play(
        f'Given a service that answers "ask" with "answer" {times}',
        'When I publish 4 "ask" messages',
        f'Then I expect exactly {count} "answer" messages within 50ms',
        f'And the service answered "ask" {times}',
    ).passed()


def test_a_stand_in_answers_only_what_satisfies_its_condition(bench: Bench) -> None:
    bench.play(
        'Given a service that answers "ask" where n is 1 with "answer"',
        'When I publish 3 "ask" messages:\n  n: "{{ index }}"',
        'Then I expect exactly 1 "answer" message within 50ms',
    ).passed()


def test_an_answer_has_the_key_and_headers_its_body_names(bench: Bench) -> None:
    bench.play(
        'Given a service that answers "ask" with "answer":\n  "@key": "{{ trigger.id }}"\n  "@headers": {kind: late}\n'
        "  n: 1",
        'When I publish "ask":\n  id: k-7',
        'Then I expect "answer":\n  "@key": k-7\n  "@headers": {kind: late}\n  n: 1',
    ).passed()


def test_a_table_of_several_answers_is_an_error(bench: Bench) -> None:
    played = bench.play('Given a service that answers "ask" with "answer":\n  | n |\n  | 1 |\n  | 2 |')
    assert played.message.startswith("features/play.feature:3: a stand-in answers with one message")


def test_a_stand_in_that_drops_is_heard_and_says_nothing(bench: Bench) -> None:
    bench.play(
        'Given a service that drops "ask"', 'When I publish "ask"', 'Then the service never answered "ask"'
    ).passed()


def test_never_answered_waits_before_it_believes_it(bench: Bench) -> None:
    bench.echo("a", "ask", after_s=0.1)
    played = bench.play(
        'Given a service that answers "ask" with "answer"',
        'When I publish "a"',
        'Then the service never answered "ask"',
    )
    assert "features/play.feature:5: the service answered 'ask' 1 time, expected 0 times" in played.message


def test_answered_waits_for_the_answer(bench: Bench) -> None:
    bench.play(
        'Given a service that answers "ask" with "answer" after 50ms',
        'When I publish "ask"',
        'Then the service answered "ask" once',
    ).passed()


def test_a_number_of_answers_that_is_not_right_is_told(bench: Bench) -> None:
    played = bench.play(
        'Given a service that answers "ask" with "answer"',
        'When I publish 3 "ask" messages',
        'Then the service answered "ask" twice',
    )
    assert "answered 'ask' 3 times, expected 2 times" in played.message


def test_a_number_of_answers_is_exact_one_too_many_is_waited_for(bench: Bench) -> None:
    bench.echo("a", "ask", after_s=0.1)
    played = bench.play(
        'Given a service that answers "ask" with "answer"',
        'When I publish "ask"',
        'And I publish "a"',
        'Then the service answered "ask" once',
    )
    assert "answered 'ask' 2 times, expected 1 time" in played.message


def test_nothing_is_waited_for_where_no_more_answers_can_come(make_bench: MakeBench) -> None:
    bench = make_bench(timeout_s=30.0)
    played = bench.play(
        'Given a service that answers "ask" with "answer" twice',
        'When I publish 3 "ask" messages',
        'Then the service answered "ask" twice',
    ).passed()
    assert played.result is not None
    assert played.result.duration_ms is not None
    assert played.result.duration_ms < 15_000


def test_asking_about_a_service_nobody_plays_is_an_error(bench: Bench) -> None:
    played = bench.play('When I publish "ask"', 'Then the service answered "ask"')
    assert played.message == "features/play.feature:4: no stand-in of this scenario answers 'ask'"


def test_a_stand_in_that_fails_sends_nothing_and_the_report_says_so(bench: Bench) -> None:
    played = bench.play(
        'Given a service that answers "ask" with "answer" and fails',
        'When I publish "ask"',
        'Then I expect no "answer" for 50ms',
    ).passed()
    assert played.result is not None
    assert [reply.state.value for reply in played.result.replies] == ["reply_failed"]


def test_an_answer_with_a_variable_nobody_sets_is_an_error_at_once(bench: Bench) -> None:
    played = bench.play(
        'Given a service that answers "ask" with "answer":\n  id: "{{ order_id }}"', 'When I publish "ask"'
    )
    assert played.message.startswith("features/play.feature:3: ")
    assert "'order_id', which no step of this scenario sets" in played.message
    assert "{{ trigger.order_id }}" in played.message


@pytest.mark.parametrize(
    ("template", "hint"),
    [("triger.id", "did you mean 'trigger'?"), ("ordr", "did you mean 'order'?"), ("note", "{{ trigger.note }}")],
)
def test_a_misspelt_name_in_an_answer_is_told_what_was_meant(bench: Bench, template: str, hint: str) -> None:
    played = bench.play(
        'Given order is "7"',
        f'And a service that answers "ask" with "answer":\n  id: "{{{{ {template} }}}}"',
        'When I publish "ask"',
    )
    assert "which no step of this scenario sets; " in played.message
    assert hint in played.message


@pytest.mark.parametrize("path", ["trigger.itm", "trigger['itm']"])
def test_a_misspelt_field_of_the_trigger_is_told_in_words_of_messages(bench: Bench, path: str) -> None:
    played = bench.play(
        f'Given a service that answers "ask" with "answer":\n  id: "{{{{ {path} }}}}"',
        'When I publish "ask":\n  item: lamp\n  note: s3cret',
        'Then I expect "answer"',
    )
    assert "there is no field 'itm' (did you mean 'item'?) in the template" in played.message
    assert "dict" not in played.message
    assert "s3cret" not in played.message


@pytest.mark.parametrize(("body", "kind"), [("[1]", "a list"), ("text", "text"), ("null", "null"), ("7", "a number")])
def test_a_field_of_what_is_no_object_is_told_in_words_of_messages(bench: Bench, body: str, kind: str) -> None:
    played = bench.play(
        'Given a service that answers "ask" with "answer":\n  id: "{{ trigger.lines.item }}"',
        f'When I publish "ask":\n  lines: {body}',
        'Then I expect "answer"',
    )
    assert f"there is no field 'item' (what should have it is {kind}, and no object)" in played.message


def test_the_trigger_is_known_in_answers_only(bench: Bench) -> None:
    played = bench.play('When I publish "ask":\n  id: "{{ trigger.id }}"')
    assert "'trigger' is the message that a stand-in answers, and is known in its body only" in played.message


@pytest.mark.parametrize("check", ['I expect "answer"', 'the service answered "ask"'])
def test_a_check_that_waits_for_an_answer_which_could_not_be_made_says_so(bench: Bench, check: str) -> None:
    played = bench.play(
        'Given a service that answers "ask" with "answer":\n  id: "{{ trigger.order_id }}"',
        'When I publish "ask"',
        f"Then {check}",
    )
    assert "features/play.feature:5: " in played.message
    assert "there is no field 'order_id' (it has correlation_id) in the template" in played.message
    assert played.message.endswith("so the stand-in did not answer")


LIMITED = [
    'I expect no "answer" for 30ms',
    'I expect no "answer.>" for 30ms',
    'I expect at most 1 "answer" message within 30ms',
    'I expect exactly 0 "answer" messages within 30ms',
    'I expect between 0 and 2 "answer" messages within 30ms',
]
BROKEN = 'Given a service that answers "ask" with "answer":\n  id: "{{ trigger.order_id }}"'


@pytest.mark.parametrize("check", LIMITED)
def test_an_answer_that_could_not_be_made_is_none_that_did_not_come(bench: Bench, check: str) -> None:
    broken = BROKEN.replace('"answer"', '"answer.now"') if ">" in check else BROKEN
    played = bench.play(broken, 'When I publish "ask"', f"Then {check}")
    assert played.failed_step == check
    assert "the reply to 'ask' on 'answer" in played.message
    assert "there is no field 'order_id'" in played.message


def test_neither_is_it_left_out_of_what_else_came(bench: Bench) -> None:
    bench.service("ask", lambda _: [("answer", {})])
    played = bench.play(BROKEN, 'When I publish "ask"', 'Then I expect "answer"', "And I expect nothing else for 30ms")
    assert played.failed_step == "I expect nothing else for 30ms"


@pytest.mark.parametrize("check", ['the service never answered "ask"', 'the service answered "ask" once'])
def test_a_number_of_answers_is_not_met_by_one_that_could_not_be_made(bench: Bench, check: str) -> None:
    asked = 'When I publish "ask"' + (":\n  | order_id |\n  | 7 |\n  | |" if "once" in check else "")
    played = bench.play(BROKEN, asked, f"Then {check}")
    assert played.failed_step == check
    assert "the service on 'ask' was asked once more than it answered: the reply to 'ask'" in played.message


def test_a_broken_stand_in_says_nothing_about_other_topics(bench: Bench) -> None:
    bench.play(BROKEN, 'When I publish "ask"', 'Then I expect no "other" for 30ms').passed()


def test_an_answer_may_name_a_variable_that_is_set_before_the_trigger_comes(bench: Bench) -> None:
    bench.play(
        'Given a service that answers "ask" with "answer":\n  id: "{{ order_id }}"',
        'And order_id is "7"',
        'When I publish "ask"',
        'Then I expect "answer" where id is "7"',
    ).passed()


# --- keeping values ---------------------------------------------------------------------------------------------------


def test_a_kept_value_keeps_its_type(bench: Bench) -> None:
    bench.echo("a", "x", n=7, items=[{"sku": "tea"}])
    played = bench.play(
        'When I publish "a"',
        'Then I expect "x"',
        'And I keep "n" of "x" as n',
        'And I keep "items[0].sku" of "x" as sku',
    ).passed()
    assert (played.run.variables["n"], played.run.variables["sku"]) == (7, "tea")


def test_a_value_is_kept_from_the_message_that_satisfied_the_last_check(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {"n": 1}), ("x", {"n": 2}), ("x", {"n": 3})])
    played = bench.play(
        'When I publish "a"',
        'Then I expect "x" where n is 3',
        'And I expect "x" where n is 2',
        'And I keep "n" of "x" as n',
    ).passed()
    assert played.run.variables["n"] == 2


def test_a_value_can_be_kept_from_a_message_that_a_pattern_caught(bench: Bench) -> None:
    bench.echo("a", "x.eu", n=7)
    played = bench.play('When I publish "a"', 'Then I expect "x.*"', 'And I keep "n" of "x.eu" as n').passed()
    assert played.run.variables["n"] == 7


def test_keeping_from_a_topic_nothing_was_expected_on_is_an_error(bench: Bench) -> None:
    played = bench.play('When I publish "a"', 'Then I keep "n" of "x" as n')
    assert "features/play.feature:4: no earlier check of this scenario has taken a message on 'x'" in played.message


def test_keeping_a_field_that_is_not_there_is_an_error(bench: Bench) -> None:
    bench.echo("a", "x", n=7)
    played = bench.play('When I publish "a"', 'Then I expect "x"', 'And I keep "m" of "x" as m')
    assert played.message.startswith("features/play.feature:5: ")
    assert "'m'" in played.message


# --- other steps ------------------------------------------------------------------------------------------------------


def test_without_correlation_a_scenario_hears_everybody(make_bench: MakeBench) -> None:
    bench = make_bench(correlation=None)
    bench.service("a", lambda _: [("x", {"correlation_id": "somebody else's"})])
    bench.play('When I publish "a"', 'Then I expect "x"').passed()


def test_with_correlation_a_strangers_message_is_named_as_the_cause(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {"correlation_id": "stranger"})])
    played = bench.play('When I publish "a"', 'Then I expect "x"')
    assert "wrong correlation" in played.message
    assert "'stranger'" in played.message


def test_an_unknown_transport_is_told_by_each_step_that_names_it_and_not_before(bench: Bench) -> None:
    bench.echo("a", "x")
    played = bench.play('When I publish "a"', 'Then I expect "x"', 'And I expect "x" on kafka')
    assert played.failed_step == 'I expect "x" on kafka'
    assert played.message == "features/play.feature:5: there is no transport 'kafka' in profile 'memory'; it has bus"


@pytest.mark.parametrize(
    "step",
    ["Given the default transport is kafka", 'When I publish "a" on kafka', 'Given a service on kafka that drops "a"'],
)
def test_an_unknown_transport_in_an_act(bench: Bench, step: str) -> None:
    assert "there is no transport 'kafka' in profile 'memory'; it has bus" in bench.play(step).message


def test_a_condition_that_breaks_is_no_condition_that_does_not_hold(bench: Bench) -> None:
    @matcher("breaking")
    def breaking(value: object) -> bool:
        raise SystemExit(3)

    stand_in = 'Given a service that answers "ask" where n is !breaking with "answer"'
    ask = 'When I publish "ask":\n  n: 1'
    played = bench.play(stand_in, ask, 'Then the service never answered "ask"')
    assert "the condition of the service on 'ask' raised SystemExit" in played.message
    for check in ("has", "has not"):
        played = bench.play(ask, 'Then I expect "ask"', f'And the "ask" message {check}:\n  n: !breaking')
        assert "the matcher raised SystemExit: 3" in played.message


@pytest.mark.parametrize(
    ("service", "told"),
    [
        (
            'answers "ask" with "answer"',
            "answered on 'answer', and a stand-in answers no inbox: expect 'answer' instead",
        ),
        (
            'answers "ask" with "answer" and fails',
            "for 'ask' of this scenario did not answer (reply_failed)",
        ),
        ('drops "ask"', "for 'ask' of this scenario did not answer (dropped 1)"),
    ],
)
def test_a_request_that_only_a_stand_in_heard_says_why_no_reply_came(bench: Bench, service: str, told: str) -> None:
    played = bench.play(f"Given a service that {service}", 'When I request "ask"', "Then I expect a reply")
    assert played.outcomes == ["timeout"]
    assert told in played.message


def test_a_reply_that_another_service_sent_is_no_matter_of_the_stand_in(bench: Bench) -> None:
    played = bench.play(
        'Given a service that answers "other" with "answer"', 'When I request "ask"', "Then I expect a reply"
    )
    assert "of this scenario" not in played.message


@pytest.mark.parametrize("check", ['the service answered "ask"', 'the service answered "ask" 2 times'])
def test_a_stand_in_that_drops_is_told_as_one(bench: Bench, check: str) -> None:
    played = bench.play('Given a service that drops "ask"', 'When I publish "ask"', f"Then {check}")
    assert "(dropped 1)" in played.message
