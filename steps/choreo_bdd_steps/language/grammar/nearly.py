"""Text that begins like an operator and is none: told with the right form instead of taken as text."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache

# how each beginning goes on when it is an operator; the first that fits speaks
_BEGINNINGS = (
    (r"≥|≤|≠", "one of >=, <=, !="),
    (r"!(?=[\s\"'\d\[{!])", "!= x"),
    (r"'.*'$", "the text alone, or in double quotes"),
    (
        r"[\u201c-\u201e\u2018\u2019\xab].*[\u201c\u201d\u2018\u2019\xbb]$",
        "the text alone, or in straight double quotes",
    ),
    (r"(?:is[_-]?)(?:not[_-]?)?null$|(?:exists?|absent|any|null)\s*\(\)$", "exists, absent, null or not null"),
    (
        r"(?:eq|ne|gte?|ge|lte?|le|min|max)\s+[-\"\d{]",
        "!= 3, > 3, >= 3, < 3 or <= 3, or for equality the bare value",
    ),
    (r"(?:about|around|circa)\s+-?[\d.]+$", "approx 3.14 ± 0.01"),
    (r"-?\d[\d.]*(?:\s+or\s+-?\d[\d.]*)+$|either\s.+\sor\s", "one of A, B"),
    (r"=", "the bare value for equality, as in 5, or !=, >=, <="),
    (r"(?:>=|<=|>|<)(?!/?[a-z][\w-]*>)", '> and a number, a moment, or a text in quotes, as in > 5 or > "B"'),
    (r"(?:not|isn't|is not|isnt|unequal|not equal)\b", "!= x, or not null"),
    (r"(?:is|equals?|equal to)(?=\s)", "the bare value for equality, as in 5"),
    (r"(?:greater|more|larger|bigger|at least|no less|above|over)(?=\s+(?:than\b|-?[\d{])|-?\d)", "> 3, or >= 3"),
    (r"(?:less|fewer|smaller|lower|at most|no more|below|under)(?=\s+(?:than\b|-?[\d{])|-?\d)", "< 3, or <= 3"),
    (r"(?:up|from\s+-?[\d.]+)\s+to\s+-?\d|-?\d[\d.]*\s*(?:\.\.+|\bto\b)\s*-?\d[\d.]*$", "between 1 and 5, or <= 5"),
    (r"(?:later|earlier)\s+than\b|(?:after|before|since|until)(?=\s|$)", "after 2024-01-31T12:00:00Z, or before …"),
    (
        r"(?:match|matches|matching|like|regexp?)(?=\s|/|$)|/.*[\\^$*+?(\[|].*/i?$|\^.*\$$|.*\\[dws][+*{]",
        "matches /re/, the pattern between slashes",
    ),
    (r"(?:in\s+)?between(?=\s|$)", "between 1 and 5, the smaller value first"),
    (r"(?:approx\w*|roughly)(?=\s|$)|[~≈]=?\s*-?[\d{]|.*±", "approx 3.14 ± 0.01"),
    (r"(?:one of|any of|none of|in)(?=\s*[(\[]|\s+[^,]+,)|one[ _-]?of\b", "one of A, B"),
    (r"(?:contain|contains|containing|includes?)(?=\s|$)", "contains x"),
    (r"(?:starts?|begins?|starting|beginning)[ _-]?with\b", "starts with x"),
    (r"(?:ends?|ending)[ _-]?with\b", "ends with x"),
    (
        r"has\s+length\b|(?:length|size|len)(?=\s*[:<>=\d]|\s+(?:is|of|between|at)\b)|(?-i:length)\s+\S+$",
        "length 3, or length >= 3",
    ),
    (r"(?:not|non)[_-]?null$", "not null"),
    (r"(?:exists?|absent|any|null)(?=[\s,;]|$)", "exists, absent, any or null, alone"),
    (r"(?:does|do|doesn't|has|have)(?=\s+(?:not|no|contain|match|exist)\b)", "!= x, absent or contains x"),
)
_MOMENT = r"\d{4}-|\{\{"
_NUMBER = r"[-.\d{]"
# operator words, what has to stand behind one for a slip in it to be no word of its own, and the right form
_SLIPS = (
    ("between", rf".+\sand\s|{_NUMBER}", "between 1 and 5, the smaller value first"),
    ("approx", _NUMBER, "approx 3.14 ± 0.01"),
    ("contains", "", "contains x"),
    ("matches", r"/.*/i?$", "matches /re/, the pattern between slashes"),
    ("length", rf"{_NUMBER}|[<>=!]", "length 3, or length >= 3"),
    ("before", _MOMENT, "before 2024-01-31T12:00:00Z"),
    ("after", _MOMENT, "after 2024-01-31T12:00:00Z"),
    ("starts with", "", "starts with x"),
    ("ends with", "", "ends with x"),
    ("one of", r"[^\s,]+(?:,\s*[^\s,]+)+$", "one of A, B"),
)
_WORDS_OF_THEIR_OWN = frozenset({"stars", "stats", "tarts", "start", "off", "wit"})
"""What is no slip of a short word, though one letter parts them."""
_KIND = re.compile(r"an?\s+(\w+)(.*)", re.IGNORECASE | re.DOTALL)
_SHORT = frozenset({"bool", "int", "str", "num", "obj"})
_SYNONYMS = {
    **dict.fromkeys(("guid",), "uuid"),
    **dict.fromkeys(("date", "datetime", "moment"), "timestamp"),
    **dict.fromkeys(("float", "decimal", "double"), "number"),
    **dict.fromkeys(("array",), "list"),
    **dict.fromkeys(("dict", "map"), "object"),
}
_BARE_WORDS = frozenset({"any", "null", "exist", "match", "like", "contain"})


def nearly_an_operator(text: str, kinds: frozenset[str]) -> str | None:
    """What is wrong with text that looks like an operator, with the right form; None for plain text.

    ``kinds`` are the words that ``a …`` may name.
    """
    if text.lower() in _BARE_WORDS:
        return None
    form = next((form for beginning, form in _beginnings() if beginning.match(text)), None)
    form = form or _kind(text, kinds) or _slipped(text)
    if form is None:
        return None
    return f'{text!r} begins like an operator and is none; write {form}, or quote it if this text is meant: "{text}"'


@cache  # compiled when the first bare text is read: many projects have none
def _beginnings() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(rf"(?:{pattern})", re.IGNORECASE), form) for pattern, form in _BEGINNINGS)


@cache
def _slips() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    return tuple((word, re.compile(operand), form) for word, operand, form in _SLIPS)


def _kind(text: str, kinds: frozenset[str]) -> str | None:
    found = _KIND.fullmatch(text)
    if found is None:
        return None
    name, rest = found[1].lower(), found[2].strip()
    if name in kinds:
        return f"a {name} and nothing behind it"
    if rest:
        return None
    close = get_close_matches(name, sorted(kinds), n=1, cutoff=0.8)
    short = [kind for kind in sorted(kinds) if name in _SHORT and kind.startswith(name)]
    same = [_SYNONYMS[name]] if name in _SYNONYMS else []
    return next((f"{'an' if kind[0] in 'aeio' else 'a'} {kind}" for kind in (*same, *close, *short)), None)


def _slipped(text: str) -> str | None:
    """The right form of an operator with one slip of the pen in its words."""
    for meant, operand, form in _slips():
        size = meant.count(" ") + 1
        *written, rest = text.lower().split(maxsplit=size) or [""]
        is_whole = len(written) == size and _WORDS_OF_THEIR_OWN.isdisjoint(written)
        if is_whole and operand.match(rest) and _is_slip(" ".join(written), meant, any_letter=size == 1):
            return form
    return None


def _is_slip(written: str, meant: str, *, any_letter: bool) -> bool:
    """Whether one letter is missing, twice there or exchanged with its neighbour; or, with ``any_letter``, a wrong one.

    Short words have too many neighbours that are words of their own for the last.
    """
    at = next((index for index, pair in enumerate(zip(written, meant, strict=False)) if pair[0] != pair[1]), None)
    at = min(len(written), len(meant)) if at is None else at
    here, there = written[at:], meant[at:]
    if here == there[1:] or (here[:2] == there[1::-1] and here[2:] == there[2:]):
        return here != there
    if here[1:] == there:
        return any_letter or here[:1] == written[at - 1 : at]
    return any_letter and here[1:] == there[1:]
