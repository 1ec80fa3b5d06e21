"""The topics of a Kafka cluster: which there are, where they end, and making the missing ones."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError, NoError, TopicAlreadyExistsError, TopicAuthorizationFailedError, for_code
from aiokafka.structs import TopicPartition

from choreo_bdd import topic_patterns
from choreo_bdd.exceptions import TransportError
from choreo_bdd.transports.kafka.clients import Clients, reason_of
from choreo_bdd.transports.kafka.scout import Scout

if TYPE_CHECKING:
    from choreo_bdd.transports.kafka.topic_policy import TopicPolicy, Ways

Ends = tuple[Mapping[TopicPartition, int], Mapping[str, str]]
"""The offset of the next message of each partition; and the topics for which none is to be had, and why."""
EndsOf = Callable[[frozenset[TopicPartition]], Awaitable[Ends]]

_RETRY_S = 0.01
_RETRY_MAX_S = 0.2
_MADE_S = 2.0


class Topics:
    """What is known of a cluster's topics. Whoever waits for an answer bounds the wait."""

    def __init__(self, clients: Clients, policy: TopicPolicy, ways: Ways) -> None:
        self._clients = clients
        self._scout = Scout(clients.scout, clients.consumer)
        self._policy = policy
        self._ways = ways
        self._partitions: dict[str, frozenset[int]] = {}
        self.denied: set[str] = set()
        """Topics that we may not read; patterns pass them over."""
        self.made: set[str] = set()
        """Topics that were not there until we made them."""

    async def refresh(self, names: Collection[str] | None = None) -> None:
        """Ask for the partitions of these topics, or of all there are, as where one of them is a pattern."""
        if names is not None and any(map(topic_patterns.is_pattern, names)):
            names = None
        described = await self._clients.describe(names)
        found = {each["topic"]: _partitions(each) for each in described if not each.get("is_internal")}
        found = {name: partitions for name, partitions in found.items() if partitions}
        others = (
            {} if names is None else {name: self._partitions[name] for name in self._partitions.keys() - set(names)}
        )
        self._partitions = {**others, **found}

    def forget(self) -> None:
        """Take nothing for known any more: something was not as it was."""
        self._partitions = {}

    async def ensure(self, names: Iterable[str]) -> Mapping[str, str]:
        """Make the topics that do not exist; returns those that still do not, each with the reason.

        The partitions of all others are known then.
        """
        unknown = set(names) - self._partitions.keys()
        if not unknown:
            return {}
        await self.refresh(unknown)
        missing = unknown - self._partitions.keys()
        if not missing:
            return {}
        kept_from = {name for name in missing if not self._may_make(name)}
        failures = dict.fromkeys(kept_from, "there is no such topic, and create_topics=False forbids to make it")
        missing -= kept_from
        if not missing:
            return failures
        if not await self._clients.has_controller():
            return failures | await self._have_made(missing)
        failures |= await self._create(missing)
        await self._wait_for(missing - failures.keys())
        return failures

    def _may_make(self, name: str) -> bool:
        told = self._ways.of(name).create
        return self._policy.create if told is None else told

    async def require(self) -> None:
        """``TransportError`` for a topic that is named, is not there, and may not be made; asking makes none."""
        await self.refresh()
        for name, _ in self._ways.topics:
            if topic_patterns.is_pattern(name):
                continue
            if name not in self._partitions and not self._may_make(name):
                raise TransportError(f"there is no topic {name!r}, and none is made: start what makes it first")
            if name in self._partitions and (reason := self.why_no_partition(name)) is not None:
                raise TransportError(reason)

    def why_no_partition(self, name: str) -> str | None:
        """Why a message cannot go to the partition that the topic is told to use."""
        partition, there = self._ways.of(name).partition, self._partitions.get(name, frozenset())
        if partition is None or partition in there:
            return None
        return f"{name!r} has no partition {partition}: it has {', '.join(map(str, sorted(there)))}"

    def partition_of(self, name: str) -> int | None:
        """The partition that is published to, where that is told."""
        return self._ways.of(name).partition

    async def _have_made(self, names: set[str]) -> dict[str, str]:
        """Without a controller to ask for a topic, a broker may still make it in its own way, or nobody does."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_MADE_S):
                await self._clients.describe(names, make=True)
                await self._wait_for(names)
        reason = "there is no such topic, and the cluster names no controller that could make it: make it beforehand"
        return dict.fromkeys(names - self._partitions.keys(), reason)

    async def _create(self, names: set[str]) -> dict[str, str]:
        policy = self._policy
        wanted = [NewTopic(name, policy.partitions, policy.replication_factor) for name in names]
        response = await self._clients.admin.create_topics(wanted)
        failures: dict[str, str] = {}
        for name, code, *message in response.topic_errors:
            error = for_code(code)
            told = next(filter(None, message), error.__name__)
            if error is TopicAuthorizationFailedError:
                failures[name] = f"the broker neither shows us such a topic nor lets us make it ({told})"
            elif error is NoError:
                self.made.add(name)
            elif error is not TopicAlreadyExistsError:
                failures[name] = f"the topic could not be made: {told}"
        return failures

    async def _wait_for(self, names: set[str]) -> None:
        """A topic just made is not known to every broker at once."""
        pause_s = _RETRY_S
        while missing := names - self._partitions.keys():
            await self.refresh(missing)
            if missing - self._partitions.keys():
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _RETRY_MAX_S)  # a broker that makes many is not to be asked all the time

    def under(self, topic: str) -> frozenset[TopicPartition]:
        """The known partitions of a topic, or of all topics under a pattern that we may read."""
        if not topic_patterns.is_pattern(topic):
            names: Iterable[str] = (topic,) if topic in self._partitions else ()
        else:
            names = (
                name for name in self._partitions if topic_patterns.matches(topic, name) and name not in self.denied
            )
        return frozenset(TopicPartition(name, number) for name in names for number in self._partitions[name])

    def under_any(self, topics: Iterable[str]) -> frozenset[TopicPartition]:
        """Those of several topics and patterns."""
        return frozenset().union(*map(self.under, topics))

    async def ends_now(self, topics: Collection[str]) -> Ends:
        """As ``ends``, of all partitions that these topics and patterns have by now.

        What is known may be out of date: both questions are asked at once, and the ends again if it was.
        """
        known = self.under_any(topics)
        async with self.asked_for_ends(known) as ends_of:
            await self.refresh(topics)
            if self.under_any(topics) == known:
                return await ends_of(known)
        failures = await self.ensure(topic for topic in topics if not topic_patterns.is_pattern(topic))
        ends, without_end = await self.ends(self.under_any(topics))
        return ends, {**failures, **without_end}

    @contextlib.asynccontextmanager
    async def asked_for_ends(self, known: frozenset[TopicPartition], *, written: bool = False) -> AsyncIterator[EndsOf]:
        """Ask for the ends of partitions at once; what asks for those of some gets this answer, if they are the same.

        So the answer is of now, and not of when it is known which partitions there are.
        """
        asking = asyncio.ensure_future(self.ends(known, written=written))
        asking.add_done_callback(lambda asked: asked.cancelled() or asked.exception())  # seen: it may be out of date

        def ends_of(partitions: frozenset[TopicPartition]) -> Awaitable[Ends]:
            if partitions == known:
                return asking
            asking.cancel()
            return self.ends(partitions, written=written)

        try:
            yield ends_of
        finally:
            asking.cancel()

    async def ends(self, partitions: frozenset[TopicPartition], *, written: bool = False) -> Ends:
        """Where these end; what open transactions hold back counts only where all that is ``written`` is asked for."""
        try:
            return await self._scout.ends(partitions, written=written), {}
        except KafkaError:
            return await self._ends_by_topic(partitions, written=written)

    async def begins(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The offset of the first message that each partition still has."""
        return await self._scout.begins(partitions)

    async def _ends_by_topic(self, partitions: frozenset[TopicPartition], *, written: bool) -> Ends:
        """Find out which topic it is that fails."""
        ends: dict[TopicPartition, int] = {}
        failures: dict[str, str] = {}
        for name in {partition.topic for partition in partitions}:
            try:
                of_topic = [each for each in partitions if each.topic == name]
                ends |= await self._scout.ends(of_topic, written=written)
            except KafkaError as error:
                failures[name] = reason_of(error)
                if isinstance(error, TopicAuthorizationFailedError):
                    self.denied.add(name)
        return ends, failures


def _partitions(described: Mapping[str, Any]) -> frozenset[int]:
    return frozenset(each["partition"] for each in described["partitions"])
