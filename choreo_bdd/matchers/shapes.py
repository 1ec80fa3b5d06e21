"""Matchers of whole shapes: subset, exact, and lists in any order."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from choreo_bdd.matchers.closeness import Closeness, total
from choreo_bdd.matchers.nodes import Node, compile_spec
from choreo_bdd.matchers.protocols import Matcher, described, is_matcher
from choreo_bdd.matchers.quantifiers import list_expected, not_a_list
from choreo_bdd.matchers.result import ROOT_PATH, MatchFailure, MatchResult, matched, missed

_SHOWN_KEYS = 3


class ShapeMatcher(Struct, frozen=True):
    """A compiled spec; ``wrapper`` names it in the expected shape when it is more than a plain subset."""

    node: Node
    wrapper: str | None
    description: str
    ok: MatchResult

    def match(self, payload: object) -> MatchResult:
        """Walk the payload along the spec up to the first difference."""
        miss = self.node.probe(payload)
        return self.ok if miss is None else miss.result()

    def expected_shape(self) -> object:
        """The spec with its matchers rendered; equal to the spec when it holds literals only."""
        shape = self.node.shape()
        return {self.wrapper: shape} if self.wrapper else shape

    def closeness(self, payload: object) -> Closeness:
        """Every field of the spec judged."""
        return self.node.closeness(payload)

    def __repr__(self) -> str:
        return self.description


class Unordered(Struct, frozen=True):
    """Each spec element is met by a payload element of its own, in any order; there may be further ones."""

    nodes: tuple[Node, ...]
    description: str
    ok: MatchResult

    def match(self, payload: object) -> MatchResult:
        """Find a complete assignment, or name the spec elements that stay without one."""
        if not isinstance(payload, list):
            return not_a_list(payload)
        owners = _assigned(self.nodes, payload)
        open_nodes = self._open(owners)
        if not open_nodes:
            return self.ok
        children = tuple(_unmet(node) for node in open_nodes)
        failure = MatchFailure("composed", ROOT_PATH, self.expected_shape(), None, children)
        return missed(failure, f"no element of its own for {', '.join(repr(node.shape()) for node in open_nodes)}")

    def expected_shape(self) -> object:
        """``{"unordered": [shapes]}``."""
        return {"unordered": [node.shape() for node in self.nodes]}

    def closeness(self, payload: object) -> Closeness:
        """Elements that found a partner count whole, the others as near as the nearest element left over."""
        if not isinstance(payload, list):
            leaves = sum(node.leaves for node in self.nodes)
            return Closeness(0, max(leaves, 1), (list_expected(payload),))
        owners = _assigned(self.nodes, payload)
        free = [index for index in range(len(payload)) if index not in owners]
        found = [Closeness(self.nodes[each].leaves, self.nodes[each].leaves) for each in owners.values()]
        found.extend(_nearest(node, payload, free) for node in self._open(owners))
        return total(found) if found else Closeness(1, 1)

    def _open(self, owners: dict[int, int]) -> list[Node]:
        met = set(owners.values())
        return [node for index, node in enumerate(self.nodes) if index not in met]

    def __repr__(self) -> str:
        return self.description


def contains_fields(spec: object, *, strict: bool = False) -> ShapeMatcher:
    """The payload holds everything in ``spec``, recursively; what the spec does not name may be there too.

    Dicts ask for their keys, lists for their elements position by position, matchers judge the value at
    their place, anything else must be equal (as JSON values when ``strict``: true is never 1).
    """
    words = f"contains_fields({described(spec, _SHOWN_KEYS)})"
    return ShapeMatcher(compile_spec(spec, strict=strict), None, words, matched(words))


def exactly(spec: object, *, strict: bool = False) -> ShapeMatcher:
    """The payload holds what is in ``spec`` and nothing else: no further keys, no further list elements."""
    words = f"exactly({described(spec, _SHOWN_KEYS)})"
    return ShapeMatcher(compile_spec(spec, strict=strict, exact=True), "exactly", words, matched(words))


def unordered(spec: Sequence[object], *, strict: bool = False) -> Unordered:
    """A list in which each element of ``spec`` finds one of its own, in any order. Raises TypeError."""
    if not isinstance(spec, (list, tuple)):
        raise TypeError(f"unordered needs a list of elements, not {type(spec).__name__}")
    words = f"unordered({described(list(spec))})"
    return Unordered(tuple(compile_spec(item, strict=strict) for item in spec), words, matched(words))


def as_matcher(spec: object, *, strict: bool) -> Matcher:
    """A matcher as it is; anything else as the shape to be contained."""
    return spec if is_matcher(spec) else contains_fields(spec, strict=strict)


def _assigned(nodes: Sequence[Node], elements: list[object]) -> dict[int, int]:
    """A maximum matching, as element index → node index (augmenting paths, breadth first)."""
    options = [[index for index, each in enumerate(elements) if node.probe(each) is None] for node in nodes]
    owners: dict[int, int] = {}
    for start in range(len(nodes)):
        _augment(start, options, owners)
    return owners


def _augment(start: int, options: list[list[int]], owners: dict[int, int]) -> None:
    came_from: dict[int, int] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for element in options[node]:
            if element in came_from:
                continue
            came_from[element] = node
            if element not in owners:
                _reassign(element, start, came_from, owners)
                return
            queue.append(owners[element])


def _reassign(element: int, start: int, came_from: dict[int, int], owners: dict[int, int]) -> None:
    held = {node: taken for taken, node in owners.items()}
    while True:
        node = came_from[element]
        owners[element] = node
        if node == start:
            return
        element = held[node]


def _unmet(node: Node) -> MatchFailure:
    return MatchFailure("missing", ROOT_PATH, node.shape())


def _nearest(node: Node, elements: list[object], free: list[int]) -> Closeness:
    near = (node.closeness(elements[index]).under(str(index)) for index in free)
    best = max(near, key=lambda each: each.score, default=None)
    return best or Closeness(0, node.leaves, (_unmet(node),))
