"""What a Stage checks before anything is connected."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from choreo_bdd import (
    BridgeAmbiguityError,
    BridgeTranslationError,
    BridgeTransportMismatchError,
    CorrelationBridge,
    DictFieldPolicy,
    Harness,
    HeaderPolicy,
    IdentityBridge,
    InvalidTransportNameError,
    MappedBridge,
    MissingTransportError,
    Stage,
    StageConnectError,
    StageDisconnectError,
    StageError,
    StageStateError,
    UnknownTransportError,
)
from choreo_bdd.stage import _MAX_WIRE_ID_LEN, _SMOKE_INPUT, _redact
from choreo_bdd.transports import MockTransport
from tests.support.stage_doubles import Bus, Scripted, events, make_stage, mapped


def of(*names: Any, bridge: Any = None, **harness: Any) -> Stage:
    return Stage({name: Harness(MockTransport(), **harness) for name in names}, bridge or Scripted())


def test_a_stage_needs_a_harness() -> None:
    with pytest.raises(ValueError, match="at least one harness"):
        Stage({}, IdentityBridge())


@pytest.mark.parametrize("name", ["", "a b", "a.b", "ü", "x" * 65, "a/b", "trailing\n", 7, None])
def test_a_name_that_reports_could_not_carry_is_refused(name: Any) -> None:
    with pytest.raises(InvalidTransportNameError) as caught:
        of(name)
    assert repr(name) in str(caught.value)
    assert "[a-zA-Z0-9_-]{1,64}" in str(caught.value)


@pytest.mark.parametrize("name", ["a", "A-1_b", "x" * 64])
def test_a_sound_name_is_taken(name: str) -> None:
    assert list(of(name).harnesses) == [name]


def test_harnesses_stay_in_registration_order() -> None:
    assert list(of("z", "a", "m").harnesses) == ["z", "a", "m"]


def test_a_mapped_bridge_must_be_made_for_these_transports() -> None:
    with pytest.raises(BridgeTransportMismatchError) as caught:
        of("z", "a", bridge=MappedBridge({"b": str, "a": str}))
    error = caught.value
    assert (error.bridge_class, error.bridge_transports, error.registered_transports) == (
        "MappedBridge",
        ("a", "b"),
        ("a", "z"),
    )
    assert all(part in str(error) for part in ("MappedBridge", "a, b", "a, z"))


@pytest.mark.parametrize("configured", [["a", "b"], ("b", "a"), {"a": 1, "b": 2}, iter(("a", "b"))])
def test_configured_transports_may_be_any_iterable(configured: Any) -> None:
    bridge = Scripted()
    bridge.configured_transports = configured  # type: ignore[attr-defined] # a bridge of somebody else's
    assert set(of("a", "b", bridge=bridge).harnesses) == {"a", "b"}


def test_names_are_checked_before_the_bridge_is_asked() -> None:
    bridge = Scripted()
    with pytest.raises(InvalidTransportNameError):
        of("not ok", bridge=bridge)
    assert bridge.to_wire_calls == []


def test_the_smoke_test_asks_for_each_transport_once_and_never_for_a_fresh_id() -> None:
    bridge = Scripted()
    of("b", "a", bridge=bridge)
    assert bridge.to_wire_calls == [(_SMOKE_INPUT, "b"), (_SMOKE_INPUT, "a")]
    assert bridge.fresh_calls == 0


def test_a_bridge_that_raises_is_told_by_class_and_place() -> None:
    with pytest.raises(BridgeTranslationError) as caught:
        of("a", "b", bridge=Scripted(fault="to_wire:b"))
    error = caught.value
    assert (error.bridge_class, error.method, error.transport) == ("Scripted", "to_wire", "b")
    assert isinstance(error.original, ArithmeticError)
    assert "ArithmeticError" in str(error)
    assert "s3cr3t" not in str(error)


@pytest.mark.parametrize("wire", [None, 7, b"bytes", ""])
def test_what_is_no_text_or_empty_is_no_wire_id(wire: Any) -> None:
    with pytest.raises(BridgeTranslationError) as caught:
        of("a", bridge=Scripted(wire=lambda logical, transport: wire))
    assert isinstance(caught.value.original, TypeError)
    assert caught.value.transport == "a"


def test_a_mapped_bridge_does_not_turn_none_into_text() -> None:
    with pytest.raises(BridgeTranslationError) as caught:
        of("a", bridge=MappedBridge({"a": lambda logical: None}))  # type: ignore[dict-item, return-value] # the mistake
    assert isinstance(caught.value.original, TypeError)
    assert "NoneType" in str(caught.value.original)


def test_a_wire_id_may_have_1024_characters() -> None:
    of("a", bridge=Scripted(wire=lambda logical, transport: "x" * 1024))
    assert _MAX_WIRE_ID_LEN == 1024


def test_a_longer_wire_id_is_refused_with_both_lengths() -> None:
    with pytest.raises(BridgeTranslationError, match=r"1025.*1024") as caught:
        of("a", bridge=Scripted(wire=lambda logical, transport: "x" * 1025))
    assert isinstance(caught.value.original, ValueError)


def test_two_transports_may_not_share_a_wire_id() -> None:
    with pytest.raises(BridgeAmbiguityError) as caught:
        of("z", "a", bridge=IdentityBridge())
    assert caught.value.transports == ("a", "z")
    assert caught.value.bridge_class == "IdentityBridge"
    assert _SMOKE_INPUT not in str(caught.value)


@pytest.mark.parametrize("policy", [DictFieldPolicy(prefix="TEST-"), HeaderPolicy("x-id", prefix="TEST-")])
def test_a_bridge_outside_a_policys_namespace_is_refused_at_once(policy: Any) -> None:
    with pytest.raises(BridgeTranslationError, match="'TEST-'") as caught:
        of("a", correlation=policy)
    assert caught.value.transport == "a"
    of("a", bridge=Scripted(wire=lambda logical, transport: f"TEST-{logical}"), correlation=policy)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("short", "'short'"),
        ("x" * 15, repr("x" * 15)),
        ("abcdefgh-middle-wxyz", "'abcdefgh'...'wxyz' (20 characters)"),
    ],
)
def test_redact_shows_short_texts_and_the_ends_of_long_ones(text: str, shown: str) -> None:
    assert _redact(text) == shown


def test_construction_is_logged_with_bridge_and_transports(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "choreo_bdd.stage")
    make_stage(Bus(), Bus())
    [event] = events(caplog, "stage_initialised")
    assert (event["bridge_class"], event["transports"], event["levelno"]) == (
        "MappedBridge",
        ("left", "right"),
        logging.INFO,
    )


@pytest.mark.parametrize(
    ("error", "second_base"),
    [
        (StageStateError, RuntimeError),
        (MissingTransportError, ValueError),
        (UnknownTransportError, LookupError),
        (InvalidTransportNameError, ValueError),
        (StageConnectError, RuntimeError),
        (StageDisconnectError, ExceptionGroup),
        (BridgeAmbiguityError, ValueError),
        (BridgeTransportMismatchError, ValueError),
        (BridgeTranslationError, RuntimeError),
    ],
)
def test_stage_errors_are_one_family_with_a_familiar_second_base(
    error: type[Exception], second_base: type[Exception]
) -> None:
    assert issubclass(error, StageError)
    assert issubclass(error, second_base)


@pytest.mark.parametrize("bridge", [IdentityBridge(), mapped(), Scripted()])
def test_bridges_fulfil_the_protocol(bridge: Any) -> None:
    assert isinstance(bridge, CorrelationBridge)


async def test_identity_bridge_puts_the_logical_id_on_the_wire_and_reads_it_back() -> None:
    bridge = IdentityBridge()
    first, second = await bridge.fresh(), await bridge.fresh()
    assert len(first) == 32
    assert int(first, 16) >= 0
    assert first != second
    assert bridge.to_wire(7, "any") == "7"
    assert bridge.from_wire("7", "any") == "7"


async def test_mapped_bridge_translates_both_ways_where_it_can() -> None:
    bridge = MappedBridge({"a": "A-{}".format, "b": str}, {"a": lambda wire: wire[2:]})
    assert bridge.configured_transports == frozenset({"a", "b"})
    assert len(await bridge.fresh()) == 32
    assert bridge.to_wire("id", "a") == "A-id"
    assert bridge.from_wire("A-id", "a") == "id"
    assert bridge.from_wire("id", "b") is None
