"""Checking documents against the schemas, with errors a reader can act on."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from choreo_bdd_schemas.documents import REPORT_VERSIONS, config_schema, report_schema

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

_MESSAGE_MAX_CHARS = 300


def validate_report(document: Any, *, at_most: int | None = None) -> list[str]:
    """Errors of a ``results.json`` document, empty when it is valid.

    The schema is chosen by the document's own ``schema_version``. Each error reads ``path: what is wrong``, as
    in ``tests[3].scenarios[0].handles[1].outcome: 'ok' is not one of ...``; at most ``at_most`` are returned.
    """
    version = document.get("schema_version") if isinstance(document, dict) else None
    if not isinstance(document, dict):
        return [f"<root>: a report is a JSON object, not {type(document).__name__}"]
    if version not in REPORT_VERSIONS:
        return [f"schema_version: {version!r} is not one of {', '.join(REPORT_VERSIONS)}"]
    return _errors(_report_validator(version), document, at_most)


def validate_config(document: Any) -> list[str]:
    """Errors of a parsed ``choreo.yaml``, empty when it is valid; same form as for reports."""
    return _errors(_config_validator(), document, None)


def format_path(parts: Iterable[str | int]) -> str:
    """``["tests", 3, "name"]`` as ``tests[3].name``; the document itself is ``<root>``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".") or "<root>"


def _errors(validator: Draft202012Validator, document: Any, at_most: int | None) -> list[str]:
    found: list[str] = []
    for error in validator.iter_errors(document):
        line = f"{format_path(error.absolute_path)}: {_message(error)}"
        if line not in found:
            found.append(line)
        if at_most is not None and len(found) >= at_most:
            break
    return found


def _message(error: ValidationError) -> str:
    keyword, value, schema = error.validator, error.validator_value, error.schema
    if keyword in ("anyOf", "oneOf") and isinstance(value, list):
        quantity = "at least one" if keyword == "anyOf" else "exactly one"
        return f"needs {quantity} of {', '.join(repr(name) for option in value for name in option['required'])}"
    if keyword == "additionalProperties" and isinstance(error.instance, dict) and isinstance(schema, dict):
        known = schema["properties"]
        unknown = ", ".join(repr(key) for key in error.instance if key not in known)
        return f"unknown key {unknown}; known are {', '.join(sorted(known))}"
    message = error.message
    return message if len(message) <= _MESSAGE_MAX_CHARS else f"{message[:_MESSAGE_MAX_CHARS]} ..."


@cache
def _report_validator(version: str) -> Draft202012Validator:
    return _validator(report_schema(version))


@cache
def _config_validator() -> Draft202012Validator:
    return _validator(config_schema())


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - costs 50 ms, only validation needs it

    return Draft202012Validator(schema)
