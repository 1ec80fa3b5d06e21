"""Further checks of a message that an earlier check has taken: nothing is waited for."""

from __future__ import annotations

from collections.abc import Callable

from choreo_bdd_steps.language.counts import position_of
from choreo_bdd_steps.vocabulary.acts import CheckTaken
from choreo_bdd_steps.vocabulary.phrase import Match, Phrase


def _taken(*, refused: bool = False) -> Callable[[Match], CheckTaken]:
    def read(match: Match) -> CheckTaken:
        ordinal = match.args.get("ordinal")
        position = None if ordinal is None else position_of(ordinal)
        return CheckTaken(match.args.get("topic"), match.call, position, refused)

    return read


PHRASES = (
    Phrase(
        "the[ {ordinal}] {topic} message has",
        CheckTaken,
        "Check more of the message that the last check on a topic has taken; nothing is waited for. `first`, `second`, "
        "…, `last` count those that the checks of the phase have taken there, in order of arrival.",
        'Then the "orders.settled" message has:\n  | field          | value |\n  | order.customer | Ada   |',
        _taken(),
        "a doc string or a table",
    ),
    Phrase(
        "the[ {ordinal}] {topic} message has not",
        CheckTaken,
        "Check that the message has nothing of this: each row of the table, or field of the doc string, must not hold.",
        'Then the "orders.settled" message has not:\n  | field | value  |\n  | error | exists |',
        _taken(refused=True),
        "a doc string or a table",
    ),
    Phrase(
        "the reply has",
        CheckTaken,
        "Check more of the reply that the last `I expect a reply` has taken.",
        "Then the reply has:\n  | field | value |\n  | level | > 0   |",
        _taken(),
        "a doc string or a table",
    ),
    Phrase(
        "the reply has not",
        CheckTaken,
        "Check that the reply has nothing of this.",
        "Then the reply has not:\n  | field | value  |\n  | error | exists |",
        _taken(refused=True),
        "a doc string or a table",
    ),
)
