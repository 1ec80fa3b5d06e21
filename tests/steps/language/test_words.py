"""What a condition asks for is told in the words that its cell was written in."""

from __future__ import annotations

from pathlib import Path

import pytest

from choreo_bdd.matchers.words import in_words
from choreo_bdd_steps.language import Variables, parse_expectation
from choreo_bdd_steps.language.grammar.cells import FORMS

HERE = Path(__file__).parent
KINDS = ("a uuid", "a timestamp", "a number", "an integer", "a string", "a boolean", "a list", "an object")


def _written(value: object) -> str:
    return "null" if value is None else str(value)


@pytest.mark.parametrize("form", [*FORMS, *KINDS])
def test_a_cell_is_told_as_it_was_written(form: str) -> None:
    [built] = parse_expectation(None, [["n"], [form]], None, base_dir=HERE).build(Variables({}))
    shape = built.expected_shape()
    assert isinstance(shape, dict)
    assert in_words(shape["n"], _written) == form


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("!not {a: 1}", "not {'a': 1}"),
        ("!any_of [!lt 1, !gt 5]", "any of < 1, > 5"),
        ("!every {sku: !exists}", "every element {'sku': {'exists': True}}"),
        ("!unordered [1, 2]", "in any order 1, 2"),
        ("{type: card}", "{'type': 'card'}"),
        ("{in: A}", "{'in': 'A'}"),
        ("{a: 1, b: 2}", "{'a': 1, 'b': 2}"),
    ],
)
def test_of_a_body_only_conditions_have_words(body: str, told: str) -> None:
    [built] = parse_expectation(body, None, None, base_dir=HERE).build(Variables({}))
    assert in_words(built.expected_shape(), _written) == told
