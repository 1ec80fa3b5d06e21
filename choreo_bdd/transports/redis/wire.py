"""One connection to a Redis server: commands leave in call order, and answers come back in that order.

The one module that imports redis-py; ``RedisTransport.connect`` loads it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection, parse_url
from redis.exceptions import AskError, ClusterCrossSlotError, MovedError, NoPermissionError, ResponseError

from choreo_bdd.exceptions import TransportError
from choreo_bdd.shared.promises import break_promise
from choreo_bdd.transports.shared.arrival import Arrival

Answer = asyncio.Future[Any]
Push = Callable[[Any], None]

_PUSHES = (b"message", b"pmessage")
_PATIENCE_S = 10.0
_QUIET_S = 0.5
"""After so long without a command there is a sign of life: a server may hang up on whoever is idle for a second."""
_LINE_BYTES = 1 << 30
"""How long a line may be: MONITOR shows a command with all its arguments as one."""
_POOL_OPTIONS = ("max_connections", "timeout")  # understood in a URL, but meant for a pool of connections


def reason_of(error: BaseException) -> str:
    """Why a command failed, for people."""
    if isinstance(error, NoPermissionError):
        return f"the server denies it to this user ({error})"
    if isinstance(error, ResponseError):
        return f"the server refused it ({error})"
    return str(error) or type(error).__name__


def is_refusal(error: BaseException) -> bool:
    """Whether the server answered, and the answer was no."""
    return isinstance(error, ResponseError)


def is_denial(error: BaseException) -> bool:
    """Whether this user may not do, or not see, what was asked for."""
    return isinstance(error, NoPermissionError)


def new_connection(url: str, login: Mapping[str, str], context: ssl.SSLContext | None, *, timeout_s: float) -> Any:
    """A client connection, not open yet. ``login`` holds ``username`` and ``password``, where there are any."""
    options: dict[str, Any] = {**parse_url(url), **login}
    kind = options.pop("connection_class", Connection)
    for name in _POOL_OPTIONS:
        options.pop(name, None)
    if context is not None and kind is UnixDomainSocketConnection:
        raise TransportError("RedisTransport cannot speak TLS over a unix:// socket: use a rediss:// URL, or drop tls")
    # RESP2 is understood by every server, and its answers are plain lists; nothing here may wait by itself or retry
    options |= {"protocol": 2, "decode_responses": False, "socket_timeout": None, "socket_connect_timeout": timeout_s}
    options |= {"health_check_interval": 0}
    if kind is not UnixDomainSocketConnection:
        options["socket_keepalive"] = True
    if context is None:
        if kind is SSLConnection and "ssl_cert_reqs" not in options:
            options.setdefault("ssl_check_hostname", True)  # redis-py below 6 would not
        return kind(**options)
    connection = SSLConnection(**options)
    connection.ssl_context.context = context
    return connection


async def open_wire(connection: Any) -> Wire:
    """Connect, log in, select the database and have the server answer a PING."""
    try:
        await connection.connect()
        await _prove(connection)
    except BaseException:
        await connection.disconnect(nowait=True)
        raise
    finally:
        connection.username = connection.password = None
    return Wire(connection)


async def _prove(connection: Any) -> None:
    await connection.send_command("PING", check_health=False)
    try:
        await connection.read_response()
    except NoPermissionError:
        return  # a user who may not PING is logged in all the same


class Wire:
    """An open connection. It never reconnects: once closed, ``closed`` says why."""

    def __init__(self, connection: Any) -> None:
        self.closed: str | None = None
        self.on_closed: Callable[[str], None] | None = None
        self.on_push: Push | None = None
        self.is_push: Callable[[object], bool] = _is_published
        self._connection = connection
        # The client's own way to send would drain before anything may be noted as sent, and reconnect silently.
        self._writer: asyncio.StreamWriter = connection._writer
        connection._reader._limit = _LINE_BYTES
        self._arrival = Arrival(connection._reader)
        self._loop = asyncio.get_running_loop()
        self._due: deque[tuple[Answer, float]] = deque()
        self._wrote_at = self._loop.time()
        self._watchdog: asyncio.TimerHandle | None = None
        self._task = self._loop.create_task(self._read())
        self._watch()

    # --- commands -------------------------------------------------------------------------------------------------

    def pack(self, *command: str | bytes | int) -> bytes:
        """The bytes of a command; those the client packs take several times as long."""
        words = [word if isinstance(word, bytes) else str(word).encode() for word in command]
        return b"*%d\r\n%b" % (len(words), b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words]))

    def write(self, packed: Sequence[bytes]) -> list[Answer]:
        """Write commands at once; their answers to come. Raises ``ConnectionError`` when closed."""
        if self.closed is not None:
            raise ConnectionError(self.closed)
        if not packed:
            return []
        self._writer.write(packed[0] if len(packed) == 1 else b"".join(packed))
        now = self._wrote_at = self._loop.time()
        answers = [self._loop.create_future() for _ in packed]
        self._due.extend((answer, now) for answer in answers)
        self._watch()
        return answers

    def call(self, *command: str | bytes | int) -> Answer:
        """Write one command at once; its answer to come."""
        return self.write([self.pack(*command)])[0]

    @property
    def is_free(self) -> bool:
        """Whether it is open and nothing waits to be written."""
        return self.closed is None and not self._writer.transport.get_write_buffer_size()

    async def drained(self) -> None:
        """Wait until the socket takes more."""
        await self._writer.drain()

    # --- answers --------------------------------------------------------------------------------------------------

    @property
    def arrived_at(self) -> float:
        """Loop time at which the latest answer came that has been read, however long others kept it from being read."""
        return self._arrival.of_the_last_read

    async def _read(self) -> None:
        try:
            while True:
                try:
                    answer = await self._connection.read_response(disable_decoding=True)
                except ResponseError as error:
                    self._settle(_in_words(error))
                    continue
                if self.on_push is not None and self.is_push(answer):
                    self.on_push(answer)
                else:
                    self._settle(answer)
                await self._arrival.give_way()
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing can be read any more
            self.shut(f"the connection to the Redis server was lost ({type(error).__name__}: {error})")

    def _settle(self, outcome: Any) -> None:
        if not self._due:
            return
        answer, _ = self._due.popleft()
        if isinstance(outcome, Exception):
            break_promise(answer, outcome)
        elif not answer.done():
            answer.set_result(outcome)

    def _watch(self) -> None:
        """Look after the oldest unanswered command, and after some quiet: a server that hangs is as good as lost."""
        if self._watchdog is None:
            due_at = self._due[0][1] + _PATIENCE_S if self._due else self._wrote_at + _QUIET_S
            self._watchdog = self._loop.call_at(min(due_at, self._loop.time() + _QUIET_S), self._check)

    def _check(self) -> None:
        self._watchdog, now = None, self._loop.time()
        if self._due and self._due[0][1] + _PATIENCE_S <= now:
            self.shut(f"the Redis server has not answered for {_PATIENCE_S:g} s")
        elif not self._due and self._wrote_at + _QUIET_S <= now:
            self.call("PING")  # whatever the answer is
        else:
            self._watch()

    # --- the end --------------------------------------------------------------------------------------------------

    def shut(self, reason: str) -> None:
        """Close at once; what is still unanswered fails with the reason."""
        if self.closed is not None:
            return
        self.closed = reason
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._writer.transport.abort()
        while self._due:
            break_promise(self._due.popleft()[0], ConnectionError(reason))
        if self.on_closed is not None:
            self.on_closed(reason)

    async def close(self, *, patience_s: float) -> None:
        """Wait ``patience_s`` at the longest for the answers due, then close; leaves no task."""
        self.on_closed = None
        if self._due:
            await asyncio.wait([self._due[-1][0]], timeout=patience_s)
        self.shut("disconnected before the server answered")
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._connection.disconnect(nowait=True)


def _in_words(error: ResponseError) -> ResponseError:
    """What a node of a cluster answers to who talks to one server: the client shortens it to numbers."""
    if isinstance(error, AskError):  # MOVED is one of them
        moved = "another node of the Redis Cluster has" if isinstance(error, MovedError) else "the Redis Cluster moves"
        where = f"{moved} slot {error.slot_id}: {error.host}:{error.port}"
        return ResponseError(f"{where}, and nobody is sent there: name that node's URL, or use a single server")
    if isinstance(error, ClusterCrossSlotError):
        return ResponseError(
            f"{error}: in a Redis Cluster streams are read together that share a {{tag}} in their names"
        )
    return error


def _is_published(answer: object) -> bool:
    return type(answer) is list and bool(answer) and answer[0] in _PUSHES
