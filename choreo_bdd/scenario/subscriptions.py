"""What a scope listens to: a listener a link and topic."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from choreo_bdd.inbound.listening import Delivery, Unreadable
from choreo_bdd.message import Message
from choreo_bdd.scenario.judging.expectation import Expectation
from choreo_bdd.scenario.links import Link
from choreo_bdd.scenario.sending.replies import Reply

_LOG = logging.getLogger("choreo_bdd.scenario")
_STAGE_LOG = logging.getLogger("choreo_bdd.stage")


class ListenerOwner(Protocol):
    """Whoever has what a listener has heard."""

    def hear(self, listener: TopicListener, delivery: Delivery) -> None:
        """Take a message."""
        ...

    def note_unreadable(self, listener: TopicListener, message: Message, reason: str) -> None:
        """Take note of a message that nobody could read."""
        ...

    def connection_lost(self, listener: TopicListener, reason: str) -> None:
        """Take note that nothing can arrive here any more."""
        ...

    def unanswered(self, listener: TopicListener, asked: str) -> None:
        """Take note that what was asked on a topic has reached nobody."""
        ...


class TopicListener:
    """A scope's listener on one link and topic."""

    __slots__ = ("_owner", "answer", "correlation_id", "is_called", "link", "takers", "topic")

    def __init__(self, link: Link, topic: str, owner: ListenerOwner, *, correlation_id: str | None) -> None:
        self._owner = owner
        self.link = link
        self.topic = topic
        self.correlation_id = correlation_id
        self.takers: list[Expectation | Reply] = []
        self.is_called = False
        """Whether its topic is that of a call: whoever calls wants the answer, checked or not."""
        self.answer: Delivery | None = None
        """The latest answer to such a call."""

    def receive(self, delivery: Delivery) -> None:
        """Hand a message on."""
        if self.is_called:
            self.answer = delivery
        self._owner.hear(self, delivery)

    def unreadable(self, message: Message, error: Unreadable) -> None:
        """Note, for every expectation that waits, a message that nobody can read."""
        if self.link.name is not None:
            place = {"transport": self.link.name, "topic": message.topic, "error_class": error.error_class}
            _STAGE_LOG.warning(error.stage_event, extra=place)
        at = message.received_at
        concerned = [each.hear_unreadable(at, error.reason) for each in self.takers if isinstance(each, Expectation)]
        if any(concerned):
            self._owner.note_unreadable(self, message, error.reason)

    def connection_lost(self, reason: str) -> None:
        """Tell that nothing can arrive here any more."""
        self._owner.connection_lost(self, reason)

    def unanswered(self, asked: str) -> None:
        """Tell that no answer comes here."""
        self._owner.unanswered(self, asked)


def guarded(link: Link, topic: str, call: Callable[[], None]) -> None:
    """Stop listening; what goes wrong with that is logged and keeps nobody from the rest."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - one transport's trouble must not keep the others subscribed
        event = "unsubscribe raised" if link.name is None else "stage_scope_unsubscribe_failed"
        logger = _LOG if link.name is None else _STAGE_LOG
        logger.warning(
            "%s %s on topic %r",
            event,
            type(error).__name__,
            topic,
            extra={"transport": link.name, "topic": topic, "error_class": type(error).__name__},
        )
