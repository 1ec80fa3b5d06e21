"""From a value that a schema almost allows to one that it does: what a validator complains of is mended, step by step.

A schema's keywords are independent rules, and a value made keyword by keyword breaks some of them. The validator says
which, and where; for each complaint there are a few ways out. The way with the fewest complaints left is gone on with,
and none twice, so the search ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from choreo_bdd.asyncapi.documents import Documents, Node
from choreo_bdd_steps.drafting.examples import LONGEST, Examples
from choreo_bdd_steps.drafting.leaves import numbers, texts, varied
from choreo_bdd_steps.language.fitting_texts import patterned

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

_ROUNDS = 80
_COMPLAINTS = 4
"""So many complaints of a round are looked at; the others are mostly gone with them, or come back."""
_OF_EACH_KIND: tuple[Any, ...] = ("text", 1, 0.5, True, None, [], {})
_NUMBERS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_TEXTS = frozenset({"pattern", "minLength", "maxLength", "format"})


def mended(schema: Node, documents: Documents, validator: Validator, value: Any) -> Any:
    """The value itself where the schema allows it, else one near it that it does.

    Raises ``LookupError`` when none is found.
    """
    mender = _Mender(schema, documents)
    complaints, seen = list(validator.iter_errors(value)), {_key(value)}
    for turn in range(1, _ROUNDS):
        if not complaints:
            return value
        ways = {_key(way): way for each in complaints[:_COMPLAINTS] for way in mender.ways(value, each, turn)}
        judged = [(way, list(validator.iter_errors(way))) for key, way in ways.items() if key not in seen]
        if not judged:
            break
        value, complaints = min(judged, key=lambda each: sum(map(_weight, each[1])))
        seen.add(_key(value))
    if complaints:
        raise LookupError(complaints[0].message)
    return value


def _weight(error: ValidationError) -> float:
    """How far a complaint is from being mended: a choice of schemas is as near as the nearest of them."""
    branches: dict[Any, float] = {}
    for child in error.context or ():
        branch = next(iter(child.relative_schema_path), None)
        branches[branch] = branches.get(branch, 0) + _weight(child)
    return 1 + (min(branches.values()) / 10 if branches else 0)


class _Mender:
    """Ways out of a complaint about a value for one schema."""

    def __init__(self, schema: Node, documents: Documents) -> None:
        self._schema = schema
        self._documents = documents
        self._examples = Examples(documents)

    def ways(self, value: Any, error: ValidationError, turn: int) -> Iterator[Any]:
        """Whole values in which the complaint is dealt with, perhaps at the price of another."""
        path = list(error.absolute_path)
        if "propertyNames" in error.absolute_schema_path:
            yield from self._renamed(value, path, error, turn)
            return
        for child in error.context or ():
            yield from self.ways(value, child, turn)
        for here in self._here(error, turn):
            yield _with(value, path, here)
        if error.validator is None:  # the schema false: nothing may stand here, or in one of its places
            yield from (_with(value, path, here) for here in _fewer(_at(value, path)))

    def _here(self, error: ValidationError, turn: int) -> Iterator[Any]:
        """What could stand in the place complained of."""
        value, rule, node = error.instance, error.validator, self._holder(error)
        told: Mapping[str, Any] = node.value if isinstance(node.value, dict) else {}
        match value:
            case dict():
                yield from self._object(value, rule, node, turn)
            case list():
                yield from self._array(value, rule, node, turn)
            case int() | float() if rule in _NUMBERS:
                yield from numbers(value, told)
            case str() if rule in _TEXTS:
                yield from texts(value, told, turn)
        if rule in ("const", "enum"):
            yield from [told["const"]] if rule == "const" else told["enum"]
        elif rule == "type":
            yield from self._of_kinds(node)
        elif rule in ("oneOf", "anyOf"):
            for index, part in enumerate(told[rule]):
                yield from _joined(value, self._examples.value(Node(f"{node.uri}/{rule}/{index}", part)))
        if rule in ("not", "oneOf", "contains", "maxContains"):
            yield from _fewer(value)
            yield varied(value, turn)
            yield from (each for each in _OF_EACH_KIND if type(each) is not type(value))

    def _of_kinds(self, node: Node) -> Iterator[Any]:
        kinds = node.value["type"]
        for kind in kinds if isinstance(kinds, list) else [kinds]:
            rules = {name: rule for name, rule in node.value.items() if name not in ("default", "example", "examples")}
            yield self._examples.value(Node(node.uri, {**rules, "type": kind}))

    def _object(self, value: dict[str, Any], rule: object, node: Node, turn: int) -> Iterator[dict[str, Any]]:
        told = node.value
        match rule:
            case "required":
                yield self._with_fields(value, told["required"], node)
            case "dependentRequired" | "dependencies":
                rows = [names for name, names in told[rule].items() if name in value and isinstance(names, list)]
                yield self._with_fields(value, [name for names in rows for name in names], node)
                yield {name: each for name, each in value.items() if name not in told[rule]}
            case "minProperties":
                yield self._with_fields(value, self._new_names(value, node, turn), node)
            case "additionalProperties" | "unevaluatedProperties" | "maxProperties":
                yield from _fewer(value)

    def _with_fields(self, value: dict[str, Any], names: Iterable[str], node: Node) -> dict[str, Any]:
        missing = [name for name in names if name not in value]
        return {**value, **{name: self._field(node, name) for name in missing}}

    def _field(self, node: Node, name: str) -> Any:
        known = dict(self._documents.members(node, "properties"))
        if name in known:
            return self._examples.value(known[name], name=name)
        other = node.value.get("additionalProperties")
        return self._examples.value(node["additionalProperties"], name=name) if isinstance(other, dict) else name

    def _new_names(self, value: dict[str, Any], node: Node, turn: int) -> list[str]:
        """Names of fields to fill an object with: those it may have, one of a pattern, one of its own."""
        free = [name for name, _ in self._documents.members(node, "properties") if name not in value]
        if free:
            return free[: max(1, node.value["minProperties"] - len(value))]
        patterns = [*node.value.get("patternProperties", {})]
        return [next(texts("", {"pattern": patterns[0]}, turn), "")] if patterns else [f"extra{turn}"]

    def _array(self, value: list[Any], rule: object, node: Node, turn: int) -> Iterator[list[Any]]:
        told = node.value
        match rule:
            case "uniqueItems":
                yield self._distinct(value, len(value), node, turn)
                yield self._distinct(value, min(told.get("minItems", 0), LONGEST), node, turn)
            case "minItems" if told["minItems"] <= LONGEST and told.get("uniqueItems"):
                yield self._distinct(value, told["minItems"], node, turn)
            case "minItems" if told["minItems"] <= LONGEST:
                item = value[-1] if value else self._examples.value(self._item(node))
                yield [*value, *[item] * (told["minItems"] - len(value))]
            case "contains" | "minContains":
                yield [*value, self._examples.value(node["contains"])]
                yield [self._examples.value(node["contains"]), *value[1:]]
            case "maxItems" | "items" | "additionalItems" | "unevaluatedItems":
                yield value[: told.get("maxItems", len(value) - 1)]

    def _distinct(self, value: list[Any], count: int, node: Node, turn: int) -> list[Any]:
        """So many entries, each once: those that are there, and then others like them."""
        found = {_key(each): each for each in value}
        for other in self._others(self._item(node), value, count, turn):
            if len(found) >= count:
                break
            found.setdefault(_key(other), other)
        return list(found.values())

    def _others(self, item: Node, value: list[Any], count: int, turn: int) -> Iterator[Any]:
        told = item.value
        yield from told.get("enum", ())
        if isinstance(told.get("pattern"), str):
            yield from patterned(told["pattern"], turn)
        first = self._examples.value(item) if not value else value[0]
        step = told.get("multipleOf", 1)
        for number in range(count * 2):
            yield varied(first, (number + turn) * step if isinstance(first, int | float) else number + turn)

    def _item(self, node: Node) -> Node:
        item = self._documents.follow(node["items"]) if node.has("items") else None
        return item if item is not None and isinstance(item.value, dict) else Node(node.uri, {})

    def _renamed(self, value: Any, path: list[str | int], error: ValidationError, turn: int) -> Iterator[Any]:
        """An object whose field has another name; the complaint is about the name, its path leads to the object."""
        holder = _at(value, path)
        if not isinstance(holder, dict) or error.instance not in holder:
            return
        told = self._holder(error).value
        names = texts(str(error.instance), told, turn) if error.validator in _TEXTS else iter(told.get("enum", ()))
        rest = {name: each for name, each in holder.items() if name != error.instance}
        yield _with(value, path, rest)
        for name in names:
            if name not in holder:
                yield _with(value, path, {**rest, name: holder[error.instance]})

    def _holder(self, error: ValidationError) -> Node:
        """The schema whose keyword complains, with its place, so that references inside it can be followed."""
        node = self._documents.follow(self._schema)
        for part in list(error.absolute_schema_path)[:-1]:
            if not _has(node, part):
                node = self._documents.follow(node)
            node = Node(f"{node.uri}/{part}", node.value[part]) if isinstance(part, int) else node[part]
        node = self._documents.follow(node)
        return node if isinstance(node.value, dict) else Node(node.uri, {})


# --- values -------------------------------------------------------------------------------------------


def _has(node: Node, part: str | int) -> bool:
    return isinstance(node.value, list) if isinstance(part, int) else node.has(part)


def _joined(value: Any, made: Any) -> Iterator[Any]:
    """A value as one of several schemas has it: on top of what stands there, or instead of it."""
    if isinstance(value, dict) and isinstance(made, dict):
        yield {**made, **value}
        yield {**value, **made}
    yield made


def _fewer(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for name in value:
            yield {key: each for key, each in value.items() if key != name}
    elif isinstance(value, list):
        for index in range(len(value)):
            yield value[:index] + value[index + 1 :]


def _at(value: Any, path: list[str | int]) -> Any:
    for part in path:
        value = value[part]
    return value


def _with(value: Any, path: list[str | int], here: Any) -> Any:
    if not path:
        return here
    copy: Any = json.loads(json.dumps(value))
    _at(copy, path[:-1])[path[-1]] = here
    return copy


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
