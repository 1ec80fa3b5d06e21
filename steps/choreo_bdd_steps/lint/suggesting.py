"""Suggestions: the phrase that a sentence nobody defines was probably meant to be."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from types import MappingProxyType

from choreo_bdd_steps.language.durations import WITHOUT_UNIT, unit_missing
from choreo_bdd_steps.lint.other_words import OTHER_WORDS
from choreo_bdd_steps.vocabulary import PHRASES, recognise_text
from choreo_bdd_steps.vocabulary.phrase import pieces

_LIKE_ENOUGH = 0.78
"""From here on a sentence counts as a phrase of ours, misspelt; below as a step of the user's own, undefined."""

_MORE_OR_FEWER = re.compile(r"\b(more|fewer|less) than (\d+)\b")
_SENSES: tuple[tuple[re.Pattern[str], bool], ...] = (
    (
        re.compile(
            r"\b(?:no|not(?! before)|none|never|nothing|without|nobody|(?:is|has|do|does|did|was|must|should)n'?t)\b"
        ),
        True,
    ),
    (re.compile(r"\bnot before\b"), True),
    (re.compile(r"\bat least\b|\bmore than\b"), True),
    (re.compile(r"\bat most\b|\b(?:fewer|less) than\b"), True),
    (re.compile(r"\bexactly\b"), False),
    (re.compile(r"\bafter\b"), False),
    (re.compile(r"\bbefore\b"), False),
    (re.compile(r"«O»|\b(?:first|second|third|last)\b"), False),
    (re.compile(r"\bany order\b|\bsingle\b|\bonly\b"), False),
    (re.compile(r"\bfails?\b"), True),
)
"""Words that turn a sentence round, and whether none may be put where it had none."""
_OUTSIDE_QUOTES = r"(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)"
_UNSAYABLE = re.compile(
    rf"\b(?:but|neither|nor|unless|except|lacks?|without|zero|none of|any order|only|or)\b{_OUTSIDE_QUOTES}"
)
"""Words that no phrase has anything for: whatever is like the rest says something else."""
_NUMBERS: Mapping[str, str] = MappingProxyType(
    {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8"}
)
_TURNING = (
    *("no", "not", "never", "nothing", "without", "first", "last", "least", "most", "exactly", "before", "after"),
    *("fewer", "fails"),
)
_OTHERWISE = frozenset(
    {
        *("now", "nor", "non", "note", "do", "to", "ever", "even", "lot", "got", "hot", "fast", "list", "lost"),
        *("past", "post", "must", "more", "fail"),
    }
)
"""Words that are no slip of a turning word, though only one letter parts them."""
_WORD = re.compile(rf"\b[A-Za-z]+\b{_OUTSIDE_QUOTES}")
_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(_NUMBERS)})\b(?! of\b){_OUTSIDE_QUOTES}")
_BARE_TOPIC = re.compile(rf"(?<![\w.{{])([A-Za-z_]\w*(?:\.[A-Za-z_*>]\w*)+)(?![\w.]){_OUTSIDE_QUOTES}")
_OTHER_QUOTES = str.maketrans(
    dict.fromkeys("\u201c\u201d\u201e\u201f\xab\xbb\u2033", '"')
    | dict.fromkeys("\u2018\u2019\u201a\u201b\u2039\u203a", "'")
)
"""Quotes as word processors and chats make them of ours."""
_BARE_WORD = re.compile(
    r"^(?P<before>I (?:publish|request|expect(?: no)?)) "
    r"(?!(?:in|no|not|nothing|none|a|an|the|another|either|every|each|all|any|exactly|at|between|messages?|it)\b)"
    r"(?P<topic>[A-Za-z_][\w-]*)(?= (?:(?:within|where|on|with|not before|waiting|matching)\b|for \d)|$)"
)
"""A topic of one word that stands bare where a sentence names one."""
_PARTS = re.compile(
    r"""
      (?P<M>\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)\b(?=\ "))
    | (?P<T>\b(?:once|twice|\d+\ times?)\b)
    | (?P<O>(?<=\bthe\ )(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last|\d+(?:st|nd|rd|th))\b)
    | (?P<D>\b\d+(?:\.\d+)?\s*(?:milliseconds?|seconds?|minutes?|ms|s|m)\b)
    | (?P<N>(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]))
    | (?P<Q>"[^"]*")
    | (?P<C>(?<=\ where\ ).+?(?=\ within\ |\ matching\ |\ with\ "|\ for\ \d|$))
    | (?P<W>(?<=\ on\ )(?!")[\w-]+ | (?<=\ as\ )(?!not\b)[A-Za-z_]\w*$ | ^[A-Za-z_]\w*(?=\ is\ ))
    """,
    re.VERBOSE,
)
_SLOT = re.compile(r"\{(\w+)(?::(\w+))?\}")
_SLOTS: Mapping[str, str] = MappingProxyType(
    {
        "topic": "Q", "key": "Q", "path": "Q", "text": "Q", "transport": "W", "name": "W", "duration": "D",
        "count": "N", "number": "N", "literal": "N", "condition": "C", "times": "T",
        "ordinal": "O", "method": "M", "status": "N",
    }
)  # fmt: skip
_COMMENT = re.compile(r"\s#[^\"]*\Z")
_MARK = re.compile(r"«(\w)»")
_LONGEST = 500
"""Characters of a sentence: how alike two are takes a time that grows with the square of their lengths."""


