"""Commands of this room: the step book, the plan of a scenario, faults in features, and those for starting."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from msgspec import structs

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.redaction import Redactor
from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.lint import Severity, as_code_quality, as_github, as_text, feature_files, lint
from choreo_bdd_steps.lint import as_json as as_findings_json
from choreo_bdd_steps.plan.explain import explain_file
from choreo_bdd_steps.plan.settings import configuration
from choreo_bdd_steps.starting.commands import commands as starting
from choreo_bdd_steps.terminal import complain, refuse, say
from choreo_bdd_steps.vocabulary import PHRASES
from choreo_bdd_steps.vocabulary_docs.editor_glue import as_glue
from choreo_bdd_steps.vocabulary_docs.step_book import as_json, as_markdown, as_table

commands = typer.Typer()
commands.add_typer(starting)


class BookFormat(StrEnum):
    """How the step book is printed."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"
    GLUE = "glue"


class LintFormat(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    CODE_QUALITY = "code-quality"


Features = Annotated[list[Path], typer.Argument(metavar="FEATURE…", help="Feature files, or folders of them.")]
_FEATURES = [Path("features")]
"""What behave runs where nobody says what, too."""
_FINDINGS = {
    LintFormat.TEXT: as_text,
    LintFormat.JSON: as_findings_json,
    LintFormat.GITHUB: as_github,
    LintFormat.CODE_QUALITY: as_code_quality,
}
_DOCUMENTS = (LintFormat.JSON, LintFormat.CODE_QUALITY)
"""Written without findings, too: whoever reads the file wants an empty list."""
_BOOKS = {
    BookFormat.TABLE: as_table,
    BookFormat.MARKDOWN: as_markdown,
    BookFormat.JSON: as_json,
    BookFormat.GLUE: as_glue,
}


@commands.command()
def steps(
    book_format: Annotated[BookFormat, typer.Option("--format", help="How to print it.")] = BookFormat.TABLE,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file to write it to instead.")] = None,
) -> None:
    """Print the step book: every phrase, its meaning and an example. As `glue` it is for editors."""
    book = _BOOKS[book_format](PHRASES)
    if output is None:
        print(book)
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(f"{book.rstrip()}\n", encoding="utf-8", newline="\n")
    except OSError as error:
        refuse("steps", f"{output} cannot be written: {error.strerror}")


def _found(features: Sequence[Path]) -> list[Path]:
    """The feature files that are named; ``StepError`` where there are none: a mistyped folder is no clean one."""
    files = feature_files(features)
    if not files:
        raise StepError(str(features[0]), "there is no feature file in this folder")
    return files


@commands.command()
def explain(
    place: Annotated[
        str, typer.Argument(metavar="FILE[:LINE]", help="A feature file, a scenario of it, or a folder of features.")
    ] = _FEATURES[0].name,
    profile: Annotated[str | None, typer.Option(help="Profile of choreo.yaml to read it with.")] = None,
) -> None:
    """Print what a scenario will do: its phases, what is armed where, budgets and timeouts. Connects to nothing."""
    file, _, line = place.rpartition(":") if place.rpartition(":")[2].isdigit() else (place, "", "")
    try:
        files = _found([Path(file)])
        say("\n\n".join(explain_file(each, int(line) if line else None, profile) for each in files))
    except ChoreoError as error:
        refuse("explain", error)


@commands.command(name="lint")
def lint_features(
    features: Features = _FEATURES,
    finding_format: Annotated[LintFormat, typer.Option("--format", help="How to print findings.")] = LintFormat.TEXT,
    profile: Annotated[str | None, typer.Option(help="Profile of choreo.yaml to read them with.")] = None,
) -> None:
    """Find faults in feature files without a broker. Exit code 0: none; 1: some; 2: lint itself could not work."""
    try:
        files = _found(features)
        findings = [
            structs.replace(each, message=Redactor().text(each.message)) for each in lint(files, profile=profile)
        ]
    except ChoreoError as error:
        refuse("lint", error)
    if findings or finding_format in _DOCUMENTS:
        print(_FINDINGS[finding_format](findings))
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    complain(f"{len(files)} file(s): {errors} error(s), {len(findings) - errors} warning(s)")
    raise typer.Exit(1 if errors else 0)


@commands.command()
def draft(
    document: Annotated[Path, typer.Argument(metavar="ASYNCAPI", help="An AsyncAPI document, 2.x or 3.x.")],
    folder: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the features go.")] = Path(
        "features"
    ),
) -> None:
    """Write a feature for each channel of an AsyncAPI document, which runs at once with stand-ins.

    A file that is there stays as it is. Exit code 2 when the document cannot be read or nothing can be written.
    """
    from choreo_bdd_steps.drafting.features import drafts  # noqa: PLC0415 - reads schemas, which other commands do not

    try:
        drafted = drafts(document, configuration(folder.resolve(), offline=True))
        for each in drafted.features:
            _write_new(folder / each.name, each.text)
    except (ChoreoError, OSError) as error:
        refuse("draft", error)
    for reason in drafted.left_out:
        complain(f"left out: {reason}")


