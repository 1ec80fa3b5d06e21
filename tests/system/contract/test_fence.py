"""A fence: all that the broker had has been handed over, or an error says why that cannot be known."""

from __future__ import annotations

from typing import Any

import pytest

from choreo_bdd.exceptions import TransportError
from choreo_bdd.transports.base import Fencing
from tests.support.contract_transports import Kind
from tests.support.subscribers import Sink
from tests.system.contract.test_transport_contract import live

MANY = 200


def has_fence(transport: Any) -> bool:
    return isinstance(transport, Fencing)


async def test_what_was_published_has_been_delivered_when_a_fence_returns(kind: Kind) -> None:
    transport, other, topic, sink = kind.make(), kind.make(), kind.topic(), Sink()
    if not has_fence(transport):
        pytest.skip(f"{kind.name} has no fence")
    publisher = transport if not kind.is_remote else other
    await transport.connect()
    await other.connect()
    await live(transport.subscribe(topic, sink))
    sent = [str(number).encode() for number in range(MANY)]
    for ready in [publisher.publish(topic, payload) for payload in sent]:
        await live(ready)
    await transport.fence([topic])
    assert sink.payloads == sent
    await transport.disconnect()
    await other.disconnect()


async def test_a_fence_without_its_subscription_or_connection_is_an_error(kind: Kind) -> None:
    transport, topic, sink = kind.make(), kind.topic(), Sink()
    if not has_fence(transport):
        pytest.skip(f"{kind.name} has no fence")
    await transport.connect()
    if not kind.is_remote:
        await transport.fence([topic])  # within a process nothing can be on its way unseen
        return
    with pytest.raises(TransportError, match=topic):
        await transport.fence([topic])
    await live(transport.subscribe(topic, sink))
    await transport.disconnect()
    with pytest.raises(TransportError, match=r"not connected|closed"):
        await transport.fence([topic])
