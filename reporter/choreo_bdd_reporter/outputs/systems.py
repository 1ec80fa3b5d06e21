"""The names that OpenTelemetry has for message systems."""

from __future__ import annotations

from collections.abc import Mapping

_NAMED_SO = {"nats": "nats", "kafka": "kafka", "rabbit": "rabbitmq", "redis": "redis", "mock": "memory"}


def system_of(transport: str | None, buses: Mapping[str, str]) -> str | None:
    """``messaging.system`` of a transport: its type in ``choreo.yaml``, else what its name says.

    A name that says nothing stands for itself.
    """
    if transport is None or transport in buses:
        return None if transport is None else buses[transport]
    name = transport.lower()
    return next((system for part, system in _NAMED_SO.items() if part in name), transport)
