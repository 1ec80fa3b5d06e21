"""Matchers of one field, reached by a path."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from choreo_bdd.matchers import leaves
from choreo_bdd.matchers.closeness import Closeness, closeness, total
from choreo_bdd.matchers.leaves import ValueMatcher
from choreo_bdd.matchers.protocols import Matcher, admits_missing, failure_of, rendered
from choreo_bdd.matchers.quantifiers import NO_ELEMENT, list_expected
from choreo_bdd.matchers.result import ROOT_PATH, MatchFailure, MatchResult, Miss, matched, prefixed
from choreo_bdd.matchers.values.paths import (
    MISSING,
    FieldPath,
    Quantifier,
    Segment,
    parse_path,
    path_label,
    path_parts,
    step,
)


class PathMatcher(Struct, frozen=True):
    """A matcher applied to what stands at a path; an absent field is ``missing`` unless it may be absent."""

    segments: tuple[Segment, ...]
    label: str
    matcher: Matcher
    description: str
    ok: MatchResult
    nonempty: bool = False

    def match(self, payload: object) -> MatchResult:
        """Judge the field."""
        miss = self._probe(payload, self.segments)
        if miss is None:
            return self.ok
        return MatchResult(False, f"{miss.path}: {miss.reason}", prefixed(miss.failure, miss.path))

    def expected_shape(self) -> object:
        """``{path as written: shape of the value}``."""
        return {self.label: rendered(self.matcher)}

    def closeness(self, payload: object) -> Closeness:
        """How near the field comes; ``[*]`` counts each element, ``[?]`` the nearest one."""
        return self._closeness(payload, self.segments)

    def _probe(self, node: object, segments: tuple[Segment, ...]) -> Miss | None:
        if not segments:
            return self._judge(node)
        head, rest = segments[0], segments[1:]
        if isinstance(head, Quantifier):
            return self._probe_elements(node, head, rest)
        below = step(node, head)
        miss = self._absence(rest) if below is MISSING else self._probe(below, rest)
        return miss and miss.inside(head)

    def _judge(self, value: object) -> Miss | None:
        result = self.matcher.match(value)
        if result.matched:
            return None
        return Miss(result.reason, failure_of(self.matcher, value, result))

    def _absence(self, below: tuple[Segment, ...]) -> Miss | None:
        if admits_missing(self.matcher):
            return None
        failure = MatchFailure("missing", ROOT_PATH, rendered(self.matcher))
        miss = Miss(f"missing, expected {self.matcher.description}", failure)
        for segment in reversed(below):
            miss = miss.inside(segment.value if isinstance(segment, Quantifier) else segment)
        return miss

    def _probe_elements(self, node: object, which: Quantifier, rest: tuple[Segment, ...]) -> Miss | None:
        if not isinstance(node, list):
            return Miss(f"expected a list, got {type(node).__name__}", list_expected(node))
        if which is Quantifier.EVERY and self.nonempty and not node:
            return Miss(NO_ELEMENT, MatchFailure("composed", ROOT_PATH, rendered(self.matcher), []))
        misses = (self._probe_element(index, each, rest) for index, each in enumerate(node))
        if which is Quantifier.EVERY:
            return next((miss for miss in misses if miss), None)
        failures: list[MatchFailure] = []
        for miss in misses:
            if miss is None:
                return None
            failures.append(prefixed(miss.failure, miss.path))
        reason = f"no element satisfies {self.matcher.description} ({len(node)} tried)"
        expected = rendered(self.matcher)
        return Miss(reason, MatchFailure("composed", ROOT_PATH, expected, None, tuple(failures)))

    def _probe_element(self, index: int, element: object, rest: tuple[Segment, ...]) -> Miss | None:
        miss = self._probe(element, rest)
        return miss and miss.inside(index)

    def _closeness(self, node: object, segments: tuple[Segment, ...]) -> Closeness:
        if not segments:
            return closeness(self.matcher, node)
        head, *rest = segments
        if not isinstance(head, Quantifier):
            below = step(node, head)
            if below is not MISSING:
                return self._closeness(below, tuple(rest)).under(str(head))
        elif isinstance(node, list) and node:
            near = [self._closeness(each, tuple(rest)).under(str(index)) for index, each in enumerate(node)]
            return total(near) if head is Quantifier.EVERY else max(near, key=lambda each: each.score)
        miss = self._probe(node, segments)
        return Closeness(0, 1, (prefixed(miss.failure, miss.path),)) if miss else Closeness(1, 1)

    def __repr__(self) -> str:
        return self.description


def at(path: FieldPath, matcher: Matcher, *, nonempty: bool = False) -> PathMatcher:
    """``matcher`` applied at ``path``: ``order.items[0].sku``, ``items[-1]``, ``'key.with.dots'.x``.

    ``items[*].sku`` asks it of every element, with ``nonempty`` there must be one; ``items[?].sku`` of at least one.
    Raises ValueError for a path that cannot be read.
    """
    segments = parse_path(path) if isinstance(path, str) else path_parts(path)
    label = path_label(path)
    words = f"{label} {matcher.description}"
    return PathMatcher(segments, label, matcher, words, matched(words), nonempty)


def field_equals(path: FieldPath, value: object, *, strict: bool = False) -> PathMatcher:
    """The field equals ``value``; with ``strict`` as JSON values, where true is never 1."""
    return _field(path, leaves.eq(value, strict=strict), f"= {value!r}")


def field_ne(path: FieldPath, value: object, *, strict: bool = False) -> PathMatcher:
    """The field is present and not equal to ``value``."""
    return _field(path, leaves.ne(value, strict=strict))


def field_in(path: FieldPath, values: Iterable[object], *, strict: bool = False) -> PathMatcher:
    """The field is one of ``values``. Raises TypeError for text instead of a list of choices."""
    return _field(path, leaves.in_(values, strict=strict))


def field_gt(path: FieldPath, value: object, *, strict: bool = False) -> PathMatcher:
    """The field is strictly greater than ``value``."""
    return _field(path, leaves.gt(value, strict=strict))


def field_lt(path: FieldPath, value: object, *, strict: bool = False) -> PathMatcher:
    """The field is strictly less than ``value``."""
    return _field(path, leaves.lt(value, strict=strict))


def field_exists(path: FieldPath) -> PathMatcher:
    """The field is present, with any value, null included."""
    label = path_label(path)
    return _path_matcher(path_parts(path), label, leaves.exists(), f"exists({label})")


def field_matches(path: FieldPath, pattern: str | re.Pattern[str]) -> PathMatcher:
    """The field is text that matches the regular expression as a whole."""
    return _field(path, leaves.matches(pattern))


def _field(path: FieldPath, matcher: ValueMatcher, words: str | None = None) -> PathMatcher:
    label = path_label(path)
    return _path_matcher(path_parts(path), label, matcher, f"{label} {words or matcher.description}")


def _path_matcher(segments: tuple[Segment, ...], label: str, matcher: Matcher, words: str) -> PathMatcher:
    return PathMatcher(segments, label, matcher, words, matched(words))
