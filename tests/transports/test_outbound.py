"""The way out every broker transport shares."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from choreo_bdd.exceptions import PublishFailed
from choreo_bdd.message import NO_HEADERS
from choreo_bdd.transports.shared.outbound import Outbound, Outgoing


async def test_messages_stuck_at_the_client_fail_when_the_transport_closes(caplog: pytest.LogCaptureFixture) -> None:
    async def never_written(batch: Sequence[Outgoing]) -> None:
        await asyncio.Event().wait()

    outbound = Outbound("SomeTransport", never_written)
    stuck = outbound.put(Outgoing("a", b"", NO_HEADERS, None, None))
    await asyncio.sleep(0)
    waiting = outbound.put(Outgoing("b", b"", NO_HEADERS, None, None))
    await outbound.stop(timeout_s=0)
    with pytest.raises(PublishFailed, match="'a': disconnected while it was being sent"):
        await stuck
    with pytest.raises(PublishFailed, match="'b': disconnected before it was sent"):
        await waiting
    assert "closes with 1 message(s) unsent" in caplog.text
