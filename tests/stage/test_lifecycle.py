"""Connecting, rolling back, disconnecting."""

from __future__ import annotations

import asyncio
import logging

import pytest

from choreo_bdd import Harness, Stage, StageConnectError, StageDisconnectError, StageStateError
from choreo_bdd.matchers import eq
from choreo_bdd.transports import MockTransport
from tests.support.stage_doubles import Bus, Ledger, Scripted, events, make_stage


def three(ledger: Ledger, **faults: tuple[str, ...]) -> tuple[Stage, dict[str, Bus]]:
    buses = {name: Bus(name, ledger, faults=faults.get(name, ())) for name in ("a", "b", "c")}
    return Stage({name: Harness(bus) for name, bus in buses.items()}, Scripted()), buses


async def test_connects_in_registration_order_and_disconnects_in_reverse() -> None:
    ledger: Ledger = []
    stage, _ = three(ledger)
    await stage.connect()
    await stage.disconnect()
    assert ledger == [*((name, "connect") for name in "abc"), *((name, "disconnect") for name in "cba")]


async def test_the_first_that_fails_ends_connecting_and_the_others_are_rolled_back() -> None:
    ledger: Ledger = []
    stage, buses = three(ledger, b=("connect",))
    with pytest.raises(StageConnectError, match="connect failed on b") as caught:
        await stage.connect()
    assert (caught.value.failing_transport, caught.value.bridge_class) == ("b", "Scripted")
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert ledger == [("a", "connect"), ("b", "connect"), ("b", "disconnect"), ("a", "disconnect")]
    assert not any(bus.is_open for bus in buses.values())


async def test_siblings_are_rolled_back_in_reverse_order() -> None:
    ledger: Ledger = []
    stage, _ = three(ledger, c=("connect",))
    with pytest.raises(StageConnectError):
        await stage.connect()
    assert [name for name, method in ledger if method == "disconnect"] == ["c", "b", "a"]


async def test_after_a_rollback_the_stage_is_new_and_may_try_again() -> None:
    stage, buses = three([], b=("connect",))
    with pytest.raises(StageConnectError):
        await stage.connect()
    with pytest.raises(StageStateError, match="new"):
        stage.scenario("too early")
    buses["b"].mend()
    await stage.connect()
    assert all(harness.is_connected() for harness in stage.harnesses.values())


async def test_a_rollback_that_fails_is_logged_and_hides_nothing(caplog: pytest.LogCaptureFixture) -> None:
    stage, buses = three([], a=("disconnect",), b=("connect", "disconnect"))
    with pytest.raises(StageConnectError) as caught:
        await stage.connect()
    assert caught.value.failing_transport == "b"
    for event, transport in (
        ("stage_rollback_failing_transport_disconnect_failed", "b"),
        ("stage_rollback_sibling_disconnect_failed", "a"),
    ):
        [record] = events(caplog, event)
        assert (record["transport"], record["error_class"], record["exc_info"]) == (transport, "RuntimeError", None)
        assert record["levelno"] == logging.WARNING
    assert not buses["c"].is_open


async def test_cancelling_a_connect_rolls_back_and_stays_a_cancellation() -> None:
    class Slow(Bus):
        async def connect(self) -> None:
            await super().connect()
            await asyncio.sleep(3600)

    quick, slow = Bus("quick"), Slow("slow")
    stage = make_stage(quick, slow)
    connecting = asyncio.create_task(stage.connect())
    await asyncio.sleep(1)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert not quick.is_open
    assert not slow.is_open


async def test_every_transport_is_disconnected_and_all_errors_are_raised_together() -> None:
    ledger: Ledger = []
    stage, _ = three(ledger, a=("disconnect",), c=("disconnect",))
    await stage.connect()
    caught: list[BaseExceptionGroup[RuntimeError]] = []
    try:
        await stage.disconnect()
    except* RuntimeError as group:
        caught.append(group)
    assert isinstance(caught[0], StageDisconnectError)
    assert [str(error) for error in caught[0].exceptions] == ["disconnect failed on c", "disconnect failed on a"]
    assert [name for name, method in ledger if method == "disconnect"] == ["c", "b", "a"]


async def test_one_error_comes_as_a_group_too_and_the_second_disconnect_does_nothing() -> None:
    ledger: Ledger = []
    stage, _ = three(ledger, b=("disconnect",))
    await stage.connect()
    with pytest.raises(StageDisconnectError) as caught:
        await stage.disconnect()
    assert len(caught.value.exceptions) == 1
    done = list(ledger)
    await stage.disconnect()
    assert ledger == done


async def test_states_say_what_they_refuse() -> None:
    stage = make_stage(Bus(), Bus())
    with pytest.raises(StageStateError, match="new"):
        stage.scenario("too early")
    await stage.connect()
    with pytest.raises(StageStateError, match="connected"):
        await stage.connect()
    await stage.disconnect()
    with pytest.raises(StageStateError, match="disconnected"):
        await stage.connect()
    with pytest.raises(StageStateError, match="disconnected"):
        stage.scenario("too late")


async def test_disconnecting_a_new_stage_touches_no_harness() -> None:
    ledger: Ledger = []
    stage, _ = three(ledger)
    await stage.disconnect()
    assert ledger == []
    with pytest.raises(StageStateError, match="disconnected"):
        await stage.connect()


async def test_open_scopes_do_not_hold_up_disconnecting() -> None:
    stage = make_stage(Bus(), Bus())
    await stage.connect()
    async with stage.scenario("open") as s:
        s.expect("t", eq(1), on="left")
        await stage.disconnect()
        assert not any(harness.is_connected() for harness in stage.harnesses.values())


async def test_a_stage_and_a_plain_harness_live_side_by_side(stage: Stage, harness: Harness) -> None:
    async with stage.scenario("many") as many, harness.scenario("one") as one:
        many.expect("t", eq({"n": 1, "correlation_id": f"L-{many.correlation_id}"}), on="left")
        one.expect("t", eq({"n": 2, "correlation_id": one.correlation_id}))
        many.publish("t", {"n": 1}, on="left")
        one.publish("t", {"n": 2})
        assert (await many.await_all(100)).passed
        assert (await one.await_all(timeout_ms=100)).passed


async def test_a_third_partys_transport_does(caplog: pytest.LogCaptureFixture) -> None:
    class CarrierPigeon(MockTransport):
        """A transport by another name, whose harness has no policy."""

    stage = Stage({"pigeon": Harness(CarrierPigeon())}, Scripted())
    await stage.connect()
    assert any("correlator_noop_against_real_transport" in record.getMessage() for record in caplog.records)
    await stage.disconnect()
