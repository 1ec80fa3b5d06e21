"""What the RabbitMQ tests put between a transport and its broker."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from choreo_bdd.brokers import Broker


class Relay:
    """A way to the broker that can fall silent, or break."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._writers: list[asyncio.StreamWriter] = []
        self._flows = asyncio.Event()
        self._flows.set()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._broker.host, self._broker.port)
        self._writers += [writer, back]
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(self._copy(reader, back), self._copy(there, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._flows.wait()
            writer.write(data)
        writer.close()

    def tell_client(self, frame: bytes) -> None:
        """Put words into the broker's mouth."""
        self._writers[0].write(frame)

    def fall_silent(self) -> None:
        """From now on nothing gets through."""
        self._flows.clear()

    def flow(self) -> None:
        """What waited gets through, and all that follows."""
        self._flows.set()

    def break_off(self) -> None:
        """Close every connection."""
        self._flows.set()
        for writer in self._writers:
            writer.close()


@contextlib.asynccontextmanager
async def relay_to(broker: Broker) -> AsyncIterator[Relay]:
    """A relay in front of a broker; its connections end with the block."""
    relay = Relay(broker)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    relay.url = f"amqp://guest:guest@127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    try:
        yield relay
    finally:
        relay.break_off()
        server.close()
        await asyncio.sleep(0.05)  # the relay's own tasks see the end of their connections
