"""Commands of the vocabulary: the step book, and the plan of a scenario."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd_steps.book import as_json, as_markdown, as_table
from choreo_bdd_steps.explain import explain_file
from choreo_bdd_steps.vocabulary import PHRASES

commands = typer.Typer()


class BookFormat(StrEnum):
    """How the step book is printed."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"


_BOOKS = {BookFormat.TABLE: as_table, BookFormat.MARKDOWN: as_markdown, BookFormat.JSON: as_json}


@commands.command()
def steps(
    book_format: Annotated[BookFormat, typer.Option("--format", help="How to print it.")] = BookFormat.TABLE,
) -> None:
    """Print the step book: every phrase, its meaning and an example."""
    print(_BOOKS[book_format](PHRASES))


@commands.command()
def explain(
    place: Annotated[str, typer.Argument(metavar="FILE[:LINE]", help="A feature file, or a scenario of it.")],
    profile: Annotated[str | None, typer.Option(help="Profile of choreo.yaml to read it with.")] = None,
) -> None:
    """Print what a scenario will do: its phases, what is armed where, budgets and timeouts. Connects to nothing."""
    file, _, line = place.rpartition(":") if place.rpartition(":")[2].isdigit() else (place, "", "")
    try:
        print(explain_file(Path(file), int(line) if line else None, profile))
    except ChoreoError as error:
        print(f"choreo-bdd explain: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
