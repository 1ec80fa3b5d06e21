"""A transport's connections to one Redis server: one talks, the others listen."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from choreo_bdd.exceptions import TransportError
from choreo_bdd.transports.redis.messages import Layouts
from choreo_bdd.transports.redis.modes import Mode, modes
from choreo_bdd.transports.redis.wire import Answer, Wire, is_refusal, new_connection, open_wire, reason_of
from choreo_bdd.transports.redis.words import KEYSPACE, has_lost_its_master, is_alone, why_silent
from choreo_bdd.transports.shared.outbound import Outbound, Outgoing
from choreo_bdd.transports.shared.subscriptions import Registration
from choreo_bdd.transports.shared.tasks import Tasks

_NAME = "RedisTransport"
_SEND_S = 1.0
_ANSWER_S = 0.5


class Connection:
    """Open connections, and the mode they are used in. When one is lost, so are the others."""

    def __init__(self, talking: Wire, listening: Sequence[Wire], mode: Mode) -> None:
        self._mode = mode
        self._talking = talking
        self._listening = listening
        self._tasks = Tasks()
        self._asking: asyncio.Task[bool] | None = None
        self.outbound: Outbound

    async def start(self) -> None:
        """Begin to listen; raises what the server answers, and leaves nothing open then."""
        try:
            await self._mode.start()
        except BaseException:
            await self._end()
            raise
        self.outbound = Outbound(_NAME, self._send, at_once=self._send_now)

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
        """Write messages, and wait until the socket takes more."""
        self._write(batch)
        await self._talking.drained()

    def _send_now(self, outgoing: Outgoing, now: float) -> bool:
        """Write a message, where the socket takes it at once."""
        if not self._talking.is_free:
            return False
        self._write([outgoing], now)
        return True

    def _write(self, batch: Sequence[Outgoing], left_at: float | None = None) -> None:
        """Write messages in order, in one go; each is told its fate when the server answers."""
        packed, kept = [], []
        for outgoing in batch:
            try:
                packed.append(self._talking.pack(*self._mode.command(outgoing)))
            except ValueError as error:  # such as text that cannot be encoded
                outgoing.fail(_NAME, f"{type(error).__name__}: {error}")
            else:
                kept.append(outgoing)
        left_at = asyncio.get_running_loop().time() if left_at is None else left_at
        for outgoing, answer in zip(kept, self._talking.write(packed), strict=True):
            answer.add_done_callback(partial(self._settle, outgoing, self._mode.bystanders(outgoing.topic)))
            outgoing.sent(left_at)

    def _settle(self, outgoing: Outgoing, bystanders: int, answer: Answer) -> None:
        error = answer.exception()
        if error is not None:
            outgoing.fail(_NAME, reason_of(error))
            return
        reached = answer.result()  # of a PUBLISH: how many subscriptions; an XADD tells the entry's id
        # subscribed before and since, so that they were among those counted
        if isinstance(reached, int) and reached <= bystanders and reached <= self._mode.bystanders(outgoing.topic):
            if self._asking is None or self._asking.done():
                self._asking = self._tasks.spawn(self._is_alone())
            self._asking.add_done_callback(partial(self._reached_nobody, outgoing))
        else:
            outgoing.confirm()

    @staticmethod
    def _reached_nobody(outgoing: Outgoing, is_alone: asyncio.Task[bool]) -> None:
        if not is_alone.cancelled() and is_alone.result():
            outgoing.unheard("Redis says that the message has reached no subscriber")
        outgoing.confirm()

    async def _is_alone(self) -> bool:
        """Whether all subscribers are this server's, by its own word.

        The nodes of a cluster, and a server with replicas, hand a message on to each other, and count none but their
        own subscribers; what stands before them, such as a proxy, may say nothing of that at all.
        """
        try:
            server, replication = await self._info("server", "replication")
        except Exception:  # noqa: BLE001 - not permitted, not known here or no longer connected: it has not said so
            return False
        return is_alone(server, replication)

    async def _info(self, *sections: str) -> list[set[bytes]]:
        """The lines of what the server tells of itself."""
        asked = [self._talking.pack("INFO", section) for section in sections]
        return [set((await answer).split()) for answer in self._talking.write(asked)]

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
        if registration.topic.startswith(KEYSPACE):
            self._tasks.spawn(self._arm_notified(registration))
        else:
            self._mode.add(registration)

    async def _arm_notified(self, registration: Registration) -> None:
        """Listen to what the server says of its keys, where it does so at all."""
        try:
            await self.require_notifications(registration.topic)
        except TransportError as error:
            registration.fail(_NAME, str(error))
        else:
            if not registration.is_removed:
                self._mode.add(registration)

    async def require_notifications(self, topic: str) -> None:
        """``TransportError`` where the server does not speak of its keys; a user who may not ask is believed."""
        try:
            answer = await self._talking.call("CONFIG", "GET", "notify-keyspace-events")
        except Exception as error:
            if is_refusal(error):
                return
            raise TransportError(reason_of(error)) from error
        if answer and (reason := why_silent(topic, answer[1].decode())) is not None:
            raise TransportError(reason)

    async def require_type(self, topic: str, wanted: str) -> None:
        """``TransportError`` where a key is of another type than it is meant to be; one that is not there may come."""
        try:
            found = (await self._talking.call("TYPE", topic)).decode()
        except Exception as error:
            if is_refusal(error):
                return
            raise TransportError(reason_of(error)) from error
        if found not in (wanted, "none"):
            raise TransportError(f"{topic!r} is a {found} on this server, and no {wanted} as the configuration says")

    def disarm(self, registration: Registration) -> None:
        """Stop listening for it."""
        if registration.handle is not None or not registration.topic.startswith(KEYSPACE):
            self._mode.remove(registration)

    async def fence(self, registrations: Sequence[Registration]) -> None:
        """Have the server answer behind all it had for these; raises why that is not known."""
        notified = {each.topic for each in registrations if each.topic.startswith(KEYSPACE)}
        await asyncio.gather(
            self._mode.fence(registrations), self._require_hearing(), *map(self.require_notifications, notified)
        )

    async def _require_hearing(self) -> None:
        """``TransportError`` for a replica without its master; a user who may not ask is believed."""
        try:
            (replication,) = await self._info("replication")
        except Exception as error:
            if is_refusal(error):
                return
            raise
        if has_lost_its_master(replication):
            raise TransportError("this server is a replica that has lost its master: nobody tells it what is published")

    async def close(self) -> None:
        """Send what is queued, wait a little for the answers due, then close all connections; leaves no task."""
        await self.outbound.stop(timeout_s=_SEND_S)
        await self._end()

    async def _end(self) -> None:
        self._tasks.cancel()
        await self._mode.stop()
        await self._talking.close(patience_s=_ANSWER_S)
        for wire in self._listening:
            await wire.close(patience_s=0)
        await self._tasks.ended()


async def open_connection(
    url: str,
    login: Mapping[str, str],
    context: ssl.SSLContext | None,
    *,
    layouts: Layouts,
    timeout_s: float,
) -> Connection:
    """Connect and log in: once to talk, and once each to listen to streams, channels and lists.

    Leaves nothing open on failure.
    """
    wires: list[Wire] = []
    database = 0
    try:
        while len(wires) < 1 + layouts.has_streams + layouts.has_channels + layouts.has_lists:
            made = new_connection(url, login, context, timeout_s=timeout_s)
            database = int(made.db)
            wires.append(await open_wire(made))
    except BaseException:
        for wire in wires:
            await wire.close(patience_s=0)
        raise
    talking, *listening = wires
    connection = Connection(talking, listening, modes(talking, listening, layouts, database))
    await connection.start()
    return connection
