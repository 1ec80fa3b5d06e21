"""Transports: one module a broker, imported when it is first used.

The broker transports load their client library only when they connect, so naming one here costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from choreo_bdd.shared.late_names import late_names
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
    __getattr__ = late_names(
        globals(),
        {
            "Exchange": "rabbitmq",
            "HttpTransport": "http",
            "KafkaAuth": "kafka",
            "KafkaTransport": "kafka",
            "MockTransport": "memory",
            "NatsAuth": "nats",
            "NatsTransport": "nats",
            "RabbitAuth": "rabbitmq",
            "RabbitTransport": "rabbitmq",
            "RedisAuth": "redis",
            "RedisTransport": "redis",
            "TopicPolicy": "kafka",
        },
    )


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
