"""What a scope listens to: a listener a link and topic, and the proofs that each is live."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

from choreo_bdd.inbound.listening import Delivery, Unreadable
from choreo_bdd.message import Message
from choreo_bdd.scenario.arming import is_proven, prove
from choreo_bdd.scenario.judging.expectation import Expectation
from choreo_bdd.scenario.links import Link
from choreo_bdd.scenario.sending.replies import Reply
from choreo_bdd.transports.base import Ready

_STAGE_LOG = logging.getLogger("choreo_bdd.stage")


class ListenerOwner(Protocol):
    """Whoever has what a listener has heard."""

    def hear(self, listener: TopicListener, delivery: Delivery) -> None:
        """Take a message."""
        ...

    def note_unreadable(self, listener: TopicListener, message: Message, error_class: str) -> None:
        """Take note of a message that nobody could read."""
        ...

    def connection_lost(self, listener: TopicListener, reason: str) -> None:
        """Take note that nothing can arrive here any more."""
        ...


class TopicListener:
    """A scope's listener on one link and topic."""

    __slots__ = ("_owner", "correlation_id", "link", "takers", "topic")

    def __init__(self, link: Link, topic: str, owner: ListenerOwner, *, correlation_id: str | None) -> None:
        self._owner = owner
        self.link = link
        self.topic = topic
        self.correlation_id = correlation_id
        self.takers: list[Expectation | Reply] = []

    def receive(self, delivery: Delivery) -> None:
        """Hand a message on."""
        self._owner.hear(self, delivery)

    def unreadable(self, message: Message, error: Unreadable) -> None:
        """Note, for every expectation that waits, a message that nobody can read."""
        if self.link.name is not None:
            place = {"transport": self.link.name, "topic": message.topic, "error_class": error.error_class}
            _STAGE_LOG.warning(error.stage_event, extra=place)
        concerned = [
            each
            for each in self.takers
            if isinstance(each, Expectation) and each.is_pending and message.received_at >= each.opened_at
        ]
        for expectation in concerned:
            expectation.unreadable.append(error.error_class)
        if concerned:
            self._owner.note_unreadable(self, message, error.error_class)

    def connection_lost(self, reason: str) -> None:
        """Tell that nothing can arrive here any more."""
        self._owner.connection_lost(self, reason)


@dataclass(frozen=True, slots=True)
class _Arming:
    topic: str
    link: Link
    ready: Ready


class Proofs:
    """The promises that the subscriptions of one scope are live; one is kept every ``patience_s`` s, or they fail."""

    def __init__(self, *, patience_s: float) -> None:
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
        for arming in tuple(self._armings):  # a thousand topics may take their time, as long as there is progress
            name = arming.link.name or arming.link.harness.transport_name
            await prove(arming.ready, name, arming.topic, timeout_s=self._patience_s)
        self._armings = [arming for arming in self._armings if not is_proven(arming.ready)]

    def failure(self, link: str | None, topic: str) -> str | None:
        """Why a subscription could not be proven live, if it could not."""
        for arming in self._armings:
            ready = arming.ready
            if arming.topic == topic and arming.link.name == link and ready.done() and not is_proven(ready):
                return "the subscription was removed" if ready.cancelled() else str(ready.exception())
        return None
