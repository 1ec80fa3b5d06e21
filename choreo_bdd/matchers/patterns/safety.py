"""Regular expressions that could take exponential time: refused before a message can make them do so.

Python's matcher tries every way in which a pattern fits. Inside a repetition there must be but one way for each text,
else the ways multiply with every character. A pattern is seen as an automaton over its characters (Glushkov's), and
a repetition is ambiguous when two runs over the same text part and meet again (A. Weideman et al., CIAA 2016).
"""

from __future__ import annotations

import re
import re._constants as codes  # type: ignore[import-not-found]  # private, and the only parser of this language
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterable
from functools import cache
from typing import Any

from msgspec import Struct, field

_MANY = 10
"""Repetitions up to which ways may multiply."""
_MAX_CHARACTERS = 100
"""Of one repetition; more pairs of them would take too long to look at."""
_SAMPLE = "".join(map(chr, range(256))) + "\u0131\u017f\u0430\u05d0\u2028\u3042\u4e00\U0001f600"
_ALL = (1 << len(_SAMPLE)) - 1


def require_bounded(pattern: str, flags: int = 0) -> None:
    """Raise ``re.error`` for a pattern in which a repetition can fit one text in more than one way."""
    parsed = parser.parse(pattern, flags)
    ignores_case = bool(parsed.state.flags & re.IGNORECASE)
    for least, body in _repeated(parsed):
        automaton = _Automaton(ignores_case)
        whole = automaton.sequence(body)
        automaton.loop(whole)
        if automaton.is_ambiguous() or (whole.is_empty and least > _MANY):
            raise re.error(
                "this pattern can take exponential time: what it repeats fits one text in several ways, as (a+)+ does. "
                "Repeat each thing once, as in a+, or separate the repetitions by a character that neither has",
                pattern,
            )


def _repeated(items: Iterable[Any]) -> Iterable[tuple[int, Any]]:
    """The bodies of the outermost repetitions, each with the least number of its times."""
    for code, argument in items:
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            least, most, body = argument
            if most == codes.MAXREPEAT or most > _MANY:
                yield least, body
            else:
                yield from _repeated(body)
        else:
            for inner in _bodies(code, argument):
                yield from _repeated(inner)


def _bodies(code: Any, argument: Any) -> list[Any]:
    if code is codes.SUBPATTERN:
        return [argument[3]]
    if code is codes.BRANCH:
        return list(argument[1])
    if code in (codes.ASSERT, codes.ASSERT_NOT):
        return [argument[1]]
    if code is codes.ATOMIC_GROUP:
        return [argument]
    if code is codes.GROUPREF_EXISTS:
        return [each for each in argument[1:] if each is not None]
    return []


class _Part(Struct):
    """A piece of a pattern: which characters it begins and ends with, and whether it fits the empty text."""

    first: frozenset[int] = frozenset()
    last: frozenset[int] = frozenset()
    is_empty: bool = True


