"""NATS: topic = subject."""

from choreo_bdd.transports.nats.auth import NatsAuth
from choreo_bdd.transports.nats.transport import NatsTransport

__all__ = ["NatsAuth", "NatsTransport"]
