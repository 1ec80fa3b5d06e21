"""Patterns of the user's own for what is secret: found as Python finds them, in time by the text's length."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreo_bdd.matchers.patterns.finding import Finder
from choreo_bdd.redaction import declare_secrets, redact_text
from choreo_bdd.redaction.masking import forget_declared_secrets

SLOW_IN_PYTHON = [r"[a-z]+\d", r"a+b+c", r"\w+@\w+", r"(?i)[A-F]*!", r"\b[a-z]+;\b", r"(?:a|b)+?-(?=x)", r"(?>a+)z"]


def long(text: str) -> str:
    """Longer than what is left to Python's matcher."""
    return " " * 5000 + text


@pytest.mark.parametrize("pattern", SLOW_IN_PYTHON)
@given(text=st.text("abcxAF19@!;- ", max_size=30))
def test_all_that_python_finds_is_found_in_a_long_text_too(pattern: str, text: str) -> None:
    finder, whole = Finder(pattern), long(text)
    spans = list(finder.spans(whole))
    for match in re.finditer(pattern, whole):
        assert not match.group() or any(begin <= match.start() and match.end() <= end for begin, end in spans)
    assert spans == sorted(spans)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"tok-[a-z]+\d", "x tok-abc1, tok-abc tok-d2", ["tok-abc1", "tok-d2"]),
        (r"[A-Z]+-\d{4}", "AB-12345 and C-12", ["AB-1234"]),
        (r"(?i)key:[a-f]+;", "KEY:AbC; key:x;", ["KEY:AbC;"]),
    ],
)
def test_nothing_more_is_found_where_no_boundary_is_asked_for(pattern: str, text: str, found: list[str]) -> None:
    for whole in (text, long(text)):
        assert [whole[begin:end] for begin, end in Finder(pattern).spans(whole)] == found


@pytest.mark.parametrize("pattern", SLOW_IN_PYTHON[:3])
def test_time_grows_with_the_length_and_not_with_its_square(pattern: str) -> None:
    finder = Finder(pattern)

    def cost(count: int) -> float:
        best = []
        for _ in range(3):
            begun = time.process_time()
            list(finder.spans("a" * count + "@b" * 10))
            best.append(time.process_time() - begun)
        return min(best)

    assert cost(80_000) < 8 * cost(20_000), "four times the text"


@pytest.mark.parametrize(("pattern", "why"), [(r"(a+)+b", "exponential"), (r"([a-z]+)x\1", "back reference")])
def test_what_no_bound_can_be_given_for_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(re.error, match=why):
        Finder(pattern)


def test_what_is_found_is_masked_in_texts_of_any_length() -> None:
    declare_secrets(patterns=[Finder(r"[A-Z]+-\d+")])
    try:
        assert redact_text("order ORD-17 is here") == ("order <redacted> is here", 1)
        assert redact_text(long("order ORD-17 is here")) == (long("order <redacted> is here"), 1)
    finally:
        forget_declared_secrets()
