"""Commands over written reports."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from choreo_bdd_schemas import validate_report

_SHOWN_MAX = 20

commands = typer.Typer()
report = typer.Typer(no_args_is_help=True, help="Work with written reports.")
commands.add_typer(report, name="report")


@report.callback()
def _report() -> None:
    """Work with written reports."""


@report.command()
def validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="results.json files, or folders with one.")],
) -> None:
    """Check reports against the schema of the version they name. Exit code 1 if one is not valid, 2 if unreadable."""
    raise typer.Exit(max(_validate(path / "results.json" if path.is_dir() else path) for path in files))


def _validate(path: Path) -> int:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else f"not JSON: {problem}"
        print(f"{path}: cannot be read: {reason}", file=sys.stderr)
        return 2
    errors = validate_report(document, at_most=_SHOWN_MAX)
    if not errors:
        print(f"{path}: valid, schema {document['schema_version']}, {len(document['tests'])} tests")
        return 0
    for error in errors:
        print(f"{path}: {error}")
    if len(errors) == _SHOWN_MAX:
        print(f"{path}: there may be more; the first {_SHOWN_MAX} are shown")
    return 1
