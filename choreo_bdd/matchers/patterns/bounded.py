"""Matching of patterns from outside within bounded time.

Python's matcher backtracks: with several repetitions in a pattern, time grows with a power of the text's length. It is
asked where that cannot be much; a longer text is walked through once, with every place of the pattern it may have
reached (Glushkov's automaton), so that time grows with the length only.
"""

from __future__ import annotations

import re
import re._compiler as compiler  # type: ignore[import-not-found]  # private, and the only compiler of parsed patterns
import re._constants as codes  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from functools import lru_cache
from itertools import chain
from math import factorial
from typing import Any

from msgspec import Struct, field

from choreo_bdd.matchers.patterns.safety import require_bounded

_MOST_TRIES = 10_000_000
"""Ways to try in less than about half a second."""
_FEW = 10
"""Times of a repetition that count as that many of its body; more count as endless."""
_MAX_PLACES = 2000
_MAX_STEPS = 2000
"""Steps of an automaton that are remembered."""
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
_CHARACTERS = (codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY)
_AT_START = (codes.AT_BEGINNING, codes.AT_BEGINNING_STRING)
_AT_END = (codes.AT_END, codes.AT_END_STRING)


_NAMES = {
    codes.ASSERT: "a look-around",
    codes.ASSERT_NOT: "a look-around",
    codes.GROUPREF: "a back reference",
    codes.GROUPREF_EXISTS: "a condition",
    codes.ATOMIC_GROUP: "an atomic group",
    codes.POSSESSIVE_REPEAT: "a possessive repetition",
}


class TooLongForPattern(TypeError):
    """A text for which a pattern could take too long, and which cannot be walked through once instead."""


def fullmatch(pattern: re.Pattern[str], text: str) -> bool:
    """Whether the whole text fits; ``TooLongForPattern`` for what look-arounds and back references make unbounded."""
    if len(text) <= _longest(pattern, 0):
        return pattern.fullmatch(text) is not None
    return _automaton(pattern, is_whole=True).accepts(text)


def search(pattern: re.Pattern[str], text: str) -> bool:
    """Whether some part of the text fits; raises the same."""
    if len(text) <= _longest(pattern, 1):
        return pattern.search(text) is not None
    found = _automaton(pattern, is_whole=False)
    return found.accepts(text) or (found.leaves_newline and text.endswith("\n") and found.accepts(text[:-1]))


