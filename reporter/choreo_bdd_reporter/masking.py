"""Masked and capped text and Gherkin, for the adapters: nothing enters the run model before it passed here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from choreo_bdd.redaction import REDACTED, Redactor, is_secret_key
from choreo_bdd_reporter.limits import cap_stream
from choreo_bdd_reporter.model import Feature, GherkinScenario, Step

Table = Sequence[Sequence[str]]


def masked(redactor: Redactor, text: str) -> str:
    """Text of any length without credentials, its end kept when it is too long."""
    return cap_stream(redactor.text(text))


def masked_or_none(redactor: Redactor, text: str | None) -> str | None:
    """The same for text that may be missing."""
    return None if text is None else masked(redactor, text)


def masked_feature(redactor: Redactor, feature: Feature) -> Feature:
    """A feature whose name and description are masked."""
    return replace(
        feature,
        name=masked(redactor, feature.name),
        description=masked(redactor, feature.description),
        tags=tuple(masked(redactor, tag) for tag in feature.tags),
    )


def masked_gherkin(redactor: Redactor, scenario: GherkinScenario) -> GherkinScenario:
    """A scenario all of whose text, tables and doc strings included, is masked."""
    return replace(
        scenario,
        name=masked(redactor, scenario.name),
        description=masked(redactor, scenario.description),
        rule=masked_or_none(redactor, scenario.rule),
        tags=tuple(masked(redactor, tag) for tag in scenario.tags),
        steps=tuple(_masked_step(redactor, step) for step in scenario.steps),
    )


def _masked_step(redactor: Redactor, step: Step) -> Step:
    return replace(
        step,
        text=masked(redactor, step.text),
        docstring=masked_or_none(redactor, step.docstring),
        table=None if step.table is None else masked_table(redactor, step.table),
        message=masked_or_none(redactor, step.message),
    )


def masked_table(redactor: Redactor, table: Table) -> tuple[tuple[str, ...], ...]:
    """A data table: cells beside or below the name of a secret are masked, the others like text."""
    secret_columns = {index for index, cell in enumerate(table[0]) if is_secret_key(cell)} if table else set()
    return tuple(_masked_row(redactor, row, secret_columns if number else set()) for number, row in enumerate(table))


def _masked_row(redactor: Redactor, row: Sequence[str], secret_columns: set[int]) -> tuple[str, ...]:
    beside_secret = bool(row) and is_secret_key(row[0].rpartition(".")[2])
    cells = []
    for index, cell in enumerate(row):
        if cell and (index in secret_columns or (beside_secret and index > 0)):
            redactor.fields += 1
            redactor.learn(cell)
            cells.append(REDACTED)
        else:
            cells.append(masked(redactor, cell))
    return tuple(cells)
