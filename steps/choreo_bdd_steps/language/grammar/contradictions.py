"""What is asked of one field and can never hold together: it would fail always, or spoil no absence ever."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from choreo_bdd.matchers.operators import is_number
from choreo_bdd.matchers.values.moments import moment
from choreo_bdd_steps.language.paths import Field
from choreo_bdd_steps.language.syntax import Items, Literal, Node, Tagged

_LOWER = {"gt": True, "ge": False}
_UPPER = {"lt": True, "le": False}
_Bound = tuple[Any, bool]
"""A number, and whether it is itself out of bounds."""


def contradiction(asked: Iterable[tuple[Field, Node]]) -> str | None:
    """What can never be true in it; ``None`` where nothing is known to be. All of it must hold of one message."""
    by_place: dict[Field, list[Node]] = {}
    for place, node in asked:
        if place.envelope is None and all(isinstance(each, str | int) for each in place.segments):
            by_place.setdefault(place, []).append(node)
    for place, nodes in by_place.items():
        if len(nodes) > 1 and (problem := _together(nodes)):
            return f"{place.label} {problem}, which can never be true"
    return None


def _together(nodes: list[Node]) -> str | None:
    tags = {each.tag for each in nodes if isinstance(each, Tagged)}
    values = [each.value for each in nodes if isinstance(each, Literal)]
    if "absent" in tags and (values or tags & {"exists", *_LOWER, *_UPPER, "between", "one_of", "contains"}):
        return "is to be absent and to have a value"
    for value in values[1:]:
        if not _may_be_equal(values[0], value):
            return f"is to be {values[0]!r} and {value!r}"
    for refused in (each.argument for each in nodes if isinstance(each, Tagged) and each.tag == "ne"):
        if isinstance(refused, Literal) and any(map(partial(_is_surely, refused.value), values)):
            return f"is to be {refused.value!r} and not to be it"
    return _out_of_bounds(nodes)


def _is_surely(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other


def _may_be_equal(one: object, other: object) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other or (moment(one) is not None and moment(other) is not None)


def _out_of_bounds(nodes: list[Node]) -> str | None:
    lower, upper = list(_bounds(nodes, _LOWER, 0)), list(_bounds(nodes, _UPPER, -1))
    if not lower or not upper:
        return None
    (low, is_above), (high, is_below) = max(lower), min(upper, key=lambda bound: (bound[0], not bound[1]))
    if low > high or (low == high and (is_above or is_below)):
        return f"has no number left between {low} and {high}"
    return None


def _bounds(nodes: list[Node], strict: dict[str, bool], end: int) -> Iterator[_Bound]:
    for each in nodes:
        match each:
            case Literal():
                bound, is_out = _number(each), False
            case Tagged(tag=tag, argument=operand) if tag in strict:
                bound, is_out = _number(operand), strict[tag]
            case Tagged(tag="between", argument=Items(nodes=ends)):
                bound, is_out = _number(ends[end]), False
            case _:
                continue
        if bound is not None:
            yield bound, is_out


def _number(node: Node | None) -> Any:
    return node.value if isinstance(node, Literal) and is_number(node.value) else None
