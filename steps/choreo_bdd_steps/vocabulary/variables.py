"""Variables: set them, capture them from messages."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.vocabulary.phrase import Intent, Match, Phrase

if TYPE_CHECKING:
    from choreo_bdd_steps.run.scenario_run import ScenarioRun


def _set_text(run: ScenarioRun, match: Match) -> None:
    run.set_variable(match.arg("name"), run.render(match.arg("text"), match.call))


def _set_literal(run: ScenarioRun, match: Match) -> None:
    try:
        value = json.loads(match.arg("literal"))
    except ValueError as error:
        raise StepError(match.call.place, f"{match.arg('literal')!r} is not a JSON value: {error}") from error
    run.set_variable(match.arg("name"), value)


def _set_unique(run: ScenarioRun, match: Match) -> None:
    run.set_variable(match.arg("name"), str(uuid.uuid4()))


def _set_several(run: ScenarioRun, match: Match) -> None:
    for name, text in _rows(match):
        rendered = run.render(text, match.call)
        try:
            value = json.loads(rendered) if isinstance(rendered, str) else rendered
        except ValueError:
            value = rendered
        run.set_variable(name, value)


def _rows(match: Match) -> list[tuple[str, str]]:
    table = match.call.table
    if not table or [cell.strip().lower() for cell in table[0]] != ["name", "value"]:
        raise StepError(match.call.place, "this step needs a table with the heading `name | value`")
    return [(row[0].strip(), row[1]) for row in table[1:]]


def _names_of_rows(match: Match) -> frozenset[str]:
    return frozenset(row[0].strip() for row in (match.call.table or ())[1:] if row)


def _name(match: Match) -> frozenset[str]:
    return frozenset({match.arg("name")})


def _keep(run: ScenarioRun, match: Match) -> None:
    run.set_variable(match.arg("name"), run.judging.captured(match.arg("path"), match.arg("topic"), match.call))


def _default_transport(run: ScenarioRun, match: Match) -> None:
    run.require_transport(match.arg("transport"), match.call)


PHRASES = (
    Phrase(
        "the default transport is {transport}",
        Intent.TRANSPORT,
        "Use this transport for the rest of the scenario, where a step names none.",
        "Given the default transport is bus",
        _default_transport,
    ),
    Phrase(
        "{name} is {text}",
        Intent.VARIABLE,
        "Set a variable to a text.",
        'Given customer is "Ada"',
        _set_text,
        assigns=_name,
    ),
    Phrase(
        "{name} is {literal}",
        Intent.VARIABLE,
        "Set a variable to a number, true, false, null, or any other JSON value.",
        "Given quantity is 3",
        _set_literal,
        assigns=_name,
    ),
    Phrase(
        "{name} is a unique id",
        Intent.VARIABLE,
        "Set a variable to an id nobody else has: a random UUID.",
        "Given order_id is a unique id",
        _set_unique,
        assigns=_name,
    ),
    Phrase(
        "the variables",
        Intent.VARIABLE,
        "Set several variables: a table with the heading `name | value`.",
        "Given the variables:\n  | name | value |\n  | sku  | A-1   |",
        _set_several,
        assigns=_names_of_rows,
    ),
    Phrase(
        "I keep {path} of {topic} as {name}",
        Intent.CAPTURE,
        "Keep a field of the message that satisfied the last expectation on a topic.",
        'Then I keep "order.id" of "orders.accepted" as order_id',
        _keep,
        assigns=_name,
    ),
)
