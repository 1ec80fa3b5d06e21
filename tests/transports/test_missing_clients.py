"""Without a broker's client library the error says what to install, by a name that pip knows."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONNECT = """
import asyncio, json, sys
told = {}
for extra, (kind, address, modules) in json.loads(sys.argv[1]).items():
    for name in modules:
        sys.modules[name] = None  # as if it were not installed
    from choreo_bdd import transports
    try:
        asyncio.run(getattr(transports, kind)(**address).connect())
    except transports.TransportError as error:
        told[extra] = str(error)
print(json.dumps(told))
"""
CLIENTS = {
    "nats": ("NatsTransport", {"servers": ["nats://127.0.0.1:1"]}, ["nats"]),
    "kafka": ("KafkaTransport", {"bootstrap_servers": "127.0.0.1:1"}, ["aiokafka"]),
    "rabbitmq": ("RabbitTransport", {"url": "amqp://127.0.0.1:1"}, ["aio_pika", "aiormq"]),
    "redis": ("RedisTransport", {"url": "redis://127.0.0.1:1"}, ["redis"]),
    "http": ("HttpTransport", {"url": "http://127.0.0.1:1"}, ["httpx"]),
}


@pytest.fixture(scope="module")
def told() -> dict[str, str]:
    """What each transport says without its client, in a process of which none has been imported."""
    command = [sys.executable, "-c", CONNECT, json.dumps(CLIENTS)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    said: dict[str, str] = json.loads(ran.stdout)
    return said


@pytest.mark.parametrize("extra", CLIENTS)
def test_a_missing_client_is_told_with_the_extra_that_brings_it(extra: str, told: dict[str, str]) -> None:
    assert f"{CLIENTS[extra][0]} needs the " in told[extra]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert extra in project["optional-dependencies"]
    assert f"pip install '{project['name']}[{extra}]'" in told[extra]
