"""What a scope listens to: an ear a link and topic, and the proofs that each is live."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from choreo_bdd.inbound.dispatcher import Delivery, Unreadable
from choreo_bdd.message import Message
from choreo_bdd.scenario.arming import is_proven, prove
from choreo_bdd.scenario.expectation import Expectation
from choreo_bdd.scenario.links import Link
from choreo_bdd.scenario.replies import Reply
from choreo_bdd.transports.base import Ready

_STAGE_LOG = logging.getLogger("choreo_bdd.stage")


class Hearer(Protocol):
    """Whoever has what an ear has heard."""

    def hear(self, ear: Ear, delivery: Delivery) -> None:
        """Take a message."""
        ...

    def note_unreadable(self, ear: Ear, message: Message, error_class: str) -> None:
        """Take note of a message that nobody could read."""
        ...

    def connection_lost(self, ear: Ear, reason: str) -> None:
        """Take note that nothing can arrive here any more."""
        ...


class Ear:
    """A scope's listener on one link and topic."""

    __slots__ = ("_hearer", "correlation_id", "ears", "link", "topic")

    def __init__(self, link: Link, topic: str, hearer: Hearer, *, correlation_id: str | None) -> None:
        self._hearer = hearer
        self.link = link
        self.topic = topic
        self.correlation_id = correlation_id
        self.ears: list[Expectation | Reply] = []

    def receive(self, delivery: Delivery) -> None:
        """Hand a message on."""
        self._hearer.hear(self, delivery)

    def unreadable(self, message: Message, error: Unreadable) -> None:
        """Note, for every expectation that waits, a message that nobody can read."""
        if self.link.name is not None:
            place = {"transport": self.link.name, "topic": message.topic, "error_class": error.error_class}
            _STAGE_LOG.warning(error.stage_event, extra=place)
        concerned = [
            ear
            for ear in self.ears
            if isinstance(ear, Expectation) and ear.is_pending and message.received_at >= ear.opened_at
        ]
        for expectation in concerned:
            expectation.unreadable.append(error.error_class)
        if concerned:
            self._hearer.note_unreadable(self, message, error.error_class)

    def connection_lost(self, reason: str) -> None:
        """Tell that nothing can arrive here any more."""
        self._hearer.connection_lost(self, reason)


@dataclass(frozen=True, slots=True)
class _Arming:
    topic: str
    link: Link
    ready: Ready


class Proofs:
    """The promises that the subscriptions of one scope are live, within ``patience_s`` seconds."""

    def __init__(self, clock: Callable[[], float], *, patience_s: float) -> None:
        self._clock = clock
        self._patience_s = patience_s
        self._armings: list[_Arming] = []

    def add(self, topic: str, link: Link, ready: Ready) -> None:
        """Take on a promise."""
        self._armings.append(_Arming(topic, link, ready))

    @property
    def is_live(self) -> bool:
        """Whether all of them have been kept."""
        return all(is_proven(arming.ready) for arming in self._armings)

    async def ready(self) -> None:
        """Wait until all of them are kept; ``SubscriptionFailed`` for the first that is not."""
        deadline = self._clock() + self._patience_s
        for arming in tuple(self._armings):
            name = arming.link.name or arming.link.harness.transport_name
            left_s = deadline - self._clock()
            await prove(arming.ready, name, arming.topic, timeout_s=left_s, patience_s=self._patience_s)
        self._armings = [arming for arming in self._armings if not is_proven(arming.ready)]

    def failure(self, link: str | None, topic: str) -> str | None:
        """Why a subscription could not be proven live, if it could not."""
        for arming in self._armings:
            ready = arming.ready
            if arming.topic == topic and arming.link.name == link and ready.done() and not is_proven(ready):
                return "the subscription was removed" if ready.cancelled() else str(ready.exception())
        return None
