"""The compiled form of a nested spec: four kinds of node, each judged without allocating on success."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from msgspec import Struct

from choreo_bdd.matchers.closeness import Closeness, closeness, total
from choreo_bdd.matchers.protocols import Matcher, admits_missing, failure_of, is_matcher, rendered
from choreo_bdd.matchers.result import ROOT_PATH, FailureKind, MatchFailure, Miss, show
from choreo_bdd.matchers.values.equality import Equal, equality
from choreo_bdd.matchers.values.paths import MISSING


class Node(Protocol):
    """One level of a spec."""

    @property
    def leaves(self) -> int:
        """How many fields this part of the spec asks for; at least 1."""

    @property
    def admits_missing(self) -> bool:
        """Whether the field may be absent."""

    def probe(self, value: object) -> Miss | None:
        """The first difference, or None."""

    def closeness(self, value: object) -> Closeness:
        """All differences, with the count of fields that are right."""

    def shape(self) -> object:
        """The spec again, matchers rendered."""


class LiteralNode(Struct, frozen=True):
    """A value to be equal to."""

    value: object
    equal: Equal
    leaves: int = 1
    admits_missing: bool = False

    def probe(self, value: object) -> Miss | None:
        """Compare."""
        if self.equal(value, self.value):
            return None
        reason = f"expected {show(self.value)}, got {show(value)}"
        return Miss(reason, MatchFailure("mismatch", ROOT_PATH, self.value, value))

    def closeness(self, value: object) -> Closeness:
        """One field, right or wrong."""
        return _graded(self.probe(value), 1)

    def shape(self) -> object:
        """The literal itself."""
        return self.value


class MatcherNode(Struct, frozen=True):
    """An embedded matcher."""

    matcher: Matcher
    admits_missing: bool
    leaves: int = 1

    def probe(self, value: object) -> Miss | None:
        """Ask the matcher."""
        result = self.matcher.match(value)
        if result.matched:
            return None
        return Miss(result.reason, failure_of(self.matcher, value, result))

    def closeness(self, value: object) -> Closeness:
        """The matcher's own."""
        return closeness(self.matcher, value)

    def shape(self) -> object:
        """The matcher's shape."""
        return rendered(self.matcher)


class DictNode(Struct, frozen=True):
    """Keys to be there; further keys are refused only when ``exact``."""

    items: tuple[tuple[str | int, Node], ...]
    keys: frozenset[object]
    exact: bool
    leaves: int
    admits_missing: bool = False

    def probe(self, value: object) -> Miss | None:
        """Judge the keys in the order of the spec."""
        if not isinstance(value, dict):
            return _wrong_container("dict", value)
        for key, node in self.items:
            below = value.get(key, MISSING)
            if below is MISSING:
                if not node.admits_missing:
                    return _absent(node).inside(key)
            elif (miss := node.probe(below)) is not None:
                return miss.inside(key)
        return next(self._surplus(value), None) if self.exact else None

    def closeness(self, value: object) -> Closeness:
        """The keys' fields added up; a surplus key under ``exact`` is one wrong field."""
        if not isinstance(value, dict):
            return _graded(_wrong_container("dict", value), self.leaves)
        below = (self._graded_key(value, key, node) for key, node in self.items)
        surplus = (_graded(miss, 1) for miss in self._surplus(value)) if self.exact else ()
        found = total((*below, *surplus))
        return found if found.total else Closeness(1, 1)

    def shape(self) -> object:
        """The dict again."""
        return {key: node.shape() for key, node in self.items}

    def _graded_key(self, value: dict[object, object], key: str | int, node: Node) -> Closeness:
        below = value.get(key, MISSING)
        if below is not MISSING:
            return node.closeness(below).under(str(key))
        if node.admits_missing:
            return Closeness(node.leaves, node.leaves)
        return _graded(_absent(node).inside(key), node.leaves)

    def _surplus(self, value: dict[object, object]) -> Iterator[Miss]:
        for key, item in value.items():
            if key not in self.keys:
                failure = MatchFailure("predicate", ROOT_PATH, {"absent": True}, item)
                yield Miss(f"unexpected field with {show(item)}", failure).inside(str(key))


class ListNode(Struct, frozen=True):
    """Elements compared position by position; further ones are refused only when ``exact``."""

    items: tuple[Node, ...]
    exact: bool
    leaves: int
    admits_missing: bool = False

    def probe(self, value: object) -> Miss | None:
        """Judge the elements in order."""
        if not isinstance(value, list):
            return _wrong_container("list", value)
        if miss := self._wrong_length(value):
            return miss
        for index, node in enumerate(self.items):
            if (miss := node.probe(value[index])) is not None:
                return miss.inside(index)
        return None

    def closeness(self, value: object) -> Closeness:
        """The elements' fields added up; those that are not there count as wrong."""
        if not isinstance(value, list):
            return _graded(_wrong_container("list", value), self.leaves)
        pairs = enumerate(zip(self.items, value, strict=False))
        found = total(node.closeness(item).under(str(index)) for index, (node, item) in pairs)
        wrong = self._wrong_length(value)
        if wrong is None:
            return found if found.total else Closeness(1, 1)
        lacking = sum(node.leaves for node in self.items[len(value) :])
        return total((found, _graded(wrong, max(lacking, 1))))

    def shape(self) -> object:
        """The list again."""
        return [node.shape() for node in self.items]

    def _wrong_length(self, value: list[object]) -> Miss | None:
        wanted, found = len(self.items), len(value)
        if found == wanted or (found > wanted and not self.exact):
            return None
        bound = "length" if self.exact else "min_length"
        words = f"expected {'exactly' if self.exact else 'at least'} {wanted} elements, got {found}"
        return Miss(words, MatchFailure("predicate", ROOT_PATH, {bound: wanted}, found))


def compile_spec(spec: object, *, strict: bool, exact: bool = False) -> Node:
    """Turn a spec of dicts, lists, literals and matchers into nodes, once."""
    if isinstance(spec, Mapping):
        items = tuple((key, compile_spec(item, strict=strict, exact=exact)) for key, item in spec.items())
        leaves = sum(node.leaves for _, node in items)
        # what asks of its fields only that they are not there does not ask for itself, as a path does not
        admits = bool(items) and not exact and all(node.admits_missing for _, node in items)
        return DictNode(items, frozenset(spec), exact, max(leaves, 1), admits)
    if isinstance(spec, list):
        nodes = tuple(compile_spec(item, strict=strict, exact=exact) for item in spec)
        return ListNode(nodes, exact, max(sum(node.leaves for node in nodes), 1))
    if is_matcher(spec):
        return MatcherNode(spec, admits_missing(spec))
    return LiteralNode(spec, equality(strict=strict))


def _absent(node: Node) -> Miss:
    shape = node.shape()
    return Miss(f"missing, expected {show(shape)}", MatchFailure("missing", ROOT_PATH, shape))


def _wrong_container(name: str, value: object) -> Miss:
    actual = type(value).__name__
    kind: FailureKind = "type_mismatch"
    return Miss(f"expected a {name}, got {actual}", MatchFailure(kind, ROOT_PATH, {"type": name}, actual))


def _graded(miss: Miss | None, leaves: int) -> Closeness:
    if miss is None:
        return Closeness(leaves, leaves)
    failure = miss.result().failure
    return Closeness(0, leaves, (failure,) if failure else ())
