"""What reads as something of this language and is taken as it stands is told by lint: some of it passes for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from choreo_bdd_steps.lint import Finding, lint
from choreo_bdd_steps.lint.suggesting import suggestion

PUBLISH, CHECK = 'When I publish "a"', 'Then I expect "b" where id is 7'
ABSENCE = 'Then I expect no "b" for 50ms:'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "choreo.yaml").write_text("profiles: {memory: {bus: {type: memory}}}\n")
    return tmp_path


def linted(folder: Path, *lines: str, head: str = "Scenario: one", tail: str = "") -> list[Finding]:
    path = folder / "a.feature"
    steps = "\n    ".join("\n".join(lines).splitlines())
    path.write_text(f"Feature: f\n  {head}\n    {steps}\n{tail}")
    return lint([path])


def doc(*lines: str, media_type: str = "") -> str:
    return "\n".join([f'  """{media_type}', *(f"  {line}" for line in lines), '  """'])


@pytest.mark.parametrize("text", ["> 5", ">=5", "!gt 5", "one of A, B", "matches /A.*/", "not null", "!= x"])
@pytest.mark.parametrize("media_type", ["", "json"])
def test_an_operator_in_the_quotes_of_a_doc_string_is_told_to_be_a_text(
    folder: Path, text: str, media_type: str
) -> None:
    body = doc(f'{{"total": {{"of": ["{text}"]}}}}', media_type=media_type)
    (found,) = linted(folder, PUBLISH, CHECK, ABSENCE, body)
    assert (found.rule, found.line) == ("text-like-operator", 5)
    assert f"{text!r} is compared as a text" in found.message


@pytest.mark.parametrize("text", ["PAID", "any", "exists", "a uuid-like thing", "5 > 4", "no one of us"])
def test_a_text_in_quotes_is_left_alone(folder: Path, text: str) -> None:
    assert linted(folder, PUBLISH, CHECK, ABSENCE, doc(f'total: "{text}"')) == []


@pytest.mark.parametrize("written", ["${order}", "{order}", "${ order }"])
def test_a_placeholder_of_another_language_is_told_where_a_variable_is_called_so(folder: Path, written: str) -> None:
    body = doc(f'id: "X-{written}"')
    found = linted(folder, 'Given order is "A7"', PUBLISH, body, CHECK)
    assert [(each.rule, each.line) for each in found] == [("unfilled-placeholder", 4)]
    assert "write {{ order }} for the variable" in found[0].message


@pytest.mark.parametrize(
    "check",
    [
        ('Then I expect no "b" where state is "<state>" for 50ms',),
        ('Then I expect no "b" for 50ms:', "  | field | value |", "  | state | <state> |"),
        ('Then I expect no "b" for 50ms:', doc("order:", '  state: "<state>"')),
        ('Then I expect no "b" for 50ms:', doc("- state: <state>")),
    ],
)
def test_a_value_that_reads_as_a_column_of_no_examples_is_told(folder: Path, check: tuple[str, ...]) -> None:
    (found,) = linted(folder, PUBLISH, *check)
    assert (found.rule, found.line) == ("unfilled-placeholder", 4)
    assert "<state> is in no column of the examples, of which this scenario has none" in found.message


@pytest.mark.parametrize(
    "check",
    [
        ('Then I expect no "b" where state matches /<.*>/ for 50ms',),
        ('Then I expect no "b" for 50ms:', doc("body: <p>text</p>")),
        ('Then I expect no "b" for 50ms:', doc("<order>", "</order>", media_type="xml")),
        ('Then I expect no "b" where size is one of "S", "<L>" for 50ms',),
        ('Then I expect "b":', doc("size: <L>")),  # which fails by itself, if it is no size of theirs
    ],
)
def test_other_angle_brackets_are_left_alone(folder: Path, check: tuple[str, ...]) -> None:
    assert linted(folder, PUBLISH, *check) == []


@pytest.mark.parametrize("written", ["${other}", "{other}", "{{ order }}", "{{order}}", '{"order": 1}'])
def test_other_braces_are_left_alone(folder: Path, written: str) -> None:
    assert linted(folder, 'Given order is "A7"', PUBLISH, doc(f"id: {written!r}"), CHECK) == []


def test_a_stand_in_below_the_publish_it_should_answer_is_told(folder: Path) -> None:
    service = 'And a service that answers "a" with "b"'
    (found,) = linted(folder, PUBLISH, service, CHECK)
    assert (found.rule, found.line) == ("service-below-publish", 4)
    assert linted(folder, service.replace("And", "Given"), PUBLISH, CHECK) == []
    assert linted(folder, PUBLISH, CHECK, service, PUBLISH, CHECK) == []
    assert linted(folder, PUBLISH, CHECK, service.replace('"a"', '"c"')) == []


@pytest.mark.parametrize("word", ["None", "True", "FALSE", "NULL"])
@pytest.mark.parametrize(
    "body", ["  | field | value |\n  | x | {} |", '  """\n  x: {}\n  """', '  """\n  {{"x": {}}}\n  """']
)
def test_a_word_of_a_programming_language_that_is_sent_as_a_text_is_told(folder: Path, word: str, body: str) -> None:
    (found,) = linted(folder, PUBLISH, body.format(word), CHECK)
    assert (found.rule, found.line) == ("word-of-another-language", 3)
    assert linted(folder, PUBLISH, body.format(f'"{word}"'), CHECK) == []
    assert linted(folder, PUBLISH, body.format(word.lower().replace("none", "null")), CHECK) == []


def test_a_column_that_nothing_names_is_told_at_its_heading(folder: Path) -> None:
    rows = "    Examples:\n      | id | state | why |\n      | 7 | PAID | x |\n"
    head = "Scenario Outline: one <why>"
    (found,) = linted(folder, PUBLISH, 'Then I expect "b" where id is <id>', head=head, tail=rows)
    assert (found.rule, found.line) == ("unused-column", 6)
    assert "<state>" in found.message
    used = linted(folder, PUBLISH, 'Then I expect "b":', doc("id: <id>", "state: <state>"), head=head, tail=rows)
    assert used == []


def test_curly_quotes_around_a_field_name_are_refused(folder: Path) -> None:
    (found,) = linted(folder, PUBLISH, CHECK, ABSENCE, doc("{“state”: PAID}"))
    assert "stands in curly quotes, which are a part of it; write state" in found.message
    assert linted(folder, PUBLISH, CHECK, ABSENCE, doc('{"“state”": PAID}')) == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (("id: 7", "name:tea"), "a line is no `name: value`, with a blank behind the colon"),
        (('{"id": 7}', '{"id": 8}'), "a second value stands behind the first"),
        (("total: > 5",), "a comparison is a tag, as in !gt 5"),
        (("total: >= 5",), "a comparison is a tag, as in !gt 5"),
    ],
)
def test_yaml_that_has_no_form_is_told_in_words_of_the_author(folder: Path, body: tuple[str, ...], told: str) -> None:
    found = linted(folder, PUBLISH, CHECK, 'And I expect "b":', doc(*body))
    assert [each.rule for each in found] == ["unreadable-body"]
    assert told in found[0].message


def test_an_index_in_round_brackets_is_refused(folder: Path) -> None:
    (found,) = linted(folder, PUBLISH, 'Then I expect no "b" where items(0).sku is a for 50ms', CHECK)
    assert "is a path of another language" in found.message


def test_a_field_that_is_called_like_an_index_is_shown_in_quotes(folder: Path) -> None:
    found = linted(folder, PUBLISH, "  | field | value |\n  | m.12  | a     |", CHECK)
    assert "or quote a field that is called so: '12'" in found[0].message
    assert linted(folder, PUBLISH, "  | field  | value |\n  | m.'12' | a     |", CHECK) == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('I expect "b" not before 50ms within 100ms', 'I expect "b" within 100ms not before 50ms'),
        ('I expect "b" waiting up to 2 s within 1s', 'I expect "b" within 1s waiting up to 2 s'),
        (
            'I expect "b" waiting up to 2s within 1s not before 50ms',
            'I expect "b" within 1s not before 50ms waiting up to 2s',
        ),
        ("order is A7", 'order is "A7"'),
        ("customer is Ada", 'customer is "Ada"'),
        ("order is 'A7'", 'order is "A7"'),
        ('order: "A7"', 'order is "A7"'),
        ('order id is "A7"', 'order_id is "A7"'),
        ("shop is open", None),
        ('the total is "5"', None),
    ],
)
def test_a_sentence_in_another_order_is_suggested_in_ours(written: str, meant: str | None) -> None:
    assert suggestion(written) == meant
