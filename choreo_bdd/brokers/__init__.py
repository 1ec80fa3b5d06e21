"""Real broker programs on loopback, for demos and tests, without Docker.

::

    with start("nats") as broker:
        print(broker.url)

Programs come from the machine first, then from the wheels of the extra ``brokers``; Apache Kafka also from Maven.
Everything a broker writes lies in a folder of its own, which goes when it stops.
"""

from __future__ import annotations

from choreo_bdd.brokers.broker import Broker
from choreo_bdd.brokers.errors import BrokerFailed, BrokerUnavailable
from choreo_bdd.brokers.options import (
    KafkaOptions,
    NatsOptions,
    RabbitOptions,
    RedisOptions,
    TlsFiles,
)
from choreo_bdd.brokers.plan import Availability
from choreo_bdd.brokers.starting import KINDS, available, start

__all__ = [
    "KINDS",
    "Availability",
    "Broker",
    "BrokerFailed",
    "BrokerUnavailable",
    "KafkaOptions",
    "NatsOptions",
    "RabbitOptions",
    "RedisOptions",
    "TlsFiles",
    "available",
    "start",
]
