"""Publishing: one message, several, from a file, as an envelope, raw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from choreo_bdd_steps.language.body import PayloadBody, load_file, parse_envelope, parse_payload, parse_raw
from choreo_bdd_steps.vocabulary.phrase import Intent, Match, Phrase
from choreo_bdd_steps.vocabulary.reading import read

if TYPE_CHECKING:
    from choreo_bdd_steps.run.scenario_run import ScenarioRun


def _body(match: Match) -> PayloadBody:
    call = match.call
    return read(
        call, lambda: parse_payload(call.docstring, call.table, media_type=call.media_type, base_dir=call.folder)
    )


def _publish(run: ScenarioRun, match: Match) -> None:
    run.sending.publish(match, _body(match))


def _publish_many(run: ScenarioRun, match: Match) -> None:
    rate = match.args["rate"]
    count = int(match.arg("count"))
    run.sending.publish(match, _body(match), count=count, per_second=None if rate is None else float(rate))


def _request(run: ScenarioRun, match: Match) -> None:
    run.sending.request(match, _body(match))


def _publish_file(run: ScenarioRun, match: Match) -> None:
    run.sending.publish(match, read(match.call, lambda: load_file(match.arg("path"), match.call.folder)))


def _publish_envelope(run: ScenarioRun, match: Match) -> None:
    run.sending.publish(
        match, read(match.call, lambda: parse_envelope(match.call.docstring or "", base_dir=match.call.folder))
    )


def _publish_raw(run: ScenarioRun, match: Match) -> None:
    call = match.call
    run.sending.publish(match, read(call, lambda: parse_raw(call.docstring or "", base_dir=call.folder)))


PHRASES = (
    Phrase(
        "I publish {topic}[ on {transport}][ with key {key}]",
        Intent.PUBLISH,
        "Publish one message; without a body the payload is `{}`. A table of several columns sends a message a row.",
        'When I publish "orders.placed":\n  | field    | value |\n  | order.id | 7     |',
        _publish,
    ),
    Phrase(
        "I publish {topic}[ on {transport}][ with key {key}] from file {path}",
        Intent.PUBLISH,
        "Publish what a JSON or YAML file says, or any other file's bytes; relative to the feature file.",
        'When I publish "orders.placed" from file "order.json"',
        _publish_file,
    ),
    Phrase(
        "I publish {topic}[ on {transport}] as an envelope",
        Intent.PUBLISH,
        "Publish a message with `key`, `headers` and `payload`.",
        'When I publish "orders.placed" as an envelope:\n  """\n  headers: {tenant: acme}\n  payload: {id: 7}\n  """',
        _publish_envelope,
    ),
    Phrase(
        "I publish {count} {topic} messages[ on {transport}][ at {rate:number} per second]",
        Intent.PUBLISH,
        "Publish a burst; `{{ index }}` counts from 0.",
        'When I publish 3 "orders.placed" messages:\n  """\n  id: {{ index }}\n  """',
        _publish_many,
    ),
    Phrase(
        "I publish {topic}[ on {transport}] as raw bytes",
        Intent.PUBLISH,
        "Publish bytes untouched by the codec: text, or after `hex:` or `base64:`.",
        'When I publish "orders.placed" as raw bytes:\n  """\n  hex: 00ff\n  """',
        _publish_raw,
    ),
    Phrase(
        "I request {topic}[ on {transport}]",
        Intent.PUBLISH,
        "Publish a message that wants a reply, which `I expect a reply` checks: to an inbox on NATS, by `reply_to` on "
        "RabbitMQ, by a header or field elsewhere.",
        'When I request "stock.level":\n  """\n  sku: tea\n  """',
        _request,
        is_request=True,
    ),
)
