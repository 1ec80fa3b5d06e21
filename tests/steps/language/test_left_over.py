"""Words are never ignored: text behind a complete condition, cell or sentence is an error, or means something else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choreo_bdd_steps.language import BodyError, Variables, parse_expectation
from choreo_bdd_steps.vocabulary import PHRASES, recognise_text

HERE = Path(__file__).parent
CONDITIONS = (
    *("n is 5", "n is not 5", "n > 4", "n >= 5", "n < 6", "n is one of 5, 7", "n is between 1 and 5", "n exists"),
    *("s is A", 's is "A"', "s matches /A/", "s starts with A", "s contains A", "s is absent", "l length 2"),
    *("n is 5 and s is A", "n is 5 or s is B", "l contains 1", "o.k is 1", "n is a number", "n is null"),
)
CELLS = ("5", "> 4", "!= 5", "A", '"A"', "one of A, B", "between 1 and 5", "exists", "absent", "a number", "[1, 2]")
WORDS = st.sampled_from(
    [
        "and",
        "or",
        "AND",
        "not",
        "is",
        "exists",
        ",",
        ";",
        "5",
        "A",
        '"A"',
        "foo",
        "of",
        "in",
        ">",
        "/A/",
        "{{ 1 }}",
        ")",
    ]
)
REST = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)


def read(where: str | None = None, cell: str | None = None) -> str | None:
    """What is understood, in words; ``None`` where the text is refused."""
    table = None if cell is None else [["field", "value"], ["n", cell]]
    try:
        (matcher,) = parse_expectation(None, table, where, base_dir=HERE).build(Variables())
    except BodyError:
        return None
    return matcher.description


@settings(max_examples=400)
@given(st.sampled_from(CONDITIONS), REST)
def test_what_stands_behind_a_condition_is_an_error_or_part_of_it(condition: str, rest: str) -> None:
    assert read(where=f"{condition} {rest}") != read(where=condition)


@settings(max_examples=400)
@given(st.sampled_from(CELLS), REST)
def test_what_stands_behind_a_cell_is_an_error_or_part_of_it(cell: str, rest: str) -> None:
    assert read(cell=f"{cell} {rest}") != read(cell=cell)


EXAMPLES = [phrase.example.splitlines()[0].partition(" ")[2].rstrip(":") for phrase in PHRASES]
PLAIN = st.text(alphabet="abcdefghijklmnopqrstuvwxyz ", min_size=1, max_size=12).filter(lambda text: text.strip() != "")


@settings(max_examples=400)
@given(st.sampled_from(EXAMPLES), PLAIN)
def test_what_stands_behind_a_sentence_makes_it_none_of_ours_or_another_one(sentence: str, rest: str) -> None:
    before, after = recognise_text(sentence), recognise_text(f"{sentence} {rest}")
    assert before is not None
    if after is not None:
        assert (after.phrase, after.args) != (before.phrase, before.args)


@pytest.mark.parametrize("sentence", EXAMPLES)
@pytest.mark.parametrize("rest", ["AND n is 5", "please", "within", "for", "with", "(twice)"])
def test_the_same_for_words_that_people_append(sentence: str, rest: str) -> None:
    before, after = recognise_text(sentence), recognise_text(f"{sentence} {rest}")
    assert before is not None
    if after is not None:
        assert (after.phrase, after.args) != (before.phrase, before.args)
