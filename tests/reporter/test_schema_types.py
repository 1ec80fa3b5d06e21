"""The types of a report beside the schema that other tools read it by: neither knows a member that the other lacks."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from choreo_bdd_reporter.model import schema_types
from choreo_bdd_schemas.documents import report_schema

_NAMES = {
    "Results": "",
    "ResultsRun": "run",
    "Totals": "totals",
    "Redactions": "redactions",
    "Xdist": "xdist",
    "ChoreoMeta": "choreo_meta",
    "ResultsTest": "test",
    "ResultsScenario": "scenario",
    "ResultsStage": "stage",
    "ResultsHandle": "handle",
    "MatchFailure": "match_failure",
    "DiagnosisMatched": "diagnosis_matched",
    "DiagnosisOverBudget": "diagnosis_over_budget",
    "DiagnosisNearMiss": "diagnosis_near_miss",
    "DiagnosisSilentTimeout": "diagnosis_silent_timeout",
    "DiagnosisPending": "diagnosis_pending",
    "TimelineEntry": "timeline_entry",
    "ReplyReport": "reply_report",
}
"""Each type with its place under ``$defs``; the whole document stands at the top."""
_NOT_IN_THE_SCHEMA = {"RunTransports"}  # two members of a run, as one function returns them
_SCALARS = {"string": str, "integer": int, "number": float, "boolean": bool, "null": type(None)}
_SCHEMA = report_schema()


def _typed() -> dict[str, Any]:
    found = {name: value for name, value in vars(schema_types).items() if is_typeddict(value)}
    return {name: value for name, value in found.items() if name not in _NOT_IN_THE_SCHEMA}


def test_each_object_of_the_schema_has_a_type() -> None:
    objects = {name for name, schema in _SCHEMA["$defs"].items() if "properties" in schema}
    assert set(_typed()) == set(_NAMES)
    assert objects - set(_NAMES.values()) == {"diagnosis"}  # the union of its five kinds


@pytest.mark.parametrize("name", _NAMES)
def test_a_type_has_the_members_of_its_object_and_no_others(name: str) -> None:
    typed, schema = _typed()[name], _object(_NAMES[name])
    hints = get_type_hints(typed)
    assert set(hints) == set(schema["properties"])
    optional = {
        member for member, hint in get_type_hints(typed, include_extras=True).items() if get_origin(hint) is NotRequired
    }
    assert set(hints) - optional == set(schema["required"])
    told = {member: sorted(_spelt(hint)) for member, hint in hints.items()}
    assert told == {member: sorted(_allowed(part)) for member, part in schema["properties"].items()}


def _object(place: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _SCHEMA["$defs"][place] if place else _SCHEMA
    return found


def _spelt(hint: Any) -> Iterator[str]:
    """What a type allows, in the words of ``_allowed``."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        for part in parts:
            yield from _spelt(part)
    elif origin is Literal:
        yield from map(repr, parts)
    elif origin in (list, Sequence):
        yield f"list of {' | '.join(sorted(_spelt(parts[0])))}"
    elif is_typeddict(hint):
        yield _NAMES[hint.__name__]
    else:
        yield "object" if origin is dict else getattr(hint, "__name__", str(hint))


def _allowed(schema: Mapping[str, Any]) -> Iterator[str]:
    """What a part of the schema allows: names of objects and scalars, values of an enumeration."""
    if schema.get("if") == {"type": "null"}:
        yield "NoneType"
        yield from _allowed(schema["else"])
    elif "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from _referred(name)
    elif "enum" in schema:
        yield from map(repr, schema["enum"])
    elif "const" in schema:
        yield "str" if schema["const"] == "1.3" else repr(schema["const"])
    elif "type" not in schema:
        yield "Any"
    elif schema["type"] == "array":
        yield f"list of {' | '.join(sorted(_allowed(schema['items'])))}"
    elif schema["type"] == "object":
        yield "object"
    else:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        yield from (_SCALARS[kind].__name__ for kind in kinds)


def _referred(name: str) -> Iterator[str]:
    if name == "diagnosis":
        yield from (place for place in _NAMES.values() if place.startswith("diagnosis_"))
    elif name in _NAMES.values():
        yield name
    else:
        yield from _allowed(_SCHEMA["$defs"][name])
