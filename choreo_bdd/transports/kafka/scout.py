"""Where the partitions of a Kafka cluster begin and end, asked on a connection that no fetch holds up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from aiokafka.consumer.fetcher import READ_UNCOMMITTED

if TYPE_CHECKING:
    from aiokafka.structs import TopicPartition

Offsets = Mapping["TopicPartition", int]


class Scout:
    """Asks by a consumer of its own, which is assigned what it is asked for, and never fetches.

    Questions go out side by side where it is assigned what they are about: an answer is of when it was asked, and not
    of when those before it had theirs. Whoever waits for an answer bounds the wait.
    """

    def __init__(self, asking: Any, reading: Any) -> None:
        """``asking`` is the consumer that asks; what its answers show is what ``reading``, another, is shown."""
        self._asking = asking
        self._shown = reading._fetcher._isolation_level
        self._assigned: frozenset[TopicPartition] = frozenset()
        self._changing = asyncio.Lock()
        self._open: set[asyncio.Future[Offsets]] = set()

    async def ends(self, partitions: Collection[TopicPartition], *, written: bool = False) -> Offsets:
        """The offset of each's next message, as far as the isolation level shows it; or behind all that is written."""
        isolation = READ_UNCOMMITTED if written else self._shown
        return await self._ask(partitions, isolation, lambda: self._asking.end_offsets([*partitions]))

    async def begins(self, partitions: Collection[TopicPartition]) -> Offsets:
        """The offset of the first message that each still has."""
        return await self._ask(partitions, self._shown, lambda: self._asking.beginning_offsets([*partitions]))

    async def _ask(
        self, partitions: Iterable[TopicPartition], isolation: int, ask: Callable[[], Awaitable[Offsets]]
    ) -> Offsets:
        wanted = frozenset(partitions)
        async with self._changing:
            if not wanted <= self._assigned or isolation != self._asking._fetcher._isolation_level:
                while self._open:  # what it is assigned, and what is shown, must stay so until that is answered
                    await asyncio.wait(self._open)
                self._asking._fetcher._isolation_level = isolation
                self._assign(wanted)
            asked = asyncio.ensure_future(ask())
            self._open.add(asked)
            asked.add_done_callback(self._open.discard)
        return await asked

    def _assign(self, partitions: frozenset[TopicPartition]) -> None:
        """Have it learn who leads these; assigned but paused, it never fetches them."""
        if partitions <= self._assigned:
            return
        self._assigned = partitions
        self._asking.assign([*partitions])
        for partition in partitions:
            self._asking.seek(partition, 0)
        self._asking.pause(*partitions)
