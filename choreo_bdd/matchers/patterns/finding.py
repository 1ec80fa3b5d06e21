"""What a pattern from outside finds in a text, in time that grows with the text's length only.

A short text, or a pattern that is quick on every text, is left to Python's matcher. Else two walks over the text tell
which characters belong to something that fits (Glushkov's automaton, forwards and backwards): what overlaps counts as
one find, and look-arounds and word boundaries are not looked at, so that rather more is found than less.
"""

from __future__ import annotations

import re
import re._constants as codes  # type: ignore[import-not-found]  # private, and the only parser of this language
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterable, Iterator
from math import factorial
from typing import Any

from choreo_bdd.matchers.patterns.bounded import Automaton, degree
from choreo_bdd.matchers.patterns.safety import require_bounded

_MOST_TRIES = 20_000
"""Ways to try in about a millisecond."""
_ZERO_WIDTH = (codes.ASSERT, codes.ASSERT_NOT, codes.AT)
_UNFINDABLE = (codes.GROUPREF, codes.GROUPREF_EXISTS)


class Finder:
    """Finds a pattern. Raises ``re.error`` for none, and for one that could take too long on some text."""

    __slots__ = ("_automaton", "_longest", "_needed", "pattern")

    def __init__(self, pattern: str) -> None:
        require_bounded(pattern)
        self.pattern = re.compile(pattern)
        parsed = parser.parse(pattern)
        power = degree(parsed) + 1
        self._longest = float("inf") if power <= 1 else (_MOST_TRIES * factorial(min(power, 20))) ** (1 / power)
        ignores_case = bool(parsed.state.flags & re.IGNORECASE)
        self._needed = "" if ignores_case else _longest_literal(parsed)
        self._automaton: Automaton | None = None
        if self._longest != float("inf"):
            self._automaton = Automaton()
            self._automaton.whole = self._automaton.sequence(_consuming(parsed, pattern), parsed.state)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Finder) and self.pattern == other.pattern

    def __hash__(self) -> int:
        return hash(self.pattern)

    def is_in(self, text: str) -> bool:
        """Whether there is anything to find."""
        return next(self.spans(text), None) is not None

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where it is found: begin and end of each, in order; never empty ones."""
        if self._needed not in text:
            return iter(())
        if self._automaton is None or len(text) <= self._longest:
            return (match.span() for match in self.pattern.finditer(text) if match.end() > match.start())
        return self._automaton.covered(text)


def _longest_literal(items: Iterable[Any]) -> str:
    """A text that stands in everything that fits."""
    best = run = ""
    for code, argument in items:
        run = run + chr(argument) if code is codes.LITERAL else ""
        best = max(best, run, key=len)
    return best


def _consuming(items: Iterable[Any], pattern: str) -> list[Any]:
    """The same without what takes no character, and with what never gives back as what does."""
    kept: list[Any] = []
    for code, argument in items:
        if code in _UNFINDABLE:
            raise re.error(
                "with a back reference or a condition it can take too long; write out what it stands for", pattern
            )
        if code in _ZERO_WIDTH:
            continue
        if code is codes.ATOMIC_GROUP:
            kept += _consuming(argument, pattern)
        elif code is codes.SUBPATTERN:
            group, added, removed, body = argument
            kept.append((code, (group, added, removed, _consuming(body, pattern))))
        elif code is codes.BRANCH:
            kept.append((code, (argument[0], [_consuming(each, pattern) for each in argument[1]])))
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            least, most, body = argument
            kept.append((codes.MAX_REPEAT, (least, most, _consuming(body, pattern))))
        else:
            kept.append((code, argument))
    return kept
