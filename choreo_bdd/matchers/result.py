"""What a matcher answers: a verdict, a sentence, and on failure a typed tree of what differs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

FailureKind = Literal["missing", "mismatch", "type_mismatch", "predicate", "composed"]
"""missing: path absent · mismatch: equality failed · type_mismatch: comparison impossible or wrong
container · predicate: a declared condition was false · composed: see the children."""

ROOT_PATH = "<root>"
RAW_PATH = "<raw>"
COMPOSED_ALL = "all_of"
COMPOSED_ANY = "any_of"

_UNPLACED = frozenset({ROOT_PATH, COMPOSED_ALL, COMPOSED_ANY})
_SHOWN_CHARACTERS = 200
_INDEX = re.compile(r"(?:^|\.)(-?\d{1,3})(?=\.|$)")


@dataclass(frozen=True, slots=True)
class MatchFailure:
    """One difference between what was expected and what arrived; ``children`` explain a composition."""

    kind: FailureKind
    path: str
    expected: object
    actual: object = None
    children: tuple[MatchFailure, ...] = ()


@dataclass(frozen=True, slots=True)
class MatchResult:
    """A matcher's verdict; ``failure`` is None when it matched or when the matcher gives no structure."""

    matched: bool
    reason: str
    failure: MatchFailure | None = None


class Miss(Struct):
    """A failure on its way out of a nested walk; it picks up the keys it passes, so that no level makes a new one."""

    reason: str
    failure: MatchFailure
    path: str = ROOT_PATH

    def inside(self, part: str | int) -> Miss:
        """The same miss seen from one level further out."""
        self.path = str(part) if self.path is ROOT_PATH else f"{part}.{self.path}"
        return self

    def result(self) -> MatchResult:
        """The finished verdict, its failure placed at the walked path."""
        if self.path is ROOT_PATH:
            return MatchResult(False, self.reason, self.failure)
        return MatchResult(False, f"{self.path}: {self.reason}", rerooted(self.failure, self.path))


def matched(description: str) -> MatchResult:
    """The verdict a matcher with this description gives on success; built once and handed out often."""
    return MatchResult(True, f"matched {description}")


def missed(failure: MatchFailure, reason: str) -> MatchResult:
    """A negative verdict."""
    return MatchResult(False, reason, failure)


def rerooted(failure: MatchFailure, path: str) -> MatchFailure:
    """``failure`` with every path that names no field of its own replaced by ``path``, children included."""
    place = path if failure.path in _UNPLACED else failure.path
    if place == failure.path and not failure.children:
        return failure
    children = tuple(rerooted(child, path) for child in failure.children)
    return MatchFailure(failure.kind, place, failure.expected, failure.actual, children)


def prefixed(failure: MatchFailure, prefix: str) -> MatchFailure:
    """``failure`` as seen from a level whose path to here is ``prefix``: relative paths become full ones."""
    if prefix == ROOT_PATH:
        return failure
    children = tuple(prefixed(child, prefix) for child in failure.children)
    return MatchFailure(failure.kind, joined(prefix, failure.path), failure.expected, failure.actual, children)


def joined(prefix: str, path: str) -> str:
    """``path`` below ``prefix``, both dotted; names that stand for "here" or for raw bytes join as such."""
    if path in _UNPLACED:
        return prefix
    return path if path == RAW_PATH else f"{prefix}.{path}"


def path_as_written(path: str) -> str:
    """A dotted path as authors write it: ``lines.0.sku`` is ``lines[0].sku``.

    It does not tell an index from a key of digits; from four digits on (a year, an id) it is taken for a key.
    """
    return _INDEX.sub(r"[\1]", path)


def show(value: object) -> str:
    """A value's ``repr``, cut to a length that fits in a sentence."""
    text = repr(value)
    if len(text) <= _SHOWN_CHARACTERS:
        return text
    return f"{text[:_SHOWN_CHARACTERS]}… ({len(text)} characters)"
