"""Transports: one module a broker, imported when it is first used.

The broker transports load their client library only when they connect, so naming one here costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from choreo_bdd.transports.base import (
    ConflictingAuthError,
    Transport,
    TransportCallback,
    TransportCapabilities,
    TransportError,
)
from choreo_bdd.transports.memory import MockTransport

if TYPE_CHECKING:
    from choreo_bdd.transports.nats import NatsTransport
    from choreo_bdd.transports.nats_auth import NatsAuth

__all__ = [
    "ConflictingAuthError",
    "MockTransport",
    "NatsAuth",
    "NatsTransport",
    "Transport",
    "TransportCallback",
    "TransportCapabilities",
    "TransportError",
]

_LAZY = {
    "NatsAuth": "choreo_bdd.transports.nats_auth",
    "NatsTransport": "choreo_bdd.transports.nats",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
