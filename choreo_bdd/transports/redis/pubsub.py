"""Redis Pub/Sub: one SUBSCRIBE a channel, one PSUBSCRIBE a glob, shared by every registration behind it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from choreo_bdd import topic_patterns
from choreo_bdd.message import Message
from choreo_bdd.transports.redis.wire import Answer, Wire, is_refusal, reason_of
from choreo_bdd.transports.shared.outbound import Outgoing
from choreo_bdd.transports.shared.subscriptions import Registration

_NAME = "RedisTransport"
_UNESCAPED_STAR = re.compile(r"(?<!\\)\*")
_GLOB_SIGNS = re.compile(r"([*?\[\]\\])")


def glob_of(pattern: str) -> str:
    """A Redis glob that matches at least what a topic pattern matches: its ``*`` does not stop at a dot."""
    segments = ("*" if segment in ("*", ">") else _GLOB_SIGNS.sub(r"\\\1", segment) for segment in pattern.split("."))
    return ".".join(segments)


def _glob_read(glob: str) -> re.Pattern[str]:
    texts = (re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL) for text in _UNESCAPED_STAR.split(glob))
    return re.compile(".*".join(map(re.escape, texts)), re.DOTALL)


class _Channel:
    """What the server knows as one subscription, by channel name or by glob."""

    __slots__ = ("_reached", "is_glob", "is_live", "name", "registrations")

    def __init__(self, name: str, *, is_glob: bool) -> None:
        self.name = name
        self.is_glob = is_glob
        self.is_live = False
        self.registrations: list[Registration] = []
        self._reached = _glob_read(name) if is_glob else None

    def reaches(self, topic: str) -> bool:
        """Whether the server counts this glob among those that a message on a topic goes to."""
        return self.is_live and self._reached is not None and self._reached.fullmatch(topic) is not None


class PubSub:
    """The listening side of Pub/Sub, on a connection of its own."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._loop = asyncio.get_running_loop()
        self._channels: dict[str, _Channel] = {}
        self._globs: dict[str, _Channel] = {}
        wire.on_push = self._take

    def add(self, registration: Registration) -> None:
        """Listen for a registration; it is confirmed when the server has acknowledged."""
        is_glob = topic_patterns.is_pattern(registration.topic)
        name = glob_of(registration.topic) if is_glob else registration.topic
        table = self._globs if is_glob else self._channels
        channel = table.get(name)
        if channel is None:
            answer = self._wire.call("PSUBSCRIBE" if is_glob else "SUBSCRIBE", name)
            channel = table[name] = _Channel(name, is_glob=is_glob)
            answer.add_done_callback(partial(self._opened, channel))
        registration.handle = channel
        channel.registrations.append(registration)
        if channel.is_live:
            registration.confirm()

    def _opened(self, channel: _Channel, answer: Answer) -> None:
        error = answer.exception()
        if error is None:
            channel.is_live = True
            for registration in channel.registrations:
                registration.confirm()
            return
        self._forget(channel)
        for registration in channel.registrations:
            registration.fail(_NAME, reason_of(error))

    def remove(self, registration: Registration) -> None:
        """Stop listening for a registration; the server hears of it when nobody else wants the channel."""
        channel: _Channel = registration.handle
        channel.registrations.remove(registration)
        if not channel.registrations and self._forget(channel) and self._wire.closed is None:
            self._wire.call("PUNSUBSCRIBE" if channel.is_glob else "UNSUBSCRIBE", channel.name)

    def _forget(self, channel: _Channel) -> bool:
        """Whether it was still the one of its name: a refused one may have had a successor."""
        table = self._globs if channel.is_glob else self._channels
        if table.get(channel.name) is not channel:
            return False
        del table[channel.name]
        return True

    def _take(self, push: list[Any]) -> None:
        now = self._wire.arrived_at
        if push[0] == b"message":
            _, name, payload = push
            channel = self._channels.get(_text(name))
        else:
            _, glob, name, payload = push
            channel = self._globs.get(_text(glob))
        if channel is None:
            return  # unsubscribed, and this one was already on its way
        message = Message(_text(name), payload, now)
        for registration in tuple(channel.registrations):
            if not channel.is_glob or topic_patterns.matches(registration.topic, message.topic):
                registration.deliver(message)

    def command(self, outgoing: Outgoing) -> tuple[str | bytes, ...]:
        """How a message is published."""
        return "PUBLISH", outgoing.topic, outgoing.payload

    def bystanders(self, topic: str) -> int:
        """How many live subscriptions of ours a message on a topic reaches although nobody listens to it there."""
        named = self._channels.get(topic)
        reached = [each for each in self._globs.values() if each.reaches(topic)]
        reached += [] if named is None or not named.is_live else [named]
        return sum(all(each.is_bystander or not _hears(each, topic) for each in one.registrations) for one in reached)

    async def fence(self, _: Sequence[Registration]) -> None:
        """Have the server answer on the connection it delivers on: behind all it had for us."""
        try:
            await self._wire.call("PING")
        except Exception as error:
            if not is_refusal(error):  # a user who may not PING is answered in order all the same
                raise

    async def start(self) -> None:
        """Nothing to prepare."""

    async def stop(self) -> None:
        """Nothing runs beside the connection."""


def _hears(registration: Registration, topic: str) -> bool:
    return registration.topic == topic or topic_patterns.matches(registration.topic, topic)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
