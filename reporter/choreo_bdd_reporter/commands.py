"""Commands over written reports: ``choreo-bdd report ...``."""

from __future__ import annotations

import gc
import os
import webbrowser
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from choreo_bdd.redaction.printable import in_json
from choreo_bdd.shared.counted import counted
from choreo_bdd_reporter.documents.file_names import HISTORY, PAGE, RESULTS
from choreo_bdd_reporter.outputs.terminal import complain, say, say_document
from choreo_bdd_reporter.read.bounded_files import open_text, parse
from choreo_bdd_schemas import validate_report

if TYPE_CHECKING:
    from choreo_bdd_reporter.read.merge import Merged
    from choreo_bdd_reporter.read.report import Report

_SHOWN_MAX = 20

commands = typer.Typer()
report = typer.Typer(no_args_is_help=True, help="Work with written reports.")
commands.add_typer(report, name="report")

Sources = Annotated[
    list[Path], typer.Argument(metavar="REPORT…", help="Report directories, folders of them, or results.json files.")
]


class Duplicates(StrEnum):
    """Which of several outcomes of one test counts."""

    WORST = "worst"
    LAST = "last"


class DiffFormat(StrEnum):
    """How a comparison is told."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


class SummaryFormat(StrEnum):
    """How a summary is told."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JUNIT = "junit"
    GITHUB = "github"
    CODE_QUALITY = "code-quality"


class ExportFormat(StrEnum):
    """What a report is written as for other tools."""

    CTRF = "ctrf"
    OTLP = "otlp"
    CHROME_TRACE = "chrome-trace"


@report.callback()
def _report(context: typer.Context) -> None:
    """Work with written reports."""
    if gc.isenabled():  # to look for circles, which a report has none of, takes longer than to read a large one
        gc.disable()
        context.call_on_close(gc.enable)


@report.command()
def validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="results.json files, or folders with one.")],
) -> None:
    """Check reports against the schema of the version they name. Exit code 1 if one is not valid, 2 if unreadable."""
    raise typer.Exit(max(_validate(path / RESULTS if path.is_dir() else path) for path in files))


def _validate(path: Path) -> int:
    try:
        with open_text(path) as file:
            document = parse(file.read())
    except (OSError, ValueError, RecursionError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else f"not JSON: {problem}"
        complain(f"{path}: cannot be read: {reason}")
        return 2
    from choreo_bdd_reporter.read.report import misshapen  # noqa: PLC0415 - reads shapes, which few commands do

    errors = validate_report(document, at_most=_SHOWN_MAX)
    if not errors and (shape := misshapen(document)):  # what the schema allows, and nobody can calculate with
        errors = [shape]
    if not errors:
        say(f"{path}: valid, schema {document['schema_version']}, {counted(len(document['tests']), 'test')}")
        return 0
    for error in errors:
        say(f"{path}: {error}")
    if len(errors) == _SHOWN_MAX:
        say(f"{path}: there may be more; the first {_SHOWN_MAX} are shown")
    return 1


@report.command()
def merge(
    sources: Sources,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Directory of the merged report.")],
    duplicates: Annotated[
        Duplicates, typer.Option(help="Which outcome counts when several reports have the same test.")
    ] = Duplicates.WORST,
) -> None:
    """Make one report of several: shards of a run, other runners, also what a crashed run left behind.

    Exit code 2 when a report cannot be read or the merged one not be written, else 0.
    """
    from choreo_bdd_reporter import writer  # noqa: PLC0415 - each command pays for itself only
    from choreo_bdd_reporter.read import merge as merging  # noqa: PLC0415
    from choreo_bdd_reporter.read import report as reading  # noqa: PLC0415
    from choreo_bdd_reporter.store.directory import ReportDirectoryError, resolve  # noqa: PLC0415

    try:
        reports = reading.read_reports(sources)
        target = resolve(str(output), Path.cwd())
        merged = merging.merge(reports, duplicates=duplicates.value)
        messages, recordings = merging.messages(reports), merging.recordings(reports)
        writer.write_documents(merged.results, merged.gherkin, target, messages=messages, recordings=recordings)
    except (reading.ReportError, ReportDirectoryError, OSError) as problem:
        _refuse(problem)
    _tell_notes(reports)
    for nodeid in merged.duplicates[:_SHOWN_MAX]:
        complain(f"{nodeid}: in several reports; the {duplicates.value} outcome counts")
    if len(merged.duplicates) > _SHOWN_MAX:
        complain(f"and {counted(len(merged.duplicates) - _SHOWN_MAX, 'more test')} in several reports")
    say(f"{target / PAGE}: {counted(len(reports), 'report')}, {counted(len(merged.results['tests']), 'test')}")


@report.command()
def render(
    source: Annotated[Path, typer.Argument(metavar="REPORT", help="A results.json of any version, or its folder.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The page; default: index.html beside it.")
    ] = None,
    folder: Annotated[
        bool, typer.Option(help="Keep script, styles and messages in files beside the page, for strict servers.")
    ] = False,
) -> None:
    """Draw the HTML page of a report, whichever tool wrote it. Exit code 2 when it cannot be read, else 0."""
    from choreo_bdd_reporter import writer  # noqa: PLC0415
    from choreo_bdd_reporter.read import report as reading  # noqa: PLC0415
    from choreo_bdd_reporter.store.history import History  # noqa: PLC0415

    try:
        found = reading.read_report(source)
        target = output or found.source.with_name(PAGE)
        if target.is_dir():
            target /= PAGE
        tests = [test["nodeid"] for test in found.results["tests"]]
        past = History(found.source.with_name(HISTORY), found.results["run"]).recalled(tests)
        writer.write_page_file(target, found.results, {**found.gherkin, **past}, folder=folder)
    except (reading.ReportError, OSError) as problem:
        _refuse(problem)
    _tell_notes([found])
    say(target)


@report.command()
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The earlier report: a folder or a results.json.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The later one.")],
    form: Annotated[DiffFormat, typer.Option("--format", help="How it is told.")] = DiffFormat.TEXT,
    threshold: Annotated[
        float, typer.Option(min=0, metavar="PERCENT", help="Tell of latencies that changed by more than this.")
    ] = 20.0,
) -> None:
    """Compare two reports: new failures, fixed, still failing, and latency per hop against its budget.

    Exit code 1 when there are new failures, 2 when a report cannot be read, else 0.
    """
    from choreo_bdd_reporter.outputs import comparison  # noqa: PLC0415
    from choreo_bdd_reporter.read import compare as comparing  # noqa: PLC0415
    from choreo_bdd_reporter.read import report as reading  # noqa: PLC0415

    try:
        before, after = reading.read_report(old), reading.read_report(new)
    except reading.ReportError as problem:
        _refuse(problem)
    _tell_notes([before, after])
    compared = comparing.compare(
        before.results, after.results, threshold=threshold / 100, gherkin=(before.gherkin, after.gherkin)
    )
    tell = {
        DiffFormat.TEXT: comparison.as_text,
        DiffFormat.MARKDOWN: comparison.as_markdown,
        DiffFormat.JSON: comparison.as_json,
    }
    (say_document if form is DiffFormat.JSON else say)(tell[form](compared))
    raise typer.Exit(1 if compared.new_failures else 0)


