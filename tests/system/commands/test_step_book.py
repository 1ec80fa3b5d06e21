"""``choreo-bdd steps``: the book is the code."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cucumber_expressions.expression import CucumberExpression  # type: ignore[import-untyped] # it ships no types
from cucumber_expressions.parameter_type import ParameterType  # type: ignore[import-untyped] # it ships no types
from cucumber_expressions.parameter_type_registry import ParameterTypeRegistry  # type: ignore[import-untyped] # it ships no types
from typer.testing import Result

from choreo_bdd_steps.adapters.behave import read_feature
from choreo_bdd_steps.vocabulary import PHRASES, recognise_text
from choreo_bdd_steps.vocabulary.phrase import Phrase

Run = Callable[..., Result]
Book = list[dict[str, str]]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def book(run: Run) -> Book:
    entries: Book = json.loads(run("steps", "--format", "json").output)
    return entries


def test_json_holds_every_phrase_once(book: Book) -> None:
    assert sorted(entry["phrase"] for entry in book) == sorted(phrase.text for phrase in PHRASES)


def test_every_example_is_a_step_of_its_own_phrase(book: Book) -> None:
    for entry in book:
        sentence = entry["example"].splitlines()[0].partition(" ")[2]
        match = recognise_text(sentence)
        assert match is not None, sentence
        assert match.phrase.text == entry["phrase"]


@pytest.mark.parametrize("style", ["table", "markdown"])
def test_what_people_read_shows_phrase_meaning_and_example(run: Run, style: str) -> None:
    output = run("steps", "--format", style).output
    words = " ".join(output.split())
    for phrase in PHRASES:
        assert phrase.text in output
        assert " ".join(phrase.doc.split()) in words
        assert phrase.example.splitlines()[0] in output


def test_an_unknown_format_names_the_known_ones(run: Run) -> None:
    result = run("steps", "--format", "pdf")
    assert result.exit_code == 2
    assert all(name in result.stderr for name in ("table", "markdown", "json"))


DEFINITION = re.compile(r"^@step\('(?P<pattern>.*)'\)$", re.MULTILINE)
PARAMETER = re.compile(r"^define_parameter_type\(name='(?P<name>\w+)', regexp='(?P<regexp>.*)'\)$", re.MULTILINE)


class Server:
    """Reads the glue as the Cucumber language server does: patterns with brackets, dots, stars or bars are regexes."""

    def __init__(self, glue: str) -> None:
        registry = ParameterTypeRegistry()
        for name, regexp in PARAMETER.findall(glue):
            registry.define_parameter_type(ParameterType(name, regexp, str, None, False, False))
        patterns = DEFINITION.findall(glue)
        self.regexes = [re.compile(each) for each in patterns if re.search(r"[().*|\\]", each)]
        self.completed = [CucumberExpression(each, registry) for each in patterns if not re.search(r"[().*|\\]", each)]

    def knows(self, text: str) -> bool:
        return any(each.search(text) for each in self.regexes)

    def completes(self, text: str) -> bool:
        return any(each.match(text) is not None for each in self.completed)


@pytest.fixture(scope="module")
def server(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Server:
    written = tmp_path_factory.mktemp("editor") / ".vscode" / "steps.py"
    assert run("steps", "--format", "glue", "--output", str(written)).exit_code == 0
    glue = written.read_text("utf-8")
    ast.parse(glue)
    assert "\\" not in glue
    return Server(glue)


def test_editors_know_every_sentence_of_the_repositorys_features(server: Server) -> None:
    sentences = {
        step.text
        for path in (ROOT / "features").rglob("*.feature")
        for _, scenario in read_feature(path)
        for step in scenario.steps
        if recognise_text(step.text) is not None
    }
    assert len(sentences) > 100
    assert [text for text in sentences if not server.knows(text)] == []


@pytest.mark.thorough
@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.text)
def test_editors_know_the_example_of_every_phrase_and_complete_it(server: Server, phrase: Phrase) -> None:
    sentence = phrase.example.splitlines()[0].partition(" ")[2]
    assert server.knows(sentence)
    assert server.completes(sentence.removesuffix(":")) or "[" in phrase.text  # parts come one at a time


@pytest.mark.parametrize(
    "text",
    ['I publsh "a"', "I publish a", 'I expect "a" within 5', 'I expect exactly two "a" messages', "the variable"],
)
def test_editors_do_not_know_what_is_no_sentence(server: Server, text: str) -> None:
    assert not server.knows(text)
    assert not server.completes(text)


@pytest.mark.parametrize(
    "text",
    [
        'I publish "a"',
        'I publish "a" on nats',
        'I expect "a" where id is 7',
        'I expect exactly 2 "a" messages within 50ms',
        'a service that answers "a" with "b" twice',
        'I expect "a" matching schema "s.json"',
        "order_id is a unique id",
    ],
)
def test_editors_complete_a_phrase_with_any_one_of_its_parts(server: Server, text: str) -> None:
    assert server.completes(text)


def test_a_book_that_cannot_be_written_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("steps", "--output", str(tmp_path / "file" / "steps.md"))
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
