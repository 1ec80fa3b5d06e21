"""A service that answers requests where they want their reply, on whatever transport it is given."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol, TypeVar

_T = TypeVar("_T")
TOPIC = "phrases.stock"


class Run(Protocol):
    """The session of a test run, as far as it concerns this service."""

    def transport(self, name: str) -> Any:
        """A transport of the profile."""
        ...

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine on the session's event loop."""
        ...


class Stock:
    """Answers every request with a level of 3."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def __call__(self, topic: str, payload: bytes) -> None:  # noqa: ARG002 - the signature of a transport's callback
        self._answer({}, payload)

    def deliver(self, message: Any) -> None:
        self._answer(message.headers, message.payload)

    def _answer(self, headers: Mapping[str, str], data: bytes) -> None:
        request = json.loads(data)
        address = _address(headers, request)
        if address is not None:
            self._transport.publish(address, json.dumps({"sku": request.get("sku"), "level": 3}).encode())


def _address(headers: Mapping[str, str], request: Mapping[str, Any]) -> str | None:
    queue = headers.get("amqp.reply_to")
    if queue is not None:
        return f"queue:{queue}"
    return headers.get("nats.reply_to") or headers.get("reply-to") or request.get("reply_to")


def start_stock(run: Run) -> None:
    """Have it listening on the transport named ``bus`` when this returns."""
    transport = run.transport("bus")

    async def listen() -> None:
        ready = transport.subscribe(TOPIC, Stock(transport))
        if ready is not None:
            await asyncio.wait_for(ready, 10)

    run.run(listen())
