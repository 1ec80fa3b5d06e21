"""Keys and headers: text on the wire, sent as it was written, compared as the operand asks (spec/steps.md 1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from operator import ge, gt, le, lt
from typing import Any

from msgspec import structs

from choreo_bdd.matchers.operators import is_number
from choreo_bdd.matchers.values.equality import strict_equal
from choreo_bdd.matchers.values.ordering import exact_sides
from choreo_bdd_steps.language.doc_strings.yaml_body import plain_scalar
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.syntax import Fields, Items, Literal, Node, Tagged
from choreo_bdd_steps.language.templates.functions import as_text


class WireText(str):
    """A key or header value: a number where it is compared with one and reads as one, else text."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return strict_equal(_number(self) if is_number(other) else str(self), other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__

    def __gt__(self, other: Any) -> bool:
        return _ordered(self, other, gt)

    def __ge__(self, other: Any) -> bool:
        return _ordered(self, other, ge)

    def __lt__(self, other: Any) -> bool:
        return _ordered(self, other, lt)

    def __le__(self, other: Any) -> bool:
        return _ordered(self, other, le)


def on_wire(value: object) -> object:
    """What stands around a payload, its texts ready to be compared."""
    if isinstance(value, str):
        return WireText(value)
    return {name: on_wire(each) for name, each in value.items()} if isinstance(value, dict) else value


def as_sent(node: Node) -> Node:
    """A key or the headers of a publish with every number as its author wrote it: ``1.10`` stays ``1.10``."""
    match node:
        case Literal(value, _, written) if written is not None and value is not None:
            return replace(node, value=written)
        case Fields(pairs):
            return structs.replace(node, pairs=tuple((name, as_sent(each)) for name, each in pairs))
    return node


def as_operand(node: Node) -> Node:
    """What is expected of a key or header, with ``true`` and ``false`` as the texts they are on the wire."""
    match node:
        case Literal(bool()):
            return replace(node, value=as_text(node.value))
        case Fields(pairs):
            return structs.replace(node, pairs=tuple((name, as_operand(each)) for name, each in pairs))
        case Items(nodes):
            return structs.replace(node, nodes=tuple(map(as_operand, nodes)))
        case Tagged(_, argument) if argument is not None:
            return structs.replace(node, argument=as_operand(argument))
    return node


def label(name: str, value: object) -> str:
    """The text that goes out as a key or header. Raises BodyError for what is no single value."""
    if isinstance(value, (dict, list)):
        raise BodyError(f"{name} takes a single value, not {type(value).__name__}; write it as text in quotes")
    if value is None:
        raise BodyError(f'{name} is text on the wire, and null is none; leave it out, or write "null" in quotes')
    return str(as_text(value))


def _number(text: str) -> object:
    try:
        value = plain_scalar(str(text))
    except BodyError:
        return None
    return value if is_number(value) else None


def _ordered(text: str, other: object, test: Callable[[Any, Any], bool]) -> bool:
    if not is_number(other):
        return test(str(text), other)
    number = _number(text)
    if number is None:
        raise TypeError(f"{str(text)!r} is not a number")
    return test(*exact_sides(number, other))
