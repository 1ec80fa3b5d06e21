"""The language of bodies: doc strings, tables, conditions, durations, templates. Knows no test framework."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from choreo_bdd_steps.language.durations import parse_duration
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.extensions import function, matcher

if TYPE_CHECKING:
    from choreo_bdd_steps.language.body import (
        ExpectationBody,
        OutgoingMessage,
        PayloadBody,
        load_file,
        no_payload,
        parse_envelope,
        parse_expectation,
        parse_payload,
        parse_raw,
    )
    from choreo_bdd_steps.language.matching.body_matcher import BodyMatcher
    from choreo_bdd_steps.language.paths import Field, parse_field
    from choreo_bdd_steps.language.templates.functions import Variables
    from choreo_bdd_steps.language.templates.rendering import referenced_names, render
else:  # not for type checkers, to which any name would be one of ours
    _MODULES = ("body", "matching.body_matcher", "paths", "templates.functions", "templates.rendering")

    def __getattr__(name):
        """The rest of ``__all__``, loaded when asked for: sentences are known without the grammar of bodies."""
        modules = (import_module(f"{__name__}.{each}") for each in _MODULES if name in __all__)
        for module in modules:
            if hasattr(module, name):
                globals()[name] = found = getattr(module, name)
                return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
