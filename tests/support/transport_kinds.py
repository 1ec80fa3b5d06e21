"""The kinds of transports, in one table: which class, how it is told where its broker is, whose fixture starts that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from choreo_bdd import transports


@dataclass(frozen=True, slots=True)
class BrokerKind:
    """One kind of transport that talks to a broker. ``make`` takes the broker's URL and options of its constructor."""

    broker: str
    make: Callable[..., Any]

    @property
    def fixture(self) -> str:
        """The fixture whose value is the running broker."""
        return f"{self.broker}_broker"


def _redis_streams(url: str, **options: Any) -> Any:
    return transports.RedisTransport(url=url, streams=True, **options)


BROKER_KINDS: Mapping[str, BrokerKind] = {
    "nats": BrokerKind("nats", lambda url, **options: transports.NatsTransport(servers=[url], **options)),
    "kafka": BrokerKind("kafka", lambda url, **options: transports.KafkaTransport(bootstrap_servers=[url], **options)),
    "rabbitmq": BrokerKind("rabbitmq", lambda url, **options: transports.RabbitTransport(url=url, **options)),
    "redis": BrokerKind("redis", lambda url, **options: transports.RedisTransport(url=url, **options)),
    "redis-streams": BrokerKind("redis", _redis_streams),
}


def make_transport(kind: str, url: str, **options: Any) -> Any:
    """A transport of this kind to ``url``."""
    return BROKER_KINDS[kind].make(url, **options)
