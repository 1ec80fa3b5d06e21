"""What a recording has to know of a broker that falls silent: its replay must pass nothing that the run did not."""

from __future__ import annotations

from collections.abc import Collection

from choreo_bdd import Harness, NoCorrelationPolicy
from choreo_bdd.exceptions import TransportError
from choreo_bdd.observers.traffic import Traffic
from choreo_bdd.transports import MockTransport
from tests.support.engine_doubles import BrokerLike


class _Silent(MockTransport):
    async def fence(self, topics: Collection[str]) -> None:
        raise TransportError(f"no word on {', '.join(topics)}")


async def test_that_the_broker_did_not_say_whether_all_has_come_is_taken_down() -> None:
    harness = Harness(_Silent(), correlation=NoCorrelationPolicy(is_meant=True))
    harness.router.traffic = traffic = Traffic()
    await harness.connect()
    async with harness.scenario("silent") as scenario:
        scenario.expect_none("orders.refused")
        scenario.publish("orders.placed", {})
        assert not (await scenario.await_all(timeout_ms=50)).passed
    assert {(lost.topic, lost.reason, lost.is_untold) for lost in traffic.lost} == {
        ("orders.refused", "no word on orders.refused", True)
    }
    await harness.disconnect()


async def test_a_message_whose_confirmation_nobody_waits_for_any_more_is_taken_down_as_unconfirmed() -> None:
    harness = Harness(BrokerLike(), correlation=NoCorrelationPolicy(is_meant=True))
    harness.router.traffic = traffic = Traffic()
    await harness.connect()
    async with harness.scenario("silent") as scenario:
        left = scenario.scope.publish("orders.placed", {})
        assert left is not None
        left.cancel()
        await scenario.scope.until(lambda: any(sent.failed for sent in traffic.sent), scenario.scope.clock() + 1)
    assert [sent.failed for sent in traffic.sent] == ["the broker did not confirm it while that was waited for"]
    await harness.disconnect()
