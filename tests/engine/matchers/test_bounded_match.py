"""However long a text is, a pattern from outside is held against it in time that grows with its length."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreo_bdd.matchers import json_schema, matches
from choreo_bdd.matchers.patterns.bounded import _automaton
from tests.support.examples import examples

PATTERNS = [
    r"[a-z]+\d{2,4}", r"(\w+,)*\w+", r"(\d{1,3}\.){3}\d{1,3}", r"(a|b)*c", r".*foo.*bar.*", r"(?i)a+B*c?$",
    r"^[\w.+-]+@[\w-]+(\.[\w-]+)+$", r"(?:[^\"\\]|\\.)*", r"(a*){0}b", r"a{0,3}b{2}", r"(?s).*x(?-s:.)*", r"^a$",
    r"a*?b+?", r"(|a)b", r"\s*\S+\s*$", r"", r"\A[^a]\Z", r"(?P<x>[ab]{2,})", r"(?i:A)b", r"(foo|ba?r){1,2}",
]  # fmt: skip
SLOW = [
    (r".*a.*a.*a.*b", "a"), (r"\s*,?\s*,?\s*x", " "), (r".*foo.*bar.*\d", "foo"), (r"(\w+,)*\w+!", "ab,"),
    (r"\d*\d*\d*\d*x", "1"), (r"[a-z]*[a-y]*[a-x]*!", "a"), (r"(.*,){5}x", ","),
]  # fmt: skip
PRINTED = 'abcxB1.,@ \\"for\n'


@pytest.mark.parametrize("pattern", PATTERNS)
@examples(60)
@given(text=st.text(PRINTED, max_size=9))
def test_one_pass_finds_what_pythons_own_matcher_finds(pattern: str, text: str) -> None:
    compiled = re.compile(pattern)
    whole, part = (_automaton(compiled, is_whole=is_whole) for is_whole in (True, False))
    assert whole.accepts(text) == (compiled.fullmatch(text) is not None)
    found = part.accepts(text) or (part.leaves_newline and text.endswith("\n") and part.accepts(text[:-1]))
    assert found == (compiled.search(text) is not None)


def held(pattern: str) -> list[Callable[[Any], bool]]:
    """The ways a pattern from outside is held against a text."""
    inline = json_schema({"pattern": pattern})
    told = json_schema({"$schema": "http://json-schema.org/draft-07/schema#", "items": {"pattern": pattern}})
    return [
        lambda text: matches(pattern).match(text).matched,
        lambda text: inline.match(text).matched,
        lambda text: told.match([text]).matched,
    ]


def seconds(hold: Callable[[Any], bool], text: str) -> float:
    began = time.process_time()
    hold(text)
    return time.process_time() - began


@pytest.mark.parametrize(
    ("pattern", "piece"), [SLOW[0], *(pytest.param(*each, marks=pytest.mark.thorough) for each in SLOW[1:])]
)
def test_no_text_takes_more_than_its_length(pattern: str, piece: str) -> None:
    for hold in held(pattern):
        assert hold(piece * (20_000 // len(piece))) is False
        short, long = (seconds(hold, piece * (size // len(piece))) for size in (20_000, 160_000))
        assert long < 64 * max(short, 0.002)  # eight times the text, so 64 times were quadratic


@pytest.mark.parametrize("pattern", [r"(?!x).*foo.*", r".*\bfoo\b.*,.*", r"(a*)b\1c*"])
def test_what_cannot_be_walked_through_once_is_refused_for_long_texts_only(pattern: str) -> None:
    assert matches(pattern).match("a foo, a" if "foo" in pattern else "aabaac").matched
    missed = matches(pattern).match("a" * 100_000)
    assert not missed.matched
    assert "cannot be matched in one pass: it has " in str(missed)


@pytest.mark.parametrize("keyword", ["pattern", "patternProperties"])
def test_a_schema_with_an_endless_pattern_is_refused_by_its_place(keyword: str) -> None:
    given = "(a+)+$" if keyword == "pattern" else {"(a+)+$": True}
    with pytest.raises(ValueError, match=rf"refused at properties/n/{keyword}.*can take exponential time"):
        json_schema({"properties": {"n": {keyword: given}}})


def test_a_schema_that_is_fetched_is_held_to_the_same() -> None:
    fetched = json_schema({"$ref": "other"}, retrieve=lambda _uri: {"pattern": "(a+)+$"})
    assert "can take exponential time" in str(fetched.match("a" * 100 + "!"))
    names = json_schema({"$ref": "other"}, retrieve=lambda _uri: {"patternProperties": {"(a+)+$": True}})
    assert "can take exponential time" in str(names.match({"a" * 100 + "!": 1}))


def test_a_name_of_endless_length_is_held_against_no_pattern() -> None:
    schema = json_schema({"patternProperties": {r"^\s*x\s*,\s*$": {"type": "string"}}})
    assert schema.match({"x,": "a"}).matched
    assert "longer than 1000 characters" in str(schema.match({" " * 100_000: 1}))


def test_a_field_that_is_called_pattern_is_no_pattern() -> None:
    schema = json_schema({"properties": {"pattern": {"type": "string"}}, "examples": [{"pattern": "(a+)+$"}]})
    assert schema.match({"pattern": "(a+)+$"}).matched
