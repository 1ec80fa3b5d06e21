"""A live connection to Kafka: arming, sending, and noticing that the brokers are gone."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from choreo_bdd import topic_patterns
from choreo_bdd.exceptions import TransportError
from choreo_bdd.message import NoPayload
from choreo_bdd.transports.kafka.clients import (
    Clients,
    is_refused_in_company,
    reason_of,
    send_alone,
    tell_departures,
)
from choreo_bdd.transports.kafka.consumer import SharedConsumer, Starts
from choreo_bdd.transports.kafka.topics import Topics
from choreo_bdd.transports.shared.lifecycle import Lifecycle
from choreo_bdd.transports.shared.outbound import Outbound, Outgoing
from choreo_bdd.transports.shared.subscriptions import Registration

if TYPE_CHECKING:
    from aiokafka.structs import TopicPartition

    from choreo_bdd.transports.kafka.topic_policy import TopicPolicy, Ways

NAME = "KafkaTransport"
_POLL_S = 0.25
_PATIENCE_S = 2.0
_TEARDOWN_S = 2.0
_TRANSACTION_S = 2.0
"""So long a fence waits for transactions to end; one that lasts longer is named."""
_GIVEN_UP = "disconnected before the broker confirmed it"
_STOP_S = 0.5
_AT_ONCE = 100  # so many topics are armed before the first of them is told of as live
_TOPIC_S = 0.1  # what a busy broker may take to make one of many; a silent one is noticed sooner


class Connection:
    """What a ``KafkaTransport`` has while it is connected. It counts as lost as long as no broker answers."""

    def __init__(
        self,
        clients: Clients,
        life: Lifecycle[Connection],
        *,
        policy: TopicPolicy,
        ways: Ways,
        request_timeout_s: float,
    ) -> None:
        self._clients = clients
        self._life = life
        self._subscriptions = life.subscriptions
        self._request_timeout_s = request_timeout_s
        self._prove_reading = life.has_login
        self._topics = Topics(clients, policy, ways)
        self._in_flight = InFlight(self._again)
        self._refused_in_company: deque[Outgoing] = deque()
        self._repeating: asyncio.Task[None] | None = None
        tell_departures(clients.producer, self._in_flight.left)
        self._consumer = SharedConsumer(clients.consumer, on_denied=self._denied, on_unreadable=self._unreadable)
        self._newcomers: list[Registration] = []
        self._arming: asyncio.Task[None] | None = None
        self._answered_at = self._clock()
        self.outbound = Outbound(NAME, self._write)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._consumer.run()), loop.create_task(self._watch())]

    @staticmethod
    def _clock() -> float:
        return asyncio.get_running_loop().time()

    async def close(self) -> None:
        """Send what is queued if anybody is there to take it, then end every task and close every socket."""
        patience_s = _TEARDOWN_S if self._life.lost is None else 0.0
        began = self._clock()
        await self.outbound.stop(timeout_s=patience_s)
        await self._in_flight.drain(timeout_s=max(0.0, began + patience_s - self._clock()))
        tasks = [*self._tasks, *(each for each in (self._arming, self._repeating) if each is not None)]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for outgoing in self._refused_in_company:
            outgoing.fail(NAME, _GIVEN_UP)
        await self._clients.stop(timeout_s=max(_STOP_S, began + patience_s - self._clock()))

    # --- messages in ----------------------------------------------------------------------------------------------

    def arm(self, registration: Registration) -> None:
        """Make a registration live; those of one turn of the loop share the broker's answers."""
        self._newcomers.append(registration)
        if self._arming is None or self._arming.done():
            self._arming = asyncio.get_running_loop().create_task(self._arm())

    def disarm(self, registration: Registration) -> None:
        """Deliver nothing to it any more."""
        self._consumer.leave(registration)

    async def _arm(self) -> None:
        while self._newcomers:
            batch, self._newcomers = self._newcomers[:_AT_ONCE], self._newcomers[_AT_ONCE:]
            try:
                async with asyncio.timeout(self._request_timeout_s + len(batch) * _TOPIC_S):
                    await self._establish(batch)
            except Exception as error:  # noqa: BLE001 - told to whoever waits for these subscriptions
                self._topics.forget()
                for registration in batch:
                    registration.fail(NAME, reason_of(error))

    async def _establish(self, batch: Sequence[Registration]) -> None:
        named = {each.topic for each in batch if not topic_patterns.is_pattern(each.topic)}
        failures = await self._topics.ensure(named)
        self._topics.denied -= named  # asked for by name: perhaps it is granted by now
        topics = {each.topic for each in batch} - failures.keys()
        ends, without_end = await self._topics.ends_now(topics)
        failures = {**without_end, **failures}
        wanted = {each: self._topics.under(each.topic) for each in batch if each.topic in topics}
        live = []
        for registration in batch:
            if registration.topic in failures:
                registration.fail(NAME, failures[registration.topic])
            elif not registration.is_removed:
                live.append(registration)
        starts = [
            (each, {partition: ends[partition] for partition in wanted[each] if partition in ends}) for each in live
        ]
        # together: a topic that is new to a pattern must not have been read on for its name
        self._consumer.listen([*self._appeared(), *starts])
        if self._prove_reading:
            await self._consumer.prove(partition.topic for each in live for partition in wanted[each])
        for registration in live:
            registration.confirm()

    def remark(self, topic: str) -> str | None:
        """Of a topic that is published to only: it was not there, so that hardly anybody listens to it."""
        if topic not in self._topics.made or any(each.topic == topic for each in self._subscriptions):
            return None
        return (
            f"there was no topic {topic!r} until this run made it to publish there: is that its name, and does the "
            f"service run that listens to it?"
        )

    def _denied(self, topic: str, reason: str) -> None:
        """Reading failed after arming. Who still waits is told by the promise, the others as by a lost connection."""
        self._topics.denied.add(topic)
        heard_by = [each for each in self._subscriptions if each.topic == topic]
        if any(each.ready.done() for each in heard_by):
            self._life.tell(f"{topic!r} cannot be read: {reason}")
        for registration in heard_by:
            registration.fail(NAME, reason)

    @staticmethod
    def _unreadable(registration: Registration, reason: str) -> None:
        """The client cannot unpack what comes next: whoever listens hears no more, and the others as before."""
        if registration.ready.done():
            registration.interrupt(NAME, reason)
        registration.fail(NAME, reason)

    async def fence(self, registrations: Sequence[Registration]) -> None:
        """Ask where the logs end, and wait until they have been read that far; raises why that is not known."""
        topics = {each.topic for each in registrations}
        async with self._topics.asked_for_ends(_heard(registrations), written=True) as ends_of:
            await self._topics.refresh(topics)
            self._discover()
            self._require_there(registrations)
            written, without_end = await ends_of(_heard(registrations) & self._topics.under_any(topics))
        if without_end:
            raise TransportError("; ".join(f"{topic!r}: {reason}" for topic, reason in without_end.items()))
        try:
            async with asyncio.timeout(_TRANSACTION_S):
                await self._consumer.reach(written)
        except TimeoutError:
            await self._require_shown(written)
            await self._consumer.reach(written)
        if skipped := self._consumer.skipped(written):
            for partition, begins in (await self._topics.begins(skipped)).items():
                self._consumer.settle(partition, skipped[partition], begins)
        self._consumer.require_whole(registrations)

    def _require_there(self, registrations: Iterable[Registration]) -> None:
        named = {each.topic for each in registrations if not topic_patterns.is_pattern(each.topic)}
        gone = sorted(topic for topic in named if topic in self._topics.denied or not self._topics.under(topic))
        if gone:
            why = "deleted meanwhile, or closed to this login"
            raise TransportError(f"{', '.join(map(repr, gone))} cannot be read any more: {why}")

    async def _require_shown(self, written: Mapping[TopicPartition, int]) -> None:
        """``TransportError`` where a transaction is open: what was written since nobody is shown before it ends."""
        shown, _ = await self._topics.ends(frozenset(written))
        held = sorted({each.topic for each, end in written.items() if shown.get(each, end) < end})
        if held:
            raise TransportError(
                f"an open transaction holds back what was written to {', '.join(map(repr, held))}: have it committed "
                f"or aborted before this step ends, or read what is not committed (isolation_level: read_uncommitted)"
            )

    async def probe(self) -> None:
        """Have the cluster answer; ``TransportError`` says why it does not, or what it has not."""
        try:
            await self._topics.require()
        except TransportError:
            raise
        except Exception as error:
            raise TransportError(reason_of(error)) from error

    # --- messages out ---------------------------------------------------------------------------------------------

    async def _write(self, batch: Sequence[Outgoing]) -> None:
        topics = {outgoing.topic for outgoing in batch}
        failures = await self._topics.ensure(topics)
        for outgoing in batch:
            if outgoing.is_given_up():
                continue
            if outgoing.topic in failures:
                outgoing.fail(NAME, failures[outgoing.topic])
            elif (reason := self._topics.why_no_partition(outgoing.topic)) is not None:
                outgoing.fail(NAME, reason)
            else:
                await self._send(outgoing)

    def _again(self, outgoing: Outgoing) -> None:
        """Send a message once more, in its order and by itself: what it was refused with may have been the cause."""
        self._refused_in_company.append(outgoing)
        if self._repeating is None or self._repeating.done():
            self._repeating = asyncio.get_running_loop().create_task(self._repeat())

    async def _repeat(self) -> None:
        while self._refused_in_company:
            await self._send(self._refused_in_company[0], alone=True)
            self._refused_in_company.popleft()

    async def _send(self, outgoing: Outgoing, *, alone: bool = False) -> None:
        producer = self._clients.producer
        send = partial(send_alone, producer) if alone else producer.send
        try:
            async with asyncio.timeout(self._request_timeout_s):
                confirmed = await send(
                    outgoing.topic,
                    None if isinstance(outgoing.payload, NoPayload) else outgoing.payload,
                    partition=self._topics.partition_of(outgoing.topic),
                    key=None if outgoing.key is None else outgoing.key.encode(),
                    headers=[(name, value.encode()) for name, value in outgoing.headers.items()],
                )
        except Exception as error:  # noqa: BLE001 - told to whoever published this one
            outgoing.fail(NAME, reason_of(error))
        else:
            self._in_flight.add(outgoing, confirmed, alone=alone)

    # --- is anybody there? ----------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Ask for topics again and again: the answers show new ones, and that somebody answers at all."""
        while True:
            await asyncio.sleep(_POLL_S)
            if refused := self._clients.guard.refused:
                self._lose(refused[-1])
            try:
                await self._poll()
            except Exception as error:  # noqa: BLE001 - whatever it is, the question was not answered
                if self._clock() - self._answered_at >= _PATIENCE_S:
                    self._lose(f"no broker has answered for {_PATIENCE_S:g} s ({reason_of(error)})")
            else:
                self._answered_at = self._clock()
                if not self._clients.guard.refused:
                    self._life.recovered()
                self._discover()
                self._consumer.rest()

    async def _poll(self) -> None:
        heard = {each.topic for each in self._subscriptions if each.handle is not None}
        asking = asyncio.ensure_future(self._topics.refresh(heard))
        try:
            done, _ = await asyncio.wait([asking], timeout=_PATIENCE_S)
            if not done:
                self._lose(f"no broker has answered for {_PATIENCE_S:g} s")
            await asking  # only its own time-out makes aiokafka give up a connection that has gone silent
        finally:
            asking.cancel()

    def _lose(self, reason: str) -> None:
        self._life.lose(f"the connection to Kafka was lost: {reason}")

    def _discover(self) -> None:
        self._consumer.listen(self._appeared())

    def _appeared(self) -> list[tuple[Registration, Starts]]:
        """Partitions and topics that appeared while they were subscribed to are heard from their beginning."""
        live = [each for each in self._subscriptions if each.handle is not None]
        found = [(each, dict.fromkeys(self._topics.under(each.topic) - each.handle.keys(), 0)) for each in live]
        return [(registration, starts) for registration, starts in found if starts]


