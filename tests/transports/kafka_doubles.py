"""What the Kafka tests listen with, and somebody else's clients of the same cluster."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from choreo_bdd.brokers import Broker
from choreo_bdd.message import Message

PATIENCE_S = 10.0


class Sink:
    """A subscriber that keeps whole messages and lets a test wait for a number of them."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._changed = asyncio.Event()

    def __call__(self, topic: str, payload: bytes) -> None:
        raise AssertionError("a sink is handed whole messages")

    def deliver(self, message: Message) -> None:
        self.messages.append(message)
        self._changed.set()

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.messages]

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.messages) < count:
                self._changed.clear()
                await self._changed.wait()


def new_topic(*segments: str) -> str:
    """A topic nobody else uses."""
    return ".".join((f"t{secrets.token_hex(4)}", *(segments or ("a",))))


@asynccontextmanager
async def outside_producer(url: str) -> AsyncIterator[Any]:
    """A plain aiokafka producer."""
    producer = AIOKafkaProducer(bootstrap_servers=url)
    await producer.start()
    yield producer
    await producer.stop()


@asynccontextmanager
async def outside_admin(url: str) -> AsyncIterator[Any]:
    """A plain aiokafka admin client."""
    admin = AIOKafkaAdminClient(bootstrap_servers=url)
    await admin.start()
    yield admin
    await admin.close()


@contextmanager
def frozen(broker: Broker) -> Iterator[None]:
    """The broker accepts connections, and answers nothing."""
    os.kill(broker.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, broker.pid, os.WSTOPPED | os.WNOWAIT)  # until then some thread of it may still answer
    try:
        yield
    finally:
        os.kill(broker.pid, signal.SIGCONT)


async def partitions_of(url: str, topic: str) -> int:
    """How many partitions a topic has."""
    async with outside_admin(url) as admin:
        (described,) = await admin.describe_topics([topic])
        return len(described["partitions"])