def did_you_mean(text: str) -> str | None:
    """What to say of a sentence that nobody defines; ``None`` for one that is nothing like any phrase."""
    if recognise_text(WITHOUT_UNIT.sub(r"\g<0>ms", text)) is not None:
        return unit_missing(text)
    ours = _in_our_words(text)
    with_unit = WITHOUT_UNIT.sub(r"\g<0>ms", ours)
    if with_unit != ours and recognise_text(with_unit) is not None:
        return unit_missing(ours)
    if '""' in text:
        return 'nothing stands between "": write a name there, such as "orders.placed"'
    without = _COMMENT.sub("", text)
    if without != text and recognise_text(without) is not None:
        return f"a comment needs a line of its own: {without}"
    meant = suggestion(text)
    return meant and f"did you mean: {meant}"


def undefined(text: str) -> str | None:
    """What to say in a run of a sentence that nobody defines; ``None`` where it is nothing like any phrase."""
    hint = did_you_mean(text)
    return hint and f"no step is defined as {text!r}; {hint}"


def suggestion(text: str) -> str | None:
    """The sentence of this vocabulary that ``text`` is nearest to, filled in where that can be done.

    ``None`` for a text that is nothing like any phrase, as is one far longer than all of them.
    """
    if len(text) > _LONGEST:
        return None
    meant = _in_our_words(_turned_as_meant(_quoted(text)))
    if _UNSAYABLE.search(meant.partition(" where ")[0]):
        return None
    if recognise_text(meant) is not None:
        return meant
    shape, parts = _shape_of(meant)
    alike = [
        (_likeness(shape, form), -len(form), form, phrase) for form, phrase in _forms() if _keeps_the_sense(shape, form)
    ]
    likeness, _, form, phrase = max(alike, default=(0.0, 0, "", ""))
    if likeness < _LIKE_ENOUGH:
        return None
    return _filled(form, parts) or phrase


def _keeps_the_sense(shape: str, form: str) -> bool:
    """Whether a phrase says no opposite of a sentence: it keeps its turning words, and adds no negation."""
    return all(
        bool(words.search(form)) >= bool(words.search(shape))
        and not (is_negation and words.search(form) and not words.search(shape))
        for words, is_negation in _SENSES
    )


