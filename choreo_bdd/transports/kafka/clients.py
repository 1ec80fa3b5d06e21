"""The aiokafka clients of one connection: how they are set up, started and ended. Imported by ``connect`` only."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    BrokerResponseError,
    ClusterAuthorizationFailedError,
    InvalidTimestampError,
    KafkaError,
    MessageSizeTooLargeError,
    NodeNotReadyError,
    ProducerClosed,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnsupportedCodecError,
    kafka_errors,
)
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.protocol.metadata import MetadataRequest

from choreo_bdd.exceptions import HostNotInAllowlist
from choreo_bdd.transports.kafka.once import NUMBERS_REFUSED, write_once
from choreo_bdd.transports.shared.advertised import AddressGuard

FETCH_WAIT_MS = 10
"""How long the broker may park a fetch. Some never wake a parked one when data arrives, and on all of them it delays
the next request of its connection; so this is latency."""

_BY_KEY = DefaultPartitioner()
_AGAIN_S = 0.05
_ABORT_S = 0.5


class Unreachable(Exception):
    """A broker answers, but the cluster cannot be used; the text says why."""


class _InvalidRecord(BrokerResponseError):  # type: ignore[misc] # the client is untyped
    """Kafka's INVALID_RECORD, of which this client knows no more than that it is unknown."""

    errno = 87


kafka_errors.setdefault(_InvalidRecord.errno, _InvalidRecord)

_OF_ONE_MESSAGE = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidTimestampError, _InvalidRecord)


class _Credentials(logging.Filter):
    """aiokafka writes every request into its debug log, and the ones that log in carry the password."""

    def filter(self, record: logging.LogRecord) -> bool:
        arguments = record.args if isinstance(record.args, tuple) else ()
        return not any("Sasl" in type(argument).__name__ for argument in arguments)


logging.getLogger("aiokafka.conn").addFilter(_Credentials())


def _partition(key: bytes | None, every: Sequence[int], available: Sequence[int]) -> int:
    """Without a key the first partition, always the same, so that call order is kept; with one, by its hash."""
    if key is None:
        return min(available or every)
    return int(_BY_KEY(key, every, available))


@dataclass(frozen=True, slots=True)
class Clients:
    """All clients of one connection.

    ``consumer`` is the one that fetches. ``scout`` never fetches: it asks for offsets on a connection of its own,
    where no parked fetch is in the way; and ``admin`` lists and makes topics.
    """

    producer: Any
    consumer: Any
    scout: Any
    admin: Any
    guard: AddressGuard

    @classmethod
    def create(
        cls,
        common: Mapping[str, Any],
        client_id: str,
        *,
        isolation_level: str,
        max_message_bytes: int,
        guard: AddressGuard,
    ) -> Clients:
        """The clients, not started yet; none of them connects to where ``guard`` does not let it."""
        alone = {"group_id": None, "enable_auto_commit": False, "isolation_level": isolation_level}
        size = {"max_request_size": max_message_bytes}
        clients = cls(
            AIOKafkaProducer(client_id=client_id, acks="all", partitioner=_partition, **size, **common),
            # "earliest" concerns positions that no longer exist: a log that was emptied or made anew
            AIOKafkaConsumer(
                client_id=client_id,
                auto_offset_reset="earliest",
                fetch_max_wait_ms=FETCH_WAIT_MS,
                **alone,
                **common,
            ),
            AIOKafkaConsumer(client_id=f"{client_id}-scout", retry_backoff_ms=20, **alone, **common),
            AIOKafkaAdminClient(client_id=f"{client_id}-admin", **common),
            guard,
        )
        write_once(clients.producer)
        for client in clients._connecting():
            _hold_back(client, guard)
            _ask_for_all(client)
        return clients

    def _connecting(self) -> tuple[Any, ...]:
        """What connects, inside each client."""
        return self.producer.client, self.consumer._client, self.scout._client, self.admin._client

    async def start(self) -> None:
        """Connect them all, one after the other, and have one request answered; raises what aiokafka raises.

        Goes on as long as no broker is named: a client that has met none never finds any later.
        """
        for client, connecting in zip(
            (self.producer, self.consumer, self.scout, self.admin), self._connecting(), strict=True
        ):
            try:
                await client.start()
                while not connecting.cluster.brokers():  # a broker that has just started may not know itself yet
                    await asyncio.sleep(_AGAIN_S)
                    await connecting.bootstrap()
            finally:
                brokers = [(each.host, each.port) for each in connecting.cluster.brokers()]
                if (refused := self.guard.first_refused(brokers)) is not None:
                    raise HostNotInAllowlist(refused) from None
        try:
            await self.describe([])
        except NodeNotReadyError as error:
            raise Unreachable(
                "a broker answers there, but not at the address it gives to clients (advertised.listeners)"
            ) from error

    async def describe(self, topics: Collection[str] | None, *, make: bool = False) -> list[Mapping[str, Any]]:
        """What the cluster says of these topics, or of all. Asking makes none, unless it is to ``make`` them."""
        request = MetadataRequest(None if topics is None else list(topics), allow_auto_topic_creation=make)
        described: list[Mapping[str, Any]] = (await self.admin._send_request(request)).to_object()["topics"]
        return described

    async def has_controller(self) -> bool:
        """Whether the cluster names the broker that makes topics; some, such as librdkafka's mock, name none."""
        client = self.admin._client
        if client.cluster.controller is None:
            await client.force_metadata_update()
        return client.cluster.controller is not None

    async def stop(self, *, timeout_s: float) -> None:
        """End them all, ``timeout_s`` at the longest, then by force."""
        await _end_sending(self.producer)
        await asyncio.gather(
            _stopped(self.producer.stop(), self.producer.client, timeout_s),
            _stopped(self.consumer.stop(), self.consumer._client, timeout_s),
            _stopped(self.scout.stop(), self.scout._client, timeout_s),
            _stopped(self.admin.close(), self.admin._client, timeout_s),
        )


