"""Reading a report back: a directory or a ``results.json``, of any version 1.x and from whichever tool wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from choreo_bdd_reporter.documents.file_names import MESSAGES, PAGE, PARTIAL, RESULTS
from choreo_bdd_reporter.documents.schema_check import first_error
from choreo_bdd_reporter.model.limits import unserialisable
from choreo_bdd_reporter.model.schema_types import Results, ResultsRun, ResultsTest
from choreo_bdd_reporter.read.bounded_files import open_text, parse
from choreo_bdd_reporter.read.gherkin_check import checked
from choreo_bdd_reporter.read.shapes import fits

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
    if problem := first_error(results):
        raise ReportError(f"{path}: no valid report: {problem}; see choreo-bdd report validate {path}")
    if problem := misshapen(results):
        raise ReportError(f"{path}: no valid report: {problem}")
    messages = path.with_name(MESSAGES)
    has_messages = path.name == RESULTS and messages.is_file()
    gherkin, left_out = _gherkin_beside(path, messages if has_messages else None)
    return Report(
        source=path,
        results=results,
        gherkin=gherkin,
        messages=messages if has_messages else None,
        notes=(*notes, *left_out),
    )


def misshapen(results: Results) -> str | None:
    """What nobody can calculate with, and what is odd where the check in samples does not look."""
    if not fits(results["run"], ResultsRun):
        return "run: a number that is out of range"
    odd = next((place for place, test in enumerate(results["tests"]) if not fits(test, ResultsTest)), None)
    return None if odd is None else f"tests[{odd}]: a member of a wrong type, or a number that is out of range"


def _parse(path: Path) -> tuple[Any, tuple[str, ...]]:
    """The document; ``NaN`` and its like, which some writers leave in payloads, become the marker that we write."""
    constants: list[str] = []

    def marked(name: str) -> dict[str, Any]:
        constants.append(name)
        return unserialisable(name)

    try:
        with open_text(path) as file:
            document = parse(file.read(), parse_constant=marked)
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{path}: cannot be read: not JSON: {error}") from error
    names = ", ".join(dict.fromkeys(constants))
    note = f"{path}: {len(constants)} values that JSON does not know ({names}) are read as text"
    return document, (note,) if constants else ()


def _gherkin_beside(path: Path, messages: Path | None) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Steps and details that ``results.json`` has no room for: out of the page, else out of the messages.

    And notes on what of it is damaged and left out.
    """
    if path.name != RESULTS:
        return {}, ()  # a file that was moved or renamed says nothing about its neighbours
    source = path.with_name(PAGE)
    found = _gherkin_of_page(source)
    if found is None and messages is not None:
        from choreo_bdd_reporter.read.messages import gherkin_from_messages  # noqa: PLC0415 - rarely needed

        source, found = messages, gherkin_from_messages(messages)
    return _sound(source, found or {})


def _sound(source: Path, told: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    sound, damaged = checked(told)
    note = f"{source}: what it says of {', '.join(damaged)} is damaged and left out"
    return sound, (note,) if damaged else ()


def _gherkin_of_page(page: Path) -> dict[str, Any] | None:
    """The inert template of a page that was small enough to hold its data whole."""
    try:
        with open_text(page, errors="replace") as file:
            line = next((line for line in file if _TEMPLATE in line), None)
        text = (line or "").partition(_TEMPLATE)[2].partition("</template>")[0]
        found = parse(text)
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _read_partial(path: Path) -> Report:
    from choreo_bdd_reporter.read.recovery import JournalError, recover  # noqa: PLC0415 - rarely needed

    try:
        with open_text(path, errors="replace") as lines:
            found = recover(lines)
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {error.strerror}") from error
    except JournalError as error:
        raise ReportError(f"{path}: no journal of a run: {error}") from error
    problem = first_error(found.results) or misshapen(found.results)
    if problem is not None:
        raise ReportError(f"{path}: a damaged journal: {problem}")
    gherkin, left_out = _sound(path, found.gherkin)
    until = found.results["run"]["finished_at"]
    note = f"{path.parent}: its run broke off; this is what it had reported until {until}"
    if found.ended:
        note = f"{path.parent}: its report was never finished; this is what its run had reported when it ended, {until}"
    return Report(source=path, results=found.results, gherkin=gherkin, notes=(note, *left_out))
