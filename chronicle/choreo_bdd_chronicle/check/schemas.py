"""The report schemas as compiled checkers: types, ranges and required keys strict, unknown keys told apart.

Each version has two checkers. ``exact`` is the published schema with its closed objects: most reports pass it, and
nothing more is asked. ``tolerant`` lets unknown keys be; what only ``exact`` finds is a warning, not a fault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import jsonschema_rs

from choreo_bdd_chronicle.check.records import Fault, pointer
from choreo_bdd_schemas import REPORT_VERSIONS, report_schema

FAULTS_MAX = 10
"""So many faults of a report are told."""

_INT_MAX, _INT_MIN = 2**63 - 1, -(2**63)
_NEWER = re.compile(r"1\.[4-9]")
UPDATE = "update choreo-bdd where the server runs"
"""What helps with a report that is newer than the server."""
_NEWER_THAN_KNOWN = f"the report's schema is newer than {REPORT_VERSIONS[-1]}, the latest that this server knows"
_HIDDEN = "the value"
_NUMBERS = frozenset(("integer", "number"))
_WORDS = frozenset(("enum", "const"))
_NOT_FOR_NEWER = _WORDS | {"pattern", "maxLength"}
_TEXT = {"type": "string"}
"""What a word stays that is not known today."""


@dataclass(frozen=True, slots=True)
class Checker:
    """Both checkers of one version, which ``is_newer`` than any that is known."""

    exact: jsonschema_rs.Draft202012Validator
    tolerant: jsonschema_rs.Draft202012Validator
    is_newer: bool

    def judge(self, document: Any) -> tuple[list[Fault], list[Fault]]:
        """What is wrong with a document and, when nothing is, what is unknown in it: the first ten of either.

        A word about a version that is newer goes with both.
        """
        is_as_known = self.exact.is_valid(document)
        faults = [] if is_as_known else _first_faults(self.tolerant, document)
        oddities = [] if is_as_known or faults else _first_faults(self.exact, document)
        if self.is_newer and faults:
            faults.append(Fault("/schema_version", f"{_NEWER_THAN_KNOWN}, which may be why; {UPDATE}"))
        elif self.is_newer:
            told = f"{_NEWER_THAN_KNOWN}: it is kept as it is, and what is new in it is not read here; {UPDATE}"
            oddities.insert(0, Fault("/schema_version", told))
        return faults, oddities


def checker(version: object) -> Checker | None:
    """The checker for a ``schema_version``, ``None`` when reports of that version cannot be taken."""
    if not isinstance(version, str):
        return None
    if _NEWER.fullmatch(version):
        return _compiled(REPORT_VERSIONS[-1], True)
    known = "1" if version == "1.0" else version
    return _compiled(known, False) if known in REPORT_VERSIONS else None


@cache
def _compiled(version: str, is_newer: bool) -> Checker:
    schema = report_schema(version)
    schema["properties"]["schema_version"] = {"type": "string"}
    return Checker(_validator(_bounded(schema)), _validator(_opened(_bounded(schema), is_newer)), is_newer)


def _validator(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True, mask=_HIDDEN)


def _bounded(schema: Any) -> Any:
    """Every number within 64 bits: nothing beyond can be stored, nor is it measured."""
    if isinstance(schema, list):
        return [_bounded(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _bounded(each) for key, each in schema.items()}
    kinds = found.get("type")
    if not _NUMBERS.isdisjoint(kinds if isinstance(kinds, list) else [kinds] if isinstance(kinds, str) else ()):
        return {"minimum": _INT_MIN, "maximum": _INT_MAX, **found}
    return found


def _opened(schema: Any, is_newer: bool, name: str = "") -> Any:
    """The schema without closed objects; of a newer version, only outcomes are held to the words known today."""
    if isinstance(schema, list):
        return [_opened(each, is_newer) for each in schema]
    if not isinstance(schema, dict):
        return schema
    dropped = _NOT_FOR_NEWER if is_newer and name not in ("outcome", "timestamp", "kind") else frozenset()
    kept = {
        key: _opened(each, is_newer, key)
        for key, each in schema.items()
        if not (key == "additionalProperties" and each is False) and key not in dropped
    }
    return {**_TEXT, **kept} if not dropped.isdisjoint(_WORDS & schema.keys()) else kept


def _first_faults(validator: jsonschema_rs.Draft202012Validator, document: Any) -> list[Fault]:
    found = islice(validator.iter_errors(document), FAULTS_MAX)
    return [Fault(pointer(error.instance_path), error.message) for error in found]
