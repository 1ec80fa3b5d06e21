"""Variables: set them, capture them from messages."""

from __future__ import annotations

from choreo_bdd_steps.vocabulary.acts import Keep, SetLiteral, SetSeveral, SetText, SetUnique, UseTransport
from choreo_bdd_steps.vocabulary.phrase import Match, Phrase


def _text(match: Match) -> SetText:
    return SetText(match.arg("name"), match.arg("text"))


def _literal(match: Match) -> SetLiteral | SetText:
    name, literal = match.arg("name"), match.arg("literal").strip()
    is_template = literal.startswith("{{") and literal.endswith("}}")
    return SetText(name, literal) if is_template else SetLiteral(name, literal)


def _unique(match: Match) -> SetUnique:
    return SetUnique(match.arg("name"))


def _several(match: Match) -> SetSeveral:
    return SetSeveral(tuple(tuple(row) for row in match.call.table or ()))


def _keep(match: Match) -> Keep:
    return Keep(match.arg("path"), match.args.get("topic"), match.arg("name"))


def _default_transport(match: Match) -> UseTransport:
    return UseTransport(match.arg("transport"))


PHRASES = (
    Phrase(
        "the default transport is {transport}",
        UseTransport,
        "Use this transport for the rest of the scenario, where a step names none.",
        "Given the default transport is bus",
        _default_transport,
    ),
    Phrase(
        "{name} is {text}",
        SetText,
        "Set a variable to a text.",
        'Given customer is "Ada"',
        _text,
    ),
    Phrase(
        "{name} is {literal}",
        SetLiteral,
        "Set a variable to a number, true, false, null, or any other JSON value, or to what a `{{ … }}` gives.",
        "Given quantity is 3",
        _literal,
    ),
    Phrase(
        "{name} is a unique id",
        SetUnique,
        "Set a variable to an id nobody else has: a random UUID.",
        "Given order_id is a unique id",
        _unique,
    ),
    Phrase(
        "the variables",
        SetSeveral,
        "Set several variables: a table with the heading `name | value`.",
        "Given the variables:\n  | name | value |\n  | sku  | A-1   |",
        _several,
        "a table",
    ),
    Phrase(
        "I keep {path} of {topic} as {name}",
        Keep,
        "Keep a field of the message that satisfied the last expectation on a topic.",
        'Then I keep "order.id" of "orders.accepted" as order_id',
        _keep,
    ),
    Phrase(
        "I keep {path} of the reply as {name}",
        Keep,
        "Keep a field of the reply that satisfied the last `I expect a reply`.",
        'Then I keep "level" of the reply as level',
        _keep,
    ),
)
