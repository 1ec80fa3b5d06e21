"""When bytes came that a client reads: noted as the loop has them, before anybody gets to reading."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Any

_TURN_S = 0.001
"""How long to read what has come before the loop may look for more: what waits in a socket has no time yet."""

_LAID_S = 0.005
"""After so long away from a socket it is worth asking since when there has been something in it."""
_TICK_S = 0.01
"""How coarsely a system may tell it; a time is rather late than before its message came."""
_LAST_DATA_AT = 52
"""Where Linux's ``tcp_info`` has the milliseconds since the latest data came."""
_READ_BYTES = 1 << 16
"""How much is read at once. asyncio asks for four times as much, for which the system maps memory anew each time: that
takes longer than the reading itself."""


class Arrival:
    """Notes when each piece of a stream came, and tells of the latest byte read out of it."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._loop = asyncio.get_running_loop()
        self._unread: bytearray = reader._buffer  # type: ignore[attr-defined] # what a reader holds it tells nobody
        self._came = len(self._unread)
        self._pieces: deque[tuple[int, float]] = deque([(self._came, self._loop.time())])
        """How many bytes had come by the end of each piece that is not read yet, and when."""
        self._looked_at = self._loop.time()
        transport: Any = getattr(reader, "_transport", None)
        if hasattr(transport, "max_size"):  # one that reads from the socket itself
            transport.max_size = _READ_BYTES
        self._socket = None if transport is None else transport.get_extra_info("socket")
        self.rest_of: Callable[[bytes], bytes] | None = None
        """Takes what it can of a piece past the reader, where nothing before it is unread; returns the rest."""
        self._feed = reader.feed_data
        reader.feed_data = self._note  # type: ignore[method-assign, assignment] # bytes are all that comes

    def _note(self, data: bytes) -> None:
        now = self._loop.time()
        self._came += len(data)
        laid_s = self._has_laid_s() if now - self._looked_at > _LAID_S else 0.0
        self._pieces.append((self._came, max(self._looked_at, now - laid_s)))
        self._looked_at = now
        if self.rest_of is not None and not self._unread:
            data = self.rest_of(data)
        if data:
            self._feed(data)

    def _has_laid_s(self) -> float:
        """For how long the latest data has lain in the socket at least: a loop that was blocked comes late to it."""
        if self._socket is None:
            return 0.0
        try:
            told = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_AT + 4)
        except (OSError, AttributeError):  # no TCP, or a system that does not tell
            self._socket = None
            return 0.0
        milliseconds: int = struct.unpack_from("=I", told, _LAST_DATA_AT)[0]
        return max(0.0, milliseconds / 1000 - _TICK_S)

    @property
    def of_the_last_read(self) -> float:
        """Loop time at which the last of the bytes came that have been read."""
        read, pieces = self._came - len(self._unread), self._pieces
        while len(pieces) > 1 and pieces[0][0] < read:
            pieces.popleft()
        return pieces[0][1]

    @property
    def must_give_way(self) -> bool:
        """Whether reading has kept the loop from looking for more for a while."""
        return self._loop.time() - self._looked_at > _TURN_S

    async def give_way(self) -> None:
        """Let the loop look for more, where it must."""
        if self.must_give_way:
            await asyncio.sleep(0)
            self._looked_at = self._loop.time()
