"""What the Kafka tests listen with, and somebody else's clients of the same cluster."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from choreo_bdd.brokers import Broker


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
