"""What an editor is offered while a feature is being written."""

from __future__ import annotations

import re

import pytest

from choreo_bdd_steps.editor.completion import ProposalKind, as_snippet, complete
from choreo_bdd_steps.editor.project import read_project
from choreo_bdd_steps.language.grammar.cells import FORMS, parse_operator
from choreo_bdd_steps.language.grammar.conditions import CONDITION_FORMS, parse_condition
from choreo_bdd_steps.vocabulary import PHRASES, Phrase, recognise_text
from choreo_bdd_steps.vocabulary.continuing import Words, continuations
from tests.steps.editor.conftest import At

_HEAD = "Feature: F\n\n  Scenario: S\n"


def _labels(at: At, body: str, what: ProposalKind | None = None) -> list[str]:
    document, line, column = at(_HEAD + body)
    found = complete(document, read_project(document.path), line, column)
    return [each.label for each in found if what is None or each.what is what]


def _filled(snippet: str) -> str:
    return re.sub(r"\$\{\d+:([^}]*)\}", r"\1", snippet).replace("\\$", "$")


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.text)
def test_every_phrase_is_offered_and_is_one_when_its_gaps_are_filled(at: At, phrase: Phrase) -> None:
    document, line, column = at(_HEAD + "    When █")
    proposal = next(
        each for each in complete(document, read_project(document.path), line, column) if each.label == phrase.text
    )
    filled = _filled(proposal.insert)
    found = recognise_text(filled)
    assert found is not None
    assert found.phrase.act is phrase.act, filled


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.text)
def test_each_part_of_a_sentence_leads_to_the_next(phrase: Phrase) -> None:
    """Written word by word along what is offered, each optional part included, a sentence is never left alone."""
    written = ""
    for piece in re.split(r"(?<= )", _filled(as_snippet(re.sub(r"[\[\]]", "", phrase.text)))):
        offered = list(continuations(phrase, written))
        assert offered, written
        written += piece


def test_a_begun_sentence_offers_only_what_it_can_become(at: At) -> None:
    labels = _labels(at, "    When I pub█", ProposalKind.SENTENCE)
    assert labels
    assert all(label.startswith("I publish ") for label in labels)


def test_optional_parts_come_when_the_sentence_stands(at: At) -> None:
    labels = _labels(at, '    Then I expect "orders.settled" █', ProposalKind.WORDS)
    assert {"on {transport}", "where {condition}", "within {within:duration}"} <= set(labels)


def test_topics_are_those_of_the_project_and_of_the_text(at: At) -> None:
    body = '    When I publish "stock.moved"\n    Then I expect "█'
    assert {"payments.charge", "payments.done", "stock.moved"} <= set(_labels(at, body, ProposalKind.TOPIC))


def test_topics_are_those_of_the_contract(at: At) -> None:
    document, line, column = at(_HEAD + '    Then I expect "█')
    root = document.path.parent.parent
    (root / "api.yaml").write_text(
        "asyncapi: 3.0.0\ninfo: {title: T, version: 1.0.0}\nchannels: {made: {address: goods.made}}\n"
    )
    with (root / "choreo.yaml").open("a") as configuration:
        configuration.write("asyncapi: api.yaml\n")
    assert "goods.made" in [each.label for each in complete(document, read_project(document.path), line, column)]


def test_transports_are_those_of_the_profile(at: At) -> None:
    assert _labels(at, '    When I publish "a" on █', ProposalKind.TRANSPORT) == ["bus", "side"]


def test_variables_are_those_set_above(at: At) -> None:
    body = (
        '    Given total is 7\n    When I publish "a":\n      """\n      x: {{ to█ }}\n      """\n    Then later is 8'
    )
    labels = _labels(at, body)
    assert "total" in labels
    assert "uuid()" in labels
    assert "later" not in labels


def test_what_triggers_a_stand_in_is_known_in_its_answer(at: At) -> None:
    body = '    Given a service that answers "a" with "b":\n      """\n      x: {{ █ }}\n      """'
    assert "trigger" in _labels(at, body, ProposalKind.VARIABLE)


def test_variables_of_a_background_are_known(at: At) -> None:
    document, line, column = at(
        'Feature: F\n  Background:\n    Given depot is 4\n\n  Scenario: S\n    When I publish "a.{{ █'
    )
    assert "depot" in [each.label for each in complete(document, read_project(document.path), line, column)]


def test_headings_and_fields_are_those_the_project_uses_on_the_topic(at: At) -> None:
    heading = '    When I publish "payments.charge":\n      | █ |'
    assert _labels(at, heading) == ["field", "value", "amount"]
    row = '    When I publish "payments.charge":\n      | field | value |\n      | █ | |'
    assert _labels(at, row) == ["amount"]


def test_cells_of_a_check_take_operators_and_those_of_a_publish_none(at: At) -> None:
    table = ":\n      | field | value |\n      | x     | █ |"
    assert "between 1 and 5" in _labels(at, f'    Then I expect "a"{table}', ProposalKind.OPERATOR)
    assert _labels(at, f'    When I publish "a"{table}') == []


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_cell_is_an_operator(form: str) -> None:
    assert parse_operator(form) is not None


@pytest.mark.parametrize("form", CONDITION_FORMS)
def test_every_form_of_a_condition_can_be_read(form: str) -> None:
    assert parse_condition(f"status {form}").clauses


def test_a_condition_goes_on_behind_its_field(at: At) -> None:
    assert "is one of a, b" in _labels(at, '    Then I expect "a" where status █', ProposalKind.OPERATOR)
    assert "is one of a, b" in _labels(at, '    Then I expect "a" where x is 1 and status █', ProposalKind.OPERATOR)


def test_matchers_stand_in_doc_strings(at: At) -> None:
    body = '    Then I expect "a":\n      """\n      id: !u█\n      """'
    assert "!uuid" in _labels(at, body)


def test_files_are_named_from_the_feature(at: At) -> None:
    assert "bodies/order.json" in _labels(at, '    When I publish "a" from file "█', ProposalKind.FILE)


def test_tags_of_ours(at: At) -> None:
    document, line, column = at("Feature: F\n\n  @█\n  Scenario: S\n")
    labels = [each.label for each in complete(document, read_project(document.path), line, column)]
    assert "@bus(bus,side)" in labels


def test_the_words_of_a_phrase_hold_what_is_begun() -> None:
    phrase = next(each for each in PHRASES if each.text.startswith("I publish {topic}"))
    assert [each.begun for each in continuations(phrase, "I pub") if isinstance(each, Words)] == ["I pub"]
