"""What stands below a sentence is never dropped, and what cannot be read fails before anything is published."""

from __future__ import annotations

from pathlib import Path

import pytest

from choreo_bdd_steps.lint import lint
from choreo_bdd_steps.vocabulary import PHRASES
from choreo_bdd_steps.vocabulary.phrase import Phrase
from tests.support.step_bench import Bench

TABLE, DOCSTRING = "| field | value |\n| a | 1 |", '"""\na: 1\n"""'
BODIES = {"a table": TABLE, "a doc string": DOCSTRING}
CASES = [(phrase, what) for phrase in PHRASES for what in BODIES if what not in phrase.below]


def sentence(phrase: Phrase) -> str:
    return phrase.example.partition("\n")[0].removesuffix(":")


@pytest.mark.parametrize(("phrase", "what"), CASES, ids=lambda each: each if isinstance(each, str) else each.text)
def test_a_body_below_a_sentence_that_takes_none_is_an_error(bench: Bench, phrase: Phrase, what: str) -> None:
    step = f"{sentence(phrase)}:\n{BODIES[what]}"
    heard: list[str] = []
    bench.service("orders.placed", lambda message: heard.append(str(message)) or ())  # type: ignore[func-returns-value]
    played = bench.play('When I publish "orders.placed"', step)
    assert f"{what} stands below this step, which takes {phrase.below}" in played.message
    assert heard == []


@pytest.mark.parametrize(("phrase", "what"), CASES, ids=lambda each: each if isinstance(each, str) else each.text)
def test_lint_finds_it(tmp_path: Path, phrase: Phrase, what: str) -> None:
    file = tmp_path / "a.feature"
    body = BODIES[what].replace("\n", "\n      ")
    file.write_text(f"Feature: F\n  Scenario: S\n    {sentence(phrase)}:\n      {body}\n", encoding="utf-8")
    assert (3, "misplaced-body") in [(each.line, each.rule) for each in lint([file])]


@pytest.mark.parametrize(
    "check",
    [
        'Then I expect "t" where a is 1 AND b is 2',
        'Then I expect "t":\n| field | value |\n| a | greater than 3 |',
        'Then I expect "t":\n"""\na: !nothing_like_it 3\n"""',
        'Then the "t" message has',
    ],
)
def test_an_unreadable_check_fails_before_anything_is_published(bench: Bench, check: str) -> None:
    bench.echo("t", "u")
    played = bench.play('When I publish "t"', 'Then I expect "t"', check)
    first = 'I publish "t"'
    assert played.failed_step == first
    assert played.message.startswith("features/play.feature:"), "the complaint stands at the check"
    assert not played.message.startswith("features/play.feature:3:")
    assert bench.heard == []
    assert bench.play('When I publish "t"', 'Then I expect "t"', 'When I publish "t"', check).failed_step == first
    assert bench.heard == [], "in a later phase, too"


@pytest.mark.parametrize(
    "later",
    [
        'When I publish "t":\n| field | value |\n| a | > 3 |',
        'When I request "t":\n"""\na: [1\n"""',
        'Given a service that answers "t" where a is is 1 with "u"',
        'Given a service that answers "t" with "u":\n| field | value |\n| a | > 3 |',
    ],
)
def test_what_a_later_phase_cannot_send_is_told_before_anything_is_published(bench: Bench, later: str) -> None:
    bench.echo("t", "u")
    played = bench.play('When I publish "t"', 'Then I expect "t"', 'When I publish "t"', 'Then I expect "u"', later)
    assert played.failed_step == 'I publish "t"'
    line = int(played.message.removeprefix("features/play.feature:").partition(":")[0])
    assert line >= 7, "the complaint stands where the slip is"
    assert bench.heard == []
