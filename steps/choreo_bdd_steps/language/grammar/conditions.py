"""Conditions: ``status is "PAID" and total > 5``, or ``status is A or status is B``; a grammar, read to the end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NoReturn

from msgspec import Struct

from choreo_bdd_steps.language.durations import unit_missing
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.grammar.cells import (
    SIGNS,
    choices,
    has_order,
    is_unclosed,
    kinds,
    parse_operand,
    parse_operator,
    refuse_nearly,
    split_list,
)
from choreo_bdd_steps.language.grammar.contradictions import contradiction, tautology
from choreo_bdd_steps.language.matching.values import tags_in
from choreo_bdd_steps.language.paths import Field, parse_field
from choreo_bdd_steps.language.syntax import Items, Literal, Node, Tagged

_FORMS = (
    "is, is not, =, >, >=, <, <=, is one of a, b, is between 1 and 5, is before/after <moment>, matches /re/, exists, "
    "is absent, contains, starts with, ends with"
)
CONDITION_FORMS = (
    'is "x"',
    'is not "x"',
    "> 0",
    ">= 0",
    "< 0",
    "<= 0",
    "is one of a, b",
    "is between 1 and 5",
    "is before 2026-01-31T12:00:00Z",
    "is after 2026-01-31T12:00:00Z",
    "matches /re/",
    "exists",
    "is absent",
    'contains "x"',
    'starts with "x"',
    'ends with "x"',
)
"""A specimen of what may stand behind a field, for whoever is shown it."""
_QUOTED = re.compile(r"""(?<![^\s\[(,.]) (?: "(?:\\.|[^"\\])*" | '(?:[^']|'')*' )""", re.VERBOSE | re.DOTALL)
_TEMPLATE = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_PATTERN = re.compile(r"/(?:\\.|[^/\\])*/i?", re.DOTALL)
_PLACEHOLDER = re.compile(r"<[^<>\s=]+>")
_SIGN = re.compile(r"(>=|<=|!=|>|<)(.*)", re.DOTALL)
_NO_WORD = re.compile(r"and|or|&&|\|\||[,;]", re.IGNORECASE)
_NO_PATH = frozenset({"is", "not", "no", "where", "if", "has", "with", "exists"})
"""Words of a sentence that somebody may begin a condition with, ``not is 5``: as fields they are in quotes."""
_JOINED = ("and", "or")


class Condition(Struct, frozen=True):
    """Places and what is expected there: in all of them, or, with ``any_of``, in one of them."""

    clauses: tuple[tuple[Field, Node], ...] = ()
    any_of: bool = False


def parse_condition(text: str) -> Condition:
    """Read a ``where`` text. Raises BodyError for whatever is left over behind a complete condition."""
    reader = _Reader(text, _words(text))
    clauses, joints = [reader.clause()], set()
    while reader.more():
        joints.add(reader.joint())
        clauses.append(reader.clause())
    if len(joints) > 1:
        raise BodyError(f"the condition {text!r} joins with `and` and with `or`; write two steps, or use one of them")
    any_of = joints == {"or"}
    if not any_of and (problem := contradiction(clauses)):
        raise BodyError(f"in the condition {text!r} {problem}; check the values, or join with `or`")
    if any_of and all(problems := [contradiction([each]) for each in clauses]):
        raise BodyError(f"in the condition {text!r} {problems[0]}, and neither can what else it says; check the values")
    if any_of and (problem := tautology(clauses)):
        raise BodyError(f"in the condition {text!r} {problem}, or join with `and`")
    return Condition(tuple(clauses), any_of=any_of)


# --- words --------------------------------------------------------------------------------------------


def _words(text: str) -> list[str]:
    """Split at blanks outside quotes, templates, lists and patterns."""
    words: list[str] = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        end = _word_end(text, position, after=words[-1] if words else "")
        words.append(text[position:end])
        position = end
    return words


def _word_end(text: str, start: int, after: str) -> int:
    if after == "matches" and (pattern := _PATTERN.match(text, start)):
        return pattern.end()
    position, depth = start, 0
    while position < len(text) and (depth or not text[position].isspace()):
        opaque = _TEMPLATE.match(text, position) or _QUOTED.match(text, position)
        if opaque:
            position = opaque.end()
            continue
        character = text[position]
        depth += (character in "[{") - (character in "]}" and depth > 0)
        position += 1
    if depth and text[start] not in "[{":  # a bracket that nothing closes takes no further words along
        return start + len(text[start:].split(maxsplit=1)[0])
    return position


# --- grammar ------------------------------------------------------------------------------------------


