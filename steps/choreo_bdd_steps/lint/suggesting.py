"""Suggestions: the phrase that a sentence nobody defines was probably meant to be."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from types import MappingProxyType

from choreo_bdd_steps.vocabulary import PHRASES, recognise_text
from choreo_bdd_steps.vocabulary.acts import METHODS
from choreo_bdd_steps.vocabulary.phrase import pieces

_LIKE_ENOUGH = 0.78
"""From here on a sentence counts as a phrase of ours, misspelt; below as a step of the user's own, undefined."""

_METHODS = "|".join(METHODS)
_OTHER_WORDS: Mapping[str, str] = MappingProxyType(
    {
        r"^I expect nothing (?:on|to|at) (\"[^\"]*\")": r"I expect no \1",
        r"^I expect (exactly|at least|at most) (\d+) times (\"[^\"]*\")": r"I expect \1 \2 \3 messages",
        r"^(I (?:expect|see|receive|get) \"[^\"]*\") (?:exactly )?once\b": r"\1 exactly 1 time",
        r"^(I (?:expect|see|receive|get) \"[^\"]*\") (?:exactly )?twice\b": r"\1 exactly 2 times",
        r"^(I (?:expect|see|receive|get) \"[^\"]*\") (?=\d+ times?\b)": r"\1 exactly ",
        r"^I (?:publish|send|emit) (\"[^\"]*\") (\d+) times?$": r"I publish \2 \1 messages",
        r"^I (expect|publish|send) (?:an? )?(\"[^\"]*\") (?:message|event)(?= |$)": r"I \1 \2",
        r"^(I publish (?:an? )?(?:message )?\"[^\"]*\") with (?:the )?(?:payload|body|content|data)$": r"\1",
        r"^(I expect \"[^\"]*\") (?:with|to have|having|to contain|containing|which has|that has)$": r"\1",
        r"^(I expect \"[^\"]*\".*?) in (?:less|no more|fewer) than (?=\d)": r"\1 within ",
        r"^(?:an? |the |no )?(?:message |event )?(?:on )?(\"[^\"]*\") (?:should|must|may) (?:not|never) be "
        r"(?:received|seen|published|sent)(?: within| for)?": r"I expect no \1 for",
        r"^no (?:message |event )?(?:on )?(\"[^\"]*\") (?:is|should be|was) (?:received|seen|published|sent)"
        r"(?: within| for)?": r"I expect no \1 for",
        r"^(I expect no \"[^\"]*\") for$": r"\1",
        r"^I wait for (?:an? |the )?(?:message )?(?:on )?(?=\")": "I expect ",
        r"^I sleep (?:for )?(?=\d)": "I wait ",
        r"^the (?:latency|time) (from \"[^\"]*\" to \"[^\"]*\") is (?:below|under|at most|less than) ": (
            r"\1 takes at most "
        ),
        r"^an? (?:mock|stub|fake)(?: service)? (?:that|which) (?:replies to|answers|responds to) (\"[^\"]*\") with ": (
            r"a service that answers \1 with "
        ),
        r"^(the \"[^\"]*\") payload (?:is|has|contains)$": r"\1 message has",
        r"\bI expect (?:nothing|no) (?:more|further|other|else)(?: messages?| events?)? (?:for|within) (?=\d)": (
            "I expect nothing else for "
        ),
        r"\bI expect no (?:more|further|additional|other) (?:(?:messages?|events?) )?(?:on |to )?(?=\")": (
            "I expect no other "
        ),
        r"\bI expect (\d+)(?: to | ?- ?|\.\.)(\d+) (?=\")": r"I expect between \1 and \2 ",
        r"(?<=\") (?:not earlier than|no earlier than|not sooner than|no sooner than|after at least) (?=\d)": (
            " not before "
        ),
        r"^(I expect (?:exactly|at most|between) .*) waiting up to (?=\d)": r"\1 within ",
        r"^(the (?:.*\" message|reply)) (?:(?:does not|doesn't) (?:have|contain)|hasn't|has no)\b": r"\1 has not",
        r"^I publish (?:a )?tombstone (?:on |to |for )?(\"[^\"]*\") with key (\"[^\"]*\")$": (
            r"I publish \1 with key \2 and no payload"
        ),
        r"(?<=\") (?:and|with) (?:an |a )?(?:empty|null|no) (?:payload|body|value)$": " and no payload",
        r"^(?:an? |the )?(?:message |event )?(?:on )?(\"[^\"]*\") (?:should be|is) (?:received|seen)": r"I expect \1",
        r"^I wait (?:up to |for )*(\d\S*) for (?:an? |the )?(?:message )?(?:on )?(\".*\")$": r"I expect \2 within \1",
        rf"^I (?:send|make|do|perform|issue|call|request)? ?(?:an? )?(?:HTTP )?({_METHODS})(?: request| call)?"
        rf"(?: to| on| at)? (?=\")": r"I call \1 ",
        r"^the (?:response |HTTP )?(?:status(?: code)?|code)(?: of the response)? (?:should be|is|equals) (\d{3})$": (
            r"the response has status \1"
        ),
        r"^the response (?:body )?(?:should )?(?:contains?|have|matches|includes?)$": "the response has",
        r"\bI (?:should|must|will|would) (?:not|never) (?:expect|receive|get|see)\b": "I expect no",
        r"\bI (?:do not|don'?t|never) (?:expect|receive|get|see)\b": "I expect no",
        r"\b(?:should|must|will|would) (?=\w)": "",
        r"\bI (?:receive|get|see|await)\b": "I expect",
        r"\bI (?:send|emit|produce)\b": "I publish",
        r"\b(I expect) (?:an?|the) (?:answer|response)\b": r"\1 a reply",
        r"\bI (publish|expect(?: no)?|request) (?:an? |the )?(?:message|event|topic)s?(?: on| to)? (?=\")": r"I \1 ",
        r"(?<=\w) in (?=\d)": " within ",
        r"\b(contains|equals)\b(?=:?$)": "has",
        r"\b(where \S+) (?:equals|==|=) ": r"\1 is ",
        r"\b(on|transport is) \"([A-Za-z][\w-]*)\"": r"\1 \2",
        r"(?<=\") (?:to|via|over|from) (?=[A-Za-z])(?!file\b)": " on ",
        r"\b(\d+) (?:messages?|events?) (\"[^\"]*\")": r"\1 \2 messages",
        r"(\bI expect no .*) within (?=\d)": r"\1 for ",
        r"^I expect no (?:messages?|events?) (?:on |to )?(?=\")": "I expect no ",
        r"^(I expect no (?!.* for \d).*)$": r"\1 for 200ms",
        r"^(?:a|the) (?:message|event) is (?:published|sent) (?:to|on) (\"[^\"]*\")$": r"I publish \1",
        r"^I set (?:the variable )?\"?(\w+)\"? to ": r"\1 is ",
        r"^the variable \"?(\w+)\"? is ": r"\1 is ",
        r"^I expect (\"[^\"]*\")(.*?) (exactly|at least|at most) (\d+) times?": r"I expect \3 \4 \1 messages\2",
        r"^I publish (\"[^\"]*\") with headers?$": r"I publish \1 as an envelope",
        r"^(I publish .*) (?:to|on) (?:the )?(?:queue|topic|exchange|channel) (\"[^\"]*\")$": r"I publish \2",
    }
)
"""Words for the same thing, as other tools and people use them, and ours."""
_MORE_OR_FEWER = re.compile(r"\b(more|fewer|less) than (\d+)\b")
_SENSES: tuple[tuple[re.Pattern[str], bool], ...] = (
    (re.compile(r"\b(?:no|not|none|never|nothing|without|nobody|(?:is|has|do|does|did|was|must|should)n'?t)\b"), True),
    (re.compile(r"\bat least\b|\bmore than\b"), False),
    (re.compile(r"\bat most\b|\b(?:fewer|less) than\b"), False),
    (re.compile(r"\bexactly\b"), False),
    (re.compile(r"\bafter\b"), False),
    (re.compile(r"\bbefore\b"), False),
)
"""Words that turn a sentence round, and whether they may be put where there are none."""
_NUMBERS: Mapping[str, str] = MappingProxyType(
    {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8"}
)
_OUTSIDE_QUOTES = r"(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)"
_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(_NUMBERS)})\b{_OUTSIDE_QUOTES}")
_BARE_TOPIC = re.compile(rf"(?<![\w.{{])([A-Za-z_]\w*(?:\.[A-Za-z_*>]\w*)+)(?![\w.]){_OUTSIDE_QUOTES}")
_PARTS = re.compile(
    r"""
      (?P<M>\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)\b(?=\ "))
    | (?P<T>\b(?:once|twice|\d+\ times?)\b)
    | (?P<O>(?<=\bthe\ )(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last|\d+(?:st|nd|rd|th))\b)
    | (?P<D>\b\d+(?:\.\d+)?\s*(?:milliseconds?|seconds?|minutes?|ms|s|m)\b)
    | (?P<N>(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]))
    | (?P<Q>"[^"]*")
    | (?P<C>(?<=\ where\ ).+?(?=\ within\ |\ matching\ |\ with\ "|\ for\ \d|$))
    | (?P<W>(?<=\ on\ )(?!")[\w-]+ | (?<=\ as\ )[A-Za-z_]\w*$ | ^[A-Za-z_]\w*(?=\ is\ ))
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
_MARK = re.compile(r"«(\w)»")


def suggestion(text: str) -> str | None:
    """The sentence of this vocabulary that ``text`` is nearest to, filled in where that can be done.

    ``None`` for a text that is nothing like any phrase.
    """
    meant = _in_our_words(_quoted(text))
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
    plain = text.strip().removesuffix(":").rstrip()
    sentence, where, condition = re.sub(r"(?<!\w)'([^'\"]*)'(?!\w)", r'"\1"', plain).partition(" where ")
    return _BARE_TOPIC.sub(r'"\1"', sentence) + where + condition


def _in_our_words(text: str) -> str:
    for theirs, ours in _OTHER_WORDS.items():
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
