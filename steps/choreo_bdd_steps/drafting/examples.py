"""A valid value for a JSON Schema, and the places where one can be spoilt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urldefrag, urljoin

from msgspec import Struct

from choreo_bdd.asyncapi.documents import Documents, Node
from choreo_bdd_steps.drafting.leaves import numbers, texts

_DEPTH = 6
LONGEST = 1000
"""Characters or entries: nobody reads an example that is longer, so it is not made, and does not pass as valid."""
_MOST = 20_000
"""Schemas looked at and values made: a small document asks for billions of them."""
_FORMATS: Mapping[str, str] = {
    "uuid": "7d9f9b0e-3c1e-4a55-9c9b-0a4d6c3f2b11",
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "time": "12:00:00Z",
    "duration": "PT5M",
    "email": "ada@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/1",
    "url": "https://example.com/1",
}


class ExampleField(Struct, frozen=True):
    """A field in an example: names and positions on the way to it; ``choices`` where the schema lists its values."""

    path: tuple[str | int, ...]
    required: bool = False
    choices: tuple[Any, ...] = ()


class Examples:
    """Makes values for the schemas of some documents; the same ones every time.

    ``is_least``: without fields and entries that nothing requires. All of its methods raise ``LookupError`` for schemas
    that ask for too much.
    """

    def __init__(self, documents: Documents, *, is_least: bool = False) -> None:
        self._documents = documents
        self._levels = 0 if is_least else _DEPTH // 2
        self._entries = 0 if is_least else 1
        self._count = 0

    def value(self, node: Node, depth: int = 0, name: str = "text") -> Any:
        """A value that the schema most likely allows; whoever needs to be sure asks a validator.

        ``name`` is that of the field, which a text with no rules takes up.
        """
        node = self._merged(node)
        told = node.value
        if not isinstance(told, dict):
            return name
        given = _given(told)
        if given:
            return next((each for each in given if each is not None), None)
        for key in ("oneOf", "anyOf"):
            if isinstance(told.get(key), list) and told[key]:
                return self.value(Node(f"{node.uri}/{key}/0", told[key][0]), depth, name)
        kind = _kind(told)
        if kind == "object":
            return self._object(node, depth)
        return self._array(node, depth, name) if kind == "array" else _scalar(kind, told, name)

    def places(
        self, node: Node, example: Any, path: tuple[str | int, ...] = (), within: frozenset[str] = frozenset()
    ) -> Iterator[ExampleField]:
        """The fields of an example that a schema requires or lists the values of, outermost first.

        A schema that stands ``within`` itself is told of once; of those that it chooses from, all are.
        """
        place = self._documents.follow(node).uri
        node = self._merged(node)
        told = node.value
        if not isinstance(told, dict) or len(path) > _DEPTH or place in within:
            return
        choices = [told["const"]] if "const" in told else told.get("enum")
        if path and isinstance(choices, list) and _are_told_apart(choices) and example in choices:
            yield ExampleField(path, choices=tuple(choices))
        inner = within | {place}
        if isinstance(example, dict):
            required = [name for name in told.get("required", ()) if name in example]
            yield from (ExampleField((*path, name), required=True) for name in required)
            for name, child in self._documents.members(node, "properties"):
                if name in example:
                    yield from self.places(child, example[name], (*path, name), inner)
        elif isinstance(example, list) and example and isinstance(told.get("items"), dict):
            yield from self.places(node["items"], example[0], (*path, 0), inner)
        for part in self._branches(node):
            yield from self.places(part, example, path, inner)

    def _branches(self, node: Node) -> Iterator[Node]:
        """Schemas of which some hold besides; that one does not makes no difference to what may be spoilt."""
        for key in ("oneOf", "anyOf"):
            for index, part in enumerate(node.value[key] if isinstance(node.value.get(key), list) else ()):
                yield Node(f"{node.uri}/{key}/{index}", part)
        yield from (node[key] for key in ("then", "else") if node.has(key))

    def _merged(self, node: Node) -> Node:
        """What a reference leads to, the parts of an ``allOf`` as one object."""
        self._add(1)
        node = self._documents.follow(node)
        told = node.value
        if not isinstance(told, dict) or not isinstance(told.get("allOf"), list):
            return node
        whole = {key: value for key, value in told.items() if key != "allOf"}
        for index, part in enumerate(told["allOf"]):
            of_part = _anchored(self._merged(Node(f"{node.uri}/allOf/{index}", part)), node)
            if isinstance(of_part, dict):
                whole = {
                    **of_part,
                    **whole,
                    "properties": {**of_part.get("properties", {}), **whole.get("properties", {})},
                    "required": [*dict.fromkeys([*whole.get("required", ()), *of_part.get("required", ())])],
                }
        return Node(node.uri, whole)

    def _object(self, node: Node, depth: int) -> dict[str, Any]:
        required = node.value.get("required", ())
        members = self._documents.members(node, "properties") if depth < _DEPTH else ()
        return {
            name: self.value(child, depth + 1, name)
            for name, child in members
            if depth < self._levels or name in required  # a schema may hold itself
        }

    def _array(self, node: Node, depth: int, name: str) -> list[Any]:
        least = min(int(node.value.get("minItems", 0)), LONGEST)
        places = next((each for each in ("prefixItems", "items") if isinstance(node.value.get(each), list)), None)
        if places is not None:  # a schema for each position
            parts = enumerate(node.value[places])
            return [self.value(Node(f"{node.uri}/{places}/{index}", part), depth + 1, name) for index, part in parts]
        if depth >= _DEPTH or not isinstance(node.value.get("items"), dict):
            return [name] * least
        before, entries = self._count, max(least, self._entries)
        entry = self.value(node["items"], depth + 1, name)
        self._add((self._count - before) * entries)
        return [entry] * entries

    def _add(self, count: int) -> None:
        self._count += count
        if self._count > _MOST:
            raise LookupError("the schema asks for too much")


def _anchored(node: Node, place: Node) -> Any:
    """A node's value as it may stand in another place: its references lead where they did."""
    home = urldefrag(node.uri)[0]
    return node.value if home == urldefrag(place.uri)[0] else _with_whole_references(node.value, home)


