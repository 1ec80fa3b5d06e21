"""Texts that fit a pattern are found, and that there are none is seen, where anchors and classes show it."""

from __future__ import annotations

import re

import pytest

from choreo_bdd.matchers.patterns.texts import fits_nothing, texts

NONE = (
    r"a^",
    r"$a",
    r"[^\s\S]+",
    r"(a^|b^)",
    r"(?!)",
    r"x(\Z)y",
    r"a\Ab",
    r"[^\d\D]",
    r"(a^){2}",
    r"(?m)a\Ab",
    r"b(?>a^)?$c",
)
SOME = (
    *("", r"^$", r"$$", r"^a$", r"(?m)a\n^b", r"(?m)a$\nb", r"a$\n", r"(a^)?b", r"(a|b^)c*", r"a$(?<=a)", r"a{0}b"),
    *(r"[A-Z][0-9]{3}-\w+", r"(?=B)Bo.*", r"(?=.*\d).{8,}", r"(\w)\1x", r"(?i)abc", r"\d{4}-\d\d", r"(?!Ada).*"),
    *(r".*ERROR.*", r"[\u4e00]+", r"(?s).*\n", r"\bfoo\b", r"(?:a|(?!))b", r"[^a]", r"\S+@\S+\.(com|de)", r"x{3,5}y?"),
    *(r"[\u2028\U0001f680]", r"(?i)[^a-z]+", r"(a|b)*?c", r"a\b.b"),
)


@pytest.mark.parametrize("pattern", NONE)
def test_that_nothing_fits_is_seen(pattern: str) -> None:
    assert fits_nothing(pattern)
    assert list(texts(pattern)) == []


@pytest.mark.parametrize("pattern", SOME)
def test_a_text_that_fits_is_found(pattern: str) -> None:
    assert not fits_nothing(pattern)
    found = list(texts(pattern))
    assert found
    assert all(re.fullmatch(pattern, each) for each in found)
    assert list(texts(pattern)) == found, "the same ones each time"
