"""Payloads that a document describes in another language than JSON Schema: in Avro's or OpenAPI's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from choreo_bdd.asyncapi.channels import Schema
from choreo_bdd.asyncapi.documents import AsyncApiError, Documents, Node
from choreo_bdd.asyncapi.schemas import compiled

_AVRO = re.compile(r"application/vnd\.apache\.avro\b.*")
_OPENAPI = re.compile(r"application/vnd\.oai\.openapi\b(?P<newer>.*version=3\.[1-9])?.*")
_DEPTH = 4
_DEEPEST = 20
_PRIMITIVE: Mapping[str, Any] = {"null": None, "boolean": True, "int": 1, "long": 1, "float": 1.5, "double": 1.5}
_LOGICAL: Mapping[str, Any] = {
    "date": "2026-01-31",
    "time-millis": "12:00:00",
    "time-micros": "12:00:00",
    "timestamp-millis": "2026-01-31T12:00:00+00:00",
    "timestamp-micros": "2026-01-31T12:00:00+00:00",
    "local-timestamp-millis": "2026-01-31T12:00:00",
    "local-timestamp-micros": "2026-01-31T12:00:00",
    "decimal": 1,
    "uuid": "7d9f9b0e-3c1e-4a55-9c9b-0a4d6c3f2b11",
}
"""As the codec ``avro`` takes and gives them."""
_Named = dict[str, Any]


def language_of(documents: Documents, message: Node) -> str:
    """The ``schemaFormat`` of a message's payload; empty where none is named."""
    return _described(documents, message)[0]


def openapi_schema(documents: Documents, message: Node) -> Schema | None:
    """OpenAPI's schemas are JSON Schemas, but for a null that they allow in a way of their own: no example is null.

    ``None`` for a payload in another language, and for a schema that is none.
    """
    language, node = _described(documents, message)
    found = _OPENAPI.fullmatch(language)
    if found is None:
        return None
    schema = Schema(node, "draft-2020-12" if found["newer"] else "draft-04")
    try:
        compiled(schema, documents)
    except AsyncApiError:
        return None
    return schema


def avro_example(documents: Documents, message: Node) -> Any:
    """A value of an Avro schema, ``{}`` where the payload is in another language or its schema cannot be read."""
    language, node = _described(documents, message)
    if _AVRO.fullmatch(language) is None:
        return {}
    schema, named = documents.follow(node).value, _Named()
    _note_names(schema, "", named)
    try:
        return _example(schema, "text", named, 0)
    except LookupError:
        return {}


def _described(documents: Documents, message: Node) -> tuple[str, Node]:
    """In 2.x the message names the language of its payload, in 3.x the payload itself."""
    if not message.has("payload") or message.has("schemaFormat"):
        return str(message.value.get("schemaFormat", "")), message["payload"] if message.has("payload") else message
    told = documents.follow(message["payload"])
    if told.has("schemaFormat") and told.has("schema"):
        return str(told.value["schemaFormat"]), told["schema"]
    return "", told


def _note_names(schema: Any, namespace: str, named: _Named) -> None:
    """Keep each type that has a name by it, with and without what stands before the last dot."""
    if isinstance(schema, list):
        for each in schema:
            _note_names(each, namespace, named)
    elif isinstance(schema, dict):
        space, name = str(schema.get("namespace", namespace)), str(schema.get("name", ""))
        if name and schema.get("type") in ("record", "error", "enum", "fixed"):
            named.setdefault(name.rpartition(".")[2], schema)
            named[name if "." in name else f"{space}.{name}"] = schema
        for part in (schema.get("type"), schema.get("items"), schema.get("values"), *_fields(schema)):
            _note_names(part, space, named)


def _fields(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    fields = schema.get("fields")
    return [each for each in fields if isinstance(each, dict)] if isinstance(fields, list) else []


def _example(schema: Any, name: str, named: _Named, depth: int) -> Any:
    """Raises ``LookupError`` for what is no schema, or holds itself without an end."""
    if depth > _DEEPEST:
        raise LookupError(name)
    is_deep = depth > _DEPTH
    inner: Any
    made: Any
    match schema:
        case "string" | "bytes":
            made = name
        case str():
            made = _PRIMITIVE[schema] if schema in _PRIMITIVE else _example(_known(schema, named), name, named, depth)
        case list():
            chosen = (each for each in schema if each != "null" and not (is_deep and "null" in schema))
            made = _example(next(chosen, "null"), name, named, depth)
        case {"type": "record" | "error"}:
            made = {each["name"]: _example(each["type"], each["name"], named, depth + 1) for each in _fields(schema)}
        case {"type": "enum", "symbols": [first, *_]}:
            made = first
        case {"type": "array", "items": inner}:
            made = [] if is_deep else [_example(inner, name, named, depth + 1)]
        case {"type": "map", "values": inner}:
            made = {} if is_deep else {"key": _example(inner, "value", named, depth + 1)}
        case {"type": "fixed", "size": int(size)}:
            made = "x" * size
        case {"logicalType": str(logical)} if logical in _LOGICAL:
            made = _LOGICAL[logical]
        case {"type": inner}:
            made = _example(inner, name, named, depth + 1)
        case _:
            raise LookupError(name)
    return made


def _known(name: str, named: _Named) -> Any:
    return named[name] if name in named else named[name.rpartition(".")[2]]