def _with_whole_references(value: Any, home: str) -> Any:
    if isinstance(value, list):
        return [_with_whole_references(each, home) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: urljoin(home, each) if key == "$ref" and isinstance(each, str) else _with_whole_references(each, home)
        for key, each in value.items()
    }


def _are_told_apart(choices: list[Any]) -> bool:
    """Whether a condition can name the choices: it names texts, numbers, true and false."""
    is_plain = [isinstance(each, str | int | float) for each in choices if each is not None]
    return bool(is_plain) and all(is_plain)


def _given(told: Mapping[str, Any]) -> list[Any]:
    """Values that a schema names itself."""
    single = [told[key] for key in ("const", "example", "default") if key in told]
    several = [each for key in ("examples", "enum") if isinstance(told.get(key), list) for each in told[key]]
    return single or several


def _scalar(kind: str, told: Mapping[str, Any], name: str) -> Any:
    match kind:
        case "integer":
            return next(numbers(told.get("multipleOf", 1), {**told, "type": "integer"}), 1)
        case "number":
            return next(numbers(told.get("multipleOf", 1), told), 1)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return _text(told, name)


def spoilt(example: Any, place: ExampleField, *, stranger: Any = None) -> Any:
    """An example without a field, or with a value there that nobody lists."""
    head: Any = place.path[0]
    rest = place.path[1:]
    copy: Any = dict(example) if isinstance(example, dict) else list(example)
    if rest:
        copy[head] = spoilt(copy[head], ExampleField(rest), stranger=stranger)
    elif stranger is None:
        del copy[head]
    else:
        copy[head] = stranger
    return copy


def stranger_to(choices: tuple[Any, ...]) -> Any:
    """A value of the same kind that is not among those listed."""
    if all(isinstance(each, int | float) and not isinstance(each, bool) for each in choices):
        return max(choices) + 1
    return "stranger" if "stranger" not in choices else "nobody knows this"


def _kind(told: Mapping[str, Any]) -> str:
    kind = told.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    if isinstance(kind, str):
        return kind
    return "object" if "properties" in told or "required" in told else "array" if "items" in told else "string"


def _text(told: Mapping[str, Any], name: str) -> str:
    if isinstance(told.get("pattern"), str):
        return next(texts(name, told, turn=1), name)
    text = _FORMATS.get(str(told.get("format")), name)
    return next(texts(text, {**told, "minLength": min(int(told.get("minLength", 0)), LONGEST)}, turn=1))
