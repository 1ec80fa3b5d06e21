"""Checking documents against the schemas, with errors a reader can act on."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from choreo_bdd_schemas.documents import REPORT_VERSIONS, config_schema, report_schema

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

_MESSAGE_MAX_CHARS = 300
_MANY_TESTS = 200
_DEEP = 100
"""Deeper than anything in a report of ours; what is deeper still may be more than its readers can follow."""
_DATED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})")


def validate_report(document: Any, *, at_most: int | None = None) -> list[str]:
    """Errors of a ``results.json`` document, empty when it is valid.

    The schema is chosen by the document's own ``schema_version``. Each error reads ``path: what is wrong``, as
    in ``tests[3].scenarios[0].handles[1].outcome: 'ok' is not one of ...``; at most ``at_most`` are returned.
    Numbers that JSON has no form for, such as NaN, are errors wherever they stand.
    """
    version = document.get("schema_version") if isinstance(document, dict) else None
    if not isinstance(document, dict):
        return [f"<root>: a report is a JSON object, not {type(document).__name__}"]
    if version not in REPORT_VERSIONS:
        return [f"schema_version: {version!r} is not one of {', '.join(map(repr, REPORT_VERSIONS))}{_advice(version)}"]
    doubtful = _doubtful_tests(version, document.get("tests"))
    some = document if doubtful is None else {**document, "tests": list(doubtful.values())}
    if _is_surely_valid(_report_check(version), some):  # thirty times as fast as what names the errors
        return []
    errors = _errors(_report_validator(version), some, at_most)
    return errors if doubtful is None else [_renumbered(error, list(doubtful)) for error in errors]


def _advice(version: Any) -> str:
    """What is told of a version by its looks: a later one, or one that is written otherwise."""
    if version == "1.0":
        return "; the first version is written '1'"
    if isinstance(version, str) and re.fullmatch(r"[1-9]\d*(\.\d+)?", version):
        return "; it was written by a newer choreo-bdd, or another tool: read it with that one"
    return ""


def _doubtful_tests(version: str, tests: Any) -> dict[int, Any] | None:
    """The tests, by number, in which there may be an error; ``None`` where they are few enough to look at together."""
    if not isinstance(tests, list) or len(tests) < _MANY_TESTS:
        return None
    is_valid = _test_check(version)
    return {number: test for number, test in enumerate(tests) if not _is_surely_valid(is_valid, test)}


def _is_surely_valid(is_valid: Callable[[Any], bool], part: Any) -> bool:
    try:
        return is_valid(part) and next(_non_finite(part, deepest=_DEEP), None) is None
    except (ValueError, RecursionError):  # nested too deep, or half a surrogate pair
        return False


def _renumbered(error: str, numbers: list[int]) -> str:
    return re.sub(r"^tests\[(\d+)\]", lambda match: f"tests[{numbers[int(match[1])]}]", error)


def validate_config(document: Any) -> list[str]:
    """Errors of a parsed ``choreo.yaml``, empty when it is valid; same form as for reports."""
    return _errors(_config_validator(), document, None)


def format_path(parts: Iterable[str | int]) -> str:
    """``["tests", 3, "name"]`` as ``tests[3].name``; the document itself is ``<root>``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".") or "<root>"


def _errors(validator: Draft202012Validator, document: Any, at_most: int | None) -> list[str]:
    found: list[str] = []
    try:
        for line in chain(_schema_errors(validator, document), _non_finite(document)):
            if line not in found:
                found.append(line)
            if at_most is not None and len(found) >= at_most:
                break
    except RecursionError:
        found.append("<root>: nested too deep to be checked")
    return found


def _schema_errors(validator: Draft202012Validator, document: Any) -> Iterator[str]:
    return (f"{format_path(error.absolute_path)}: {_message(error)}" for error in validator.iter_errors(document))


def _non_finite(document: Any, *, deepest: float = math.inf) -> Iterator[str]:
    """Python reads and writes ``NaN`` and ``Infinity``; nobody else reads a file that has them.

    Raises ``RecursionError`` for what is nested deeper than ``deepest``.
    """
    path: list[str | int] = []
    open_ones = [_members(document)]  # from the document down to where we are: memory by its depth, not by its size
    while open_ones:
        for name, value in open_ones[-1]:
            if isinstance(value, float) and not math.isfinite(value):
                yield f"{format_path((*path, name))}: {value} is no number that JSON knows"
            elif value and isinstance(value, dict | list):
                path.append(name)
                open_ones.append(_members(value))
                if len(open_ones) > deepest:
                    raise RecursionError
                break
        else:
            open_ones.pop()
            del path[-1:]


def _members(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return iter(value.items())
    return iter(enumerate(value)) if isinstance(value, list) else iter(())


def _message(error: ValidationError) -> str:
    keyword, value, schema = error.validator, error.validator_value, error.schema
    if keyword in ("anyOf", "oneOf") and isinstance(value, list):
        quantity = "at least one" if keyword == "anyOf" else "exactly one"
        return f"needs {quantity} of {', '.join(repr(name) for option in value for name in option['required'])}"
    if keyword == "additionalProperties" and isinstance(error.instance, dict) and isinstance(schema, dict):
        known = schema["properties"]
        unknown = ", ".join(repr(key) for key in error.instance if key not in known)
        return f"unknown key {unknown}; known are {', '.join(sorted(known))}"
    message = f"{error.instance!r}: no such day or hour" if keyword == "format" else error.message
    return message if len(message) <= _MESSAGE_MAX_CHARS else f"{message[:_MESSAGE_MAX_CHARS]} ..."


@cache
def _report_validator(version: str) -> Draft202012Validator:
    return _validator(report_schema(version))


@cache
def _report_check(version: str) -> Callable[[Any], bool]:
    return _check(report_schema(version))


@cache
def _test_check(version: str) -> Callable[[Any], bool]:
    return _check({"$ref": "#/$defs/test", "$defs": report_schema(version)["$defs"]})


def _check(schema: dict[str, Any]) -> Callable[[Any], bool]:
    import jsonschema_rs  # noqa: PLC0415 - only validation needs it

    formats = {"date-time": _is_real_moment}
    return jsonschema_rs.Draft202012Validator(schema, formats=formats, validate_formats=True).is_valid


@cache
def _config_validator() -> Draft202012Validator:
    return _validator(config_schema())


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    from jsonschema import Draft202012Validator, FormatChecker  # noqa: PLC0415 - costs 50 ms, only validation needs it

    formats = FormatChecker(formats=())
    formats.checks("date-time", raises=ValueError)(_is_moment)
    return Draft202012Validator(schema, format_checker=formats)


def _is_real_moment(text: str) -> bool:
    try:
        return _is_moment(text)
    except ValueError:
        return False


def _is_moment(value: object) -> bool:
    """Whether there is such a day and hour; a text of another form is the pattern's business."""
    is_dated = isinstance(value, str) and _DATED.fullmatch(value)
    return not is_dated or bool(datetime.fromisoformat(str(value)))
