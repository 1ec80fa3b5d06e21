"""The brokers' own clients, used as plainly as possible: log in, send, receive; store and find again."""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aio_pika
import aiokafka
import nats
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from choreo_bdd.brokers import Broker

WAIT_S = 20.0
_PAYLOAD = b"hello"
_ONCE = Retry(NoBackoff(), 0)  # a refused login stays refused


@dataclass(frozen=True, slots=True)
class Login:
    """What a client shows to be let in."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    mechanism: str = "PLAIN"


NOBODY = Login()


async def round_trip(broker: Broker, login: Login = NOBODY) -> bytes:
    """Send one message through the broker with its real client and return what came out."""
    async with asyncio.timeout(WAIT_S):
        return await {"nats": _nats, "redis": _redis, "rabbitmq": _rabbitmq, "kafka": _kafka}[broker.kind](
            broker, login
        )


async def _nats(broker: Broker, login: Login) -> bytes:
    options: dict[str, Any] = {"tls": login.tls} if login.tls else {}
    client = await nats.connect(
        broker.url, user=login.user, password=login.password, allow_reconnect=False, error_cb=_ignored, **options
    )
    try:
        subscription = await client.subscribe("greetings")
        await client.publish("greetings", _PAYLOAD)
        received = (await subscription.next_msg(WAIT_S)).data
    finally:
        await client.close()
    return bytes(received)


async def _ignored(error: Exception) -> None:
    """The client raises as well; its default is to print a traceback besides."""


def redis_client(broker: Broker, login: Login = NOBODY) -> redis.asyncio.Redis:
    return redis.asyncio.Redis(
        host=broker.host, port=broker.port, username=login.user, password=login.password, retry=_ONCE
    )


async def _redis(broker: Broker, login: Login) -> bytes:
    async with redis_client(broker, login) as client, client.pubsub() as pubsub:
        await pubsub.subscribe("greetings")
        await pubsub.get_message(timeout=WAIT_S)
        await client.publish("greetings", _PAYLOAD)
        received = await pubsub.get_message(timeout=WAIT_S, ignore_subscribe_messages=True)
    return bytes(received["data"])


def rabbitmq_client(broker: Broker, login: Login = NOBODY) -> Any:
    return aio_pika.connect(
        host=broker.host,
        port=broker.port,
        login=login.user or "guest",
        password=login.password or "guest",
        ssl=login.tls is not None,
        ssl_context=login.tls,
    )


def rabbitmqctl(broker: Broker, *arguments: str) -> str:
    """What whoever runs the broker does on its command line, and what that says."""
    program = str(Path(str(shutil.which("rabbitmq-server"))).resolve().with_name("rabbitmqctl"))
    environment: dict[str, str] = {**os.environ, **broker._plan.environment}
    command = (program, "-n", environment["RABBITMQ_NODENAME"], "--quiet", *arguments)
    return subprocess.check_output(command, env=environment, timeout=60, text=True)


async def _rabbitmq(broker: Broker, login: Login) -> bytes:
    async with await rabbitmq_client(broker, login) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await channel.default_exchange.publish(aio_pika.Message(_PAYLOAD), routing_key=queue.name)
        received = await queue.get(timeout=WAIT_S, no_ack=True)
    return bytes(received.body)


def kafka_options(broker: Broker, login: Login = NOBODY) -> dict[str, Any]:
    options: dict[str, Any] = {"bootstrap_servers": broker.url}
    protocol = f"{'SASL_' if login.user else ''}{'SSL' if login.tls else 'PLAINTEXT'}"
    if login.user:
        options |= {"sasl_plain_username": login.user, "sasl_plain_password": login.password}
        options |= {"sasl_mechanism": login.mechanism}
    return options | {"security_protocol": protocol, "ssl_context": login.tls}


async def _kafka(broker: Broker, login: Login) -> bytes:
    producer = aiokafka.AIOKafkaProducer(**kafka_options(broker, login))
    try:
        await producer.start()
        await producer.send_and_wait("greetings", _PAYLOAD)
    finally:
        await producer.stop()
    return await read_kafka(broker, "greetings", login)


async def read_kafka(broker: Broker, topic: str, login: Login = NOBODY) -> bytes:
    """The first message of a topic."""
    options = kafka_options(broker, login)
    async with aiokafka.AIOKafkaConsumer(topic, auto_offset_reset="earliest", **options) as consumer:
        return bytes((await consumer.getone()).value)
