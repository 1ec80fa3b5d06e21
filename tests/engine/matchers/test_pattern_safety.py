"""A pattern that a message could make run for ever is refused; those that people write are not."""

from __future__ import annotations

import re

import pytest

from choreo_bdd.matchers import matches

ENDLESS = [
    r"(a+)+$", r"(a*)*b", r"(a|aa)+$", r"([a-zA-Z]+)*$", r"(\w+\s?)*$", r"(.*a){20}", r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"(\d+)*x", r"(x+x+)+y", r"(a?){30}a{30}", r"(?:a|b|ab)*c", r"((ab)*)*c", r"(?=(a+)+b)c", r"(a+){2,}b",
    r"(.|\n)*?x$", r"(?:[\w.-]+)+@x", r"(?i)(?:ab|AB)*c", r"(\s*\w*)*;", r"(?:a{1,9}){11}b", r"((a|b)+c?)+d",
    r"(a|a)*b", r"(?:ab|ab)*c", r"(?:a(?:b*|c*))*d", r"(?:a(?:b?)?)*c", r"(?:a(?:b?){2})*c", r"(?:a(?:\B)?)*c",
]  # fmt: skip
SOUND = [
    r"[a-z]+\d{2,4}", r"ORD-\d+", r"(\w+,)*\w+", r"(\d{1,3}\.){3}\d{1,3}", r"(a|b)*c", r"(ab|cd)+", r".*foo.*bar.*",
    r"^[\w.+-]+@[\w-]+(\.[\w-]+)+$", r"([0-9a-f]{2}:){5}[0-9a-f]{2}", r"(foo|bar|baz)+", r"(?:[^\"\\]|\\.)*",
    r"\d{4}-\d\d-\d\dT.*Z", r"(?P<x>a+)b(?P=x)", r"(https?://)?[^/]+(/[^/]*)*", r"(\s*\w+\s*;)*", r"(a+b)+",
    r"[a-f0-9]{8}(-[a-f0-9]{4}){3}-[a-f0-9]{12}", r"^(\w+ ?= ?\d+;)+$", r"(?i)order-(\d+)", r"\p", r"(?!x).*",
    r"[A-Z]{2}\d{2}( ?[A-Z0-9]{4}){2,7}", r"v\d+(\.\d+)*(-[a-z]+)?", r"(?s).{1,500}",
]  # fmt: skip


@pytest.mark.parametrize("pattern", ENDLESS)
def test_what_fits_one_text_in_many_ways_is_refused(pattern: str) -> None:
    with pytest.raises(re.error, match="can take exponential time"):
        matches(pattern)
    with pytest.raises(re.error, match="can take exponential time"):
        matches(re.compile(pattern))


@pytest.mark.parametrize("pattern", [each for each in SOUND if each != r"\p"])
def test_what_people_write_is_taken(pattern: str) -> None:
    matches(pattern)
