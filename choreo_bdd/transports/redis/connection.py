"""A transport's connections to one Redis server: one talks, the others listen."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from choreo_bdd.exceptions import TransportError
from choreo_bdd.transports.redis.messages import Layouts
from choreo_bdd.transports.redis.pubsub import PubSub
from choreo_bdd.transports.redis.streams import Streams
from choreo_bdd.transports.redis.wire import Answer, Wire, new_connection, open_wire, reason_of
from choreo_bdd.transports.shared.outbound import Outbound, Outgoing
from choreo_bdd.transports.shared.subscriptions import Registration

_NAME = "RedisTransport"
_SEND_S = 1.0
_ANSWER_S = 0.5


class _Mode(Protocol):
    """What Pub/Sub and Streams do differently."""

    def add(self, registration: Registration) -> None: ...
    def remove(self, registration: Registration) -> None: ...
    def command(self, outgoing: Outgoing) -> tuple[str | bytes | int, ...]: ...
    def bystanders(self, topic: str) -> int: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def fence(self, registrations: Sequence[Registration]) -> None: ...


def _mode(talking: Wire, listening: Sequence[Wire], layouts: Layouts) -> _Mode:
    if not layouts.has_streams:
        return PubSub(listening[0])
    streams = Streams(talking, listening[0], layouts)
    return _Both(PubSub(listening[1]), streams, layouts) if layouts.has_channels else streams


class _Both:
    """Channels and streams side by side, as the layouts tell."""

    def __init__(self, channels: PubSub, streams: Streams, layouts: Layouts) -> None:
        self._channels = channels
        self._streams = streams
        self._layouts = layouts

    def _of(self, topic: str) -> _Mode:
        return self._channels if self._layouts.of(topic) is None else self._streams

    def add(self, registration: Registration) -> None:
        self._of(registration.topic).add(registration)

    def remove(self, registration: Registration) -> None:
        self._of(registration.topic).remove(registration)

    def command(self, outgoing: Outgoing) -> tuple[str | bytes | int, ...]:
        return self._of(outgoing.topic).command(outgoing)

    def bystanders(self, topic: str) -> int:
        return self._of(topic).bystanders(topic)

    async def start(self) -> None:
        await self._channels.start()
        await self._streams.start()

    async def stop(self) -> None:
        await self._streams.stop()
        await self._channels.stop()

    async def fence(self, registrations: Sequence[Registration]) -> None:
        for mode in (self._channels, self._streams):
            concerned = [each for each in registrations if self._of(each.topic) is mode]
            if concerned:
                await mode.fence(concerned)


class Connection:
    """Open connections, and the mode they are used in. When one is lost, so are the others."""

    def __init__(self, talking: Wire, listening: Sequence[Wire], mode: _Mode) -> None:
        self._mode = mode
        self._talking = talking
        self._listening = listening
        self.outbound: Outbound

    async def start(self) -> None:
        """Begin to listen; raises what the server answers, and leaves nothing open then."""
        try:
            await self._mode.start()
        except BaseException:
            await self._end()
            raise
        self.outbound = Outbound(_NAME, self._send)

    def on_lost(self, listener: Callable[[str], None]) -> None:
        """Call ``listener(reason)``, once, when a connection goes down by itself; at once if one already has."""

        def shut(reason: str) -> None:
            for wire in wires:
                wire.on_closed = None
                wire.shut(reason)
            listener(reason)

        wires = (self._talking, *self._listening)
        for wire in wires:
            wire.on_closed = shut
        already = next((wire.closed for wire in wires if wire.closed is not None), None)
        if already is not None:
            shut(already)

    async def _send(self, batch: Sequence[Outgoing]) -> None:
        """Write messages in order, in one go; each is told its fate when the server answers."""
        packed, kept = [], []
        ours = self._mode.bystanders
        for outgoing in batch:
            try:
                packed.append(self._talking.pack(*self._mode.command(outgoing)))
            except ValueError as error:  # such as text that cannot be encoded
                outgoing.fail(_NAME, f"{type(error).__name__}: {error}")
            else:
                kept.append((outgoing, ours(outgoing.topic)))
        for (outgoing, bystanders), answer in zip(kept, self._talking.write(packed), strict=True):
            outgoing.sent()
            answer.add_done_callback(partial(self._settle, outgoing, bystanders))
        await self._talking.drained()

    def _settle(self, outgoing: Outgoing, bystanders: int, answer: Answer) -> None:
        error = answer.exception()
        if error is not None:
            outgoing.fail(_NAME, reason_of(error))
            return
        reached = answer.result()  # of a PUBLISH: how many subscriptions; an XADD tells the entry's id
        # subscribed before and since, so that they were among those counted
        if isinstance(reached, int) and reached <= min(bystanders, self._mode.bystanders(outgoing.topic)):
            outgoing.unheard("Redis says that the message has reached no subscriber")
        outgoing.confirm()

    async def probe_streams(self, name: str) -> None:
        """Write an entry, read it and delete it again in one transaction; ``TransportError`` for a refusal."""
        commands = (
            ("MULTI",),
            ("XADD", name, "*", "probe", "1"),
            ("XRANGE", name, "-", "+"),
            ("DEL", name),
            ("EXEC",),
        )
        answers = self._talking.write([self._talking.pack(*each) for each in commands])
        try:
            for answer in answers:
                await answer
        except Exception as error:
            raise TransportError(reason_of(error)) from error

    def arm(self, registration: Registration) -> None:
        """Listen for a registration."""
        self._mode.add(registration)

    def disarm(self, registration: Registration) -> None:
        """Stop listening for it."""
        self._mode.remove(registration)

    async def fence(self, registrations: Sequence[Registration]) -> None:
        """Have the server answer behind all it had for these; raises why that is not known."""
        await self._mode.fence(registrations)

    async def close(self) -> None:
        """Send what is queued, wait a little for the answers due, then close all connections; leaves no task."""
        await self.outbound.stop(timeout_s=_SEND_S)
        await self._end()

    async def _end(self) -> None:
        await self._mode.stop()
        await self._talking.close(patience_s=_ANSWER_S)
        for wire in self._listening:
            await wire.close(patience_s=0)


async def open_connection(
    url: str,
    login: Mapping[str, str],
    context: ssl.SSLContext | None,
    *,
    layouts: Layouts,
    timeout_s: float,
) -> Connection:
    """Connect and log in: once to talk, once to listen to streams, once to channels. Leaves nothing open on failure."""
    wires: list[Wire] = []
    try:
        while len(wires) < 1 + layouts.has_streams + layouts.has_channels:
            wires.append(await open_wire(new_connection(url, login, context, timeout_s=timeout_s)))
    except BaseException:
        for wire in wires:
            await wire.close(patience_s=0)
        raise
    talking, *listening = wires
    mode = _mode(talking, listening, layouts)
    connection = Connection(talking, listening, mode)
    await connection.start()
    return connection