def _ask_for_all(client: Any) -> None:
    """Have a client ask for all topics where it would ask for those it uses by name: that brings deleted ones back.

    And whoever publishes on many new ones would wait for each of them, one after the other.
    """
    update = client._metadata_update

    async def update_all(cluster: Any, _: Any) -> Any:
        return await update(cluster, ())

    client._metadata_update = update_all


def _hold_back(client: Any, guard: AddressGuard) -> None:
    """Connect only where that is permitted: a broker tells, and tells anew at any time, where its clients shall go."""
    connect = client._get_conn

    async def permitted(node_id: Any, **options: Any) -> Any:
        broker = client.cluster.broker_metadata(node_id)
        if broker is not None and not guard.permits(broker.host, broker.port):
            return None  # as for a broker that cannot be reached
        return await connect(node_id, **options)

    client._get_conn = permitted


async def _stopped(stopping: Awaitable[None], client: Any, timeout_s: float) -> None:
    task = asyncio.ensure_future(stopping)
    await asyncio.wait([task], timeout=timeout_s)
    if task.done() and not task.cancelled() and task.exception() is None:
        return
    # stop() waits for a broker that is gone, or breaks off half-way; the sockets must be closed all the same
    task.cancel()
    with contextlib.suppress(Exception):
        async with asyncio.timeout(_ABORT_S):
            await client.close()


async def _end_sending(producer: Any) -> None:
    """Give up what is unconfirmed: the producer's own ``stop`` would wait for it, whoever is there to answer."""
    sender = producer._sender.sender_task
    for _ in range(2):  # cancelled once, it still waits for the requests under way
        if sender is not None and not sender.done():
            sender.cancel()
            await asyncio.wait([sender], timeout=_ABORT_S)
    accumulator = producer._message_accumulator
    unsent = [batch for batches in accumulator._batches.values() for batch in batches]
    accumulator.fail_all(ProducerClosed())
    for batch in unsent:
        batch._drain_waiter.exception()  # taken note of: asyncio prints an error that nobody has asked for


async def send_alone(
    producer: Any,
    topic: str,
    payload: bytes | None,
    *,
    partition: int | None,
    key: bytes | None,
    headers: Sequence[tuple[str, bytes]],
) -> Any:
    """Have the client send a message as its ``send`` does, but in a batch of its own."""
    batch = producer.create_batch()
    batch.append(value=payload, key=key, timestamp=None, headers=headers)
    chosen = producer._partition(topic, partition, key, payload, key, payload)
    return await producer.send_batch(batch, topic, partition=chosen)


def is_refused_in_company(error: BaseException) -> bool:
    """Whether a broker refuses a whole batch for what may be wrong with one message of it, or with its number."""
    return isinstance(error, _OF_ONE_MESSAGE + NUMBERS_REFUSED)


def tell_departures(producer: Any, left: Callable[[asyncio.Future[Any], float], None]) -> None:
    """Call ``left`` with the future of each message whose bytes have just been written to a broker's socket, and when.

    The client itself tells no more than the confirmation, which is a way there and back later.
    """
    sender = producer._sender
    request = sender._send_produce_req

    async def departing(node_id: int, batches: Mapping[Any, Any]) -> None:
        if await producer.client.ready(node_id):
            loop = asyncio.get_running_loop()
            for batch in batches.values():
                for future, _ in batch._msg_futures:
                    loop.call_soon(left, future, loop.time())  # runs behind this step, which writes the request
        await request(node_id, batches)

    sender._send_produce_req = departing


def reason_of(error: BaseException) -> str:
    """Why something failed, in a few words for a report."""
    if isinstance(error, TopicAuthorizationFailedError | ClusterAuthorizationFailedError):
        return f"the broker denies it to us ({type(error).__name__})"
    if isinstance(error, UnsupportedCodecError):
        brings = "the extra choreo-bdd[kafka] brings the libraries of all codecs: pip install 'choreo-bdd[kafka]'"
        return f"{' '.join(map(str, error.args))}; {brings}"
    if isinstance(error, TimeoutError):
        return "no answer from the broker in time"
    if isinstance(error, MessageSizeTooLargeError):  # what the client says itself comes with words
        ours, theirs = "this transport sends (max_message_bytes)", "the broker takes (message.max.bytes)"
        return f"the message is larger than {ours if error.args else theirs}"
    if isinstance(error, _InvalidRecord):
        return "the broker found the record invalid (INVALID_RECORD); a compacted topic takes none without a key"
    return str(error) if isinstance(error, KafkaError) else f"{type(error).__name__}: {error}"
