"""What a body is once read and before variables are known: a small tree with templates as leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from msgspec import Struct


@dataclass(frozen=True, slots=True)
class Literal:
    """A scalar that is final; ``written`` is how its author wrote it without quotes, for where it goes out as text."""

    value: object
    line: int | None = None
    written: str | None = field(default=None, compare=False)


class Template(Struct, frozen=True):
    """Text with ``{{ … }}`` in it, to be rendered."""

    source: str
    line: int | None = None


class Items(Struct, frozen=True):
    """A list."""

    nodes: tuple[Node, ...]
    line: int | None = None


class Fields(Struct, frozen=True):
    """An object; keys are text and may be templates."""

    pairs: tuple[tuple[Literal | Template, Node], ...]
    line: int | None = None


class Tagged(Struct, frozen=True):
    """A matcher tag with its argument; ``argument`` is None when none was written."""

    tag: str
    argument: Node | None
    line: int | None = None


Node = Literal | Template | Items | Fields | Tagged


def is_template(text: str) -> bool:
    """Whether there is anything in a text to render."""
    return "{{" in text or "{%" in text


def text_node(text: str, line: int | None = None, *, bare: bool = False) -> Literal | Template:
    """Text as a leaf: a template when it holds template marks; ``bare`` text stood there without quotes."""
    return Template(text, line) if is_template(text) else Literal(text, line, text if bare else None)


def children(node: Node) -> Iterator[Node]:
    """What stands directly below a node; names of fields are no nodes."""
    match node:
        case Items(nodes):
            yield from nodes
        case Fields(pairs):
            yield from (value for _, value in pairs)
        case Tagged(_, argument) if argument is not None:
            yield argument


def nodes_in(node: Node) -> Iterator[Node]:
    """A node and all below it, outermost first."""
    yield node
    for child in children(node):
        yield from nodes_in(child)


def templates(node: Node) -> Iterator[str]:
    """The source of every template in the tree, those in names of fields included."""
    for each in nodes_in(node):
        leaves = [key for key, _ in each.pairs] if isinstance(each, Fields) else [each]
        yield from (leaf.source for leaf in leaves if isinstance(leaf, Template))


def field_by_field(node: Node) -> Iterator[Node]:
    """An object once for each field in it, down to those inside others; whole, where it is none or empty."""
    if not isinstance(node, Fields) or not node.pairs:
        yield node
        return
    for name, value in node.pairs:
        yield from (Fields(((name, each),), node.line) for each in field_by_field(value))
