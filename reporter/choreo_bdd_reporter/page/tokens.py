"""The tokens of a script, each with what surrounds it: enough to tighten it and to give its names shorter ones.

It knows the dialect of ``bundle`` and no more: no classes, no labels, comments on lines of their own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


_TOKEN = re.compile(
    r"(?P<text>'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\")|(?P<name>[A-Za-z_$][\w$]*)|(?P<number>\d[\w.]*)|(?P<space>\s+)"
    r"|(?P<sign>=>|\.\.\.|\?\.|[=!]==?|[<>]=|[-+]{2}|[-+]=|\*\*|\?\?=?|\|\|=?|&&=?|.)"
)
_PATTERN = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_TEMPLATE = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*", re.DOTALL)
# a slash after one of these begins a pattern, a brace an object
_BEFORE_VALUE = words("( , = : [ ! & | ? ?? || && { } ; => + return case in of")
_BEFORE_OBJECT = words("( , = : [ ? ?? || && ... return const let of in")
_CLOSING = {"}": ("{", "object", "${"), ")": ("(",), "]": ("[",)}
_SHORTER = {"true": "!0", "false": "!1"}
_OPENS_BINDING = words("( , { [ ...")
_ENDS_BINDING = words(", ) } ] =")
_DECLARES = words("async const function let")
KEYWORDS = words(
    "as async await break case catch const continue default delete do else false finally for from function get if in "
    "instanceof let new null of return super switch this throw true try typeof undefined void while yield"
)


@dataclass(frozen=True, slots=True)
class Use:
    """A variable named at a place in the tokens.

    There it may be a property of the same name as well, as in ``{ name }``; ``binds`` where the name may be made.
    """

    index: int
    name: str
    as_property: bool
    binds: bool


class Token(NamedTuple):
    """A piece of a script; ``within`` is the bracket around: ``{`` of a block, ``object``, ``(``, ``[`` or ``${``."""

    kind: str
    text: str
    within: str = ""


def tokens(source: str) -> list[Token]:
    """The whole source in pieces, spaces included."""
    found: list[Token] = []
    around: list[str] = []
    place, last = 0, ";"
    while place < len(source):
        token, place = _next(source, place, last, around)
        found.append(token)
        if token.kind != "space":
            last = token.text
    return found


def _next(source: str, place: int, last: str, around: list[str]) -> tuple[Token, int]:
    within = around[-1] if around else ""
    if source[place] == "`" or (within == "${" and source[place] == "}"):
        return _template_part(source, place, around)
    inserted = last.endswith("${")
    if source[place] == "/" and (inserted or last in _BEFORE_VALUE) and (match := _PATTERN.match(source, place)):
        return Token("text", match[0], within), match.end()
    match = _TOKEN.match(source, place)
    assert match is not None, f"no token at {source[place : place + 20]!r}"
    text = match[0]
    if text in _CLOSING and around and around[-1] in _CLOSING[text]:
        around.pop()
    token = Token(match.lastgroup or "", text, around[-1] if around else "")
    if text in ("(", "[", "{"):
        around.append("object" if text == "{" and (inserted or last in _BEFORE_OBJECT) else text)
    return token, match.end()


def _template_part(source: str, place: int, around: list[str]) -> tuple[Token, int]:
    """From the opening quote, or the end of an inserted value, to the next value or the closing quote."""
    if source[place] == "}":
        around.pop()
    match = _TEMPLATE.match(source, place + 1)
    assert match is not None
    end = match.end()
    if source.startswith("${", end):
        around.append("${")
        return Token("text", source[place : end + 2]), end + 2
    return Token("text", source[place : end + 1]), end + 1


def uses(source: Sequence[Token]) -> Iterator[Use]:
    """Every place where a variable is named; names of properties and methods are none."""
    solid = [index for index, token in enumerate(source) if token.kind != "space"]
    ends = [";", *(source[index].text for index in solid), ";"]
    for at, index in enumerate(solid):
        token, before, after = source[index], ends[at], ends[at + 2]
        if token.kind != "name" or token.text in KEYWORDS or before in (".", "?."):
            continue
        in_object = token.within == "object" and before in ("{", ",", "async", "get")
        if not (in_object and after in (":", "(")):
            opens = before in _OPENS_BINDING or (before == ":" and token.within == "object")
            is_bound = before in ("const", "let", "function") or (opens and after in _ENDS_BINDING)
            yield Use(index, token.text, in_object and after in (",", "}", "="), is_bound or after == "=>")


def top_statements(source: Sequence[Token]) -> list[int]:
    """For each token the number of the statement at the top of the script that it stands in."""
    begins = (token.kind == "name" and not token.within and token.text in _DECLARES for token in source)
    return list(accumulate(begins))


def renamed(source: Sequence[Token], names: Iterable[tuple[Use, str]]) -> list[Token]:
    """The tokens with variables called as ``names`` says."""
    tokens = list(source)
    for use, short in names:
        tokens[use.index] = Token("name", f"{use.name}:{short}" if use.as_property else short, source[use.index].within)
    return tokens


def shared_texts(source: Sequence[Token]) -> list[Token]:
    """The tokens with a variable for each text that is written out so often that naming it takes less room."""
    solid = [index for index, token in enumerate(source) if token.kind != "space"]
    texts = [index for index in solid if source[index].kind == "text" and source[index].text[0] == "'"]
    counts = Counter(source[index].text for index in texts)
    names = {text: f"text_{number}" for number, text in enumerate(counts) if _is_worth_a_name(text, counts[text])}
    places = {index: at for at, index in enumerate(solid)}
    kept = tokens("".join(f"const {name} = {text};\n" for text, name in names.items()))
    for index, token in enumerate(source):
        if token.kind != "text" or token.text not in names:
            kept.append(token)
            continue
        name = Token("name", names[token.text], "[")
        at = places[index]
        is_key = token.within == "object" and source[solid[at - 1]].text in ("{", ",") and at + 1 < len(solid)
        kept += _computed(name) if is_key and source[solid[at + 1]].text == ":" else [name]
    return kept


def _is_worth_a_name(text: str, count: int) -> bool:
    """With a name of two letters, and room to spare for those places where brackets have to stand around it."""
    return count * (len(text) - 3) > len(text) + 4


def _computed(name: Token) -> list[Token]:
    return [Token("sign", "[", "object"), name, Token("sign", "]", "object")]


def joined(source: Sequence[Token]) -> list[Token]:
    """The tokens with one declaration where several followed each other, and no brackets around a lone parameter.

    ``const`` becomes ``let``: that nothing is assigned to it is checked where the modules are.
    """
    kept: list[Token] = []
    declares = [False]  # whether the statement that is open at each depth is a declaration
    last = -1  # where the last token that is no space stands
    for token in source:
        if token.kind == "space":
            kept.append(token)
            continue
        is_declaring = token.kind == "name" and token.text in ("const", "let")
        if last >= 0 and kept[last].text == ";":
            if is_declaring and declares[-1]:
                kept[last] = Token("sign", ",")
                continue
            declares[-1] = False
        declares[-1] = declares[-1] or is_declaring
        kept.append(Token("name", "let", token.within) if is_declaring else _shortest(token))
        _step(declares, token)
        if token.text == "=>":
            _unwrap_parameter(kept)
        last = len(kept) - 1
    return kept


def _shortest(token: Token) -> Token:
    """``true`` and ``false`` as ``!0`` and ``!1``; the dialect has no property of these names."""
    short = _SHORTER.get(token.text) if token.kind == "name" else None
    return token if short is None else Token("sign", short, token.within)


def _step(depths: list[bool], token: Token) -> None:
    """Into what a bracket opens, or out of what it closes; a part of a template may do both."""
    is_template = token.kind == "text"
    if token.text[0] in ")]}":
        depths.pop()
    if token.text.endswith("${") if is_template else token.text in ("(", "[", "{"):
        depths.append(False)


def _unwrap_parameter(kept: list[Token]) -> None:
    """``(name) =>`` at the end of the tokens becomes ``name =>``; after ``async`` it stays."""
    solid = [index for index in range(max(0, len(kept) - 10), len(kept)) if kept[index].kind != "space"][-5:]
    shape = [kept[index].text for index in solid]
    if (
        len(shape) == 5
        and shape[1] == "("
        and shape[3] == ")"
        and kept[solid[2]].kind == "name"
        and shape[0] != "async"
    ):
        del kept[solid[3]], kept[solid[1]]


_NEEDLESS = {("}", ";"), ("}", ","), ("]", ","), (")", ",")}
"""What closes, and what need not stand before it."""


def tightened(source: Sequence[Token]) -> str:
    """The text without spaces that mean nothing. A line break stays where a statement may end without a semicolon.

    A semicolon before a closing brace goes, too: no loop of the dialect has an empty statement for a body. So does the
    comma after the last of a list: no list of the dialect has holes.
    """
    kept: list[str] = []
    for index, token in enumerate(source):
        if token.kind != "space":
            if kept and (token.text, kept[-1]) in _NEEDLESS:
                kept.pop()
            kept.append(token.text)
        elif kept and index + 1 < len(source) and (gap := _gap(kept[-1], token.text, source[index + 1].text)):
            kept.append(gap)
    return "".join(kept)


def _gap(before: str, space: str, after: str) -> str:
    if "\n" in space and before[-1] not in ";{,([?:=&|" and not re.match(r"\}[\w}]", before[-1] + after):
        return "\n"
    touching = before[-1:] + after[:1]
    return " " if re.fullmatch(r"[\w$]{2}|\+\+|--", touching) else ""
