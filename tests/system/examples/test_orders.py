from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from choreo_bdd.transports.memory import MockTransport
from orders import pipeline
from orders.bus import MemoryBus, Message
from orders.defects import GARBAGE, SERVICES, Defect

PATIENCE_S = 5.0


class Wire:
    """The bus from outside: everything that was said on it, and a way to wait for a topic."""

    def __init__(self, broker: MockTransport) -> None:
        self.said: list[tuple[str, bytes]] = []
        self._changed = asyncio.Event()
        self._broker = broker
        broker.subscribe(">", self._hear)

    def _hear(self, topic: str, data: bytes) -> None:
        self.said.append((topic, data))
        self._changed.set()

    def place(self, *, correlation_id: str = "cid-1", **order: Any) -> None:
        order = {"id": "o-1", "currency": "EUR", "items": [{"quantity": 2, "price": 450}], **order}
        self.say("orders.placed", {"correlation_id": correlation_id, "order": order})

    def say(self, topic: str, message: Message) -> None:
        self._broker.publish(topic, json.dumps(message).encode())

    async def raw(self, topic: str, count: int = 1) -> list[bytes]:
        async with asyncio.timeout(PATIENCE_S):
            while len(found := [data for spoken, data in self.said if spoken == topic]) < count:
                self._changed.clear()
                await self._changed.wait()
        return found

    async def message(self, topic: str) -> Message:
        message: Message = json.loads((await self.raw(topic))[0])
        return message

    @property
    def topics(self) -> list[str]:
        return [topic for topic, _ in self.said]


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    broker = MockTransport()
    await broker.connect()
    bus = MemoryBus(broker)
    wire = Wire(broker)
    await pipeline.start(bus)
    yield wire
    await bus.close()
    await broker.disconnect()


async def test_an_order_runs_through_all_services_in_order(wire: Wire) -> None:
    wire.place(delivery="courier")
    booking = await wire.message("carrier.booking.requested")
    wire.say("carrier.booking.confirmed", {"correlation_id": "cid-1", "tracking": "T", **booking["booking"]})
    await wire.raw("orders.shipped")
    assert wire.topics == [
        "orders.placed",
        "orders.accepted",
        "fraud.checked",
        "orders.settled",
        "notifications.sent",
        "carrier.booking.requested",
        "carrier.booking.confirmed",
        "orders.shipped",
    ]


async def test_every_message_carries_the_correlation_id_of_its_order(wire: Wire) -> None:
    wire.place(correlation_id="one")
    wire.place(correlation_id="two", id="o-2")
    await wire.raw("notifications.sent", 2)
    carried = {
        (message["order"]["id"], message["correlation_id"]) for _, data in wire.said if (message := json.loads(data))
    }
    assert carried == {("o-1", "one"), ("o-2", "two")}


async def test_the_settlement_adds_up(wire: Wire) -> None:
    wire.place(items=[{"quantity": 2, "price": 450}, {"quantity": 1, "price": 2900}])
    settlement = (await wire.message("orders.settled"))["settlement"]
    assert (settlement["amount"], settlement["fee"], settlement["net"]) == (3800, 82, 3718)


async def test_a_bad_order_is_rejected_with_every_problem_and_goes_no_further(wire: Wire) -> None:
    wire.place(currency="DKK", items=[{"quantity": 0, "price": 450}], simulate="loud")
    problems = (await wire.message("orders.rejected"))["problems"]
    assert [problem["field"] for problem in problems] == ["order.currency", "order.items[0].quantity", "order.simulate"]
    assert wire.topics == ["orders.placed", "orders.rejected"]


async def test_an_order_of_high_risk_is_held(wire: Wire) -> None:
    wire.place(country="NZ", items=[{"quantity": 30, "price": 49900}])
    assert (await wire.message("orders.held"))["risk"]["level"] == "high"
    assert "orders.settled" not in wire.topics


async def test_a_repeated_order_is_ignored_but_another_scenarios_is_not(wire: Wire) -> None:
    wire.place(correlation_id="one")
    wire.place(correlation_id="one")
    wire.place(correlation_id="two")
    accepted = await wire.raw("orders.accepted", 2)
    assert [json.loads(data)["correlation_id"] for data in accepted] == ["one", "two"]


async def test_a_carrier_that_refuses_delays_the_order(wire: Wire) -> None:
    wire.place(delivery="courier")
    booking = (await wire.message("carrier.booking.requested"))["booking"]
    wire.say(
        "carrier.booking.refused", {"correlation_id": "cid-1", "reference": booking["reference"], "reason": "full"}
    )
    delayed = await wire.message("orders.delayed")
    assert (delayed["reason"], delayed["order"]["id"], delayed["correlation_id"]) == ("full", "o-1", "cid-1")


@pytest.mark.parametrize("field", ["currency", "amount"])
async def test_wrong_falsifies_one_field_and_leaves_the_others(wire: Wire, field: str) -> None:
    wire.place(simulate=f"wrong:settlement.{field}")
    settled = (await wire.message("orders.settled"))["settlement"]
    right = {"currency": "EUR", "amount": 900, "fee": 39, "net": 861}
    assert {name for name, value in right.items() if settled[name] != value} == {field}


async def test_silent_sends_nothing(wire: Wire) -> None:
    wire.place(simulate="silent")
    wire.place(id="o-2")
    await wire.raw("notifications.sent")
    assert wire.topics.count("fraud.checked") == 2
    assert wire.topics.count("orders.settled") == 1


