"""Messages and payloads of a scenario: each kept once, and never one in place of another."""

from __future__ import annotations

import gc
import json
from types import SimpleNamespace
from typing import Any

import pytest

from choreo_bdd.codecs.base import JSONCodec
from choreo_bdd.redaction import Redactor
from choreo_bdd_reporter.record.values import Values


def a_message(payload: Any, topic: str = "orders", **facts: Any) -> Any:
    known: dict[str, Any] = {
        "transport": None,
        "headers": {},
        "key": None,
        "partition": None,
        "offset": None,
        "size": 2,
        "json": None,
    }
    return SimpleNamespace(topic=topic, payload=payload, broker_time=None, **{**known, **facts})


def payload_of(values: Values, place: int) -> Any:
    table = values.table()
    return json.loads(table["payloads"][table["messages"][place]["payload"]])


def test_a_message_that_is_met_again_has_its_first_place() -> None:
    values, message = Values(Redactor()), a_message({"id": 1})
    assert [values.message(each) for each in (message, None, message)] == [0, -1, 0]
    assert len(values.table()["messages"]) == 1


def test_equal_payloads_of_different_messages_stand_once() -> None:
    values = Values(Redactor())
    assert [values.message(a_message({"id": 1}, topic=topic)) for topic in ("sent", "seen")] == [0, 1]
    assert len(values.table()["payloads"]) == 1


def test_messages_that_nobody_else_keeps_are_not_taken_for_each_other() -> None:
    values = Values(Redactor())
    places = []
    for number in range(200):  # each is made where the one before it was, if that has gone
        places.append(values.message(a_message({"id": number})))
        gc.collect(0)
    assert [payload_of(values, place)["id"] for place in places] == list(range(200))


def test_a_payload_changed_afterwards_is_kept_as_it_was() -> None:
    values, payload = Values(Redactor()), {"items": [1]}
    shown, _ = values.shown(payload)
    place = values.message(a_message(payload))
    payload["items"].append(2)
    assert (shown, payload_of(values, place)) == ({"items": [1]}, {"items": [1]})


def test_what_is_not_known_of_a_message_is_left_out() -> None:
    values = Values(Redactor())
    values.message(a_message({}, key=b"k", partition=0))
    (message,) = values.table()["messages"]
    assert message == {"topic": "orders", "payload": 0, "key": "b'k'", "partition": 0, "size": 2}


@pytest.mark.parametrize(
    "travelled",
    [
        (b'{"id":1}', b'{"id":1,"total":12.5}'), (b'{"id": 1}', b"[1.0,1E5,1e16,0.00001]"), (b'{"a":1,"a":2}',),
        (b"[1", b"2],3"), (b"1,2", b""), (b"1\n2", b"3"), (b'{"a":NaN}',), ('"é"'.encode(), b'"\\u00e9"'), (b"\xff",),
        (b'{"id":1}', b'{"password":"hunter2-hunter2"}'), (b'"' + b"x" * 9000 + b'"', b"7"),
    ],
)  # fmt: skip
def test_a_payload_is_shown_alike_whether_its_bytes_are_known_or_not(travelled: tuple[bytes, ...]) -> None:
    known, unknown = Values(Redactor()), Values(Redactor())
    decoded = [(JSONCodec().decode(raw), raw) for raw in travelled]
    for values, messages in (
        (known, [a_message(value, json=raw) for value, raw in decoded]),
        (unknown, [a_message(value) for value, _ in decoded]),
    ):
        values.learn_messages(messages)
        for message in messages:
            values.message(message)
    assert known.table() == unknown.table()


def test_innocent_bytes_are_shown_without_what_is_known_to_be_secret() -> None:
    redactor = Redactor()
    redactor.learn("Bob-the-builder-7")
    values, message = Values(redactor), a_message({"name": "Bob-the-builder-7"}, json=b'{"name":"Bob-the-builder-7"}')
    values.learn_messages([message])
    assert values.shown_payload(message) == ({"name": "<redacted>"}, False)
    assert payload_of(values, values.message(message)) == {"name": "<redacted>"}


def test_secrets_are_masked_in_payload_headers_and_key() -> None:
    values = Values(Redactor())
    secret = "hunter2-hunter2"
    values.message(a_message({"password": secret}, headers={"x-api-key": secret}, key=f"password={secret}"))
    assert secret not in json.dumps(values.table())


def test_a_value_has_less_room_in_results_than_with_its_message() -> None:
    values, payload = Values(Redactor()), {"blob": "x" * 10_000}
    place = values.message(a_message(payload))
    assert values.shown(payload)[0]["blob"]["_original_bytes"] == 10_000
    assert payload_of(values, place) == payload