class InFlight:
    """Messages that the client has taken and the broker has not confirmed yet."""

    def __init__(self, again: Callable[[Outgoing], None]) -> None:
        self._again = again
        self._open: dict[asyncio.Future[Any], Outgoing] = {}

    def add(self, outgoing: Outgoing, confirmed: asyncio.Future[Any], *, alone: bool = False) -> None:
        """Settle a message when the broker has answered; one that went with others may be sent ``again``, alone."""
        self._open[confirmed] = outgoing
        confirmed.add_done_callback(partial(self._settle, alone=alone))

    def left(self, confirmed: asyncio.Future[Any], at: float) -> None:
        """The bytes of a message have gone to the broker, at this loop time or a little later."""
        outgoing = self._open.get(confirmed)
        if outgoing is not None:
            outgoing.sent(at)

    def _settle(self, confirmed: asyncio.Future[Any], *, alone: bool) -> None:
        outgoing = self._open.pop(confirmed)
        if confirmed.cancelled():
            outgoing.fail(NAME, "the client gave it up")
        elif (error := confirmed.exception()) is None:
            outgoing.confirm()
        elif is_refused_in_company(error) and not alone:
            self._again(outgoing)
        else:
            outgoing.fail(NAME, reason_of(error))

    async def drain(self, *, timeout_s: float) -> None:
        """Wait until all are settled, ``timeout_s`` at the longest; what is open then has failed."""
        waiting = tuple(self._open.values())
        if waiting:
            await asyncio.wait([outgoing.ready for outgoing in waiting], timeout=timeout_s)
        for outgoing in waiting:
            outgoing.fail(NAME, _GIVEN_UP)


def _heard(registrations: Iterable[Registration]) -> frozenset[TopicPartition]:
    """The partitions that these read."""
    return frozenset(partition for each in registrations for partition in each.handle or ())
