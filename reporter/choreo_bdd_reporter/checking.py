"""Does a results document follow the schema of its version? Large ones are checked in samples."""

from __future__ import annotations

from typing import Any

_TESTS = 100
_EVENTS = 20


def first_error(results: Any) -> str | None:
    """``path: what is wrong`` of the first fault found, ``None`` for a document that is sound.

    Of a document with very many tests, every n-th is looked at: half a million events take half a minute.
    """
    from choreo_bdd_schemas import validate_report  # noqa: PLC0415 - brings in jsonschema

    errors = validate_report(_sample(results), at_most=1)
    return errors[0] if errors else None


def _sample(results: Any) -> Any:
    tests = results.get("tests") if isinstance(results, dict) else None
    if not isinstance(tests, list) or len(tests) <= _TESTS:
        return results
    return {**results, "tests": [_thinned(test) for test in tests[:: len(tests) // _TESTS]]}


def _thinned(test: Any) -> Any:
    scenarios = test.get("scenarios") if isinstance(test, dict) else None
    if not isinstance(scenarios, list):
        return test
    return {**test, "scenarios": [_without_most_events(scenario) for scenario in scenarios]}


def _without_most_events(scenario: Any) -> Any:
    timeline = scenario.get("timeline") if isinstance(scenario, dict) else None
    return {**scenario, "timeline": timeline[:_EVENTS]} if isinstance(timeline, list) else scenario
