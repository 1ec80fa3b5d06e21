from __future__ import annotations

import itertools

import pytest

from choreo_bdd_steps.vocabulary import PHRASES, recognise_text
from choreo_bdd_steps.vocabulary.acts import Expect
from choreo_bdd_steps.vocabulary.expectation_spec import ExpectationSpec
from choreo_bdd_steps.vocabulary.phrase import Match, Phrase, StepCall
from tests.support.project import LOADER, Project
from tests.support.step_bench import read_steps


def sentence(phrase: Phrase) -> str:
    """The first line of a phrase's example, without its keyword."""
    return phrase.example.splitlines()[0].partition(" ")[2]


def args(text: str) -> dict[str, str]:
    match = recognise_text(text)
    assert match is not None, text
    return {name: value for name, value in match.args.items() if value is not None}


def phrase_of(text: str) -> str:
    match = recognise_text(text)
    assert match is not None, text
    return match.phrase.text


SENTENCES = [
    'I publish "orders.placed"',
    'I publish "orders.placed" on kafka',
    'I publish "orders.placed" with key "k"',
    'I publish "orders.placed" on kafka with key ""',
    'I publish "orders.placed" from file "a b.json"',
    'I publish "orders.placed" on kafka from file "order.json"',
    'I publish "orders.placed" on kafka as an envelope',
    'I publish "orders.placed" as raw bytes',
    'I publish 3 "orders.placed" messages',
    'I publish 3 "orders.placed" messages on kafka with key "k-{{ index }}" at 20 per second',
    'I publish 3 "orders.placed" messages with key "k"',
    'I publish "orders.placed" on kafka with key "k" and no payload',
    'I publish "orders.placed" with key "and no payload"',
    'I publish 1 "orders.placed" message on kafka at 2.5 per second',
    'I expect "orders.settled"',
    'I expect "orders.settled" on kafka where a is 1 and b exists within 1.5s of "orders.placed"',
    'I expect "orders.settled" where note is "no reply for 5s"',
    'I expect "orders.settled" where note is "exactly 3 messages within 5s"',
    'I expect another "orders.settled" on kafka where a is 1 within 2s matching schema "order.json"',
    'I expect "orders.settled" matching schema "a b.json"',
    'I expect exactly 2 "orders.settled" messages within 1s of "orders.placed" matching schema "order.json"',
    'I expect "orders.settled" on kafka where a is 1 within 1s of "a" not before 20ms waiting up to 5s',
    'I expect "orders.settled" waiting up to 2 seconds matching schema "a b.json"',
    'I expect another "orders.settled" not before 20ms waiting up to 5s',
    'I expect at least 2 "orders.settled" messages within 1s waiting up to 5s',
    'I expect between 1 and 3 "orders.settled" messages on kafka where a is 1 within 1s of "orders.placed"',
    'I expect in order on kafka within 50ms of "orders.placed" waiting up to 5s',
    "I expect a reply where level > 0 within 50ms waiting up to 5s",
    'I expect no other "orders.settled" on kafka where a is 1 for 1 second',
    "I expect nothing else for 50ms",
    "I expect nothing else on kafka for 1.5 seconds",
    "I expect in order",
    "I expect in order on kafka within 50ms",
    "I expect a reply",
    'I expect a reply where level > 0 and note is "within 5s" within 50ms',
    'I request "stock.level" on nats',
    'from "a" to "b" takes at most 50ms',
    'from "a" on kafka to "b" on nats takes at most 1.5 seconds',
    'from "a" on kafka where note is "to" to "b" on nats where n is 1 and m > 2 takes at most 1s',
    'from "a" to "b" where n is 1 takes at least 20ms',
    'the "orders.settled" message has',
    'the first "orders.settled" message has',
    'the last "orders.settled" message has not',
    'the 2nd "orders.settled" messages has not',
    "the reply has",
    "the reply has not",
    'I keep "order.id" of the reply as order_id',
    'I expect no "orders.settled" for 1 minute',
    'I expect no "orders.settled" on kafka where note is "for 5s" for 2 seconds',
    'I expect exactly 2 "orders.settled" messages',
    'I expect at least 1 "orders.settled" message within 50ms',
    'I expect at most 0 "orders.settled" messages on kafka where a > 1 within 50ms',
    'a service that answers "a" with "b"',
    'a service on kafka that answers "a" where x is "with" with "b" on nats after 20ms 3 times',
    'a service that answers "a" with "b" and fails',
    'a service that drops "a" where x is "answers"',
    'the service answered "a"',
    'the service answered "a" twice',
    'the service never answered "a"',
    'customer is "Ada"',
    "customer is 3",
    'customer is {"name": "Ada"}',
    "customer is a unique id",
    "the variables",
    "the default transport is kafka",
    'I keep "order.id" of "orders.accepted" as order_id',
    "I wait 1 minute",
]


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.text)
def test_the_example_of_a_phrase_is_this_phrase_and_no_other(phrase: Phrase) -> None:
    matching = [each.text for each in PHRASES if each.match(StepCall(sentence(phrase), "", 0))]
    assert matching == [phrase.text]


@pytest.mark.parametrize("text", SENTENCES)
@pytest.mark.parametrize("ending", ["", ":", " :"])
def test_a_sentence_is_exactly_one_phrase_with_and_without_a_colon(text: str, ending: str) -> None:
    matching = [each.text for each in PHRASES if each.match(StepCall(text + ending, "", 0))]
    assert len(matching) == 1