def _quoted(text: str) -> str:
    """With double quotes, and topics put into them where they stand bare."""
    plain = text.strip().removesuffix(":").rstrip().translate(_OTHER_QUOTES)
    sentence, where, condition = re.sub(r"(?<!\w)'([^'\"]*)'(?!\w)", r'"\1"', plain).partition(" where ")
    named = sentence if '"' in sentence else _BARE_WORD.sub(r'\g<before> "\g<topic>"', sentence)
    return _BARE_TOPIC.sub(r'"\1"', named) + where + condition


def _turned_as_meant(text: str) -> str:
    """With turning words as they are spelt: a slip in one of them would else be left out, and with it the sense."""
    sentence, where, condition = text.partition(" where ")
    return _WORD.sub(lambda word: _turning(word[0]), sentence) + where + condition


def _turning(word: str) -> str:
    small = word.lower()
    if small in _TURNING:
        return small
    if len(small) == 1 or small in _OTHERWISE or small in _our_words():
        return word
    return next((right for right in _TURNING if _is_slip(small, right)), word)


def _is_slip(word: str, right: str) -> bool:
    """Whether one letter more, less, changed or changed over parts two words."""
    shorter = min(len(word), len(right))
    same = next((place for place in range(shorter) if word[place] != right[place]), shorter)
    rest, wanted = word[same:], right[same:]
    swapped = rest[:2] == wanted[:2][::-1] and rest[2:] == wanted[2:]
    return swapped or wanted[1:] in (rest, rest[1:]) or rest[1:] == wanted


@cache
def _our_words() -> frozenset[str]:
    return frozenset(word for form, _ in _forms() for word in re.findall(r"[a-z]+", _MARK.sub("", form).lower()))


def _in_our_words(text: str) -> str:
    for theirs, ours in OTHER_WORDS.items():
        text = re.sub(theirs, ours, text)
    return _MORE_OR_FEWER.sub(_bounded, _NUMBER_WORD.sub(lambda word: _NUMBERS[word[0]], text))


def _bounded(found: re.Match[str]) -> str:
    count = int(found[2])
    return f"at least {count + 1}" if found[1] == "more" else f"at most {max(count - 1, 0)}"


def _shape_of(text: str) -> tuple[str, dict[str, list[str]]]:
    """A sentence with marks in place of its parameters, and these by kind."""
    parts: dict[str, list[str]] = {}

    def marked(found: re.Match[str]) -> str:
        kind = str(found.lastgroup)
        parts.setdefault(kind, []).append(found[0])
        return f"«{kind}»"

    return _PARTS.sub(marked, text), parts


@cache
def _forms() -> tuple[tuple[str, str], ...]:
    """Every way to write every phrase, with marks in place of parameters, and the phrase it is a form of."""
    return tuple((form, phrase.text) for phrase in PHRASES for form in _spelt_out(_marked(phrase.text)))


def _marked(phrase: str) -> str:
    return _SLOT.sub(lambda slot: f"«{_SLOTS[slot[2] or slot[1]]}»", phrase)


def _spelt_out(phrase: str) -> Iterator[str]:
    """A phrase with and without each of its optional parts."""
    choices = [("", *_spelt_out(piece[1:-1])) if piece.startswith("[") else (piece,) for piece in pieces(phrase)]
    yield from ("".join(chosen) for chosen in product(*choices))


def _likeness(shape: str, form: str) -> float:
    return difflib.SequenceMatcher(None, shape.lower(), form.lower(), autojunk=False).ratio()


def _filled(form: str, parts: Mapping[str, list[str]]) -> str | None:
    """A form with the sentence's own parameters, if they are just those it takes."""
    wanted = [mark[1] for mark in _MARK.finditer(form)]
    if any(wanted.count(kind) != len(given) for kind, given in parts.items()) or set(wanted) - parts.keys():
        return None
    supply = {kind: iter(given) for kind, given in parts.items()}
    sentence = _MARK.sub(lambda mark: next(supply[mark[1]]), form)
    return sentence if recognise_text(sentence) is not None else None
