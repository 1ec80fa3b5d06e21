"""What was in a queue before the scenario is no answer to what its steps expect."""

from __future__ import annotations

import asyncio
from typing import Any

from choreo_bdd.message import Kept, Message
from choreo_bdd.transports import MockTransport
from choreo_bdd.transports.base import Ready, TransportCallback, sink_of
from tests.steps.conftest import MakeBench


class KeepingTransport(MockTransport):
    """A bus whose queue ``done`` holds a message that nobody has fetched, and keeps what nobody uses."""

    def __init__(self) -> None:
        super().__init__()
        self.used: list[str] = []

    def subscribe(self, topic: str, callback: TransportCallback) -> Ready | None:
        ready = super().subscribe(topic, callback)
        if topic == "done":
            self.hand_over(callback, b'{"state": "done", "run": "yesterday"}', is_leftover=True)
        return ready

    def hand_over(self, callback: Any, payload: bytes, *, is_leftover: bool) -> None:
        kept = Kept(lambda: self.used.append("done"), is_leftover=is_leftover)
        loop = asyncio.get_running_loop()
        loop.call_later(0.01, lambda: sink_of(callback)(Message("done", payload, loop.time(), kept=kept)))


def test_a_leftover_fulfils_no_step_and_stays_where_it_was(make_bench: MakeBench) -> None:
    transport = KeepingTransport()
    bench = make_bench(correlation=None, transport=transport)
    played = bench.play('When I publish "go"', 'Then I expect "done" where state is "done"')
    assert played.outcomes == ["timeout"]
    assert "1 matching message from before this scenario, left in the queue" in played.message
    assert transport.used == []
