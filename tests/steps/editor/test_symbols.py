"""Where names come from, everywhere they stand, what a step means, how tables are laid out."""

from __future__ import annotations

import sys
from types import FrameType

import pytest

from choreo_bdd_steps.editor.diagnostics import diagnose
from choreo_bdd_steps.editor.document import Span
from choreo_bdd_steps.editor.hover import hover
from choreo_bdd_steps.editor.project import read_project
from choreo_bdd_steps.editor.symbols import BadName, check_name, definitions, occurrences
from choreo_bdd_steps.editor.tables import formatted
from tests.steps.editor.conftest import At

_HEAD = "Feature: F\n\n  Scenario: S\n"


def _texts(document_text: str, spans: list[Span]) -> list[tuple[int, str]]:
    lines = document_text.split("\n")
    return [(span.line + 1, lines[span.line][span.begin : span.end]) for span in spans]


_VARIABLE = (
    "Feature: F\n  Background:\n    Given depot is 4\n"
    '\n  Scenario: One\n    Given total is 7\n    When I publish "a.{{ depot }}":\n      | field | value |\n'
    '      | x | {{ total + depot }} |\n    Then I expect "b" where x is {{ total }}\n'
    '\n  Scenario: Two\n    Given total is 8\n    When I publish "c":\n      | x |\n      | {{ total }} |\n'
)


def test_a_variable_leads_to_the_step_that_sets_it(at: At) -> None:
    document, line, column = at(_VARIABLE.replace("x is {{ total", "x is {{ to█tal"))
    [place] = definitions(document, read_project(document.path), line, column)
    assert _texts(document.text, [place.span]) == [(6, "total")]


def test_a_variable_of_a_background_leads_there(at: At) -> None:
    document, line, column = at(_VARIABLE.replace("a.{{ depot", "a.{{ de█pot"))
    [place] = definitions(document, read_project(document.path), line, column)
    assert _texts(document.text, [place.span]) == [(3, "depot")]


def test_renaming_stays_in_the_scenario(at: At) -> None:
    document, line, column = at(_VARIABLE.replace("Given total is 7", "Given tot█al is 7"))
    found = occurrences(document, line, column)
    assert found is not None
    assert [number for number, _ in _texts(document.text, found[1])] == [6, 9, 10]
    assert {text for _, text in _texts(document.text, found[1])} == {"total"}


def test_renaming_what_a_background_sets_reaches_every_scenario(at: At) -> None:
    document, line, column = at(_VARIABLE.replace("Given depot", "Given dep█ot"))
    found = occurrences(document, line, column)
    assert found is not None
    assert [number for number, _ in _texts(document.text, found[1])] == [3, 7, 9]


def test_only_variables_are_renamed(at: At) -> None:
    document, line, column = at(_VARIABLE.replace("I pub", "I p█ub", 1))
    assert occurrences(document, line, column) is None


def test_a_text_that_looks_like_a_variable_stays(at: At) -> None:
    document, line, column = at(
        _HEAD + '    Given kind is "x"\n    When I publish "a.{{ ki█nd ~ \'kind\' ~ a.kind }}"\n'
    )
    found = occurrences(document, line, column)
    assert found is not None
    assert len(found[1]) == 2


@pytest.mark.parametrize("name", ["two words", "1st", "", "uuid", "correlation_id", "none"])
def test_a_name_no_variable_can_have_is_refused(at: At, name: str) -> None:
    document, line, _ = at(_VARIABLE.replace("Given total is 7", "Given tot█al is 7"))
    with pytest.raises(BadName):
        check_name(name, document, line)


def test_a_name_that_another_variable_has_is_refused(at: At) -> None:
    document, line, _ = at(_VARIABLE.replace("Given total is 7", "Given tot█al is 7"))
    with pytest.raises(BadName, match="line 3 sets a variable 'depot' already"):
        check_name("depot", document, line)


def test_a_variable_of_an_outline_is_renamed(at: At) -> None:
    document, line, column = at(
        'Feature: F\n\n  Scenario Outline: S\n    Given tot█al is <n>\n    When I publish "a.{{ total }}"\n'
        '    Then I expect exactly <n> "b" messages on <bus> within <long>\n    Examples:\n      | n | bus | long |\n'
    )
    found = occurrences(document, line, column)
    assert found is not None
    assert _texts(document.text, found[1]) == [(4, "total"), (5, "total")]
    told = hover(document, read_project(document.path), 5)
    assert told is not None
    assert "I expect exactly {count} {topic} messages" in told


def test_a_topic_leads_to_its_stand_in(at: At) -> None:
    body = (
        '    Given a service that answers "orders.placed" with "orders.settled"\n    When I publish "orders.pl█aced"\n'
    )
    document, line, column = at(_HEAD + body)
    [place] = definitions(document, read_project(document.path), line, column)
    assert _texts(document.text, [place.span]) == [(4, "orders.placed")]


