"""Redis lists used as queues: what is pushed is watched through MONITOR, which takes nothing and misses nothing.

A list tells nobody of its elements, and a consumer that waits for one takes it in the moment of the push: whoever
looked at the list, or was notified of the key, would come too late. MONITOR shows every command in the server's order.
It shows what was asked for: a push that the server refused, say of a full memory, is shown too.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

from choreo_bdd import topic_patterns
from choreo_bdd.message import Message
from choreo_bdd.transports.redis.messages import Layouts, ListEnd
from choreo_bdd.transports.redis.wire import Wire, reason_of
from choreo_bdd.transports.shared.outbound import Outgoing
from choreo_bdd.transports.shared.subscriptions import Registration
from choreo_bdd.transports.shared.tasks import Tasks

_NAME = "RedisTransport"
_LANE = "the commands of the server"
_SHOWN = re.compile(rb"\d+\.\d+ \[")
_LINE = re.compile(rb'(?P<at>\d+\.\d+) \[(?P<db>\d+) [^\]]*\] (?P<command>".*")', re.DOTALL)
_WORD = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b"}
_PUSHES = frozenset({b"LPUSH", b"RPUSH", b"LPUSHX", b"RPUSHX"})
_MOVES = {
    **dict.fromkeys((b"RPOPLPUSH", b"BRPOPLPUSH", b"LMOVE", b"BLMOVE", b"RENAME", b"RENAMENX", b"COPY"), 1),
    b"RESTORE": 0,
}
"""Commands that bring a list elements which they do not name, and where among their arguments that list stands."""
_STORE = b"STORE"


class Lists:
    """The listening side of lists, on a connection of its own; the server shows its commands once somebody listens."""

    def __init__(self, wire: Wire, database: int, layouts: Layouts) -> None:
        self._wire = wire
        self._layouts = layouts
        self._database = database
        self._loop = asyncio.get_running_loop()
        self._heard: list[Registration] = []
        self._monitoring: asyncio.Future[Any] | None = None
        self._tasks = Tasks()
        wire.is_push = _is_shown
        wire.on_push = self._take

    def add(self, registration: Registration) -> None:
        """Listen for a registration; it is confirmed once the server shows its commands."""
        self._tasks.spawn(self._arm(registration))

    async def _arm(self, registration: Registration) -> None:
        try:
            if self._monitoring is None:
                self._monitoring = self._wire.call("MONITOR")
            await asyncio.shield(self._monitoring)
            await self._wire.call("PING")  # whoever comes later hears nothing of what came before
        except Exception as error:  # noqa: BLE001 - told to whoever waits for this subscription
            self._monitoring = None
            registration.fail(_NAME, f"lists are watched with MONITOR: {reason_of(error)}")
            return
        if not registration.is_removed:
            self._heard.append(registration)
            registration.confirm()

    def remove(self, registration: Registration) -> None:
        """Stop listening for a registration."""
        if registration in self._heard:
            self._heard.remove(registration)

    def _take(self, line: bytes) -> None:
        if not self._heard:
            return
        now = self._wire.arrived_at
        shown = _LINE.fullmatch(line)
        if shown is None:
            self._wire.shut("the server shows its commands in a way that is not understood")
            return
        name, *words = [_plain(word) for word in _WORD.findall(shown["command"])]
        command = name.upper()
        if int(shown["db"]) != self._database or not words:
            return
        if command in _PUSHES:
            for payload in words[1:]:
                self._deliver(Message(_text(words[0]), payload, now, broker_time=float(shown["at"]), lane=_LANE))
        elif command == b"LINSERT":
            self._deliver(Message(_text(words[0]), words[-1], now, broker_time=float(shown["at"]), lane=_LANE))
        elif (target := _target(command, words)) is not None:
            self._moved(_text(target), command.decode())

    def _deliver(self, message: Message) -> None:
        for registration in tuple(self._heard):
            if topic_patterns.matches(registration.topic, message.topic):
                registration.deliver(message)

    def _moved(self, topic: str, command: str) -> None:
        if not isinstance(self._layouts.of(topic), ListEnd):  # another key, whose name falls under a pattern
            return
        for registration in tuple(self._heard):
            if topic_patterns.matches(registration.topic, topic):
                registration.interrupt(
                    _NAME, f"{command} moved an element into the list {topic!r}, and shows not which"
                )

    def command(self, outgoing: Outgoing) -> tuple[str | bytes, ...]:
        """How a message is pushed."""
        layout = self._layouts.of(outgoing.topic)
        return (layout if isinstance(layout, ListEnd) else ListEnd()).command(outgoing)

    @staticmethod
    def bystanders(_: str) -> int:
        """None: what is pushed waits for whoever takes it."""
        return 0

    async def fence(self, _: Sequence[Registration]) -> None:
        """Have the server answer on this connection: behind all that it has shown."""
        await self._wire.call("PING")

    async def start(self) -> None:
        """Nothing to prepare."""

    async def stop(self) -> None:
        """End what runs beside the connection."""
        self._tasks.cancel()
        await self._tasks.ended()


def _target(command: bytes, words: Sequence[bytes]) -> bytes | None:
    """The list that a command brings elements which it does not name."""
    place = _MOVES.get(command)
    if command == b"SORT":  # its STORE stands behind a number of other words
        place = next((at + 1 for at, word in enumerate(words[1:], 1) if word.upper() == _STORE), None)
    return None if place is None or place >= len(words) else words[place]


def _is_shown(answer: object) -> bool:
    return type(answer) is bytes and _SHOWN.match(answer) is not None


def _plain(word: bytes) -> bytes:
    """An argument as it was, of how MONITOR writes it."""

    def meant(escape: re.Match[bytes]) -> bytes:
        sign = escape[1]
        return bytes.fromhex(sign[1:].decode()) if len(sign) > 1 else _ESCAPES.get(sign, sign)

    return _ESCAPE.sub(meant, word) if b"\\" in word else word


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
