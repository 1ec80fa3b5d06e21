"""The one queue of a RabbitMQ connection: who is bound to it, without a broker."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from choreo_bdd.transports.rabbitmq.own_queue import Listening, OwnQueue


class Bindings:
    """A channel that keeps which keys were unbound, and what was done last with each."""

    def __init__(self) -> None:
        self.unbound: list[str] = []
        self.last: dict[str, str] = {}

    async def queue_unbind(self, queue: str, exchange: str, key: str) -> None:
        del queue, exchange
        for _ in range(3):  # other calls of the channel come first
            await asyncio.sleep(0)
        self.unbound.append(key)
        self.last[key] = "unbound"

    async def queue_bind(self, queue: str, exchange: str, key: str) -> None:
        del queue, exchange
        self.last[key] = "bound"


def listening(queue: OwnQueue) -> Listening:
    return queue.add("orders.settled", lambda message: None, lambda reason: None)


async def test_who_leaves_a_queue_that_has_ended_unbinds_nobody_from_the_next_one() -> None:
    channel: Any = Bindings()
    ended, queue = OwnQueue(channel), OwnQueue(channel)
    of_before = listening(ended)
    stays, leaves = listening(queue), listening(queue)
    queue.remove(of_before)
    queue.remove(leaves)
    await queue.drop(channel, leaves, "choreo")
    assert queue.listening == (stays,)
    assert channel.unbound == []


async def test_the_last_who_leaves_has_its_key_unbound() -> None:
    channel: Any = Bindings()
    queue = OwnQueue(channel)
    last = listening(queue)
    queue.remove(last)
    await queue.drop(channel, last, "choreo")
    assert channel.unbound == ["orders.settled"]


@pytest.mark.thorough
async def test_who_comes_while_two_leave_stays_bound() -> None:
    channel: Any = Bindings()
    queue = OwnQueue(channel)
    leaving = [listening(queue), listening(queue)]
    for each in leaving:
        queue.remove(each)
    dropping = [asyncio.create_task(queue.drop(channel, each, "choreo")) for each in leaving]
    await asyncio.wait(dropping, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.sleep(0)
    comes = listening(queue)
    await queue.bind(channel, comes, "choreo", may_mark=False)
    await asyncio.gather(*dropping)
    assert channel.last == {"orders.settled": "bound"}
    assert channel.unbound == ["orders.settled"]
