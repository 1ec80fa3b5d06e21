"""Stand-ins: services that answer, stay silent, or fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from choreo_bdd_steps.language.body import parse_payload
from choreo_bdd_steps.language.counts import number_of
from choreo_bdd_steps.vocabulary.phrase import Intent, Match, Phrase
from choreo_bdd_steps.vocabulary.reading import read

if TYPE_CHECKING:
    from choreo_bdd_steps.run.scenario_run import ScenarioRun


def _answer(run: ScenarioRun, match: Match) -> None:
    call = match.call
    body = read(
        call, lambda: parse_payload(call.docstring, call.table, media_type=call.media_type, base_dir=call.folder)
    )
    run.stand_ins.arm(match, body=body)


def _fail(run: ScenarioRun, match: Match) -> None:
    run.stand_ins.arm(match, fails=True)


def _drop(run: ScenarioRun, match: Match) -> None:
    run.stand_ins.arm(match, silent=True)


def _answered(run: ScenarioRun, match: Match) -> None:
    times = match.args["times"]
    run.stand_ins.check_answers(match, None if times is None else number_of(times))


def _never_answered(run: ScenarioRun, match: Match) -> None:
    run.stand_ins.check_answers(match, 0)


PHRASES = (
    Phrase(
        "a service[ on {transport}] that answers {topic}[ where {condition}] with {reply:topic}"
        "[ on {reply_transport:transport}][ after {delay:duration}][ {times}]",
        Intent.REPLY,
        "A stand-in: answers every such message (or once, twice, N times). The body sees the trigger as "
        "`{{ trigger.… }}`.",
        'Given a service that answers "fraud.check" with "fraud.checked":\n'
        '  """\n  order_id: {{ trigger.order_id }}\n  risk: low\n  """',
        _answer,
    ),
    Phrase(
        "a service[ on {transport}] that answers {topic}[ where {condition}] with {reply:topic}"
        "[ on {reply_transport:transport}] and fails",
        Intent.REPLY,
        "A stand-in that breaks while it answers.",
        'Given a service that answers "fraud.check" with "fraud.checked" and fails',
        _fail,
    ),
    Phrase(
        "a service[ on {transport}] that drops {topic}[ where {condition}]",
        Intent.REPLY,
        "A stand-in that takes messages and stays silent.",
        'Given a service that drops "fraud.check"',
        _drop,
    ),
    Phrase(
        "the service answered {topic}[ {times}]",
        Intent.CHECK,
        "The stand-in on a topic has answered; with a number, so many times and no more, for which the timeout is "
        "waited out unless the stand-in cannot answer again.",
        'Then the service answered "fraud.check" once',
        _answered,
    ),
    Phrase(
        "the service never answered {topic}",
        Intent.CHECK,
        "The stand-in on a topic has not answered.",
        'Then the service never answered "fraud.check"',
        _never_answered,
    ),
)
