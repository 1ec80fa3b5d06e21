"""A TCP proxy on loopback between a transport and its broker: it passes, takes its time, stalls, or cuts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

HOST = "127.0.0.1"


class Proxy:
    """What a broker is reached through. Kafka's answers name the broker's address; the proxy puts its own there."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._flows = asyncio.Event()
        self._flows.set()
        self._is_cut = False
        self._unanswered: bytes | None = None
        self.there_s = 0.0
        """How long what is sent to the broker is under way."""
        self.back_s = 0.0
        """How long what the broker sends is."""
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    def stall(self) -> None:
        """Let nothing through any more, in either direction; connections stay open, and new ones are accepted."""
        self._flows.clear()

    def resume(self) -> None:
        """Let through what has waited, and everything after it."""
        self._flows.set()

    def cut(self) -> None:
        """Break every connection, and each new one at once, until ``mend``."""
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        """Take connections again."""
        self._is_cut = False

    def lose_answer(self, question: bytes) -> None:
        """Break the next connection that takes these bytes to the broker, once the broker answers; just once."""
        self._unanswered = question

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its beginning to its end."""
        task = asyncio.current_task()
        assert task is not None  # the server runs this as a task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._is_cut:
            writer.transport.abort()
            return
        with contextlib.suppress(OSError, asyncio.CancelledError):  # asyncio prints a cancelled connection as a fault
            there, back = await asyncio.open_connection(HOST, self._target)
            ends = {writer, back}
            asked = asyncio.Event()
            self._writers |= ends
            try:
                await asyncio.gather(self._ask(reader, back, asked), self._answer(there, writer, asked))
            finally:
                self._writers -= ends
                for each in ends:
                    each.transport.abort()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: asyncio.Event) -> None:
        while data := await reader.read(65536):
            await self._flows.wait()
            if self._unanswered is not None and self._unanswered in data:
                self._unanswered = None
                asked.set()
            _deliver(writer, data, self.there_s)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: asyncio.Event) -> None:
        while data := await reader.read(65536):
            await self._flows.wait()
            if asked.is_set():
                writer.transport.abort()
                return
            _deliver(writer, self._readdressed(data), self.back_s)
        writer.close()

    def _readdressed(self, data: bytes) -> bytes:
        theirs, ours = (HOST.encode() + port.to_bytes(4, "big") for port in (self._target, self.port))
        return data.replace(theirs, ours)

    async def close(self) -> None:
        """End every connection."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _deliver(writer: asyncio.StreamWriter, data: bytes, after_s: float) -> None:
    if after_s:
        asyncio.get_running_loop().call_later(after_s, writer.write, data)
    else:
        writer.write(data)


@contextlib.asynccontextmanager
async def proxy_to(port: int) -> AsyncIterator[Proxy]:
    """A proxy in front of a port of this machine; it and its connections end with the block."""
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy.serve, HOST, 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
