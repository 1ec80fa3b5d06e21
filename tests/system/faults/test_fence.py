"""A fence never returns quietly over a wire that is silent or cut."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from choreo_bdd.exceptions import TransportError
from tests.support.fault_sites import Site
from tests.support.proxy import Proxy, proxy_to
from tests.support.subscribers import Sink, new_topic
from tests.support.transport_kinds import make_transport

PATIENCE_S = 20
"""No fence takes longer, whatever the machine adds; without a bound of its own it would be for ever."""


@pytest.mark.parametrize("harm", [Proxy.stall, Proxy.cut])
async def test_a_fence_over_a_harmed_wire_is_an_error(
    harm: Callable[[Proxy], None], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("choreo_bdd.transports.shared.fences.PATIENCE_S", 1.0)
    async with proxy_to(site.broker.port) as proxy:
        url = site.broker.url.replace(f":{site.broker.port}", f":{proxy.port}")
        transport, topic = make_transport(site.kind, url), new_topic()
        await transport.connect()
        await asyncio.wait_for(transport.subscribe(topic, Sink()), PATIENCE_S)
        await asyncio.wait_for(transport.fence([topic]), PATIENCE_S)
        harm(proxy)
        with pytest.raises(TransportError, match="cannot tell whether all has arrived"):
            await asyncio.wait_for(transport.fence([topic]), PATIENCE_S)
        await transport.disconnect()
