"""Matchers: what a test expects of a payload, and a typed account of how it differs.

A matcher is any object with a ``description`` and ``match(payload) -> MatchResult``; ``expected_shape()`` is
optional. Matchers are immutable and may be shared by scenarios.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from choreo_bdd.matchers.closeness import Closeness, Gradable, closeness, differences, score
from choreo_bdd.matchers.protocols import Matcher, Reportable
from choreo_bdd.matchers.protocols import expected_shape as _expected_shape
from choreo_bdd.matchers.result import (
    COMPOSED_ALL,
    COMPOSED_ANY,
    RAW_PATH,
    ROOT_PATH,
    FailureKind,
    MatchFailure,
    MatchResult,
)
from choreo_bdd.matchers.values.paths import MISSING, FieldPath, Quantifier, parse_path, walk
from choreo_bdd.shared.late_names import late_names

if TYPE_CHECKING:
    from choreo_bdd.matchers.composition import all_of, any_of, not_
    from choreo_bdd.matchers.fields import (
        at,
        field_equals,
        field_exists,
        field_gt,
        field_in,
        field_lt,
        field_matches,
        field_ne,
    )
    from choreo_bdd.matchers.leaves import (
        JsonType,
        absent,
        anything,
        approx,
        between,
        contains,
        ends_with,
        eq,
        exists,
        ge,
        gt,
        in_,
        is_uuid,
        le,
        length,
        lt,
        matches,
        ne,
        not_null,
        null,
        of_type,
        starts_with,
    )
    from choreo_bdd.matchers.quantifiers import any_element, every
    from choreo_bdd.matchers.raw import payload_contains
    from choreo_bdd.matchers.schema import json_schema
    from choreo_bdd.matchers.shapes import as_matcher, contains_fields, exactly, unordered
    from choreo_bdd.matchers.timestamps import after, before, is_iso8601
else:  # not for type checkers, to which any name would be one of ours
    __getattr__ = late_names(
        globals(), ("leaves", "composition", "fields", "quantifiers", "shapes", "timestamps", "schema", "raw")
    )


__all__ = [
    "COMPOSED_ALL",
    "COMPOSED_ANY",
    "MISSING",
    "RAW_PATH",
    "ROOT_PATH",
    "Closeness",
    "FailureKind",
    "FieldPath",
    "Gradable",
    "JsonType",
    "MatchFailure",
    "MatchResult",
    "Matcher",
    "Quantifier",
    "Reportable",
    "_expected_shape",
    "absent",
    "after",
    "all_of",
    "any_element",
    "any_of",
    "anything",
    "approx",
    "as_matcher",
    "at",
    "before",
    "between",
    "closeness",
    "contains",
    "contains_fields",
    "differences",
    "ends_with",
    "eq",
    "every",
    "exactly",
    "exists",
    "field_equals",
    "field_exists",
    "field_gt",
    "field_in",
    "field_lt",
    "field_matches",
    "field_ne",
    "ge",
    "gt",
    "in_",
    "is_iso8601",
    "is_uuid",
    "json_schema",
    "le",
    "length",
    "lt",
    "matches",
    "ne",
    "not_",
    "not_null",
    "null",
    "of_type",
    "parse_path",
    "payload_contains",
    "score",
    "starts_with",
    "unordered",
    "walk",
]
