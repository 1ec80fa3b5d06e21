"""Does a results document follow the schema of its version? Large ones are checked in samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

TESTS_CHECKED = 100
_EVENTS = 20


def first_error(results: Any) -> str | None:
    """``path: what is wrong`` of the first fault found, ``None`` for a document that is sound.

    Of a document with very many tests, every n-th is looked at: half a million events take half a minute.
    """
    from choreo_bdd_schemas import validate_report  # noqa: PLC0415 - brings in jsonschema

    tests = results.get("tests") if isinstance(results, dict) else None
    if isinstance(tests, list) and (len(tests) > TESTS_CHECKED or _are_read_late(tests)):
        results = {**results, "tests": [_thinned(test) for test in tests[:: 1 + len(tests) // TESTS_CHECKED]]}
    errors = validate_report(results, at_most=1)
    return errors[0] if errors else None


def _are_read_late(tests: list[Any]) -> bool:
    """Whether tests stay in the journal until somebody looks inside, because they are large, however few they are."""
    return any(isinstance(test, Mapping) and not isinstance(test, dict) for test in tests[:1])


def _thinned(test: Any) -> Any:
    scenarios = test.get("scenarios") if isinstance(test, Mapping) else None
    if not isinstance(scenarios, list):
        return test
    return {**test, "scenarios": [_without_most_events(scenario) for scenario in scenarios]}


def _without_most_events(scenario: Any) -> Any:
    timeline = scenario.get("timeline") if isinstance(scenario, Mapping) else None
    return {**scenario, "timeline": list(timeline[:_EVENTS])} if isinstance(timeline, Sequence) else scenario
