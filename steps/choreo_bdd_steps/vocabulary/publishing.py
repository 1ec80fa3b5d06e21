"""Publishing: one message, several, from a file, as an envelope, raw."""

from __future__ import annotations

from msgspec import structs

from choreo_bdd_steps.vocabulary.acts import Payload, Publish, Request
from choreo_bdd_steps.vocabulary.phrase import Match, Phrase


def _publish(match: Match, body: Payload) -> Publish:
    return Publish(match.arg("topic"), match.args["transport"], body, key=match.args.get("key"))


def _one(match: Match) -> Publish:
    return _publish(match, Payload(match.call))


def _many(match: Match) -> Publish:
    rate = match.args["rate"]
    return structs.replace(_one(match), count=int(match.arg("count")), per_second=None if rate is None else float(rate))


def _file(match: Match) -> Publish:
    return _publish(match, Payload(match.call, file=match.arg("path")))


def _envelope(match: Match) -> Publish:
    return _publish(match, Payload(match.call, "envelope"))


def _nothing(match: Match) -> Publish:
    return _publish(match, Payload(match.call, "nothing"))


def _raw(match: Match) -> Publish:
    return _publish(match, Payload(match.call, "raw"))


def _request(match: Match) -> Request:
    return Request(match.arg("topic"), match.args["transport"], Payload(match.call))


PHRASES = (
    Phrase(
        "I publish {topic}[ on {transport}][ with key {key}]",
        Publish,
        "Publish one message; without a body the payload is `{}`. A table of several columns sends a message a row.",
        'When I publish "orders.placed":\n  | field    | value |\n  | order.id | 7     |',
        _one,
        "a doc string or a table",
    ),
    Phrase(
        "I publish {topic}[ on {transport}][ with key {key}] from file {path}",
        Publish,
        "Publish what a JSON or YAML file says, or any other file's bytes; relative to the feature file.",
        'When I publish "orders.placed" from file "order.json"',
        _file,
    ),
    Phrase(
        "I publish {topic}[ on {transport}] as an envelope",
        Publish,
        "Publish a message with `key`, `headers` and `payload`, or with `raw` bytes in its place.",
        'When I publish "orders.placed" as an envelope:\n  """\n  headers: {tenant: acme}\n  payload: {id: 7}\n  """',
        _envelope,
        "a doc string",
    ),
    Phrase(
        "I publish {count} {topic} messages[ on {transport}][ with key {key}][ at {rate:number} per second]",
        Publish,
        "Publish a burst; `{{ index }}` counts from 0, in the key too.",
        'When I publish 3 "orders.placed" messages:\n  """\n  id: {{ index }}\n  """',
        _many,
        "a doc string or a table",
    ),
    Phrase(
        "I publish {topic}[ on {transport}] with key {key} and no payload",
        Publish,
        "Publish a tombstone, which says that what has this key is gone; an empty message on buses that know none.",
        'When I publish "orders.placed" with key "7" and no payload',
        _nothing,
    ),
    Phrase(
        "I publish {topic}[ on {transport}] as raw bytes",
        Publish,
        "Publish bytes untouched by the codec: text, or after `hex:` or `base64:`.",
        'When I publish "orders.placed" as raw bytes:\n  """\n  hex: 00ff\n  """',
        _raw,
        "a doc string",
    ),
    Phrase(
        "I request {topic}[ on {transport}]",
        Request,
        "Publish a message that wants a reply, which `I expect a reply` checks: to an inbox on NATS, by `reply_to` on "
        "RabbitMQ, by a header or field elsewhere.",
        'When I request "stock.level":\n  """\n  sku: tea\n  """',
        _request,
        "a doc string or a table",
    ),
)
