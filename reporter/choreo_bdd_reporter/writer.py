"""The run model on disk: ``results.json`` and ``index.html``, each replaced only when its successor is complete."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from choreo_bdd_reporter.document import capped, gherkin_document, results_document
from choreo_bdd_reporter.model import Run
from choreo_bdd_reporter.notices import notice
from choreo_bdd_reporter.output_dir import PAGE, RESULTS, prepare

_CHECKED_TESTS = 100
_CHECKED_EVENTS = 20


def write_report(run: Run, directory: Path) -> None:
    """Write both files into a validated directory.

    A page that cannot be rendered leaves ``results.json`` and a warning, and takes an older page away with it,
    because that would show another run. Raises ``OSError`` when the directory cannot be written.
    """
    run, truncated = capped(run)
    results = results_document(run, truncated=truncated)
    _check(results)
    prepare(directory)
    _replace(directory / RESULTS, json_lines(results))
    try:
        _replace(directory / PAGE, [_page(results, gherkin_document(run))])
    except Exception as error:  # noqa: BLE001 - the page is the lesser half of the report
        (directory / PAGE).unlink(missing_ok=True)
        notice(f"{PAGE} was not written ({type(error).__name__}: {error}); {directory / RESULTS} is complete")


def json_lines(results: dict[str, Any]) -> Iterator[str]:
    """The document as ASCII JSON with one test a line: made piece by piece, and good to compare and to search."""
    yield f'{{"schema_version": {json.dumps(results["schema_version"])},\n"run": {json.dumps(results["run"])},\n'
    yield '"tests": ['
    for index, test in enumerate(results["tests"]):
        yield ",\n" if index else "\n"
        yield json.dumps(test, allow_nan=False)
    yield "\n]}\n"


def _page(results: dict[str, Any], gherkin: dict[str, Any]) -> str:
    from choreo_bdd_reporter.page import render_page  # noqa: PLC0415 - brings in Jinja2

    return render_page(results, gherkin)


def _replace(target: Path, pieces: Iterable[str]) -> None:
    temporary = target.with_name(f".{target.name}.tmp")
    with temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(pieces)
    os.replace(temporary, target)


def _check(results: dict[str, Any]) -> None:
    """Warn when the document breaks its own contract; it is written all the same, as the best there is."""
    from choreo_bdd_schemas import validate_report  # noqa: PLC0415 - brings in jsonschema

    errors = validate_report(_sample(results), at_most=1)
    if errors:
        notice(f"{RESULTS} does not follow its schema: {errors[0]}")


def _sample(results: dict[str, Any]) -> dict[str, Any]:
    """Enough of a large document to find a fault of ours: validating half a million events takes half a minute."""
    tests = results["tests"]
    step = max(1, len(tests) // _CHECKED_TESTS)
    return {**results, "tests": [_thinned(test) for test in tests[::step]]}


def _thinned(test: dict[str, Any]) -> dict[str, Any]:
    scenarios = [{**item, "timeline": item["timeline"][:_CHECKED_EVENTS]} for item in test["scenarios"]]
    return {**test, "scenarios": scenarios}
