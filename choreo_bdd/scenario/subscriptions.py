"""A scope's listener on one link and topic."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from choreo_bdd.inbound.dispatcher import Delivery, Unreadable
from choreo_bdd.message import Message
from choreo_bdd.scenario.expectation import Expectation
from choreo_bdd.scenario.links import Link
from choreo_bdd.scenario.replies import Reply

if TYPE_CHECKING:
    from choreo_bdd.scenario.scope import Scope

_STAGE_LOG = logging.getLogger("choreo_bdd.stage")


class Ear:
    """A scope's listener on one link and topic."""

    __slots__ = ("_scope", "correlation_id", "ears", "link", "topic")

    def __init__(self, scope: Scope, link: Link, topic: str, *, correlation_id: str | None) -> None:
        self._scope = scope
        self.link = link
        self.topic = topic
        self.correlation_id = correlation_id
        self.ears: list[Expectation | Reply] = []

    def receive(self, delivery: Delivery) -> None:
        """Hand a message to the scope."""
        self._scope.hear(self, delivery)

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
            self._scope.note_unreadable(self, message, error.error_class)

    def connection_lost(self, reason: str) -> None:
        """Tell the scope that nothing can arrive here any more."""
        self._scope.connection_lost(self, reason)
