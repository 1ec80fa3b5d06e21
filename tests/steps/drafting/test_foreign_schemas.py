"""Examples of payloads that a document describes in Avro's or OpenAPI's language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd.asyncapi.channels import read_channels
from choreo_bdd.asyncapi.documents import Documents
from choreo_bdd.codecs.avro import AvroCodec
from choreo_bdd_project.config import memory_config
from choreo_bdd_steps.drafting.features import drafts
from choreo_bdd_steps.drafting.foreign_schemas import avro_example

_2 = """
asyncapi: 2.6.0
info: {title: A, version: 1.0.0}
channels: {orders: {publish: {message: {schemaFormat: '%s', payload: {$ref: order.json}}}}}
"""
_3 = """
asyncapi: 3.0.0
info: {title: A, version: 1.0.0}
channels: {orders: {address: orders, messages: {order: {payload: {$ref: '#/components/schemas/Order'}}}}}
components: {schemas: {Order: {schemaFormat: '%s', schema: {$ref: order.json}}}}
"""
_AVRO = "application/vnd.apache.avro;version=1.9.0"
_OPENAPI = "application/vnd.oai.openapi;version=3.0.0"


def _fields(*types: Any) -> dict[str, Any]:
    fields = [{"name": f"f{number}", "type": each} for number, each in enumerate(types)]
    return {"type": "record", "name": "Order", "namespace": "a.b", "fields": fields}


_MONEY = {"type": "record", "name": "Money", "fields": [{"name": "cents", "type": "long"}]}
_COLOUR = {"type": "enum", "name": "c.Colour", "symbols": ["RED", "BLUE"]}
SCHEMAS: dict[str, Any] = {
    "primitives": _fields("null", "boolean", "int", "long", "float", "double", "string"),
    "a choice": _fields(["null", "string"], ["int", "null"], ["null", _MONEY], "Money", "a.b.Money"),
    "an enum": _fields(_COLOUR, "c.Colour"),
    "lists and maps": _fields({"type": "array", "items": _MONEY}, {"type": "map", "values": ["null", "Money"]}),
    "a name of a branch not taken": _fields(["string", _MONEY], "Money"),
    "within itself": _fields("string", ["null", "Order"], {"type": "array", "items": "a.b.Order"}),
    "logical": _fields(
        {"type": "int", "logicalType": "date"},
        {"type": "long", "logicalType": "timestamp-millis"},
        {"type": "long", "logicalType": "local-timestamp-micros"},
        {"type": "int", "logicalType": "time-millis"},
        {"type": "string", "logicalType": "uuid"},
        {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
        {"type": "int", "logicalType": "of-somebody"},
    ),
    "no record": {"type": "map", "values": "int"},
}


def _document(folder: Path, document: str, schema: Any) -> Documents:
    (folder / "order.json").write_text(json.dumps(schema), "utf-8")
    (folder / "api.yaml").write_text(document, "utf-8")
    return Documents(folder / "api.yaml")


@pytest.mark.parametrize("document", [_2, _3], ids=["2.6", "3.0"])
@pytest.mark.parametrize("schema", SCHEMAS)
def test_an_example_of_an_avro_schema_is_one_of_its_values(tmp_path: Path, schema: str, document: str) -> None:
    documents = _document(tmp_path, document % _AVRO, SCHEMAS[schema])
    [channel] = read_channels(documents)
    example = avro_example(documents, channel.messages[0].node)
    assert example
    codec = AvroCodec(SCHEMAS[schema])
    assert codec.decode(codec.encode(example)) == example


def test_bytes_and_fixed_are_text_as_in_avros_own_json(tmp_path: Path) -> None:
    documents = _document(tmp_path, _2 % _AVRO, _fields("bytes", {"type": "fixed", "name": "md5", "size": 4}))
    [channel] = read_channels(documents)
    assert avro_example(documents, channel.messages[0].node) == {"f0": "f0", "f1": "xxxx"}


@pytest.mark.parametrize("schema", [_fields("Nobody"), _fields("Order"), {"type": "record"}, 7, _fields(["null", []])])
def test_what_is_no_avro_schema_stands_for_nothing(tmp_path: Path, schema: Any) -> None:
    documents = _document(tmp_path, _2 % _AVRO, schema)
    [channel] = read_channels(documents)
    assert avro_example(documents, channel.messages[0].node) in ({}, {"f0": None})


ORDER = {
    "type": "object",
    "required": ["id", "kind"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "integer", "minimum": 3, "exclusiveMinimum": True},
        "kind": {"type": "string", "enum": ["big", "small"], "nullable": True},
        "note": {"type": "string", "nullable": True, "example": "by hand"},
    },
}


@pytest.mark.parametrize("document", [_2, _3], ids=["2.6", "3.0"])
def test_an_openapi_schema_is_drafted_like_a_json_schema(tmp_path: Path, document: str) -> None:
    _document(tmp_path, document % _OPENAPI, ORDER)
    drafted = drafts(tmp_path / "api.yaml", memory_config())
    [text] = [each.text for each in drafted.features]
    assert '"note": "by hand"' in text
    assert '"id": 4' in text
    for scenario in ("without id", "without kind", "with a stranger as kind"):
        assert f" {scenario} is not taken" in text
    assert drafted.left_out == ()


def test_an_openapi_schema_that_is_none_is_said(tmp_path: Path) -> None:
    _document(tmp_path, _2 % _OPENAPI, {"type": "thing"})
    drafted = drafts(tmp_path / "api.yaml", memory_config())
    assert f"its payload is in {_OPENAPI}, of which no example is made" in drafted.left_out[0]
