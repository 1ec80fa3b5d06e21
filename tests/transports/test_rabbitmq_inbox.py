"""The one queue of a RabbitMQ connection: who is bound to it, without a broker."""

from __future__ import annotations

from typing import Any

from choreo_bdd.transports.rabbitmq.inbox import Inbox, Listening


class Bindings:
    """A channel that keeps which keys were unbound."""

    def __init__(self) -> None:
        self.unbound: list[str] = []

    async def queue_unbind(self, queue: str, exchange: str, key: str) -> None:
        del queue, exchange
        self.unbound.append(key)


def listening(inbox: Inbox) -> Listening:
    return inbox.add("orders.settled", lambda message: None, lambda reason: None)


async def test_who_leaves_a_queue_that_has_ended_unbinds_nobody_from_the_next_one() -> None:
    channel: Any = Bindings()
    ended, inbox = Inbox(channel), Inbox(channel)
    of_before = listening(ended)
    stays, leaves = listening(inbox), listening(inbox)
    inbox.remove(of_before)
    inbox.remove(leaves)
    await inbox.drop(channel, leaves, "choreo")
    assert inbox.listening == (stays,)
    assert channel.unbound == []


async def test_the_last_who_leaves_has_its_key_unbound() -> None:
    channel: Any = Bindings()
    inbox = Inbox(channel)
    last = listening(inbox)
    inbox.remove(last)
    await inbox.drop(channel, last, "choreo")
    assert channel.unbound == ["orders.settled"]
