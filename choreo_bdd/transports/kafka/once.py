"""Writing each message once: a broker knows a batch that it is sent again by its producer's id and number.

The client's own idempotent producer asks for its id for ever where none is given, sends a batch again for ever, and
leaves a gap in its numbers behind each batch that fails, over which no later one gets.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import aiokafka
from aiokafka.errors import (
    BrokerResponseError,
    IncompatibleBrokerVersion,
    KafkaError,
    NodeNotReadyError,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    UnknownProducerId,
    for_code,
)
from aiokafka.producer.sender import SendProduceReqHandler
from aiokafka.producer.transaction_manager import TransactionManager
from aiokafka.protocol.transaction import InitProducerIdRequest

from choreo_bdd.exceptions import TransportError

_LOG = logging.getLogger("choreo_bdd.transports")
_ANSWER_S = 1.0
_AFTERWARDS_S = 10.0
"""How long no id is asked for once none has come: each asking holds up what is to be sent."""
_AGAIN_S = 0.02
_NO_TRANSACTIONS_MS = 2**31 - 1

_OF_ACCUMULATOR = ("_pop_batch", "_txn_manager")
_OF_SENDER = (
    "_maybe_wait_for_pid",
    "_send_produce_req",
    "_txn_manager",
    "_in_flight",
    "_muted_partitions",
    "sender_task",
)
_OF_REQUEST = ("_can_retry", "do")

NUMBERS_REFUSED = (OutOfOrderSequenceNumber, ProducerFenced, UnknownProducerId)
"""A broker that has lost what it knew of a producer writes nothing of it; under a fresh id it does."""


def write_once(producer: Any) -> None:
    """Have a producer number its batches, under an id that the cluster gives; without one they go without a number.

    ``TransportError`` for a client whose insides are others: what is put in their place would never be called.
    """
    accumulator, sender = producer._message_accumulator, producer._sender
    insides = {accumulator: _OF_ACCUMULATOR, sender: _OF_SENDER, SendProduceReqHandler: _OF_REQUEST}
    for owner, names in insides.items():
        for name in names:
            if not hasattr(owner, name):
                where = owner.__name__ if isinstance(owner, type) else type(owner).__name__
                raise TransportError(
                    f"KafkaTransport does not know aiokafka {aiokafka.__version__}, which has no {where}.{name}: "
                    f"install an older aiokafka (0.14.0 is known to work), or a newer choreo-bdd"
                )
    _Numbers(producer)


class _Numbers:
    """A producer's id, and what was told instead of one."""

    def __init__(self, producer: Any) -> None:
        self._producer = producer
        self._sender = producer._sender
        self._accumulator = producer._message_accumulator
        self._ask_at = 0.0
        self._why_not: str | None = None
        self._take = self._accumulator._pop_batch
        self._accumulator._pop_batch = self._taken
        self._sender._maybe_wait_for_pid = self._number
        self._sender._send_produce_req = self._send

    async def _number(self) -> None:
        """Get an id if there is none, within a bound; the sender waits for this before it takes what is to be sent."""
        loop = asyncio.get_running_loop()
        if self._sender._txn_manager is not None or loop.time() < self._ask_at:
            return
        if self._sender.sender_task is None:  # it starts, and asks again at once, while the other clients connect
            return
        if self._producer.client.get_random_node() is None:  # none is known yet, so nothing can be sent either
            return
        try:
            async with asyncio.timeout(_ANSWER_S):
                self._use(await self._fresh())
            self._why_not = None
        except (BrokerResponseError, IncompatibleBrokerVersion) as error:  # a later answer would be no other
            self._ask_at, self._why_not = float("inf"), type(error).__name__
        except Exception as error:  # noqa: BLE001 - a sender that ends sends nothing any more
            self._ask_at, self._why_not = loop.time() + _AFTERWARDS_S, type(error).__name__

    async def _fresh(self) -> TransactionManager:
        client = self._producer.client
        request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=_NO_TRANSACTIONS_MS)
        while True:
            try:
                answer = await client.send(client.get_random_node(), request)
                if (error := for_code(answer.error_code)).errno:
                    raise error()
            except KafkaError as error:
                if not error.retriable:
                    raise
                await asyncio.sleep(_AGAIN_S)
            else:
                numbers = TransactionManager(None, _NO_TRANSACTIONS_MS)
                numbers.set_pid_and_epoch(answer.producer_id, answer.producer_epoch)
                return numbers

    def _use(self, numbers: TransactionManager | None) -> None:
        for holder in (self._producer, self._sender, self._accumulator):
            holder._txn_manager = numbers

    def _taken(self, partition: Any) -> Any:
        batch = self._take(partition)
        if batch.retry_count == 1:
            batch.future.add_done_callback(self._settled)
        return batch

    def _settled(self, confirmed: asyncio.Future[Any]) -> None:
        """One that has failed was numbered, and perhaps is written all the same: the next go under a fresh id."""
        if not confirmed.cancelled() and confirmed.exception() is not None:
            self._use(None)

    async def _send(self, node_id: int, batches: Mapping[Any, Any]) -> None:
        """As the client does it, but an unanswered batch expires."""
        await _Request(self._sender, batches, self._unanswered).do(node_id)
        self._sender._in_flight.remove(node_id)
        self._sender._muted_partitions.difference_update(batches)

    def _unanswered(self, topic: str) -> None:
        if self._why_not is not None:
            _LOG.warning(
                "the confirmation of what was published on %r was lost, and it is sent again: it may be there twice, "
                "for the brokers of this cluster give us no producer id (%s). For one, grant this login "
                "IdempotentWrite on the cluster",
                topic,
                self._why_not,
            )


class _Request(SendProduceReqHandler):  # type: ignore[misc] # the client is untyped
    def __init__(self, sender: Any, batches: Mapping[Any, Any], unanswered: Callable[[str], None]) -> None:
        super().__init__(sender, batches)
        self._unanswered = unanswered

    def _can_retry(self, error: Any, batch: Any) -> bool:
        if not error.retriable or batch.expired():
            return False
        if batch.retry_count == 1 and not isinstance(error, BrokerResponseError | NodeNotReadyError):
            self._unanswered(batch.tp.topic)
        return True
