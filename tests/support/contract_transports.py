"""The transports of the contract, and how to make one of each against a real broker."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from choreo_bdd.transports import MockTransport, NatsTransport


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of transport: how it is made, on which broker, and what it can do."""

    name: str
    make: Callable[[], Any]
    is_remote: bool = True

    def topic(self, *segments: str) -> str:
        """A topic nobody else uses."""
        return ".".join((f"t{secrets.token_hex(4)}", *(segments or ("a",))))


KINDS = ("memory", "nats", "kafka", "rabbitmq", "redis", "redis-streams")
_FIXTURE = {
    "nats": "nats_broker",
    "kafka": "kafka_broker",
    "rabbitmq": "rabbitmq_broker",
    "redis": "redis_broker",
    "redis-streams": "redis_broker",
}


def kind_of(name: str, request: pytest.FixtureRequest) -> Kind:
    """The kind of a name, its broker started."""
    if name == "memory":
        return Kind(name, MockTransport, is_remote=False)
    broker = request.getfixturevalue(_FIXTURE[name])
    return Kind(name, _maker(name, broker.url))


def _maker(name: str, url: str) -> Callable[[], Any]:
    from choreo_bdd import transports

    if name == "nats":
        return lambda: NatsTransport(servers=[url])
    if name == "kafka":
        return lambda: transports.KafkaTransport(bootstrap_servers=[url])
    if name == "rabbitmq":
        return lambda: transports.RabbitTransport(url=url)
    return lambda: transports.RedisTransport(url=url, streams=name == "redis-streams")
