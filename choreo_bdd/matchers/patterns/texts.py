"""Texts that fit a pattern as a whole: some of them, or that there are none."""

from __future__ import annotations

import re
import re._compiler as compiler  # type: ignore[import-not-found]  # private, and the only compiler of parsed patterns
import re._constants as codes  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from random import Random
from typing import Any

from choreo_bdd.matchers.patterns.bounded import bounded

_TRIES = 300
_LIKELY = "aZ0 -_.,:;@/\n" + "".join(map(chr, range(33, 127))) + "\té\u00df\u0416\u4e2d\U0001f600"
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
_CLASSES = (codes.IN, codes.NOT_LITERAL, codes.ANY)
_AT_START = (codes.AT_BEGINNING, codes.AT_BEGINNING_STRING)
_LOOKING = (codes.ASSERT, codes.ASSERT_NOT, codes.GROUPREF, codes.GROUPREF_EXISTS)


def texts(pattern: str) -> Iterator[str]:
    """Some texts that fit, found by trying; none where trying found none. The same ones each time."""
    if fits_nothing(pattern):
        return
    compiled, parsed = bounded(pattern), parser.parse(pattern)
    writer, known = _Writer(parsed.state, Random(pattern)), set[str]()
    for _ in range(_TRIES):
        text = writer.sequence(parsed)
        if text not in known and compiled.fullmatch(text):
            yield text
        known.add(text)
        writer.plain = False


def fits_nothing(pattern: str) -> bool:
    """Whether no text fits, as far as anchors and classes tell: ``a^``, ``$a``, ``[^\\s\\S]``. Raises ``re.error``."""
    parsed = parser.parse(pattern)
    return _least(list(parsed), parsed.state, 0, 0) is None


def _least(items: Sequence[Any], state: Any, before: int, after: int) -> int | None:
    """The least characters that some items take, with so many around them at least; ``None`` where nothing fits."""
    alone = [_least_of_one(each, state, 0, 0) for each in items]
    taken = 0
    for index, item in enumerate(items):
        behind = sum(each or 0 for each in alone[index + 1 :]) + after
        own = _least_of_one(item, state, before + taken, behind)
        if own is None or (item == (codes.AT, codes.AT_END) and not _may_end_before(items[index + 1 :], state)):
            return None
        taken += own
    return taken


def _least_of_one(item: Any, state: Any, before: int, after: int) -> int | None:
    code, argument = item
    if _is_never(item, state, before, after):
        return None
    if code in (codes.SUBPATTERN, codes.ATOMIC_GROUP):
        return _least(argument[3] if code is codes.SUBPATTERN else argument, state, before, after)
    if code is codes.BRANCH:
        ways = [_least(each, state, before, after) for each in argument[1]]
        return min((each for each in ways if each is not None), default=None)
    if code in _REPEATS:
        least, _, body = argument
        own = 0 if least == 0 else _least(body, state, before if least == 1 else 0, after if least == 1 else 0)
        return None if own is None else least * own
    return 1 if code in (codes.LITERAL, *_CLASSES) else 0


def _is_never(item: Any, state: Any, before: int, after: int) -> bool:
    """Whether something by itself fits nowhere: an anchor out of its place, a class of no character, ``(?!)``."""
    code, argument = item
    if code is codes.AT:
        return _is_out_of_place(argument, state, before, after)
    if code in _CLASSES:
        return not _characters(item, state)
    return code is codes.FAILURE or (code is codes.ASSERT_NOT and not argument[1])


def _is_out_of_place(anchor: Any, state: Any, before: int, after: int) -> bool:
    if anchor is codes.AT_BEGINNING_STRING or (anchor in _AT_START and not state.flags & re.MULTILINE):
        return before > 0
    if anchor is codes.AT_END_STRING:
        return after > 0
    return anchor is codes.AT_END and not state.flags & re.MULTILINE and after > 1  # a last line's end may follow


def _may_end_before(rest: Sequence[Any], state: Any) -> bool:
    """Whether what follows ``$`` may be nothing, or the end of the last line."""
    if state.flags & re.MULTILINE or not rest or any(code in _LOOKING for code, _ in rest):
        return True
    try:
        compiled = compiler.compile(parser.SubPattern(state, list(rest)), state.flags)
    except (re.error, RuntimeError):
        return True
    return any(compiled.fullmatch(end) for end in ("", "\n"))


def _characters(item: Any, state: Any) -> Sequence[str]:
    """Some characters of a class, the likely ones first; none where it has none."""
    made = compiler.compile(parser.SubPattern(state, [item]), state.flags)
    found = (
        made.search(_every_character()) if not (likely := [each.group() for each in made.finditer(_LIKELY)]) else None
    )
    return likely if found is None else [str(found.group())]


@cache
def _every_character() -> str:
    return "".join(map(chr, range(sys.maxunicode + 1)))


class _Writer:
    """Texts after a pattern, their choices by chance, or ``plain``: the first and the fewest."""

    def __init__(self, state: Any, random: Random) -> None:
        self._state, self._random = state, random
        self._groups: dict[int, str] = {}
        self._classes: dict[str, Sequence[str]] = {}
        self.plain = True

    def sequence(self, items: Iterable[Any]) -> str:
        return "".join(map(self._one, items))

    def _one(self, item: Any) -> str:
        code, argument = item
        if code is codes.LITERAL:
            return chr(argument)
        if code in _CLASSES:
            return self._of_class(item)
        if code is codes.GROUPREF:
            return self._groups.get(argument, "")
        text = "".join(self.sequence(each) for each in self._inside(code, argument))
        if code is codes.SUBPATTERN:
            self._groups[argument[0]] = text
        return text

    def _inside(self, code: Any, argument: Any) -> Sequence[Any]:
        """What stands for an item, one after the other."""
        if code in (codes.SUBPATTERN, codes.ATOMIC_GROUP):
            return [argument[3] if code is codes.SUBPATTERN else argument]
        if code is codes.BRANCH:
            return [argument[1][0] if self.plain else self._random.choice(argument[1])]
        if code in _REPEATS:
            least, most, body = argument
            return [body] * (least if self.plain else self._random.randint(least, min(most, least + 3)))
        return []

    def _of_class(self, item: Any) -> str:
        name = repr(item)
        if name not in self._classes:
            self._classes[name] = _characters(item, self._state) or [""]
        fitting = self._classes[name]
        return fitting[0] if self.plain else self._random.choice(fitting)
