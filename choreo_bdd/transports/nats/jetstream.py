"""Subjects of a JetStream stream: published with an ack of the stream, read from now on by a consumer of our own.

A stream is taken as it is and never made. The consumer acknowledges nothing, lives in memory and is deleted when its
subscription ends; that it has missed nothing its sequence numbers show.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import APIError, NotFoundError, ServiceUnavailableError

from choreo_bdd.exceptions import TransportError
from choreo_bdd.message import Message
from choreo_bdd.topic_patterns import ByTopic, overlap
from choreo_bdd.transports.nats.arrivals import Arrivals
from choreo_bdd.transports.nats.messages import REPLY_TO, headers_of, says_nobody_listens
from choreo_bdd.transports.shared.outbound import Outgoing
from choreo_bdd.transports.shared.subscriptions import Registration

_NAME = "NatsTransport"
_ACK_S = 5.0
_ABANDONED_S = 60.0
"""After so long without us the server deletes a consumer by itself."""
_EXPECTED_STREAM = "Nats-Expected-Stream"
_AGAIN_S = 0.005


class Reading:
    """A consumer of one subject, or of a pattern of them."""

    def __init__(self, registration: Registration, stream: str, manager: Any) -> None:
        self.stream = stream
        self.consumer = f"choreo-{secrets.token_hex(8)}"
        self.reached = 0
        """How many messages it has brought."""
        self.subscription: Any = None
        self._registration = registration
        self._manager = manager

    def take(self, raw: Any, at: float) -> None:
        """Hand over what it has brought; one that is missing before it ends the subscription."""
        if raw.reply.startswith("$JS.ACK."):
            told = raw.metadata
            if told.sequence.consumer != self.reached + 1:
                reason = f"messages of the stream {self.stream!r} were lost on their way"
                self._registration.interrupt(_NAME, reason)
            self.reached = told.sequence.consumer
            headers = {name: text for name, text in headers_of(raw).items() if name != REPLY_TO}
            self._registration.deliver(
                Message(
                    raw.subject,
                    raw.data,
                    at,
                    headers,
                    offset=told.sequence.stream,
                    broker_time=told.timestamp.timestamp(),
                    order=told.sequence.stream,
                    lane=f"the stream {self.stream}",
                )
            )

    async def unsubscribe(self) -> None:
        """End it, here and on the server."""
        await self.subscription.unsubscribe()
        await self._manager.delete_consumer(self.stream, self.consumer)

    async def drained(self) -> None:
        """Wait until it has brought all that the stream has by now; ``TransportError`` when it is gone."""
        try:
            told = await self._manager.stream_info(self.stream)
            require_kept(self._registration.topic, self.stream, told.config.subjects or ())
            target = told.state.last_seq
            while not await self._has_brought(target):  # noqa: ASYNC110 - the server tells only when it is asked
                await asyncio.sleep(_AGAIN_S)
        except NotFoundError as error:
            raise TransportError(f"the stream {self.stream!r} was deleted meanwhile, or our consumer of it") from error

    async def _has_brought(self, target: int) -> bool:
        told = await self._manager.consumer_info(self.stream, self.consumer)
        is_far_enough = not told.num_pending or told.delivered.stream_seq >= target
        return bool(is_far_enough and self.reached >= told.delivered.consumer_seq)


def require_kept(topic: str, stream: str, subjects: Sequence[str]) -> None:
    """``TransportError`` where a stream of these subjects has none that the topic could be; a mirror has none."""
    if subjects and not any(overlap(each, topic) for each in subjects):
        raise TransportError(f"the stream {stream!r} keeps nothing of {topic!r}: it has {', '.join(subjects)}")


class JetStream:
    """The JetStream side of a connection; ``streams`` tells which topics are subjects of which stream."""

    def __init__(self, client: Any, arrivals: Arrivals, streams: ByTopic[str | None]) -> None:
        self._client = client
        self._arrivals = arrivals
        self._streams = streams
        self._inbox: str | None = None
        self._kept: set[str] = set()
        """Topics that their stream was found to keep."""
        self._due: dict[str, Outgoing] = {}

    @cached_property
    def _manager(self) -> Any:
        return self._client.jsm()

    def stream_of(self, topic: str) -> str | None:
        """The stream that keeps what is published on a topic; ``None`` where the configuration names none."""
        return self._streams.of(topic)

    async def require_streams(self) -> None:
        """``TransportError`` for a stream that is named and not there; asking makes none."""
        for stream in dict.fromkeys(stream for _, stream in self._streams.topics if stream is not None):
            await self._subjects(stream)

    async def _subjects(self, stream: str) -> Sequence[str]:
        try:
            return (await self._manager.stream_info(stream)).config.subjects or ()
        except NotFoundError as error:
            raise TransportError(
                f"there is no stream {stream!r}, and none is made: start what makes it first, or correct its name"
            ) from error
        except (APIError, TimeoutError) as error:
            raise TransportError(f"the stream {stream!r} cannot be asked for: {_words(error)}") from error

    async def _require_kept(self, topic: str, stream: str) -> None:
        """``TransportError`` where the stream is not there, or is one of other subjects."""
        require_kept(topic, stream, await self._subjects(stream))

    # --- reading --------------------------------------------------------------------------------------------------

    async def subscribe(self, registration: Registration, stream: str) -> Reading:
        """Read a subject from now on; ``TransportError`` says why that cannot be."""
        await self._require_kept(registration.topic, stream)
        reading = Reading(registration, stream, self._manager)
        inbox = self._client.new_inbox()

        async def on_message(raw: Any) -> None:
            reading.take(raw, asyncio.get_running_loop().time())

        reading.subscription = await self._client.subscribe(
            inbox, cb=on_message, pending_msgs_limit=0, pending_bytes_limit=0
        )
        self._arrivals.divert(reading.subscription, reading.take)
        config = ConsumerConfig(
            name=reading.consumer,
            deliver_subject=inbox,
            deliver_policy=DeliverPolicy.NEW,
            ack_policy=AckPolicy.NONE,
            filter_subject=registration.topic,
            max_deliver=1,
            mem_storage=True,
            num_replicas=1,
            inactive_threshold=_ABANDONED_S,
        )
        try:
            await self._manager.add_consumer(stream, config=config)
        except (APIError, TimeoutError) as error:
            await reading.subscription.unsubscribe()
            raise TransportError(f"the stream {stream!r} cannot be read: {_words(error)}") from error
        return reading

    async def fence(self, registrations: Iterable[Registration]) -> None:
        """Wait until those that read a stream have all that it has by now; raises why that is not known."""
        for registration in registrations:
            if isinstance(registration.handle, Reading):
                await registration.handle.drained()

    # --- publishing -----------------------------------------------------------------------------------------------

    async def publish(self, outgoing: Outgoing, stream: str, headers: Mapping[str, str]) -> None:
        """Write a message that the stream is to confirm; its fate is told when that answers.

        Where no stream keeps it nobody would answer: who listens beside counts as somebody who could.
        """
        if REPLY_TO in outgoing.headers:
            raise ValueError("what a stream keeps can ask for no reply: it is the stream that answers")
        if outgoing.topic not in self._kept:
            await self._require_kept(outgoing.topic, stream)
            self._kept.add(outgoing.topic)
        if self._inbox is None:
            self._inbox = self._client.new_inbox()
            await self._client.subscribe(f"{self._inbox}.*", cb=self._answered)
        reply = f"{self._inbox}.{secrets.token_hex(8)}"
        self._due[reply] = outgoing
        asyncio.get_running_loop().call_later(_ACK_S, self._settle, reply, f"the stream {stream!r} did not answer")
        await self._client.publish(
            outgoing.topic, outgoing.payload, reply=reply, headers={**headers, _EXPECTED_STREAM: stream}
        )

    async def _answered(self, raw: Any) -> None:
        if says_nobody_listens(raw):
            self._settle(raw.subject, "no stream keeps what is published there")
            return
        try:
            error = json.loads(raw.data).get("error")
        except (ValueError, AttributeError):
            error = {"description": f"an answer that is no ack: {raw.data[:80]!r}"}
        self._settle(raw.subject, None if error is None else str(error.get("description")))

    def _settle(self, reply: str, reason: str | None) -> None:
        outgoing = self._due.pop(reply, None)
        if outgoing is None:
            return
        if reason is None:
            outgoing.confirm()
        else:
            outgoing.fail(_NAME, reason)


def _words(error: Exception) -> str:
    if isinstance(error, ServiceUnavailableError) and error.description is None:  # nobody listens to its requests
        return "this server, or this account on it, has no JetStream: enable it there (nats-server -js)"
    return str(getattr(error, "description", None) or error or type(error).__name__)