async def test_slow_delays_its_own_order_only_and_is_measured(wire: Wire) -> None:
    started = time.monotonic()
    wire.place(simulate="slow:80")
    wire.place(id="quick")
    quick, slow = (json.loads(data) for data in await wire.raw("orders.settled", 2))
    took_ms = (time.monotonic() - started) * 1000
    assert (quick["order"]["id"], slow["order"]["id"]) == ("quick", "o-1")
    assert 70 <= slow["service_ms"] <= took_ms + 1  # 1 ms: two clocks


async def test_stranger_sends_an_id_of_its_own(wire: Wire) -> None:
    wire.place(simulate="stranger")
    settled = await wire.message("orders.settled")
    assert settled["order"]["id"] == "o-1"
    assert settled["correlation_id"] not in ("cid-1", None)


async def test_topic_sends_elsewhere(wire: Wire) -> None:
    wire.place(simulate="topic:orders.setled")
    assert (await wire.message("orders.setled"))["settlement"]["amount"] == 900
    assert "orders.settled" not in wire.topics


async def test_garbage_cannot_be_read_and_is_dropped_by_the_next_service(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "orders.bus"):
        wire.place(simulate="garbage")
        assert await wire.raw("orders.settled") == [GARBAGE]
    with pytest.raises(ValueError, match="decode"):
        json.loads(GARBAGE)
    assert "dropped" in caplog.text
    assert "orders.settled" in caplog.text


async def test_a_defect_strikes_the_service_it_names(wire: Wire) -> None:
    wire.place(simulate="silent@fraud")
    wire.place(id="o-2", simulate="silent@notification")
    await wire.raw("orders.settled")
    assert wire.topics.count("orders.accepted") == 2
    assert wire.topics.count("fraud.checked") == 1
    assert "notifications.sent" not in wire.topics


async def test_a_misspelt_wish_refuses_the_order_wherever_it_is_met(wire: Wire) -> None:
    order = {"id": "o-1", "currency": "EUR", "items": [{"quantity": 2, "price": 450}], "simulate": "silent@setlement"}
    wire.say("orders.accepted", {"correlation_id": "cid-1", "order": order, "total": 900})
    (problem,) = (await wire.message("orders.rejected"))["problems"]
    assert problem["field"] == "order.simulate"
    assert "unknown service 'setlement'" in problem["reason"]
    assert "fraud.checked" not in wire.topics


@pytest.mark.parametrize(
    ("simulate", "count"), [("twice", 2), ("echo:20", 2), ("burst:7", 7), ("ahead:notifications.sent", 1)]
)
async def test_some_defects_send_more_than_one_message(wire: Wire, simulate: str, count: int) -> None:
    wire.place(simulate=simulate)
    assert len(await wire.raw("orders.settled", count)) == count
    if simulate.startswith("ahead"):
        assert wire.topics.index("notifications.sent") < wire.topics.index("orders.settled")


@pytest.mark.parametrize(
    ("simulate", "amount"),
    [
        ("type:settlement.amount", "900"),
        ("drift:settlement.amount", 900.01),
        ("null:settlement.amount", None),
        ("without:settlement.amount", "nothing"),
        ("extra:settlement.note", 900),
    ],
)
async def test_a_field_can_be_wrong_in_other_ways(wire: Wire, simulate: str, amount: object) -> None:
    wire.place(simulate=simulate)
    settlement = (await wire.message("orders.settled"))["settlement"]
    assert settlement.get("amount", "nothing") == amount
    assert settlement["currency"] == "EUR"
    assert ("note" in settlement) == simulate.startswith("extra")


@pytest.mark.parametrize("simulate", ["garbage", "empty", "cut", "gzip", "latin1"])
async def test_bytes_can_be_unreadable(wire: Wire, simulate: str) -> None:
    wire.place(simulate=simulate, customer="Zoë")
    with pytest.raises(ValueError, match=r"decode|Expecting|delimiter|Unterminated"):
        json.loads((await wire.raw("orders.settled"))[0])


async def test_an_outage_ends(wire: Wire) -> None:
    wire.place(simulate="outage:100")
    wire.place(id="during")
    await asyncio.sleep(0.15)
    wire.place(id="after")
    assert (await wire.message("orders.settled"))["order"]["id"] == "after"


async def test_a_queued_service_takes_one_order_after_the_other(wire: Wire) -> None:
    for number in range(3):
        wire.place(id=f"o-{number}", simulate="queued:30")
    settled = [json.loads(data) for data in await wire.raw("orders.settled", 3)]
    assert [message["order"]["id"] for message in settled] == ["o-0", "o-1", "o-2"]
    assert settled[2]["service_ms"] >= 85


async def test_a_clock_set_back_is_wrong_in_every_stamp(wire: Wire) -> None:
    wire.place()
    wire.place(id="o-2", simulate="clock:3600")
    right, wrong = (json.loads(data)["settlement"] for data in await wire.raw("orders.settled", 2))
    behind = datetime.fromisoformat(right["settled_at"]) - datetime.fromisoformat(wrong["settled_at"])
    assert 3590 < behind.total_seconds() < 3610


def test_defects_strike_only_services_there_are() -> None:
    assert set(pipeline.SERVICES) <= set(SERVICES)


async def test_a_message_that_breaks_a_handler_is_logged_and_the_service_lives(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "orders.bus"):
        wire.say("orders.accepted", {"correlation_id": "cid-1"})
        wire.place()
        await wire.raw("notifications.sent")
    assert "orders.accepted could not be handled" in caplog.text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("loud", "unknown defect 'loud'"),
        ("slow", "needs an argument"),
        ("slow:often", "whole milliseconds"),
        ("silent:very", "takes no argument"),
        ("burst:many", "whole messages"),
        ("silent@setlement", "unknown service 'setlement', known are intake, fraud, settlement"),
    ],
)
def test_a_defect_that_cannot_be_read_says_why(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Defect.parse(text)
