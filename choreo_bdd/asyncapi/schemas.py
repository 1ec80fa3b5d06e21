"""JSON Schemas of an AsyncAPI document at work: from where they stand to what is wrong with a message."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from choreo_bdd.asyncapi.channels import Schema
from choreo_bdd.asyncapi.documents import AsyncApiError, Documents, Node
from choreo_bdd.contracts import Problem
from choreo_bdd.matchers.patterns.in_schemas import guarded, refused_patterns

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

_LONGEST_RULE = 120
_KINDS = {
    dict: "an object", list: "an array", str: "a string", bool: "a boolean",
    int: "an integer", float: "a number", type(None): "null",
}  # fmt: skip
_NAME_KEYS_ONLY = frozenset({"additionalProperties", "unevaluatedProperties", "dependentRequired", "dependencies"})
"""Keywords about which jsonschema's own sentences repeat names of fields, and never a value."""


def compiled(schema: Schema, documents: Documents) -> Validator:
    """A validator of the schema; ``AsyncApiError`` if it, or one it refers to, is no schema."""
    from jsonschema.validators import validator_for  # noqa: PLC0415 - slow to import, needed by few

    told = documents.follow(schema.node).value
    kind = validator_for(told, default=_dialect(schema))
    for node in documents.reached(schema.node, is_schema=True):
        _require_schema(validator_for(node.value, default=kind), node)
    return guarded(kind)({"$ref": schema.node.uri}, registry=documents.registry)


def _dialect(schema: Schema) -> type[Validator]:
    import jsonschema  # noqa: PLC0415 - as above

    known: dict[str, type[Validator]] = {
        "draft-04": jsonschema.Draft4Validator,
        "draft-06": jsonschema.Draft6Validator,
        "draft-07": jsonschema.Draft7Validator,
        "draft-2019-09": jsonschema.Draft201909Validator,
        "draft-2020-12": jsonschema.Draft202012Validator,
    }
    if schema.draft not in known:
        raise AsyncApiError(f"{schema.node.place}: there is no dialect {schema.draft!r}; there are {', '.join(known)}")
    return known[schema.draft]


def _require_schema(kind: type[Validator], node: Node) -> None:
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415 - as above

    try:
        kind.check_schema(node.value)
    except SchemaError as error:
        where = "/".join([node.place, *map(str, error.absolute_path)])
        raise AsyncApiError(f"{where}: this is no JSON Schema: {error.message}") from error
    for place, why in refused_patterns(node.value):
        raise AsyncApiError(f"{'/'.join([node.place, *map(str, place)])}: {why}")


def problems_of(validator: Validator, value: Any, *, message: str, part: str) -> Iterator[Problem]:
    """What is wrong with the ``payload`` or the ``headers`` of a message."""
    from jsonschema.exceptions import best_match, relevance  # noqa: PLC0415 - as above

    for error in sorted(validator.iter_errors(value), key=relevance, reverse=True):
        telling = best_match([error]) or error
        rule = "/".join([part, *(str(key) for key in telling.absolute_schema_path if key != "$ref")])
        for path, text in _findings(telling):
            yield Problem(_path(part, path), text, f"{message}: {rule}", _expected(telling), telling.instance)


def typed(validator: Validator, headers: Mapping[str, str]) -> dict[str, Any]:
    """Headers as the schema means them: text, as on the wire, but numbers and booleans where text is wrong."""
    as_text = dict(headers)
    wrong = {error.absolute_path[0] for error in validator.iter_errors(as_text) if error.absolute_path}
    return {name: _literal(value) if name in wrong else value for name, value in as_text.items()}


def _literal(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float) else text


def _findings(error: ValidationError) -> list[tuple[list[str | int], str]]:
    """Path and sentence; each field that is missing is a finding of its own."""
    path = list(error.absolute_path)
    if error.validator == "required" and isinstance(error.instance, dict):
        required: Any = error.validator_value
        missing = [name for name in required if name not in error.instance]
        return [([*path, name], "is missing") for name in missing]
    return [(path, _sentence(error))]


def _sentence(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    if error.validator == "type":
        kinds = " or ".join(wanted if isinstance(wanted, list) else [wanted])
        return f"expected {kinds}, got {_KINDS.get(type(error.instance), type(error.instance).__name__)}"
    if error.validator == "enum":
        return f"expected one of {_shortened(', '.join(map(json.dumps, wanted)))}"
    if error.validator in _NAME_KEYS_ONLY:
        return error.message
    if error.validator is None:
        return "nothing is allowed here"
    if isinstance(wanted, dict | list):
        return f"breaks {error.validator}"
    return f"breaks {error.validator}: {_shortened(json.dumps(wanted))}"


def _expected(error: ValidationError) -> object:
    return {str(error.validator): error.validator_value}


def _path(part: str, path: list[str | int]) -> str:
    inside = ".".join(map(str, path))
    if part == "headers":
        return f"@headers.{inside}" if inside else "@headers"
    return inside or "<root>"


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_RULE else text[: _LONGEST_RULE - 1] + "…"
