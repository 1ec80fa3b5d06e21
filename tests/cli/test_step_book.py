"""``choreo-bdd steps``: the book is the code."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import Result

from choreo_bdd_steps.vocabulary import PHRASES, recognise_text

Run = Callable[..., Result]
Book = list[dict[str, str]]


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
