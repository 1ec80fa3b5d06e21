"""What a message can carry beside its payload, as far as the configuration tells: known without a connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from choreo_bdd_project.config import TransportConfig


class Carried(NamedTuple):
    """Whether messages of a ``bus`` have keys, headers and a status."""

    bus: str
    keys: bool = True
    headers: bool = True
    status: bool = False

    def refuses(self, names: Iterable[str]) -> str | None:
        """Why a message cannot have these parts, ``key`` and ``headers.<name>``; ``None`` where it can."""
        for name in names:
            if name == "status" and not self.status:
                return f"{self.bus} carries no status, so @status would find none: only a response over HTTP has one"
            if name == "key" and not self.keys:
                return f"{self.bus} carries no keys, so @key would be dropped: {self._way_out('keys')}"
            if name.startswith("headers") and not self.headers:
                return f"{self.bus} carries no headers, so @{name} would be dropped: {self._way_out('headers')}"
        return None

    def _way_out(self, what: str) -> str:
        if self.bus == _PUBSUB.bus:
            return f"put it into the payload, or use `streams: true`, which has {what}"
        others = "Kafka, Redis streams and the memory bus have" if what == "keys" else "other buses have"
        return f"put it into {'a header or the payload' if self.headers else 'the payload'}; {others} {what}"


_NATS = Carried("NATS", keys=False)
_HTTP = Carried("HTTP", keys=False, status=True)
_RABBITMQ = Carried("RabbitMQ", keys=False)
_PUBSUB = Carried("Redis Pub/Sub", keys=False, headers=False)
_FIELDS = Carried("an entry whose fields are its payload", keys=False, headers=False)
_LIST = Carried("a Redis list", keys=False, headers=False)


def carried(transport: TransportConfig, topic: str) -> Carried:
    """What messages on a topic can carry; a transport of another package tells by itself what it cannot."""
    match transport.type:
        case "nats":
            return _NATS
        case "http":
            return _HTTP
        case "rabbitmq":
            return _RABBITMQ
        case "redis":
            return _redis(transport, transport.topic(topic) or {})
        case kind:
            return Carried(kind)


def _redis(transport: TransportConfig, settings: Mapping[str, Any]) -> Carried:
    if settings.get("list"):
        return _LIST
    if settings.get("stream"):
        return Carried("a Redis stream") if settings.get("payload_field") else _FIELDS
    is_stream = transport.options.get("streams") and "stream" not in settings
    return Carried("a Redis stream") if is_stream else _PUBSUB
