"""What transports' tests listen with, and on."""

from __future__ import annotations

import asyncio
import secrets

from choreo_bdd.message import Message

PATIENCE_S = 10.0


class Sink:
    """A subscriber that keeps whole messages and lets a test wait for a number of them."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._changed = asyncio.Event()

    def __call__(self, topic: str, payload: bytes) -> None:
        raise AssertionError("a built-in transport hands whole messages to a sink that asks for them")

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


class Sent:
    """Who publishes, and wants to know what the broker says of whom a message has reached."""

    def __init__(self) -> None:
        self.unheard_words: list[str] = []

    def __call__(self) -> None:
        """It has left."""

    def unheard(self, words: str) -> None:
        self.unheard_words.append(words)


def new_topic(*segments: str) -> str:
    """A topic nobody else uses."""
    return ".".join((f"t{secrets.token_hex(4)}", *(segments or ("a",))))