@report.command()
def summary(
    sources: Sources,
    form: Annotated[
        SummaryFormat,
        typer.Option(
            "--format",
            help="github: annotations on stdout, Markdown into GITHUB_STEP_SUMMARY; code-quality: issues for GitLab.",
        ),
    ] = SummaryFormat.TEXT,
) -> None:
    """Say in short what reports say, several as one. Exit code 2 when a report cannot be read, else 0."""
    from choreo_bdd_reporter.outputs import code_quality, junit, summary  # noqa: PLC0415

    merged = _as_one(sources)
    tell = {
        SummaryFormat.TEXT: summary.as_text,
        SummaryFormat.MARKDOWN: summary.as_markdown,
        SummaryFormat.JUNIT: junit.as_junit,
        SummaryFormat.GITHUB: summary.as_annotations,
        SummaryFormat.CODE_QUALITY: code_quality.as_code_quality,
    }
    (say if form in (SummaryFormat.TEXT, SummaryFormat.MARKDOWN) else say_document)(
        tell[form](merged.results, merged.gherkin)
    )
    step_summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if form is SummaryFormat.GITHUB and step_summary:
        with open(step_summary, "a", encoding="utf-8") as file:
            file.write(summary.as_markdown(merged.results, merged.gherkin) + "\n")


@report.command()
def export(
    sources: Sources,
    form: Annotated[
        ExportFormat,
        typer.Option("--format", help="ctrf: tests; otlp: traces for Jaeger; chrome-trace: traces for Perfetto."),
    ],
) -> None:
    """Print reports, several as one, in the JSON of other tools. Exit code 2 when one cannot be read, else 0."""
    from choreo_bdd_reporter import outputs  # noqa: PLC0415
    from choreo_bdd_reporter.model.limits import compact_json  # noqa: PLC0415
    from choreo_bdd_reporter.outputs.spans import without_timeline  # noqa: PLC0415

    merged = _as_one(sources)
    if form is ExportFormat.CTRF:
        say_document(in_json(compact_json(outputs.as_ctrf(merged.results, merged.gherkin))))
        return
    as_traces = outputs.as_otlp if form is ExportFormat.OTLP else outputs.as_chrome_trace
    say_document(in_json(compact_json(as_traces(merged.results, merged.gherkin))))
    if left_out := without_timeline(merged.results):
        complain(f"scenarios without a timeline are in no trace: {left_out}")


@report.command(name="open")
def open_report(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A report directory, or its index.html.")],
    browser: Annotated[bool, typer.Option(help="Start a browser; else only print the address.")] = True,
) -> None:
    """Print the address of a report's page and show it in a browser. Exit code 2 when there is no page, else 0."""
    page = directory / PAGE if directory.is_dir() else directory
    if not page.is_file():
        _refuse(f"{page}: no such page; choreo-bdd report render {directory} draws it from results.json")
    address = page.resolve().as_uri()
    say(address)
    if browser and not webbrowser.open(address):
        complain("no browser could be started; open the address above")


def _as_one(sources: Iterable[Path]) -> Merged:
    """Several reports merged, with what is to be known of each told."""
    from choreo_bdd_reporter.read import merge as merging  # noqa: PLC0415
    from choreo_bdd_reporter.read import report as reading  # noqa: PLC0415

    try:
        reports = reading.read_reports(sources)
    except reading.ReportError as problem:
        _refuse(problem)
    _tell_notes(reports)
    return merging.merge(reports)


def _tell_notes(reports: Iterable[Report]) -> None:
    for found in reports:
        for note in found.notes:
            complain(note)


def _refuse(problem: object) -> NoReturn:
    complain(problem)
    raise typer.Exit(2)
