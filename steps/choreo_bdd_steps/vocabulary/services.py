"""Stand-ins: services that answer, stay silent, or fail."""

from __future__ import annotations

from choreo_bdd_steps.language.counts import number_of
from choreo_bdd_steps.language.durations import parse_duration
from choreo_bdd_steps.vocabulary.acts import Answer, CheckService, Payload, PlayService
from choreo_bdd_steps.vocabulary.phrase import Match, Phrase


def _service(match: Match, answer: Answer | None) -> PlayService:
    return PlayService(match.arg("topic"), match.args["transport"], match.args["condition"], answer, match.call)


def _answer(match: Match) -> PlayService:
    delay = match.args["delay"]
    answer = Answer(
        match.arg("reply"),
        match.args["reply_transport"],
        Payload(match.call),
        delay_s=0.0 if delay is None else parse_duration(delay),
        times=_times(match),
    )
    return _service(match, answer)


def _fail(match: Match) -> PlayService:
    return _service(match, Answer(match.arg("reply"), match.args["reply_transport"], None))


def _drop(match: Match) -> PlayService:
    return _service(match, None)


def _answered(match: Match) -> CheckService:
    return CheckService(match.arg("topic"), _times(match))


def _never_answered(match: Match) -> CheckService:
    return CheckService(match.arg("topic"), 0)


def _times(match: Match) -> int | None:
    times = match.args["times"]
    return None if times is None else number_of(times)


PHRASES = (
    Phrase(
        "a service[ on {transport}] that answers {topic}[ where {condition}] with {reply:topic}"
        "[ on {reply_transport:transport}][ after {delay:duration}][ {times}]",
        PlayService,
        "A stand-in: answers every such message (or once, twice, N times). The body sees the trigger as "
        "`{{ trigger.… }}`.",
        'Given a service that answers "fraud.check" with "fraud.checked":\n'
        '  """\n  order_id: {{ trigger.order_id }}\n  risk: low\n  """',
        _answer,
        "a doc string or a table",
    ),
    Phrase(
        "a service[ on {transport}] that answers {topic}[ where {condition}] with {reply:topic}"
        "[ on {reply_transport:transport}] and fails",
        PlayService,
        "A stand-in that breaks while it answers.",
        'Given a service that answers "fraud.check" with "fraud.checked" and fails',
        _fail,
    ),
    Phrase(
        "a service[ on {transport}] that drops {topic}[ where {condition}]",
        PlayService,
        "A stand-in that takes messages and stays silent.",
        'Given a service that drops "fraud.check"',
        _drop,
    ),
    Phrase(
        "the service answered {topic}[ {times}]",
        CheckService,
        "The stand-in on a topic has answered; with a number, so many times and no more, for which the timeout is "
        "waited out unless the stand-in cannot answer again.",
        'Then the service answered "fraud.check" once',
        _answered,
    ),
    Phrase(
        "the service never answered {topic}",
        CheckService,
        "The stand-in on a topic has not answered.",
        'Then the service never answered "fraud.check"',
        _never_answered,
    ),
)
