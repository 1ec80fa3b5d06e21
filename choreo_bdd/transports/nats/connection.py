"""One NATS connection: how it is opened, what runs over it, how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from choreo_bdd.exceptions import TransportError
from choreo_bdd.message import Message
from choreo_bdd.topic_patterns import ByTopic
from choreo_bdd.transports.nats.arrivals import Arrivals, end_subscription
from choreo_bdd.transports.nats.confirmations import Confirmations
from choreo_bdd.transports.nats.messages import (
    REPLY_TO,
    command_to_publish,
    headers_of,
    keep_repeated_headers,
    last_words,
    require_fitting,
    require_subject,
    says_nobody_listens,
)
from choreo_bdd.transports.nats.permissions import Permissions
from choreo_bdd.transports.shared.outbound import Outbound, Outgoing
from choreo_bdd.transports.shared.subscriptions import Registration, Subscriptions
from choreo_bdd.transports.shared.tasks import Tasks, run_through

if TYPE_CHECKING:
    from choreo_bdd.transports.nats.jetstream import JetStream

NAME = "NatsTransport"
CONFIRM_S = 10.0
_TEARDOWN_S = 2.0
_PING_S = 2.0
_WATCH_S = 0.2
_PINGS_UNANSWERED = 2
"""After so many the server counts as lost, although its connection still stands."""
_AT_ONCE_BYTES = 1 << 16
"""The client waits to publish more than its buffer holds, which is far more."""
_EAGER_TURNS = 10
_PATIENT_S = 0.001

_GIVEN_UP = "disconnected before the server confirmed it"
_UNANSWERED = f"the server did not confirm it within {CONFIRM_S:g} s"
_REFUSED = re.compile(r"permissions violation for (subscription to|publish to) \"([^\"]+)\"", re.IGNORECASE)


class Connection:
    """A connection to one server: opened once, and done with when it is closed or lost; ``lose`` is told of that."""

    def __init__(
        self,
        client: Any,
        subscriptions: Subscriptions,
        *,
        lose: Callable[[str], None],
        streams: ByTopic[str | None],
    ) -> None:
        self._client = client
        self._subscriptions = subscriptions
        self._lose = lose
        self._arrivals = Arrivals()
        self._jetstream = _jetstream()(client, self._arrivals, streams)
        self._permissions = Permissions(client)
        self._asked: dict[str, Outgoing] = {}
        """By subscribed inbox, the request that an answer was asked for with last."""
        self._tasks = Tasks()
        self._proof: asyncio.Task[None] | None = None
        """The round trip that has not begun yet, and that proves what is subscribed to by then."""
        self._refused: set[tuple[str, str]] = set()
        self._met: Exception | None = None
        """What the client has met last."""
        self._confirmations = Confirmations(client, refusal=self._refusal, send=self._send)
        self._closing = False
        self._socket: asyncio.WriteTransport | None = None
        self.outbound: Outbound

    # --- opening and closing --------------------------------------------------------------------------------------

    async def open(self, server: str, *, name: str, patience_s: float, options: Mapping[str, Any]) -> None:
        """Connect and log in; raises whatever the client raises, and leaves nothing open then."""
        try:
            await self._client.connect(
                servers=[server],
                name=name,
                connect_timeout=max(1, round(patience_s)),
                allow_reconnect=False,
                max_reconnect_attempts=1,  # 0 would mean for ever
                reconnect_time_wait=0,
                ping_interval=_PING_S,
                max_outstanding_pings=_PINGS_UNANSWERED,
                error_cb=self._on_error,
                closed_cb=self._on_closed,
                **options,
            )
        except BaseException as error:
            from nats.errors import NoServersError  # noqa: PLC0415 - the client is loaded when it is first needed

            await self._end_client()
            # the client, with one server to ask, says that none is left, and keeps to itself why
            if isinstance(error, NoServersError) and self._met is not None:
                raise self._met from None
            raise
        keep_repeated_headers(self._client)
        stream = self._client._transport  # of a WebSocket it has neither reader nor writer
        self._arrivals.watch(self._client, getattr(stream, "_io_reader", None))
        writer: asyncio.StreamWriter | None = getattr(stream, "_io_writer", None)
        self._socket = None if writer is None else writer.transport
        self.outbound = Outbound(NAME, self._write, at_once=self._write_now)
        self._tasks.spawn(self._watch())

    async def close(self) -> None:
        """Send what is queued, close the connection and end every task."""
        await self.outbound.stop(timeout_s=_TEARDOWN_S / 2)
        if self._confirmations.are_due:
            with contextlib.suppress(Exception):  # told to whoever published what it concerns
                async with asyncio.timeout(_TEARDOWN_S / 2):
                    await self._round_trip()
        self._closing = True
        self._confirmations.give_up(_GIVEN_UP)
        self._tasks.cancel()
        await self._tasks.ended(patience_s=_TEARDOWN_S)
        await self._end_client()
        for registration in self._subscriptions:
            end_subscription(getattr(registration.handle, "subscription", registration.handle))

    async def _end_client(self) -> None:
        self._closing = True
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_TEARDOWN_S):
                await self._client.close()

    async def _on_error(self, error: Exception) -> None:
        self._met = error
        refused = _REFUSED.search(str(error))
        if refused is not None:
            self._refused.add((refused[1].split()[0].lower(), refused[2]))

    async def _watch(self) -> None:
        """Notice an end the client does not tell of: when the connection is reset, its last write fails before it."""
        while self._client.is_connected:
            self._confirmations.give_up(_UNANSWERED, older_than_s=CONFIRM_S)
            await asyncio.sleep(_WATCH_S)
        await self._on_closed()

    async def _on_closed(self) -> None:
        if not self._closing:
            self._closing = True
            self._confirmations.give_up("the connection was lost before the server confirmed it")
            self._lose(self._end_in_words())

    def _end_in_words(self) -> str:
        return f"the connection to the NATS server was lost{last_words(self._client)}"

    def _in_words(self, error: Exception) -> str:
        """Why something failed; the client notices an end a little before it tells us."""
        is_lost = type(error).__name__ == "ConnectionClosedError"
        return self._end_in_words() if is_lost else f"{type(error).__name__}: {error}"

    # --- subscribing ----------------------------------------------------------------------------------------------

    def arm(self, registration: Registration) -> None:
        """Subscribe; live once the server has answered a flush behind it."""
        self._tasks.spawn(self._establish(registration))

    async def _establish(self, registration: Registration) -> None:
        def take(raw: Any, at: float) -> None:
            if raw.headers and says_nobody_listens(raw):
                request = self._asked.get(raw.subject)
                if raw.subject == registration.topic and request is not None:
                    request.unheard("the NATS server says there are no responders")
                    registration.unanswered(request.topic)
                return
            registration.deliver(Message(raw.subject, raw.data, at, headers_of(raw)))

        async def on_message(raw: Any) -> None:
            take(raw, asyncio.get_running_loop().time())

        try:
            require_subject(registration.topic)
            if (stream := self._jetstream.stream_of(registration.topic)) is not None:
                await self._read(registration, stream)
                return
            registration.handle = await self._client.subscribe(
                registration.topic, cb=on_message, pending_msgs_limit=0, pending_bytes_limit=0
            )
            self._arrivals.divert(registration.handle, take)
            await self._proven_live()
        except Exception as error:  # noqa: BLE001 - told to whoever waits for this subscription
            registration.fail(NAME, self._in_words(error))
            return
        if ("subscription", registration.topic) in self._refused:
            registration.fail(NAME, "the server denies this subject to us (permissions violation)")
        elif registration.is_removed:
            await self._drop(registration)
        else:
            registration.confirm()

    async def _proven_live(self) -> None:
        """Have the server answer behind what has been subscribed to, once for all that ask in one turn of the loop."""
        if self._proof is None:
            self._proof = self._tasks.spawn(self._prove())
            self._proof.add_done_callback(_taken_note_of)
        await asyncio.shield(self._proof)

    async def _prove(self) -> None:
        self._proof = None  # who asks from now on comes too late for this one
        await self._round_trip()

    async def _read(self, registration: Registration, stream: str) -> None:
        """Read a subject of a stream; live once the server has made the consumer."""
        try:
            registration.handle = await self._jetstream.subscribe(registration, stream)
        except TransportError as error:
            registration.fail(NAME, str(error))
        else:
            if registration.is_removed:
                await self._drop(registration)
            else:
                registration.confirm()

    def disarm(self, registration: Registration) -> None:
        """Unsubscribe."""
        self._asked.pop(registration.topic, None)
        if registration.handle is not None:
            self._tasks.spawn(self._drop(registration))

    async def _drop(self, registration: Registration) -> None:
        handle, registration.handle = registration.handle, None
        if handle is None:
            return
        try:
            await handle.unsubscribe()
        except Exception:  # noqa: BLE001 - the connection is gone; then so is the subscription
            end_subscription(handle)

    async def fence(self, registrations: Sequence[Registration]) -> None:
        """Have the server answer behind all it had for us, and hand that over; raises why that is not known."""
        trip = self._tasks.spawn(self._round_trip())
        trip.add_done_callback(_taken_note_of)
        await asyncio.shield(trip)  # a PONG that comes for a flush which was cancelled would break the client
        for registration in registrations:
            if ("subscription", registration.topic) in self._refused:
                raise TransportError(f"the server denies {registration.topic!r} to us (permissions violation)")
        topics = {each.topic for each in registrations}
        await self._permissions.require_whole(each for each in topics if self._jetstream.stream_of(each) is None)
        await self._jetstream.fence(registrations)

    async def require_streams(self) -> None:
        """``TransportError`` for a stream that is named and not there."""
        await self._jetstream.require_streams()

    # --- publishing -----------------------------------------------------------------------------------------------

    async def _write(self, batch: Sequence[Outgoing]) -> None:
        written: list[Outgoing] = []
        kept: list[Outgoing] = []
        began_at = asyncio.get_running_loop().time()
        for outgoing in batch:
            try:
                require_fitting(outgoing, self._client.max_payload)
                if (stream := self._jetstream.stream_of(outgoing.topic)) is not None:
                    await self._jetstream.publish(outgoing, stream, dict(outgoing.headers))
                    kept.append(outgoing)
                    continue
                await self._publish(outgoing)
            except TransportError as error:
                outgoing.fail(NAME, str(error))
            except Exception as error:  # noqa: BLE001 - told to whoever published this one
                outgoing.fail(NAME, self._in_words(error))
            else:
                written.append(outgoing)
        left_at = await self._until_written()
        for outgoing in written:
            outgoing.sent(began_at if left_at is None else left_at)
        for outgoing in kept:
            outgoing.sent()
        if ping := self._confirmations.behind(written):
            self._send(ping)

    def _write_now(self, outgoing: Outgoing, now: float) -> bool:
        """Write a message past the client's flusher, where nothing waits before it: that saves turns of the loop."""
        client, socket = self._client, self._socket
        if socket is None or not client.is_connected or len(outgoing.payload) > _AT_ONCE_BYTES:
            return False
        if client._pending_data_size or socket.get_write_buffer_size():
            return False
        if self._jetstream.stream_of(outgoing.topic) is not None:
            return False
        try:
            require_fitting(outgoing, client.max_payload)
            if outgoing.headers:
                with _no_flusher(client):
                    run_through(self._publish(outgoing))
                command = b"".join(client._pending)
                client._pending, client._pending_data_size = [], 0
            else:
                command = command_to_publish(outgoing)
            socket.write(command + self._confirmations.behind([outgoing]))
        except Exception as error:  # noqa: BLE001 - told to whoever published it
            outgoing.fail(NAME, self._in_words(error))
        else:
            outgoing.sent(now)
        return True

    async def _publish(self, outgoing: Outgoing) -> None:
        """Put a message into the client's buffer."""
        headers = dict(outgoing.headers)
        reply_to = headers.pop(REPLY_TO, "")
        if reply_to and any(each.topic == reply_to for each in self._subscriptions):
            self._asked[reply_to] = outgoing
        await self._client.publish(outgoing.topic, outgoing.payload, reply=reply_to, headers=headers or None)

    def _send(self, command: bytes) -> None:
        """Write behind all that has been written."""
        self._client._transport.write(command)
        if self._socket is None:  # a WebSocket sends what is written when it is flushed
            self._client._pending_data_size += len(command)
            self._tasks.spawn(self._client._flush_pending())

    async def _round_trip(self) -> None:
        """Have the server answer behind everything sent so far, which confirms the messages written by now."""
        written, reason = self._confirmations.taken_over(), _GIVEN_UP
        try:
            await self._answered()
        except Exception as error:
            reason = f"the server did not confirm ({type(error).__name__})"
            raise
        else:
            self._confirmations.settle(written)
        finally:
            self._confirmations.settle(written, reason)  # does nothing to what is confirmed

    def _refusal(self, topic: str) -> str | None:
        """Why the server took no message on a topic, if it has said so."""
        denied = ("publish", topic) in self._refused
        return "the server denies this subject to us (permissions violation)" if denied else None

    async def _until_written(self) -> float | None:
        """Wait until the client's buffer has gone to the socket: its flusher does so in the loop's next turns.

        When the turn began in which it went; ``None`` where it had gone already.
        """
        turns, loop = 0, asyncio.get_running_loop()
        began_at: float | None = None
        while self._client.pending_data_size and self._client.is_connected:
            turns += 1
            began_at = loop.time()
            await asyncio.sleep(0 if turns < _EAGER_TURNS else _PATIENT_S)
        return began_at

    async def _answered(self) -> None:
        """Have the server answer behind everything sent so far.

        The client's ``flush`` writes its PING past commands that are still in its buffer: on its own it proves nothing.
        """
        async with asyncio.timeout(CONFIRM_S):
            await self._until_written()
            await self._client.flush(timeout=round(CONFIRM_S))


class _Busy:
    """A queue of flushes in which one waits: the client asks for no other."""

    def empty(self) -> bool:
        """Not empty."""
        return False


@contextlib.contextmanager
def _no_flusher(client: Any) -> Iterator[None]:
    """Let the client publish without waking its flusher, for whom nothing is left to write."""
    flushes, client._flush_queue = client._flush_queue, _Busy()
    try:
        yield
    finally:
        client._flush_queue = flushes


def _taken_note_of(task: asyncio.Task[None]) -> None:
    """Ask for a task's error: asyncio prints one that nobody has asked for, as where whoever waited has gone."""
    if not task.cancelled():
        task.exception()


def _jetstream() -> type[JetStream]:
    from choreo_bdd.transports.nats.jetstream import JetStream  # noqa: PLC0415 - it loads the client

    return JetStream
