"""A fence never returns quietly over a wire that is silent or cut."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from choreo_bdd.exceptions import TransportError
from choreo_bdd.transports import NatsTransport
from tests.support.brokers import Broker
from tests.support.proxy import Proxy, proxy_to
from tests.support.subscribers import Sink, new_topic


@pytest.mark.parametrize("harm", [Proxy.stall, Proxy.cut])
async def test_a_nats_fence_over_a_harmed_wire_is_an_error(
    harm: Callable[[Proxy], None], nats_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("choreo_bdd.transports.nats.transport._CONFIRM_S", 1.0)
    async with proxy_to(nats_broker.port) as proxy:
        transport, topic = NatsTransport(servers=[f"nats://127.0.0.1:{proxy.port}"]), new_topic()
        await transport.connect()
        await asyncio.wait_for(transport.subscribe(topic, Sink()), 5)
        await transport.fence([topic])
        harm(proxy)
        with pytest.raises(TransportError, match="cannot tell whether all has arrived"):
            await transport.fence([topic])
        await transport.disconnect()
