"""What the Redis tests listen with, and servers that misbehave on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from choreo_bdd.message import Message

PATIENCE_S = 5.0


class Sink:
    """A subscriber that keeps whole messages and lets a test wait for a number of them."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._changed = asyncio.Event()

    def __call__(self, topic: str, payload: bytes) -> None:
        raise AssertionError("a sink is handed whole messages")

    def deliver(self, message: Message) -> None:
        self.messages.append(message)
        self._changed.set()

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.messages]

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.messages) < count:
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def fake_server(answers: dict[bytes, bytes], *, hangs_up_on: bytes = b"") -> AsyncIterator[str]:
    """A server that gives fixed answers, is silent about all other commands, and may hang up on one."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while command := await _command(reader):
            if command[0] == hangs_up_on:
                break
            writer.write(answers.get(command[0], b""))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    finally:
        server.close()


async def _command(reader: asyncio.StreamReader) -> list[bytes]:
    head = await reader.readline()
    parts = []
    for _ in range(int(head[1:] or 0)):
        size = int((await reader.readline())[1:])
        parts.append((await reader.readexactly(size + 2))[:-2])
    return parts
