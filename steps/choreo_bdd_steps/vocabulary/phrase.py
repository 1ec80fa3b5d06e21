"""Phrases: one sentence, declared once; adapters bind it, the planner reads it ahead, the step book prints it.

A phrase is written as people read it: ``{…}`` is a parameter, ``[…]`` is optional, a trailing colon is always
allowed, and ``message`` and ``messages`` are the same word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Literal, NamedTuple

from msgspec import Struct

from choreo_bdd_project.gherkin.step import Step
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.vocabulary.acts import Act

Below = Literal["nothing", "a doc string", "a table", "a doc string or a table"]
"""What may stand below a sentence."""

_PIECE = re.compile(r"\{(?P<name>\w+)(?::(?P<kind>\w+))?\}|(?P<open>\[)|(?P<close>\])|(?P<text>[^\[\]{}]+)")

_VARIES = re.compile(r"[\[{]|\bmessages?\b")

_KINDS: Mapping[str, str] = {
    "topic": r'"(?P<{}>[^"]+)"',
    "key": r'"(?P<{}>[^"]*)"',
    "path": r'"(?P<{}>[^"]+)"',
    "text": r'"(?P<{}>[^"]*)"',
    "transport": r"(?P<{}>[A-Za-z][A-Za-z0-9_-]*)",
    "name": r"(?P<{}>[A-Za-z_][A-Za-z0-9_]*)",
    "duration": r"(?P<{}>\d+(?:\.\d+)?\s*(?:milliseconds?|seconds?|minutes?|ms|s|m))",
    "count": r"(?P<{}>\d+)",
    "number": r"(?P<{}>\d+(?:\.\d+)?)",
    "condition": r"(?P<{}>\S.*?)",
    "literal": r'(?P<{}>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|\[.*\]|\{{\{{.*\}}\}}|\{{\s*(?:".*)?\}})',
    "times": r"(?P<{}>once|twice|\d+ times?)",
    "method": r"(?P<{}>[A-Z]+)",
    "status": r"(?P<{}>[1-5]\d\d)",
    "ordinal": r"(?P<{}>first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last|[1-9]\d*(?:st|nd|rd|th))",
}


StepCall = Step
"""One step of a scenario as its author wrote it."""


class Match(NamedTuple):
    """A step recognised as a phrase, with its parameters; an optional one left out is ``None``."""

    phrase: Phrase
    call: StepCall
    args: Mapping[str, str | None]

    def arg(self, name: str) -> str:
        """A parameter that is never left out."""
        value = self.args[name]
        assert value is not None  # the pattern requires it
        return value

    def act(self) -> Act:
        """What the step means."""
        return self.phrase.read(self)

    def misplaced(self) -> BodyError | None:
        """What is wrong with what stands below the sentence, where it takes no such thing: nothing is dropped."""
        call, takes = self.call, self.phrase.below
        there = [
            what
            for what, body in (("a doc string", call.docstring), ("a table", call.table))
            if body is not None and what not in takes
        ]
        if not there:
            return None
        return BodyError(f"{there[0]} stands below this step, which takes {takes}: {self.phrase.text}")


class Phrase(Struct, frozen=True):
    """A sentence of the vocabulary; ``read`` makes of a step that is one the act it means, an ``act`` of one kind.

    ``below`` is what may stand below it; anything else there is an error.
    """

    text: str
    act: type[Act]
    doc: str
    example: str
    read: Callable[[Match], Act]
    below: Below = "nothing"

    @property
    def regex(self) -> str:
        """The whole sentence as a regular expression with named groups."""
        return _regex(self.text)

    @property
    def opening(self) -> str:
        """What all its sentences begin with."""
        return _opening(self.text)

    def found(self, text: str) -> re.Match[str] | None:
        """Where a sentence, without space around it, has this phrase's parameters; ``None`` for another phrase's."""
        return _compiled(self.text).fullmatch(text)

    def match(self, call: StepCall) -> Match | None:
        """The step as this phrase, if it is one."""
        found = self.found(call.text.strip())
        return None if found is None else Match(self, call, found.groupdict())


def pieces(text: str) -> list[str]:
    """A phrase's words and its optional parts, with their brackets, in turn; a part inside another stays in there."""
    found, depth = [""], 0
    for character in text:
        if character == "[" and depth == 0:
            found.append("")
        depth += {"[": 1, "]": -1}.get(character, 0)
        found[-1] += character
        if character == "]" and depth == 0:
            found.append("")
    return [piece for piece in found if piece]


@cache
def _compiled(text: str) -> re.Pattern[str]:
    return re.compile(_regex(text), re.DOTALL)


@cache
def _opening(text: str) -> str:
    return _VARIES.split(text, maxsplit=1)[0]


@cache
def _regex(text: str) -> str:
    return pattern_of(text) + r"\s*:?"


def pattern_of(text: str, *, named: bool = True) -> str:
    """A part of a phrase as a regular expression; its parameters are named groups unless ``named`` is false."""
    return "".join(_part(piece, named=named) for piece in _PIECE.finditer(text))


def _part(piece: re.Match[str], *, named: bool) -> str:
    if piece["open"]:
        return "(?:"
    if piece["close"]:
        return ")?"
    if piece["name"]:
        pattern = _KINDS[piece["kind"] or piece["name"]].format(piece["name"])
        return pattern if named else pattern.replace(f"(?P<{piece['name']}>", "(?:")
    return re.sub(r"\bmessages?\b", "messages?", re.escape(piece["text"]).replace(r"\ ", " "))
