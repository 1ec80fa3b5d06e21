"""Request and reply: where each kind of transport expects the address to answer to.

NATS and RabbitMQ have a place for it in their protocols, and their transports carry it as the header ``nats.reply_to``
or ``amqp.reply_to``. Elsewhere it travels in a header, or in a field of the payload, as configured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from choreo_bdd_project.carried import carried
from choreo_bdd_project.config import TransportConfig

_HEADER = "reply-to"
_FIELD = "reply_to"


class ReplyAddress(Struct, frozen=True):
    """Where a reply is heard: the ``topic`` to listen on, its ``name`` on the wire, and what carries that name."""

    topic: str
    name: str
    header: str | None = None
    field: str | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers a request carries."""
        return {} if self.header is None else {self.header: self.name}

    def payload(self, payload: Any) -> Any:
        """The payload a request carries; ``TypeError`` for one that has no room for the field."""
        if self.field is None:
            return payload
        if not isinstance(payload, dict):
            raise TypeError(
                f"the reply address travels in the field {self.field!r} of an object, and this payload is none; "
                f"configure `request: {{header: …}}` for a transport with headers"
            )
        return {**payload, self.field: self.name}


def reply_address(transport: TransportConfig, inbox: str) -> ReplyAddress:
    """The address for an inbox, a name nobody else uses, on a configured transport."""
    match transport.type:
        case "nats":
            return ReplyAddress(f"_INBOX.{inbox}", f"_INBOX.{inbox}", header="nats.reply_to")
        case "rabbitmq":
            name = f"choreo.reply.{inbox}"
            return ReplyAddress(f"queue:{name}", name, header="amqp.reply_to")
    name = f"choreo.reply.{inbox}"
    if transport.request_field is not None:
        return ReplyAddress(name, name, field=transport.request_field)
    if transport.request_header is not None:
        return ReplyAddress(name, name, header=transport.request_header)
    has_headers = carried(transport, name).headers
    return ReplyAddress(name, name, header=_HEADER) if has_headers else ReplyAddress(name, name, field=_FIELD)