def test_a_step_of_the_users_own_leads_to_its_function(at: At) -> None:
    document, line, column = at(_HEAD + "    Given a customer cal█led Ada\n")
    [place] = definitions(document, read_project(document.path), line, column)
    assert (place.path.name, place.span.line) == ("own.py", 4)


def test_a_file_leads_to_itself(at: At) -> None:
    document, line, column = at(_HEAD + '    When I publish "a" from file "bodies/or█der.json"\n')
    [place] = definitions(document, read_project(document.path), line, column)
    assert place.path.name == "order.json"


def test_hovering_tells_the_book_and_what_is_armed(at: At) -> None:
    document, line, _ = at(_HEAD + '    When I publish "a"\n    Then I expect "b"█ within 50ms\n')
    told = hover(document, read_project(document.path), line)
    assert told is not None
    assert "I expect {topic}" in told
    assert "armed before line 4" in told
    assert "budget 50 ms" in told


def test_hovering_over_a_half_written_file_tells_the_book(at: At) -> None:
    document, line, _ = at(_HEAD + '    When I publish "a"█\n      | x\n  Nonsense\n')
    told = hover(document, read_project(document.path), line)
    assert told is not None
    assert "I publish {topic}" in told


@pytest.mark.parametrize(
    ("step", "marked"),
    [
        ('When I publish "a" on kafak', "kafak"),
        ('When I publish "a.{{ unknown }}"', "unknown"),
        ("When I pablish something", "I pablish something"),
    ],
)
def test_a_finding_is_drawn_under_the_words_it_is_about(at: At, step: str, marked: str) -> None:
    document, line, _ = at(_HEAD + f'    {step}█\n    Then I expect "b"\n')
    found = [each for each in diagnose(document, read_project(document.path)) if each.span.line == line]
    assert marked in [text for _, text in _texts(document.text, [each.span for each in found])]


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        (_HEAD + '    When I publish "pub" on █pub\n    Then I expect "b"\n', "pub"),
        (_HEAD + '    When I publish "a" where\n    Then I expect "b" on █expect\n', "expect"),
        ("@slow(x) █@timeout(5s\nFeature: F\n  @wip\n  Scenario: S\n    Given a\n", "@timeout(5s"),
        ("Feature: F\n  @wip █@bus(bus,nope)\n\n  Scenario: S\n    Given a\n", "@bus(bus,nope)"),
        (
            _HEAD.replace("Scenario", "Scenario Outline")
            + '    When I publish "a"\n    Then I expect "a.█<topc>"\n    Examples:\n      | topic |\n      | x |\n',
            "<topc>",
        ),
    ],
)
def test_of_equal_words_the_one_that_is_meant_is_marked(at: At, text: str, marked: str) -> None:
    document, line, column = at(text)
    spans = [each.span for each in diagnose(document, read_project(document.path))]
    assert Span(line, column, column + len(marked)) in spans


def test_an_unknown_variable_of_a_body_is_drawn_where_it_stands(at: At) -> None:
    body = '      """\n      known: 1\n      😀: "{{ unknown }}"█\n      """\n'
    document, line, _ = at(_HEAD + f'    When I publish "a":\n{body}    Then I expect "b"\n')
    spans = [each.span for each in diagnose(document, read_project(document.path)) if each.rule == "undefined-variable"]
    assert _texts(document.text, spans) == [(line + 1, "unknown")]


def test_many_findings_take_as_much_longer_as_there_are_more_of_them(at: At) -> None:
    """In calls, which are the same each time."""

    def calls(scenarios: int) -> int:
        step = '    When I publish "a.{{ unknown }}"\n    Then I expect "b"\n'
        document, *_ = at("Feature: F\n█" + "".join(f"  Scenario: S{n}\n{step}" for n in range(scenarios)))
        project, count = read_project(document.path), 0

        def counted(_frame: FrameType, _event: str, _argument: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(counted)
        try:
            found = diagnose(document, project)
        finally:
            sys.setprofile(None)
        assert len(found) == scenarios
        return count

    calls(1)  # what is done once is done
    assert calls(400) < 5 * calls(100)


def test_a_finding_inside_a_body_is_drawn_in_its_line(at: At) -> None:
    document, *_ = at(
        _HEAD + '    When I publish "a"\n    Then I expect "b":\n      | field | value |\n      | x | > |█\n'
    )
    found = diagnose(document, read_project(document.path))
    assert [each.span.line + 1 for each in found] == [7]


def test_tables_are_laid_out_and_nothing_else(at: At) -> None:
    document, *_ = at(
        _HEAD + '    When I publish "a":\n      |field|value|\n      | 名 | a\\|b |\n      """\n      | x | yy |\n█'
    )
    assert dict(formatted(document)) == {4: "      | field | value |", 5: "      | 名    | a\\|b  |"}


def test_a_ragged_table_stays(at: At) -> None:
    document, *_ = at(_HEAD + '    When I publish "a":\n      |a|b|\n      | 1 |\n█')
    assert list(formatted(document)) == []