@lru_cache(maxsize=256)
def bounded(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled. Raises ``re.error`` for none, and for one that could take exponential time."""
    compiled = re.compile(pattern)
    require_bounded(pattern)
    return compiled


@lru_cache(maxsize=256)
def _longest(pattern: re.Pattern[str], more: int) -> float:
    """The length of a text up to which backtracking is certain to be quick."""
    power = degree(parser.parse(pattern.pattern, pattern.flags)) + more
    if power <= 1:
        return float("inf")
    return float((_MOST_TRIES * factorial(min(power, 20))) ** (1 / power))


def degree(items: Iterable[Any]) -> int:
    """How many repetitions may share a text between them, and so the power of its length that time can grow with."""
    found = 0
    for code, argument in items:
        if code in _REPEATS:
            _, most, body = argument
            inside = degree(body)
            found += inside * most if most <= _FEW else inside + 1
        elif code is codes.BRANCH:
            found += max(map(degree, argument[1]))
        elif code is codes.SUBPATTERN:
            found += degree(argument[3])
        elif code is codes.ATOMIC_GROUP:
            found += degree(argument)
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            found += degree(argument[1])
        elif code is codes.GROUPREF_EXISTS:
            found += max(degree(each) for each in argument[1:] if each is not None)
        elif code is codes.GROUPREF:
            found += 1
    return found


class _Part(Struct, frozen=True):
    """Where a piece of a pattern begins and ends, and whether it fits the empty text."""

    first: frozenset[int] = frozenset()
    last: frozenset[int] = frozenset()
    is_empty: bool = True

    def then(self, after: _Part) -> _Part:
        return _Part(
            self.first | (after.first if self.is_empty else frozenset()),
            after.last | (self.last if after.is_empty else frozenset()),
            self.is_empty and after.is_empty,
        )


class Automaton(Struct):
    """The places of a pattern, each with the characters it takes, and which may follow which."""

    takes: list[Callable[[str], object]] = field(default_factory=list)
    follow: list[set[int]] = field(default_factory=list)
    whole: _Part = field(default_factory=_Part)
    leaves_newline: bool = False
    """Whether the pattern ends with ``$``, which stands before a last line's end, too."""
    _known: dict[str, frozenset[int]] = field(default_factory=dict)
    _steps: dict[tuple[frozenset[int], str], frozenset[int]] = field(default_factory=dict)

    def accepts(self, text: str) -> bool:
        """Whether the whole text fits; time grows with its length, at most times the number of places."""
        if not text:
            return self.whole.is_empty
        state = self.whole.first & self._taking(text[0])
        for char in text[1:]:
            if not state:
                return False
            state = self._after(state, char)
        return not state.isdisjoint(self.whole.last)

    def covered(self, text: str) -> Iterator[tuple[int, int]]:
        """Each stretch of a text whose characters all belong to something that fits; two walks over the text."""
        leaving = self._leaving(text)
        state: frozenset[int] = frozenset()
        begun: int | None = None
        for place, char in enumerate(text):
            state = self._after(state, char, begins=True)
            is_covered = not state.isdisjoint(leaving[place])
            if is_covered and begun is None:
                begun = place
            elif not is_covered and begun is not None:
                yield begun, place
                begun = None
        if begun is not None:
            yield begun, len(text)

    def _leaving(self, text: str) -> list[frozenset[int]]:
        """For each character the places that take it and from which what follows leads to an end."""
        found: list[frozenset[int]] = []
        known: dict[tuple[frozenset[int], str], frozenset[int]] = {}
        after: frozenset[int] = frozenset()
        for char in reversed(text):
            before = known.get((after, char))
            if before is None:
                last, follow = self.whole.last, self.follow
                before = frozenset(
                    each for each in self._taking(char) if each in last or not after.isdisjoint(follow[each])
                )
                if len(known) < _MAX_STEPS:
                    known[after, char] = before
            after = before
            found.append(after)
        found.reverse()
        return found

    def _after(self, state: frozenset[int], char: str, *, begins: bool = False) -> frozenset[int]:
        """Where a character leads from some places, or, where one ``begins`` anywhere, to a first one."""
        known = self._steps.get((state, char))
        if known is None:
            reached = chain.from_iterable(self.follow[at] for at in state)
            known = self._taking(char).intersection(chain(reached, self.whole.first if begins else ()))
            if len(self._steps) < _MAX_STEPS:
                self._steps[state, char] = known
        return known

    def _taking(self, char: str) -> frozenset[int]:
        known = self._known.get(char)
        if known is None:
            known = frozenset(at for at, takes in enumerate(self.takes) if takes(char))
            if len(self._known) < _MAX_STEPS:
                self._known[char] = known
        return known

    def sequence(self, items: Iterable[Any], state: Any) -> _Part:
        """The places of some items in a row, under the flags of ``state``."""
        whole = _Part()
        for item in items:
            part = self._part(item, state)
            self._join(whole.last, part.first)
            whole = whole.then(part)
        return whole

    def _part(self, item: Any, state: Any) -> _Part:
        code, argument = item
        if code in _CHARACTERS:
            return self._place(item, state)
        if code is codes.SUBPATTERN:
            _, added, removed, body = argument
            return self.sequence(body, _with_flags(state, (state.flags | added) & ~removed))
        if code is codes.BRANCH:
            parts = [self.sequence(each, state) for each in argument[1]]
            first, last = (frozenset().union(*(getattr(each, name) for each in parts)) for name in ("first", "last"))
            return _Part(first, last, any(each.is_empty for each in parts))
        if code in _REPEATS[:2]:
            least, most, body = argument
            return self._repeated(least, most, body, state)
        raise _unbounded(f"it has {_NAMES.get(code, 'an anchor inside')}")

    def _place(self, item: Any, state: Any) -> _Part:
        if len(self.takes) >= _MAX_PLACES:
            raise _unbounded(f"it repeats more than {_MAX_PLACES} characters")
        self.takes.append(compiler.compile(parser.SubPattern(state, [item]), state.flags).fullmatch)
        self.follow.append(set())
        place = frozenset({len(self.takes) - 1})
        return _Part(place, place, is_empty=False)

    def _repeated(self, least: int, most: int, body: Any, state: Any) -> _Part:
        is_endless = most == codes.MAXREPEAT
        whole, part = _Part(), _Part()
        for number in range(max(least, 1) if is_endless else most):
            part = self.sequence(body, state)
            self._join(whole.last, part.first)
            whole = whole.then(_Part(part.first, part.last, part.is_empty or number >= least))
        if is_endless:
            self._join(part.last, part.first)
        return whole

    def _join(self, before: Iterable[int], after: Iterable[int]) -> None:
        for one in before:
            self.follow[one].update(after)


@lru_cache(maxsize=256)
def _automaton(pattern: re.Pattern[str], *, is_whole: bool) -> Automaton:
    parsed = parser.parse(pattern.pattern, pattern.flags)
    items = list(parsed)
    is_at_start = is_at_end = is_whole
    made = Automaton()
    if not parsed.state.flags & re.MULTILINE:
        while items and items[0][0] is codes.AT and items[0][1] in _AT_START:
            del items[0]
            is_at_start = True
        while items and items[-1][0] is codes.AT and items[-1][1] in _AT_END:
            is_at_end = True
            made.leaves_newline = items.pop()[1] is codes.AT_END
    anything = (codes.MAX_REPEAT, (0, codes.MAXREPEAT, [(codes.IN, [(codes.NEGATE, None)])]))
    around = ([] if is_at_start else [anything], [] if is_at_end else [anything])
    made.whole = made.sequence([*around[0], *items, *around[1]], parsed.state)
    return made


def _with_flags(state: Any, flags: int) -> Any:
    inner = copy(state)
    inner.flags = flags
    return inner


def _unbounded(why: str) -> TooLongForPattern:
    return TooLongForPattern(
        f"this pattern could take too long on a text of this length, and cannot be matched in one pass: {why}. "
        "Use fewer repetitions, or plain ones: no look-around, back reference or anchor inside"
    )
