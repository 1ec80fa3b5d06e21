"""FieldPolicy: the id anywhere in a payload, or beside one that has no fields."""

from __future__ import annotations

from typing import Any

import pytest

from choreo_bdd.correlation import Envelope, FieldPolicy
from choreo_bdd.exceptions import CorrelationIdNotInNamespaceError, NoPlaceForIdError


def stamped(field: str, payload: Any, **settings: Any) -> Envelope:
    return FieldPolicy(field, **settings).write(Envelope("t", payload), "ID")


@pytest.mark.parametrize(
    ("field", "payload", "expected"),
    [
        ("id", {"a": 1}, {"a": 1, "id": "ID"}),
        ("data.order_id", {"data": {"sku": "tea"}}, {"data": {"sku": "tea", "order_id": "ID"}}),
        ("data.order.id", {"v": 1}, {"v": 1, "data": {"order": {"id": "ID"}}}),
        ("'data.order_id'", {}, {"data.order_id": "ID"}),
        ("items[0].id", {"items": [{"n": 1}, {}]}, {"items": [{"n": 1, "id": "ID"}, {}]}),
    ],
)
def test_the_id_is_put_where_the_path_leads_and_read_back(field: str, payload: Any, expected: Any) -> None:
    envelope = stamped(field, payload)
    assert envelope.payload == expected
    assert envelope.headers == {}
    assert FieldPolicy(field).read(envelope) == "ID"
    assert payload in FieldPolicy(field).without(expected)


def test_the_given_payload_is_not_changed() -> None:
    payload: dict[str, Any] = {"data": {}}
    stamped("data.id", payload)
    assert payload == {"data": {}}


@pytest.mark.parametrize("payload", [{"data": {"id": 42}}, {"data": {"id": "mine"}}, {"data": {"id": None}}])
def test_what_the_author_wrote_is_left_as_it_is(payload: Any) -> None:
    assert stamped("data.id", payload).payload == payload


def test_a_number_counts_as_its_text() -> None:
    assert FieldPolicy("id").read(Envelope("t", {"id": 42})) == "42"


@pytest.mark.parametrize("payload", ["text", [1, 2], 7, None, b"\x00", {"data": "text"}, {"data": [1]}])
def test_what_has_no_such_place_carries_the_id_in_a_header(payload: Any) -> None:
    envelope = stamped("data.id", payload)
    assert envelope.payload == payload
    assert envelope.headers == {"id": "ID"}
    assert FieldPolicy("data.id").read(envelope) == "ID"


@pytest.mark.parametrize("payload", ["text", [1, 2], {"data": "text"}])
def test_where_there_are_no_headers_either_nothing_is_sent(payload: Any) -> None:
    with pytest.raises(NoPlaceForIdError, match=r"the field 'data.id'.*has no place for it.*correlation: none"):
        stamped("data.id", payload, has_headers=False)


def test_bytes_are_sent_as_they_are_where_there_are_no_headers() -> None:
    assert stamped("id", b"{", has_headers=False) == Envelope("t", b"{")


def test_an_id_outside_the_prefix_is_refused_wherever_it_stands() -> None:
    with pytest.raises(CorrelationIdNotInNamespaceError):
        FieldPolicy("a.b", prefix="TEST-").write(Envelope("t", {"a": {"b": 7}}), "TEST-1")


def test_one_message_carries_one_id() -> None:
    with pytest.raises(ValueError, match="stands for several fields"):
        FieldPolicy("items[*].id")
