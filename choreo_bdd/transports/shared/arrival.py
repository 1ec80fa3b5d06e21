"""When bytes came that a client reads: noted as the loop has them, before anybody gets to reading (spec/steps.md 5)."""

from __future__ import annotations

import asyncio
from collections import deque

_TURN_S = 0.001
"""How long to read what has come before the loop may look for more: what waits in a socket has no time yet."""


class Arrival:
    """Notes when each piece of a stream came, and tells of the latest byte read out of it."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._loop = asyncio.get_running_loop()
        self._unread: bytearray = reader._buffer  # type: ignore[attr-defined] # what a reader holds it tells nobody
        self._came = len(self._unread)
        self._pieces: deque[tuple[int, float]] = deque([(self._came, self._loop.time())])
        """How many bytes had come by the end of each piece that is not read yet, and when."""
        self._looked_at = self._loop.time()
        self._feed = reader.feed_data
        reader.feed_data = self._note  # type: ignore[method-assign, assignment] # bytes are all that comes

    def _note(self, data: bytes) -> None:
        self._came += len(data)
        self._looked_at = self._loop.time()
        self._pieces.append((self._came, self._looked_at))
        self._feed(data)

    @property
    def of_the_last_read(self) -> float:
        """Loop time at which the last of the bytes came that have been read."""
        read, pieces = self._came - len(self._unread), self._pieces
        while len(pieces) > 1 and pieces[0][0] < read:
            pieces.popleft()
        return pieces[0][1]

    async def give_way(self) -> None:
        """Let the loop look for more, where reading has kept it from that for a while."""
        if self._loop.time() - self._looked_at > _TURN_S:
            await asyncio.sleep(0)
            self._looked_at = self._loop.time()