class _Automaton(Struct):
    """The characters of a pattern, each with the set it stands for, and which may follow which."""

    ignores_case: bool = False
    sets: list[int] = field(default_factory=list)
    follow: dict[int, set[int]] = field(default_factory=dict)
    is_doubled: bool = False

    def sequence(self, items: Iterable[Any]) -> _Part:
        whole = _Part()
        for code, argument in items:
            part = self._part(code, argument)
            self._join(whole.last, part.first)
            whole = _Part(
                whole.first | (part.first if whole.is_empty else frozenset()),
                part.last | (whole.last if part.is_empty else frozenset()),
                whole.is_empty and part.is_empty,
            )
        return whole

    def loop(self, part: _Part) -> None:
        self._join(part.last, part.first)

    def _join(self, before: Iterable[int], after: Iterable[int]) -> None:
        for one in before:
            known = self.follow.setdefault(one, set())
            self.is_doubled = self.is_doubled or not known.isdisjoint(after)  # in two ways from one to the next
            known.update(after)

    def _part(self, code: Any, argument: Any) -> _Part:
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            least, most, body = argument
            part = self.sequence(body)
            if part.is_empty and (least == 0 or most > 1):
                self.is_doubled = True  # nothing is there once, or not at all
            if most > 1:
                self.loop(part)
            return _Part(part.first, part.last, part.is_empty or least == 0)
        if code in (codes.AT, codes.ASSERT, codes.ASSERT_NOT):
            return _Part()
        inside = _bodies(code, argument)
        if not inside:
            return self._character(_characters(code, argument), may_be_empty=code is codes.GROUPREF)
        parts = [self.sequence(body) for body in inside]
        if code is codes.BRANCH and sum(each.is_empty for each in parts) > 1:
            self.is_doubled = True  # nothing fits in two ways; Python reads (ab|ab) as ab(|)
        return _Part(
            frozenset().union(*(each.first for each in parts)),
            frozenset().union(*(each.last for each in parts)),
            any(each.is_empty for each in parts),
        )

    def _character(self, characters: int, *, may_be_empty: bool) -> _Part:
        place = frozenset({len(self.sets)})
        self.sets.append(_in_both_cases(characters) if self.ignores_case else characters)
        return _Part(place, place, may_be_empty)

    def is_ambiguous(self) -> bool:
        """Whether two runs over one text can part and meet again."""
        if self.is_doubled or len(self.sets) > _MAX_CHARACTERS:
            return True
        return any(self._part_and_meet(start) for start in range(len(self.sets)))

    def _part_and_meet(self, start: int) -> bool:
        seen = {(start, start)}
        waiting = [(start, start)]
        while waiting:
            one, other = waiting.pop()
            for pair in self._next(one, other):
                if pair[0] == pair[1] and one != other:
                    return True
                if pair not in seen and (pair[0] != pair[1] or one == other):
                    seen.add(pair)
                    waiting.append(pair)
        return False

    def _next(self, one: int, other: int) -> Iterable[tuple[int, int]]:
        for after in self.follow.get(one, ()):
            for beside in self.follow.get(other, ()):
                if self.sets[after] & self.sets[beside]:
                    yield after, beside


def _characters(code: Any, argument: Any) -> int:
    """The characters of the sample that one place of a pattern takes, as bits."""
    if code is codes.LITERAL:
        return _fitting(re.escape(chr(argument))) or _ALL  # one beyond the sample may be any
    if code is codes.NOT_LITERAL:
        return _ALL & ~_fitting(re.escape(chr(argument)))
    if code is codes.IN:
        return _in(argument)
    return _ALL


def _in(items: Iterable[Any]) -> int:
    found, is_negated = 0, False
    for code, argument in items:
        if code is codes.NEGATE:
            is_negated = True
        elif code is codes.LITERAL:
            found |= 1 << argument if argument < 256 else 0
        elif code is codes.RANGE:
            least, most = argument
            found |= sum(1 << at for at, char in enumerate(_SAMPLE) if least <= ord(char) <= most)
        elif code is codes.CATEGORY:
            found |= _category(str(argument))
    found = _ALL & ~found if is_negated else found
    return found or _ALL


def _in_both_cases(characters: int) -> int:
    chars = {char for at, char in enumerate(_SAMPLE) if characters >> at & 1}
    both = {each.lower() for each in chars} | {each.upper() for each in chars} | chars
    return sum(1 << at for at, char in enumerate(_SAMPLE) if char in both)


@cache
def _category(name: str) -> int:
    letter = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[name.rpartition("_")[2]]
    return _fitting(f"\\{letter.upper() if '_NOT_' in name else letter}")


@cache
def _fitting(pattern: str) -> int:
    compiled = re.compile(pattern, re.DOTALL)
    return sum(1 << at for at, char in enumerate(_SAMPLE) if compiled.fullmatch(char))
