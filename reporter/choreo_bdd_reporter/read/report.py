"""Reading a report back: a directory or a ``results.json``, of any version 1.x and from whichever tool wrote it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from choreo_bdd_reporter.documents.file_names import MESSAGES, PAGE, PARTIAL, RESULTS
from choreo_bdd_reporter.documents.schema_check import first_error
from choreo_bdd_reporter.model.limits import unserialisable
from choreo_bdd_reporter.model.schema_types import Results

_TEMPLATE = '<template id="choreo-gherkin">'


class ReportError(Exception):
    """A report cannot be read; the text names the file, what is wrong with it and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report as documents: ``results`` as it was written, ``gherkin`` as far as it could be recovered.

    ``notes`` say what a reader of the report should know about it, such as that its run broke off.
    """

    source: Path
    results: Results
    gherkin: dict[str, Any] = field(default_factory=dict)
    messages: Path | None = None
    notes: tuple[str, ...] = ()


def read_reports(paths: Iterable[Path]) -> list[Report]:
    """Every report that the paths name, in their order. Raises ``ReportError``."""
    return [read_report(path) for given in paths for path in _expanded(given)]


def read_report(path: Path) -> Report:
    """The report in a directory, or behind a results file. Raises ``ReportError``."""
    if path.is_dir():
        partial = path / PARTIAL
        return _read_partial(partial) if partial.is_file() else _read_results(path / RESULTS)
    return _read_partial(path) if path.name == PARTIAL else _read_results(path)


def _expanded(path: Path) -> Iterator[Path]:
    """A directory without a report of its own stands for those below it, as CI systems unpack them."""
    if not path.is_dir() or _has_report(path):
        yield path
        return
    below = sorted(child for child in path.iterdir() if child.is_dir() and _has_report(child))
    if not below:
        raise ReportError(f"{path}: no {RESULTS} in it or in a directory directly below it")
    yield from below


def _has_report(directory: Path) -> bool:
    return any((directory / name).is_file() for name in (RESULTS, PARTIAL))


def _read_results(path: Path) -> Report:
    results, notes = _parse(path)
    problem = first_error(results)
    if problem is not None:
        raise ReportError(f"{path}: no valid report: {problem}; see choreo-bdd report validate {path}")
    messages = path.with_name(MESSAGES)
    has_messages = path.name == RESULTS and messages.is_file()
    gherkin = _gherkin_beside(path, messages if has_messages else None)
    return Report(
        source=path, results=results, gherkin=gherkin, messages=messages if has_messages else None, notes=notes
    )


def _parse(path: Path) -> tuple[Any, tuple[str, ...]]:
    """The document; ``NaN`` and its like, which some writers leave in payloads, become the marker that we write."""
    constants: list[str] = []

    def marked(name: str) -> dict[str, Any]:
        constants.append(name)
        return unserialisable(name)

    try:
        document = json.loads(path.read_text(encoding="utf-8"), parse_constant=marked)
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{path}: cannot be read: not JSON: {error}") from error
    names = ", ".join(dict.fromkeys(constants))
    note = f"{path}: {len(constants)} values that JSON does not know ({names}) are read as text"
    return document, (note,) if constants else ()


def _gherkin_beside(path: Path, messages: Path | None) -> dict[str, Any]:
    """Steps and details that ``results.json`` has no room for: out of the page, else out of the messages."""
    if path.name != RESULTS:
        return {}  # a file that was moved or renamed says nothing about its neighbours
    found = _gherkin_of_page(path.with_name(PAGE))
    if found is None and messages is not None:
        from choreo_bdd_reporter.read.messages import gherkin_from_messages  # noqa: PLC0415 - rarely needed

        found = gherkin_from_messages(messages)
    return found or {}


def _gherkin_of_page(page: Path) -> dict[str, Any] | None:
    """The inert template of a page that was small enough to hold its data whole."""
    try:
        with page.open(encoding="utf-8", errors="replace") as file:
            line = next((line for line in file if _TEMPLATE in line), None)
        text = (line or "").partition(_TEMPLATE)[2].partition("</template>")[0]
        found = json.loads(text)
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _read_partial(path: Path) -> Report:
    from choreo_bdd_reporter.read.recovery import recover  # noqa: PLC0415 - rarely needed

    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            found = recover(lines)
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {error.strerror}") from error
    if found is None:
        raise ReportError(f"{path}: no journal of a run: its first line says nothing of one")
    until = found.results["run"]["finished_at"]
    note = f"{path.parent}: its run broke off; this is what it had reported until {until}"
    if found.ended:
        note = f"{path.parent}: its report was never finished; this is what its run had reported when it ended, {until}"
    return Report(source=path, results=found.results, gherkin=found.gherkin, notes=(note,))