@pytest.mark.parametrize("text", SENTENCES)
def test_a_trailing_colon_changes_no_parameter(text: str) -> None:
    assert args(text) == args(text + ":")


def test_optional_parts_may_be_left_out_one_by_one() -> None:
    parts = (" on kafka", " where a is 1", " within 50ms")
    for chosen in itertools.product((True, False), repeat=3):
        text = 'I expect "t"' + "".join(part for part, wanted in zip(parts, chosen, strict=True) if wanted)
        expected = {"topic": "t"}
        if chosen[0]:
            expected["transport"] = "kafka"
        if chosen[1]:
            expected["condition"] = "a is 1"
        if chosen[2]:
            expected["within"] = "50ms"
        assert args(text) == expected


def test_an_optional_part_left_out_is_none_rather_than_missing() -> None:
    match = recognise_text('I publish "orders.placed"')
    assert match is not None
    assert match.args == {"topic": "orders.placed", "transport": None, "key": None}


@pytest.mark.parametrize("count", ["1", "3"])
@pytest.mark.parametrize("word", ["message", "messages"])
def test_message_and_messages_are_the_same_word(count: str, word: str) -> None:
    assert args(f'I publish {count} "t" {word}') == {"count": count, "topic": "t"}
    assert args(f'I expect exactly {count} "t" {word}') == {"count": count, "topic": "t"}


def test_a_topic_may_hold_the_word_messages() -> None:
    assert args('I publish 2 "messages.message" messages') == {"count": "2", "topic": "messages.message"}


@pytest.mark.parametrize("duration", ["50ms", "1.5s", "2 seconds", "1 minute", "1 second", "3m", "10 milliseconds"])
def test_durations_carry_a_unit(duration: str) -> None:
    assert args(f'I expect "t" within {duration}')["within"] == duration
    assert args(f"I wait {duration}")["duration"] == duration


@pytest.mark.parametrize(
    "text", ['I expect "t" within 50', 'I expect "t" within soon', "I wait 3 fortnights", "I wait -1s"]
)
def test_a_duration_without_a_unit_is_no_phrase(text: str) -> None:
    assert recognise_text(text) is None


def test_a_condition_may_hold_the_words_of_the_phrase_itself() -> None:
    text = 'I expect "t" where note is "done within 5s" and who is "on kafka" within 20ms of "t.asked":'
    assert args(text) == {
        "topic": "t",
        "condition": 'note is "done within 5s" and who is "on kafka"',
        "within": "20ms",
        "anchor": "t.asked",
    }


def test_a_quoted_within_at_the_end_of_a_condition_is_part_of_it() -> None:
    assert args('I expect "t" where note is "done within 5s"') == {
        "topic": "t",
        "condition": 'note is "done within 5s"',
    }


def test_a_condition_may_hold_for_and_with() -> None:
    assert args('I expect no "t" where note is "x for 3s" for 1s')["condition"] == 'note is "x for 3s"'
    assert args('a service that answers "a" where x is "with" with "b"')["condition"] == 'x is "with"'


@pytest.mark.parametrize(
    "text",
    [
        "I expect orders.settled",
        'I expect "orders.settled" quickly',
        'and I publish "t"',
        'I publish "t" to kafka',
        'I publish ""',
        'please: I publish "t"',
        'I publish "t" extra',
        'the customer is "Ada"',
        "customer is Ada",
        'customer-name is "Ada"',
        'I expect exactly two "t" messages',
    ],
)
def test_a_sentence_that_only_resembles_a_phrase_is_somebody_elses(text: str) -> None:
    assert recognise_text(text) is None


def test_every_phrase_has_a_doc_line_and_an_example_with_a_keyword() -> None:
    for phrase in PHRASES:
        assert phrase.doc.endswith("."), phrase.text
        assert phrase.example.split()[0] in ("Given", "When", "Then"), phrase.text


def test_an_example_is_read_into_the_act_its_phrase_tells_of() -> None:
    for phrase in PHRASES:
        (call,) = read_steps(phrase.example)
        match = phrase.match(call)
        assert isinstance(match, Match)
        act = match.act()
        assert type(act) is phrase.act
        if isinstance(act, Expect):
            assert isinstance(act.spec, ExpectationSpec)
            assert (
                act.spec.is_reply or act.spec.is_response or act.spec.is_everything or act.spec.topic in phrase.example
            )


@pytest.mark.parametrize(
    ("before", "after"),
    [("", "@given('order is {text:S}')"), ("@step('{name} is 7')", ""), ("", "@given('{sentence}')")],
)
def test_a_definition_of_the_users_own_goes_before_the_phrase_where_behave_has_it_so(
    project: Project, before: str, after: str
) -> None:
    told = "\ndef own(context, **_):\n    print('the own one')\n"
    own = "from behave import given, step\n"
    loader = own + (before + told if before else "") + LOADER + (after + told if after else "")
    project.file("features/steps/all.py", loader)
    project.feature("Feature: f\n  Scenario: s\n    Given order is 7\n    When n is 8\n")
    ran = project.behave("--no-capture")
    assert ran.text.count("the own one") == 1, ran.text
    assert "2 steps passed" in ran, ran.text
