"""A valid example is found for schemas of every keyword, and for those that speak against a first guess."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from choreo_bdd.asyncapi.channels import read_channels
from choreo_bdd.asyncapi.documents import Documents
from choreo_bdd.asyncapi.schemas import compiled
from choreo_bdd_steps.drafting.examples import Examples
from choreo_bdd_steps.drafting.mending import mended
from choreo_bdd_steps.language.fitting_texts import patterned

TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
SCHEMAS: dict[str, Any] = {
    "three that differ": {"type": "array", "items": TEXT, "minItems": 3, "uniqueItems": True},
    "two of a list that differ": {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 2, "uniqueItems": True},
    "objects that differ": {
        "type": "array",
        "minItems": 2,
        "uniqueItems": True,
        "items": {
            "type": "object",
            "required": ["id"],
            "properties": {"id": {"type": "string", "pattern": "^[A-F]{3}$"}},
        },
    },
    "booleans that differ": {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "uniqueItems": True},
    "contains": {"type": "array", "contains": {"type": "integer", "minimum": 5}},
    "contains one of objects": {
        "type": "array",
        "items": {"type": "object"},
        "contains": {"required": ["lead"], "properties": {"lead": {"const": True}}},
    },
    "tuple": {"type": "array", "items": [TEXT, WHOLE], "minItems": 2, "additionalItems": False},
    "tuple with more": {"type": "array", "items": [TEXT], "additionalItems": {"type": "number"}, "minItems": 3},
    "if then": {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": ["card", "cash"]}},
        "if": {"properties": {"kind": {"const": "card"}}},
        "then": {"required": ["number"], "properties": {"number": WHOLE}},
    },
    "if else": {
        "type": "object",
        "required": ["paid"],
        "properties": {"paid": {"const": False}},
        "if": {"properties": {"paid": {"const": True}}},
        "else": {"required": ["due"], "properties": {"due": {"type": "string", "format": "date"}}},
    },
    "above zero in thirds": {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.25},
    "between in sevens": {"type": "integer", "exclusiveMinimum": 10, "exclusiveMaximum": 20, "multipleOf": 7},
    "a small part": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.01},
    "below": {"type": "integer", "exclusiveMaximum": -3},
    "the only whole one": {"type": "integer", "minimum": 1.2, "maximum": 2.9},
    "cents": {"type": "number", "minimum": 0.05, "multipleOf": 0.01},
    "in two parts": {"allOf": [{"type": "integer", "minimum": 5}, {"multipleOf": 4}, {"maximum": 11}]},
    "pattern": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{4}$"},
    "pattern in length": {"type": "string", "pattern": "^[a-z]+$", "minLength": 5, "maxLength": 7},
    "pattern of words in length": {"type": "string", "pattern": "^(foo|ba[rz+]{1,})+$", "minLength": 5, "maxLength": 8},
    "pattern that looks ahead": {"type": "string", "pattern": "^(?=.*[0-9])[a-z0-9]{8}$"},
    "pattern that forbids": {"type": "string", "pattern": "^(?!admin)[a-z]{5,8}$"},
    "dependencies": {
        "type": "object",
        "required": ["card"],
        "properties": {"card": TEXT, "address": TEXT},
        "additionalProperties": TEXT,
        "dependencies": {"card": ["address", "name"]},
    },
    "a dependency that is a schema": {
        "type": "object",
        "required": ["card"],
        "properties": {"card": TEXT},
        "dependencies": {"card": {"required": ["holder"], "properties": {"holder": WHOLE}}},
    },
    "dependentRequired": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"a": TEXT},
        "required": ["a"],
        "dependentRequired": {"a": ["b"]},
        "dependentSchemas": {"b": {"properties": {"b": WHOLE}}},
    },
    "names of fields": {"type": "object", "minProperties": 2, "propertyNames": {"pattern": "^[a-z]{3}$"}},
    "names by length": {"type": "object", "minProperties": 1, "propertyNames": {"maxLength": 4}},
    "fields by pattern": {
        "type": "object",
        "minProperties": 1,
        "patternProperties": {"^x-[a-z]+$": WHOLE},
        "additionalProperties": False,
    },
    "a map": {"type": "object", "minProperties": 3, "additionalProperties": {"type": "integer", "minimum": 3}},
    "few fields": {"type": "object", "maxProperties": 1, "properties": {"a": TEXT, "b": TEXT}},
    "not": {"type": "string", "not": {"enum": ["text", "payload"]}},
    "not with a field": {"type": "object", "properties": {"a": TEXT, "b": TEXT}, "not": {"required": ["b"]}},
    "one of several": {
        "type": "object",
        "properties": {"a": TEXT, "b": TEXT},
        "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
    },
    "one by a tag": {
        "type": "object",
        "required": ["kind"],
        "oneOf": [{"properties": {"kind": {"const": name}, name: WHOLE}, "required": [name]} for name in ("a", "b")],
    },
    "any of what is required": {
        "type": "object",
        "properties": {"a": {"type": "integer", "minimum": 7}, "b": TEXT},
        "anyOf": [{"required": ["a"]}],
    },
    "a first choice that cannot be": {
        "allOf": [TEXT],
        "oneOf": [{"type": "integer"}, {"type": "string", "minLength": 9}],
    },
    "a default that is wrong": {"type": "integer", "default": "seven"},
    "an example that is wrong": {
        "type": "object",
        "required": ["a"],
        "properties": {"a": WHOLE},
        "examples": [{"a": "x"}],
    },
    "a field that may not be": {"type": "object", "properties": {"a": TEXT, "b": False}, "required": ["a"]},
    "null": {"type": "object", "required": ["gone"], "properties": {"gone": {"type": "null"}}},
    "null or a number": {
        "type": "object",
        "required": ["n"],
        "properties": {"n": {"type": ["null", "number"], "minimum": 3}},
    },
    "referred to": {
        "type": "object",
        "required": ["rows"],
        "definitions": {"row": {"type": "string", "pattern": "^r[0-9]$"}},
        "properties": {
            "rows": {"type": "array", "minItems": 4, "uniqueItems": True, "items": {"$ref": "#/definitions/row"}}
        },
    },
    "nothing unevaluated": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["a"],
        "allOf": [{"properties": {"a": TEXT}}],
        "unevaluatedProperties": False,
    },
    "prefix": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "array",
        "minItems": 2,
        "prefixItems": [{"const": "v1"}, WHOLE],
        "items": False,
    },
    "so many of a kind": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "array",
        "contains": WHOLE,
        "minContains": 2,
    },
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_valid_example_is_found(tmp_path: Path, name: str) -> None:
    schema = SCHEMAS[name]
    path = tmp_path / "api.yaml"
    message = {
        "payload": json.loads(
            json.dumps(schema).replace("#/definitions", "#/channels/c/messages/m/payload/definitions")
        )
    }
    channel = {"address": "c", "messages": {"m": message}}
    path.write_text(json.dumps({"asyncapi": "3.0.0", "channels": {"c": channel}}), "utf-8")
    documents = Documents(path)
    payload = read_channels(documents)[0].messages[0].payload
    assert payload is not None
    found = mended(payload.node, documents, compiled(payload, documents), Examples(documents).value(payload.node))
    jsonschema.validators.validator_for(schema, jsonschema.Draft7Validator)(schema).validate(found)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("pattern", [r"^(?=(a+)+c)(a+)+b", r"(((((a{90}b){90}c){90}d){90}e){90}f){90}", "(" * 99 + "a"])
def test_no_text_is_made_of_a_pattern_that_would_take_for_ever(pattern: str) -> None:
    assert list(patterned(pattern)) == []