class _Reader:
    """Takes a condition's words one by one."""

    def __init__(self, text: str, words: list[str]) -> None:
        self._text = text
        self._words = words
        self._at = 0

    def more(self) -> bool:
        return self._at < len(self._words)

    def joint(self) -> str:
        if self._words[self._at] not in _JOINED:
            self._left_over()
        return self._take("a condition")

    def clause(self) -> tuple[Field, Node]:
        if self._peek() in ("", *_JOINED):
            self._incomplete("<path> is <value>")
        if self._peek().startswith("("):
            self._refuse("it has parentheses", "write a step for each part, or join all parts by `and`, or by `or`")
        if (word := self._peek()) in _NO_PATH:
            told = "write it behind: <path> is not <value>" if word == "not" else "write: <path> is <value>"
            self._refuse(f"{word!r} stands where a field is expected", f"{told}; a field of that name is '{word}'")
        place = parse_field(self._take("a path"))
        if self._accept("is"):
            if self._accept("not"):
                return place, _negated(self._operator() or self._equal())
            return place, self._operator() or self._equal()
        if self._accept("="):
            return place, self._equal()
        if not self.more():
            self._incomplete(f"an operator behind {place.label!r}")
        operator = self._operator()
        if operator is None:
            raise BodyError(
                f"the condition {self._text!r} has no operator that is known: {self._peek()!r} stands "
                f"behind {place.label!r}; write one of: {_FORMS}"
            )
        return place, operator

    def _operator(self) -> Node | None:
        word = self._peek()
        if word in ("exists", "absent", "any", "null"):
            return parse_operator(self._take(""))
        if word.startswith("!") and word[1:2].isalpha():
            return self._tag()
        sign = _SIGN.fullmatch(word)
        if sign:
            return self._comparison(sign)
        if word in ("a", "an"):
            return self._kind()
        reader = _WORDED.get(word)
        return None if reader is None else reader(self)

    def _comparison(self, sign: re.Match[str]) -> Node:
        if _PLACEHOLDER.fullmatch(self._peek()):
            self._refuse(
                f"{self._peek()} is filled by no examples",
                f'write Scenario Outline, with a column of this name, or quote the text: "{self._peek()}"',
            )
        self._at += 1
        if sign[2]:  # such as: total >5
            self._at -= 1
            self._words[self._at] = sign[2]
        word = self._peek()
        if sign[1] == "!=":
            return Tagged(SIGNS["!="], self._equal())
        node = self._value()
        if not has_order(node, word):
            self._refuse(f"{word!r} has no order", f'write a number or a moment, or quote the text: "{word}"')
        return Tagged(SIGNS[sign[1]], node)

    def _tag(self) -> Node:
        start = self._at
        while self._peek().startswith("!"):
            self._at += 1
        if self.more() and self._peek() not in _JOINED:
            self._at += 1
        return self._read(" ".join(self._words[start : self._at]))

    def _kind(self) -> Node | None:
        following = self._words[self._at + 1 :]
        for length in range(len(following), 0, -1):
            name = "_".join(following[:length])
            if name in kinds() or name.lower() in kinds():
                self._at += 1 + length
                return parse_operator(f"a {name}")
        return None

    def one_of(self) -> Node:
        self._at += 1
        if not self._accept("of"):
            self._left_over()
        start = self._at
        while self.more() and (self._peek() not in _JOINED):
            self._at += 1
        return self._items(" ".join(self._words[start : self._at]))

    def _items(self, text: str) -> Node:
        parts = [_words(part) for part in split_list(_QUOTED.sub(_as_json_text, text))]
        for part in parts:
            if len(part) != 1:
                what = "a value is missing" if not part else f"{' '.join(part)!r} is more than one value"
                raise BodyError(f"{what} in the condition {self._text!r}; write is one of A, B, with commas between")
        return Tagged("one_of", choices([part[0] for part in parts], text, self._checked))

    def between(self) -> Node:
        self._at += 1
        low = self._value()
        if not self._accept("and"):
            raise BodyError(f"the condition {self._text!r} says between without `and`; write is between 1 and 5")
        return Tagged("between", Items((low, self._value())))

    def approx(self) -> Node:
        self._at += 1
        start = self._at
        while self.more() and self._peek() not in _JOINED:
            self._at += 1
        return self._read(f"approx {' '.join(self._words[start : self._at])}")

    def matches(self) -> Node:
        self._at += 1
        return self._read(f"matches {self._take('/pattern/')}")

    def contains(self) -> Node:
        self._at += 1
        return Tagged("contains", self._value())

    def edge(self) -> Node:
        tag = f"{self._take('')}_with"
        if not self._accept("with"):
            self._left_over()
        return Tagged(tag, self._value())

    def length(self) -> Node:
        self._at += 1
        sign = _SIGN.fullmatch(self._peek())
        node = self._comparison(sign) if sign else self._value()
        if isinstance(node, Literal) and (isinstance(node.value, bool) or not isinstance(node.value, int)):
            raise BodyError(f"the condition {self._text!r} measures a length without a number; write length 3")
        return Tagged("length", node)

    def moment(self) -> Node:
        return self._read(f"{self._take('')} {self._take('a moment')}")

    # --- one word at a time ---------------------------------------------------------------------------

    def _value(self) -> Node:
        return self._checked(self._take("a value"))

    def _equal(self) -> Node:
        """A value that another one is to be, or not to be."""
        word = self._peek()
        node = self._value()
        if isinstance(node, Literal) and node.written == word:
            refuse_nearly(word)
        return node

    def _checked(self, word: str) -> Node:
        """One word as a value, or an error that says why it is none."""
        if word[0] == "'" or word[0] == '"':
            if not _QUOTED.fullmatch(word):
                self._refuse(f"{word} is no quoted text", "close the quote, and put a blank behind it")
            return parse_operand(_QUOTED.sub(_as_json_text, word))
        if _NO_WORD.fullmatch(word) or word[-1] in ",;" or word[0] in "=<>!,;":
            self._refuse(f"{word!r} is no value", f'quote it if this text is meant: "{word}"')
        if word[0] in "[{" and not _TEMPLATE.match(word):
            node = None if is_unclosed(word) else parse_operand(word)
            if node is None or isinstance(node, Literal):
                self._refuse(f"{word!r} is no JSON", f'quote it if this text is meant: "{word}"')
            return node
        if not _TEMPLATE.search(word) and (word.endswith(('"', "'")) or word.count("(") != word.count(")")):
            self._refuse(f"{word!r} closes what nothing has opened", "take the last sign away, or quote the whole text")
        if "," in word and not _TEMPLATE.search(word):
            self._refuse(f"{word!r} is more than one value", f'write is one of …, or quote the text: "{word}"')
        if word[0] == "(":
            self._refuse("it has parentheses", f'leave them out, or quote the text: "{word}"')
        return parse_operand(word)

    def _read(self, cell: str) -> Node:
        node = parse_operator(cell)
        if node is None:
            raise BodyError(f"{cell!r} cannot be read in the condition {self._text!r}; write one of: {_FORMS}")
        return node

    def _peek(self) -> str:
        return self._words[self._at] if self.more() else ""

    def _accept(self, word: str) -> bool:
        if self._peek() != word:
            return False
        self._at += 1
        return True

    def _take(self, wanted: str) -> str:
        if not self.more():
            self._incomplete(wanted)
        self._at += 1
        return self._words[self._at - 1]

    def _incomplete(self, wanted: str) -> NoReturn:
        raise BodyError(
            f"the condition {self._text!r} is not complete; write <path> is <value>, or: {_FORMS}; {wanted} is missing"
        )

    def _refuse(self, problem: str, remedy: str) -> NoReturn:
        raise BodyError(f"the condition {self._text!r} cannot be read: {problem}; {remedy}")

    def _left_over(self) -> NoReturn:
        read, rest = " ".join(self._words[: self._at]), " ".join(self._words[self._at :])
        told = f"the condition {self._text!r} is complete after {read!r}, and {rest!r} is left over"
        if (unitless := unit_missing(rest)) is not None:
            raise BodyError(f"{told}: {unitless}")
        raise BodyError(
            f'{told}; here can stand `and` or `or` with a further condition; quote a text of several words: "…"'
        )


_WORDED: dict[str, Callable[[_Reader], Node]] = {
    "one": _Reader.one_of,
    "between": _Reader.between,
    "approx": _Reader.approx,
    "matches": _Reader.matches,
    "contains": _Reader.contains,
    "starts": _Reader.edge,
    "ends": _Reader.edge,
    "length": _Reader.length,
    "before": _Reader.moment,
    "after": _Reader.moment,
}


def _negated(node: Node) -> Node:
    if isinstance(node, Tagged):
        return Tagged("not", node)
    return Tagged("not", Tagged("exactly", node)) if any(tags_in(node)) else Tagged("ne", node)


def _as_json_text(found: re.Match[str]) -> str:
    piece = found[0]
    if not piece.startswith("'"):
        return piece
    return json.dumps(piece[1:-1].replace("''", "'"), ensure_ascii=False)
