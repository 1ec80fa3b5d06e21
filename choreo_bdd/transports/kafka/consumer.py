"""The one shared consumer of a Kafka connection: what it is assigned, where it stands, who gets which message."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from aiokafka.errors import TopicAuthorizationFailedError
from aiokafka.structs import ConsumerRecord, TopicPartition

from choreo_bdd.exceptions import TransportError
from choreo_bdd.transports.kafka.clients import reason_of
from choreo_bdd.transports.kafka.fetches import watch_fetches
from choreo_bdd.transports.kafka.messages import message_of
from choreo_bdd.transports.shared.subscriptions import Registration

_LOG = logging.getLogger("choreo_bdd.transports.kafka")
_IDLE_MS = 1000
_BACKOFF_S = 0.1
_LOOK_S = 0.002
_LINGER_S = 1.0

Starts = Mapping[TopicPartition, int]


class SharedConsumer:
    """Manual assignment, no group. A registration's ``handle`` holds its first offset in each of its partitions."""

    def __init__(
        self,
        consumer: Any,
        *,
        on_denied: Callable[[str, str], None],
        on_unreadable: Callable[[Registration, str], None],
    ) -> None:
        self._consumer = consumer
        self._on_denied = on_denied
        self._on_unreadable = on_unreadable
        self._fetched = watch_fetches(consumer, self._stop_at, self._vanished)
        self._audience: dict[TopicPartition, list[Registration]] = {}
        """Who hears each partition that is being fetched; for a while that may be nobody."""
        self._positions: dict[TopicPartition, int] = {}
        self._deserted_at: dict[TopicPartition, float] = {}
        self._readable: set[str] = set()
        self._skipped: dict[TopicPartition, int] = {}
        """The first offset of each partition that was not handed over before later ones were."""
        self._missed: dict[Registration, str] = {}
        """Why it is not known whether each has heard everything."""

    def listen(self, newcomers: Iterable[tuple[Registration, Starts]]) -> None:
        """Deliver to registrations from the given offsets on. In effect at once: messages wait in the log."""
        opened: dict[TopicPartition, int] = {}
        for registration, starts in newcomers:
            registration.handle = {**(registration.handle or {}), **starts}
            for partition, offset in starts.items():
                if partition not in self._audience:
                    self._audience[partition] = []
                    opened[partition] = offset
                elif partition in opened:
                    opened[partition] = min(offset, opened[partition])
                self._audience[partition].append(registration)
                self._deserted_at.pop(partition, None)
        if opened:
            self._open(opened)

    def _open(self, opened: Starts) -> None:
        self._positions.update(opened)
        self._fetched.forget(opened)
        for partition in opened:
            self._skipped.pop(partition, None)
        if opened.keys() <= self._consumer.assignment():
            moved: Iterable[TopicPartition] = opened
            self._consumer.resume(*opened)
        else:
            # A new assignment forgets all positions. Nothing is awaited from here to the seeks, so none is lost.
            self._audience = {partition: audience for partition, audience in self._audience.items() if audience}
            self._deserted_at = {}
            self._positions = {partition: self._positions[partition] for partition in self._audience}
            moved = list(self._audience)
            self._consumer.assign(moved)
        for partition in moved:
            self._consumer.seek(partition, self._positions[partition])

    def leave(self, registration: Registration) -> None:
        """Deliver nothing to a registration any more."""
        for partition in registration.handle or ():
            audience = self._audience.get(partition, [])
            if registration in audience:
                audience.remove(registration)
                if not audience:
                    self._deserted_at[partition] = asyncio.get_running_loop().time()
        self._missed.pop(registration, None)
        registration.handle = None

    def rest(self) -> None:
        """Pause what nobody has heard for a while. Not at once: the next scenario often wants the same topics, and a
        partition that is still being fetched costs it no waiting behind a parked fetch of others.
        """
        until = asyncio.get_running_loop().time() - _LINGER_S
        deserted = [partition for partition, since in self._deserted_at.items() if since <= until]
        self._close(deserted)

    def _close(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            del self._audience[partition]
            self._deserted_at.pop(partition, None)
            self._consumer.pause(partition)

    async def prove(self, topics: Iterable[str]) -> None:
        """Wait until the broker has answered a fetch on each topic: nothing less shows that we may read it."""
        unproven = set(topics) - self._readable
        while self._await_fetch(unproven):  # noqa: ASYNC110 - aiokafka has no event for it
            await asyncio.sleep(_LOOK_S)
        self._readable |= unproven & {each.topic for each in self._audience}

    def _await_fetch(self, topics: Collection[str]) -> bool:
        return any(each.topic in topics and self._consumer.highwater(each) is None for each in self._audience)

    async def reach(self, ends: Starts) -> None:
        """Wait until all before these offsets has been delivered, as long as anybody listens there.

        The consumer moves its position in the step in which it hands its records over. What is no message, such as
        the end of a transaction, moves it too.
        """
        for partition, end in ends.items():
            while partition in self._audience and await self._consumer.position(partition) < end:  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(_LOOK_S)
            if partition in self._audience and self._positions[partition] < end:
                self._skipped.setdefault(partition, self._positions[partition])

    def skipped(self, partitions: Iterable[TopicPartition]) -> Starts:
        """Where among these something has never been handed over: it is gone, or has been no message to begin with."""
        return {partition: self._skipped[partition] for partition in partitions if partition in self._skipped}

    def settle(self, partition: TopicPartition, skipped: int, begins: int) -> None:
        """Say of what was skipped at an offset where its log begins by now: what lay before that is gone."""
        if begins > skipped:
            for registration in self._audience.get(partition, ()):
                if registration.handle[partition] < begins:
                    gone = f"messages of {partition.topic!r} were deleted before they could be read"
                    self._missed[registration] = gone
        if self._skipped.get(partition) == skipped:
            del self._skipped[partition]

    def require_whole(self, registrations: Iterable[Registration]) -> None:
        """``TransportError`` where one of these has, or may have, missed something."""
        reason = next((self._missed[each] for each in registrations if each in self._missed), None)
        if reason is not None:
            raise TransportError(reason)

    async def run(self) -> None:
        """Fetch and deliver, until cancelled."""
        while True:
            try:
                batches = await self._consumer.getmany(timeout_ms=_IDLE_MS)
            except TopicAuthorizationFailedError as error:
                self._deny(str(error.args[0]), reason_of(error))
            except Exception as error:  # noqa: BLE001 - whatever it is, the next messages are wanted all the same
                _LOG.warning("kafka_fetch_failed: %s", reason_of(error))
                await asyncio.sleep(_BACKOFF_S)
            else:
                self._deliver(batches)

    def _deny(self, topic: str, reason: str) -> None:
        self._close([each for each in self._audience if each.topic == topic])
        self._on_denied(topic, reason)

    def _stop_at(self, partition: TopicPartition, error: Exception) -> None:
        """Fetch no more of a partition whose next batch cannot be unpacked; behind what came before it, say so."""
        self._consumer.pause(partition)
        asyncio.get_running_loop().call_soon(self._set_aside, partition, reason_of(error))

    def _vanished(self, partition: TopicPartition) -> None:
        """One made anew may be as long as what has been read: then nothing of it is ever fetched."""
        for registration in self._audience.get(partition, ()):
            self._missed[registration] = f"{partition.topic!r} was deleted, or moved to another broker, meanwhile"

    def _set_aside(self, partition: TopicPartition, reason: str) -> None:
        heard_by = tuple(self._audience.get(partition, ()))
        if partition in self._audience:
            self._close([partition])
        for registration in heard_by:
            self._on_unreadable(registration, f"a message of {partition.topic!r} cannot be unpacked: {reason}")

    def _deliver(self, batches: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> None:
        for partition, records in batches.items():
            came_at = self._fetched.came_at[partition]
            for record in records:
                self._hand_over(partition, record, came_at)

    def _hand_over(self, partition: TopicPartition, record: ConsumerRecord, came_at: float) -> None:
        audience = tuple(self._audience.get(partition, ()))
        position = self._positions.get(partition, 0)
        if record.offset < position:
            for registration in audience:  # the log was made anew: all that is in it is news
                registration.handle[partition] = 0
        elif record.offset > position:
            self._skipped.setdefault(partition, position)
        self._positions[partition] = record.offset + 1
        message = message_of(record, came_at)
        for registration in audience:
            if registration.is_removed or record.offset < registration.handle[partition]:
                continue
            try:
                registration.deliver(message)
            except Exception as error:  # noqa: BLE001 - one subscriber must not take the others' messages
                _LOG.warning(
                    "kafka_subscriber_failed", extra={"topic": record.topic, "error_class": type(error).__name__}
                )