def _write_new(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        complain(f"{path} is there already and stays as it is")
        return
    say(str(path))


@commands.command()
def record(
    topics: Annotated[list[str], typer.Option("--topics", help="A topic or a pattern; may be given several times.")],
    seconds: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long to listen.")] = "30s",
    profile: Annotated[str | None, typer.Option(help="Profile of choreo.yaml; default: the default one.")] = None,
    transport: Annotated[
        list[str] | None, typer.Option("--on", help="A transport of the profile; default: its default one.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The feature to write.")] = Path(
        "features/recorded.feature"
    ),
) -> None:
    """Listen to live traffic and write a draft feature of it: a scenario for each kind of conversation.

    Exit code 2 when nothing came, nothing can be heard, or the file is there already.
    """
    from choreo_bdd_steps.drafting.recorded import record_feature  # noqa: PLC0415 - loads the engine

    try:
        told = record_feature(topics, seconds, profile, transport or [], output)
    except (ChoreoError, OSError, ValueError) as error:
        refuse("record", error)
    say(told)


@commands.command()
def replay(
    recordings: Annotated[Path, typer.Argument(metavar="FILE", help="recordings.jsonl of a report.")],
    place: Annotated[
        str | None, typer.Argument(metavar="[FEATURE[:LINE]]", help="Only this feature, or this scenario of it.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Judge again whenever a feature is saved.")] = False,
) -> None:
    """Judge recorded scenarios anew, as their feature files are now: no broker, no service, no waiting.

    Exit code 0: all pass; 1: some fail; 2: the file cannot be read, or a scenario of it is gone.
    """
    from choreo_bdd_steps.replaying.report import replay_report, watch_report  # noqa: PLC0415 - loads the engine

    try:
        if watch:
            watch_report(recordings, place, say)
        told, failed = replay_report(recordings, place)
    except ChoreoError as error:
        refuse("replay", error)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    say(told)
    raise typer.Exit(1 if failed else 0)


@commands.command()
def prove(
    features: Features = _FEATURES,
    min_score: Annotated[
        float, typer.Option("--min-score", min=0, max=1, help="Fail below this part of what was spoilt and noticed.")
    ] = 1.0,
    framework: Annotated[str | None, typer.Option("--with", help="behave or pytest; default: what fits.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="A file to write the proofs to, too.")] = None,
) -> None:
    """Run features, then judge what passed again on spoilt traffic: a check that still passes proves nothing.

    Exit code 0: every feature has the score; 1: one has not; 2: there was nothing to prove.
    """
    from choreo_bdd_steps.proving import report  # noqa: PLC0415 - loads the engine

    try:
        if framework not in (None, "behave", "pytest"):
            raise StepError("--with", f"there are behave and pytest, not {framework!r}")
        as_run = report.texts_of(features)
        found = report.proofs(report.recorded(features, framework), as_run)
        if json_file is not None:
            json_file.write_text(report.as_json(found), "utf-8")
    except (ChoreoError, OSError) as error:
        refuse("prove", error)
    say(report.as_text(found))
    if not any(proof.tried for proof in found):
        raise typer.Exit(2)
    raise typer.Exit(1 if any(proof.score < min_score for proof in found) else 0)


@commands.command(name="lsp")
def language_server() -> None:
    """Serve an editor on standard input and output: completion, lint while typing, hover, definitions, renaming."""
    try:
        from choreo_bdd_steps.editor.server import make_server  # noqa: PLC0415 - an extra, and slow to load
    except ModuleNotFoundError as error:
        refuse("lsp", f"{error.name} is not installed; `pip install 'choreo-bdd[lsp]'`")
    make_server().start_io()
