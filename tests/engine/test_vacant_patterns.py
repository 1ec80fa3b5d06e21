"""That a pattern fits nothing is seen where an anchor shows it, and never said of one that fits something."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreo_bdd.matchers.patterns.vacant import fits_nothing

TEXTS = ["".join(each) for length in range(5) for each in product("ab\n", repeat=length)]
ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "^",
        "$",
        r"\A",
        r"\Z",
        r"\b",
        r"\B",
        ".",
        "[^a]",
        r"[^\s\S]",
        r"[^\D\s]",
        r"\n",
        "(?=a)",
        "(?<=b)",
        "(?!b)",
    ]
)
PATTERNS = st.tuples(
    st.sampled_from(["", "(?m)", "(?s)"]),
    st.recursive(
        ATOMS,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4).map("".join),
            st.tuples(inner, st.sampled_from(["*", "+?", "?", "{0}", "{2}"])).map(lambda it: f"(?:{it[0]}){it[1]}"),
            st.tuples(inner, inner).map(lambda it: f"({it[0]}|{it[1]})"),
            inner.map(lambda it: f"(?m:{it})"),
        ),
        max_leaves=8,
    ),
).map("".join)


@pytest.mark.parametrize(
    "pattern",
    [r"a^", r"$a", r"$ab", r"a\Ab", r"x(y)\Zz", r"a$\n\n", r"(?m)a\Ab", r"[ab]+^c", r"$..", r"[^\s\S]", r"a[^\Wx\w]b?"],
)
def test_that_nothing_fits_is_seen(pattern: str) -> None:
    assert fits_nothing(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "^$",
        "$$",
        "^a$",
        "(?m)a\n^b",
        "a$\n",
        "a$.",
        "(a^)?b",
        r"a$(?<=a)",
        r"a$\b",
        "a*^b",
        r"[^\s\D]",
        r"[\s\S]",
        r"[^\s\S]?",
    ],
)
def test_what_fits_something_is_left(pattern: str) -> None:
    assert not fits_nothing(pattern)


@given(PATTERNS)
def test_it_is_never_said_of_a_pattern_that_fits_a_text(pattern: str) -> None:
    if fits_nothing(pattern):
        compiled = re.compile(pattern)
        assert not any(map(compiled.fullmatch, TEXTS))
