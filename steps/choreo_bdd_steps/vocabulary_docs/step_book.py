"""The step book: the vocabulary as people read it, made from the phrases themselves."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

from choreo_bdd_steps.vocabulary.acts import (
    Act,
    Call,
    CheckService,
    CheckTaken,
    Expect,
    Keep,
    PlayService,
    Publish,
    Request,
    SetLiteral,
    SetSeveral,
    SetText,
    SetUnique,
    UseTransport,
    Wait,
)
from choreo_bdd_steps.vocabulary.phrase import Phrase

_WIDTH = 100
_INTENTS: Mapping[type[Act], str] = MappingProxyType(
    {
        Publish: "publish",
        Request: "publish",
        Call: "call",
        Expect: "expect",
        PlayService: "reply",
        SetText: "variable",
        SetLiteral: "variable",
        SetUnique: "variable",
        SetSeveral: "variable",
        Keep: "capture",
        UseTransport: "transport",
        CheckTaken: "check",
        CheckService: "check",
        Wait: "wait",
    }
)
_TITLES = {
    "publish": "Publishing",
    "call": "Calling over HTTP",
    "expect": "Expecting",
    "reply": "Stand-ins",
    "variable": "Variables",
    "capture": "Keeping values",
    "transport": "Transports",
    "check": "Further checks",
    "wait": "Waiting",
}


def as_table(phrases: Sequence[Phrase]) -> str:
    """For the terminal: each phrase with its meaning and its example below it."""
    return "\n".join(line for title, family in _families(phrases) for line in _section(title, family))


def as_markdown(phrases: Sequence[Phrase]) -> str:
    """For a page of documentation."""
    lines = ["# Step book", "", "`[…]` is optional, `{…}` is a parameter. A trailing colon is allowed everywhere."]
    for title, family in _families(phrases):
        lines += ["", f"## {title}"]
        for phrase in family:
            lines += ["", f"### `{phrase.text}`", "", phrase.doc, "", "```gherkin", phrase.example, "```"]
    return "\n".join(lines)


def as_json(phrases: Sequence[Phrase]) -> str:
    """For other programs, such as editors: a list of objects with phrase, intent, meaning, example and regex."""
    book = [
        {
            "phrase": phrase.text,
            "intent": _INTENTS[phrase.act],
            "meaning": phrase.doc,
            "example": phrase.example,
            "regex": phrase.regex,
        }
        for phrase in phrases
    ]
    return json.dumps(book, indent=2, ensure_ascii=False)


def _families(phrases: Iterable[Phrase]) -> Iterator[tuple[str, list[Phrase]]]:
    order = list(_TITLES)
    by_intent = sorted(phrases, key=lambda phrase: order.index(_INTENTS[phrase.act]))
    for intent, family in groupby(by_intent, key=lambda phrase: _INTENTS[phrase.act]):
        yield _TITLES[intent], list(family)


def _section(title: str, family: Sequence[Phrase]) -> Iterator[str]:
    yield from (title, "=" * len(title), "")
    for phrase in family:
        yield phrase.text
        yield from textwrap.wrap(phrase.doc, _WIDTH, initial_indent="    ", subsequent_indent="    ")
        yield textwrap.indent(phrase.example, "      | ", lambda _: True)
        yield ""


def as_hover(phrase: Phrase) -> str:
    """One phrase for a window beside the cursor, as Markdown."""
    return f"**`{phrase.text}`**\n\n{phrase.doc}\n\n```gherkin\n{phrase.example}\n```"
