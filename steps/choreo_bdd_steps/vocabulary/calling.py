"""Calling a service over HTTP: the call is an act, what it answers is checked and kept like a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from choreo_bdd.scenario.judging.occurs import ONCE
from choreo_bdd_steps import language
from choreo_bdd_steps.language.durations import parse_duration
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.vocabulary.acts import Call, CheckTaken, Expect, Keep, Payload
from choreo_bdd_steps.vocabulary.expectation_spec import ExpectationSpec
from choreo_bdd_steps.vocabulary.phrase import Match, Phrase

if TYPE_CHECKING:
    from choreo_bdd_steps.language import ExpectationBody


def _call(match: Match, body: Payload) -> Call:
    return Call(match.arg("method"), match.arg("path"), match.args["transport"], body)


def _plain(match: Match) -> Call:
    return _call(match, Payload(match.call, "optional"))


def _file(match: Match) -> Call:
    return _call(match, Payload(match.call, file=match.arg("file")))


def _envelope(match: Match) -> Call:
    return _call(match, Payload(match.call, "envelope"))


def _answer(match: Match) -> Expect:
    try:
        return Expect(None, None, _asked(match))
    except Exception as error:  # noqa: BLE001 - told by the check's own step, so that the others still run
        return Expect(None, None, error)


def _asked(match: Match) -> ExpectationSpec:
    call, status, within = match.call, match.args.get("status"), match.args["within"]
    if status is None and not call.docstring and not call.table:
        raise BodyError("there is nothing to check: write a doc string or a table below the step, or: has status 200")
    budget_s = None if within is None else parse_duration(within)
    return ExpectationSpec(
        "(the response)",
        None,
        _body(match, None if status is None else f"@status is {status}"),
        ONCE,
        budget_s=budget_s,
        is_response=True,
        is_narrowed=True,
    )


def _body(match: Match, condition: str | None) -> ExpectationBody:
    call = match.call
    body = language.parse_expectation(
        call.docstring,
        call.table,
        condition,
        media_type=call.media_type,
        schema=match.args.get("schema"),
        base_dir=call.folder,
    )
    if body.count > 1:
        raise BodyError(
            f"this table asks for {body.count} messages, one a row, and there is one response; begin the table with "
            f"| field | value |",
            1,
        )
    return body


def _has_not(match: Match) -> CheckTaken:
    return CheckTaken(None, match.call, refused=True, of_response=True)


def _keep(match: Match) -> Keep:
    return Keep(match.arg("path"), None, match.arg("name"), of_response=True)


PHRASES = (
    Phrase(
        "I call {method} {path}[ on {transport}]",
        Call,
        "Call a service over HTTP (a transport of `type: http`) and wait for its whole answer. The body is sent as "
        "JSON, a doc string of the media type `text` or `xml` as it stands; without one there is none. What is "
        "expected after it listens before it, and times count from its end.",
        'When I call POST "/orders":\n  | field    | value |\n  | order.id | 7     |',
        _plain,
        "a doc string or a table",
    ),
    Phrase(
        "I call {method} {path}[ on {transport}] from file {file:path}",
        Call,
        "Call with what a JSON or YAML file says, or any other file's bytes; relative to the feature file.",
        'When I call POST "/orders" from file "order.json"',
        _file,
    ),
    Phrase(
        "I call {method} {path}[ on {transport}] as an envelope",
        Call,
        "Call with `headers` and `payload`.",
        'When I call POST "/orders" as an envelope:\n  """\n  headers: {X-Tenant: acme}\n  payload: {id: 7}\n  """',
        _envelope,
        "a doc string",
    ),
    Phrase(
        "the response has status {status}[ within {within:duration}][ matching schema {schema:path}]",
        Expect,
        "Check what the last call has answered: its status and, below it, its body. `within` counts from when the "
        "request left to the end of the answer; `matching schema` holds the body against a JSON Schema file.",
        "Then the response has status 201 within 300ms:\n  | field | value    |\n  | state | accepted |",
        _answer,
        "a doc string or a table",
    ),
    Phrase(
        "the response has[ within {within:duration}]",
        Expect,
        "Check what the last call has answered: fields of the body, `@status`, `@headers.<name>`.",
        "Then the response has:\n  | field             | value                |\n"
        "  | @status           | one of 200, 201      |\n  | @headers.location | matches /^.orders.7/ |",
        _answer,
        "a doc string or a table",
    ),
    Phrase(
        "the response has not",
        CheckTaken,
        "Check that what the last call has answered has nothing of this.",
        "Then the response has not:\n  | field | value  |\n  | error | exists |",
        _has_not,
        "a doc string or a table",
    ),
    Phrase(
        "I keep {path} of the response as {name}",
        Keep,
        "Keep a field of what the last call has answered; `@status` and `@headers.<name>` too.",
        'Then I keep "order.id" of the response as order_id',
        _keep,
    ),
)
