"""Without a broker's client library the error says what to install, by a name that pip knows."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.producer import sender

from choreo_bdd.exceptions import TransportError
from choreo_bdd.transports.kafka.once import write_once

ROOT = Path(__file__).parents[2]
CONNECT = """
import asyncio, sys
for name in {modules!r}:
    sys.modules[name] = None  # as if it were not installed
from choreo_bdd.transports import TransportError, {kind}
try:
    asyncio.run({kind}({address}).connect())
except TransportError as error:
    print(error)
"""
CLIENTS = {
    "nats": ("NatsTransport", "servers=['nats://127.0.0.1:1']", ["nats"]),
    "kafka": ("KafkaTransport", "bootstrap_servers='127.0.0.1:1'", ["aiokafka"]),
    "rabbitmq": ("RabbitTransport", "url='amqp://127.0.0.1:1'", ["aio_pika", "aiormq"]),
    "redis": ("RedisTransport", "url='redis://127.0.0.1:1'", ["redis"]),
    "http": ("HttpTransport", "url='http://127.0.0.1:1'", ["httpx"]),
}


@pytest.mark.parametrize("extra", CLIENTS)
def test_a_missing_client_is_told_with_the_extra_that_brings_it(extra: str) -> None:
    kind, address, modules = CLIENTS[extra]
    code = CONNECT.format(kind=kind, address=address, modules=modules)
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"{kind} needs the " in ran.stdout
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert extra in project["optional-dependencies"]
    assert f"pip install '{project['name']}[{extra}]'" in ran.stdout


@pytest.mark.parametrize(
    ("extra", "module"),
    [
        ("nats", "nats.js.errors"),
        ("kafka", "aiokafka.producer.transaction_manager"),
        ("rabbitmq", "aiormq.abc"),
        ("redis", "redis.asyncio.connection"),
    ],
)
def test_a_client_with_other_insides_is_not_called_missing(extra: str, module: str) -> None:
    kind, address, _ = CLIENTS[extra]
    code = CONNECT.format(kind=kind, address=address, modules=[module])
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"{kind} does not know the installed version of " in ran.stdout
    assert module in ran.stdout


@pytest.mark.parametrize(
    ("owner", "name"), [("Sender", "_maybe_wait_for_pid"), ("SendProduceReqHandler", "_can_retry")]
)
async def test_a_kafka_client_in_which_nothing_calls_what_we_put_there_is_refused(
    owner: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers="127.0.0.1:1")
    monkeypatch.delattr(getattr(sender, owner), name)
    with pytest.raises(TransportError, match=rf"does not know aiokafka [\d.]+, which has no {owner}\.{name}: install"):
        write_once(producer)
    await producer.stop()
