"""A suggestion for a sentence with a slip never says the opposite of what was meant."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreo_bdd_steps.lint.suggesting import did_you_mean, suggestion
from choreo_bdd_steps.vocabulary import recognise_text
from tests.support.examples import examples


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('the "x" message has nott', 'the "x" message has not'),
        ("the reply has Not", "the reply has not"),
        ('the service neever answered "x"', 'the service never answered "x"'),
        ('I expect No "x" for 1s', 'I expect no "x" for 1s'),
        ('I expect noo "x" for 1s', 'I expect no "x" for 1s'),
        ('I expect on other "x" for 1s', None),
        ('I expect nw other "x" for 1s', 'I expect no other "x" for 1s'),
        ('the fisrt "x" message has', 'the first "x" message has'),
        ('from "a" to "b" takes at leest 5s', 'from "a" to "b" takes at least 5s'),
    ],
)
def test_a_slip_in_a_word_that_turns_the_sense_keeps_it(text: str, meant: str | None) -> None:
    told = suggestion(text)
    assert told == meant or (meant is None and (told is None or recognise_text(told) is None))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0,5s", "0.5s"),
        (".5s", "0.5s"),
        ("1,25 seconds", "1.25 seconds"),
        ("30MS", "30ms"),
        ("30 msec", "30ms"),
        ("2 Secs", "2s"),
        ("1 min", "1m"),
        ("2 Minutes", "2m"),
    ],
)
@pytest.mark.parametrize(
    "sentence", ['I expect "x" within {}', 'I expect no "x" for {}', 'I expect "x" waiting up to {}', "I wait {}"]
)
def test_a_duration_in_another_spelling_is_suggested_in_ours(sentence: str, written: str, meant: str) -> None:
    assert suggestion(sentence.format(written)) == sentence.format(meant)


@pytest.mark.parametrize("written", ["1h", "1m30s", "50", "half a second"])
def test_a_duration_that_has_no_spelling_of_ours_is_not_guessed(written: str) -> None:
    told = suggestion(f'I expect "x" within {written}')
    assert told is None or recognise_text(told) is None


TURNING = re.compile(r"\b(no|not|never|nothing|fails|at least|at most|exactly|first|last|not before|other|else)\b")
SPELT = [
    *('the "x" message has not', 'the last "x" message has', "the reply has not", 'I expect no "x" for 1s'),
    *('I expect no other "x" for 1s', "I expect nothing else for 1s", 'the service never answered "x"'),
    *('from "a" to "b" takes at most 5s', 'from "a" to "b" takes at least 5s', 'I expect "x" not before 1s'),
    *('I expect at most 2 "x" messages', 'I expect at least 2 "x" messages', 'I expect exactly 2 "x" messages'),
]


@pytest.mark.thorough
@examples(300, deadline=None)
@given(st.sampled_from(SPELT), st.data())
def test_no_letter_too_many_too_few_or_too_late_turns_a_suggestion_round(text: str, data: st.DataObject) -> None:
    word = data.draw(st.sampled_from([found[0] for found in re.finditer(r"(?<!\")\b[a-z]{3,}\b(?!\")", text)]))
    at = data.draw(st.integers(0, len(word) - 1))
    slips = [word[: at + 1] + word[at:], word[:at] + word[at + 1 :], word[:at] + "q" + word[at + 1 :]]
    slip = data.draw(st.sampled_from([*slips, word[:at] + word[at : at + 2][::-1] + word[at + 2 :], word.capitalize()]))
    if slip in ("fist", "ever", "as", "mot"):
        return
    told = suggestion(text.replace(word, slip, 1))
    if told is not None and recognise_text(told) is not None:
        assert TURNING.findall(told) == TURNING.findall(text)


def test_a_sentence_of_thousands_of_characters_is_compared_with_none() -> None:
    assert suggestion(f'I expct "{"a" * 5000}" soon') is None


@pytest.mark.parametrize(
    "text",
    [
        'I expect "a" within {}',
        'I expect no "a" for {}',
        "I wait {}",
        'I expect "a" within {} of "b"',
        'I expect "a" waiting up to {}',
        'I expect "a" not before {}',
        'I expect exactly 2 "a" messages within {}:',
        'from "a" to "b" takes at most {}',
        'a service that answers "a" with "b" after {} once',
        'I expect no "a" where n is 5 for {}',
        "the response has status 201 within {}",
    ],
)
@pytest.mark.parametrize("number", ["50", "1.5"])
def test_a_time_without_a_unit_is_told_as_such(text: str, number: str) -> None:
    assert (
        did_you_mean(text.format(number)) == f"the time {number} has no unit; write {number}ms, {number}s or {number}m"
    )


@pytest.mark.parametrize("text", ["the light stays on for 50", 'I expect "a" within fifty', "I retry at most 3 times"])
def test_a_number_that_is_no_time_lacks_no_unit(text: str) -> None:
    assert "has no unit" not in (did_you_mean(text) or "")
