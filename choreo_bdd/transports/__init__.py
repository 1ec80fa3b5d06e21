"""Transports: one module a broker, imported when it is first used.

The broker transports load their client library only when they connect, so naming one here costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from choreo_bdd.transports.base import (
    ConflictingAuthError,
    Transport,
    TransportCallback,
    TransportCapabilities,
    TransportError,
)

if TYPE_CHECKING:
    from choreo_bdd.transports.http import HttpTransport
    from choreo_bdd.transports.kafka import KafkaTransport, TopicPolicy
    from choreo_bdd.transports.kafka.auth import KafkaAuth
    from choreo_bdd.transports.memory import MockTransport
    from choreo_bdd.transports.nats import NatsTransport
    from choreo_bdd.transports.nats.auth import NatsAuth
    from choreo_bdd.transports.rabbitmq import Exchange, RabbitTransport
    from choreo_bdd.transports.rabbitmq.auth import RabbitAuth
    from choreo_bdd.transports.redis import RedisTransport
    from choreo_bdd.transports.redis.auth import RedisAuth
else:  # not for type checkers, to which any name would be one of ours

    def __getattr__(name):
        if name in _LAZY:
            return getattr(import_module(_LAZY[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "ConflictingAuthError",
    "Exchange",
    "HttpTransport",
    "KafkaAuth",
    "KafkaTransport",
    "MockTransport",
    "NatsAuth",
    "NatsTransport",
    "RabbitAuth",
    "RabbitTransport",
    "RedisAuth",
    "RedisTransport",
    "TopicPolicy",
    "Transport",
    "TransportCallback",
    "TransportCapabilities",
    "TransportError",
]

_LAZY = {
    "Exchange": "choreo_bdd.transports.rabbitmq",
    "HttpTransport": "choreo_bdd.transports.http",
    "KafkaAuth": "choreo_bdd.transports.kafka",
    "KafkaTransport": "choreo_bdd.transports.kafka",
    "MockTransport": "choreo_bdd.transports.memory",
    "NatsAuth": "choreo_bdd.transports.nats",
    "NatsTransport": "choreo_bdd.transports.nats",
    "RabbitAuth": "choreo_bdd.transports.rabbitmq",
    "RabbitTransport": "choreo_bdd.transports.rabbitmq",
    "RedisAuth": "choreo_bdd.transports.redis",
    "RedisTransport": "choreo_bdd.transports.redis",
    "TopicPolicy": "choreo_bdd.transports.kafka",
}
