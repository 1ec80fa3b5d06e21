"""The language of bodies: doc strings, tables, conditions, durations, templates. Knows no test framework."""

from __future__ import annotations

from typing import TYPE_CHECKING

from choreo_bdd.shared.late_names import late_names
from choreo_bdd_steps.language.durations import parse_duration
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.extensions import function, matcher

if TYPE_CHECKING:
    from choreo_bdd_steps.language.expectation_body import ExpectationBody, parse_expectation
    from choreo_bdd_steps.language.matching.body_matcher import BodyMatcher
    from choreo_bdd_steps.language.paths import Field, parse_field
    from choreo_bdd_steps.language.payload_body import (
        OutgoingMessage,
        PayloadBody,
        load_file,
        no_payload,
        parse_envelope,
        parse_payload,
        parse_raw,
    )
    from choreo_bdd_steps.language.templates.functions import Variables
    from choreo_bdd_steps.language.templates.rendering import referenced_names, render
else:  # not for type checkers, to which any name would be one of ours
    # sentences are known without the grammar of bodies
    __getattr__ = late_names(
        globals(),
        (
            "expectation_body",
            "payload_body",
            "matching.body_matcher",
            "paths",
            "templates.functions",
            "templates.rendering",
        ),
    )


__all__ = [
    "BodyError",
    "BodyMatcher",
    "ExpectationBody",
    "Field",
    "OutgoingMessage",
    "PayloadBody",
    "Variables",
    "function",
    "load_file",
    "matcher",
    "no_payload",
    "parse_duration",
    "parse_envelope",
    "parse_expectation",
    "parse_field",
    "parse_payload",
    "parse_raw",
    "referenced_names",
    "render",
]
