"""Messages a Stage scenario saw pass by: on its topics, but with somebody else's id.

They are taken from the routes when the result is made, so that a foreign message costs no scope anything on arrival.
"""

from __future__ import annotations

import logging
from typing import Any, Protocol

from choreo_bdd.inbound.listening import Delivery
from choreo_bdd.message import values_of
from choreo_bdd.redaction import redact_correlation_id
from choreo_bdd.scenario.links import Link
from choreo_bdd.scenario.scope import Scope
from choreo_bdd.scenario.timeline import TimelineAction
from choreo_bdd.shared.fitting import fits

_LOG = logging.getLogger("choreo_bdd.stage")


class Invertible(Protocol):
    """A bridge that knows the way back from a wire id."""

    def from_wire(self, wire: str, transport: str) -> Any | None:
        """The logical id behind it; ``None`` when it cannot be told."""
        ...


def note_foreign_messages(scope: Scope, bridge: object = None) -> None:
    """Note every foreign message on the scope's topics on its timeline, by hash, once a role that listened.

    An ``Invertible`` bridge is asked whose message it is, for the debug log.
    """
    for link, topic, sources in scope.listening():
        own = {link.minted, link.wire_id, *link.adopted}
        for delivery in link.harness.router.foreign_since(topic, scope.opened_at):
            if delivery.correlation_id is None or not own.isdisjoint(values_of(delivery.correlation_id)):
                continue
            for source in sources:
                _note(scope, link, delivery, source, bridge)


def _note(scope: Scope, link: Link, delivery: Delivery, source: str, bridge: object) -> None:
    place = {"transport": link.name, "topic": delivery.message.topic}
    wire: Any = delivery.correlation_id
    try:
        detail = redact_correlation_id(wire)
    except Exception as error:  # noqa: BLE001 - a policy may read an id that is no text
        _LOG.warning("stage_correlation_redact_failed", extra={**place, "error_class": type(error).__name__})
        detail = "sha256:<redact-failed>"
    scope.timeline.record(
        action=TimelineAction.CORRELATION_SKIPPED,
        topic=delivery.message.topic,
        detail=detail,
        transport=link.name,
        source=source,
        message=delivery,
        at=delivery.message.received_at,
    )
    if source == "expect":
        _ask(bridge, wire, link, place)


def _ask(bridge: object, wire: str, link: Link, place: dict[str, str | None]) -> None:
    if not fits(bridge, Invertible):
        return
    try:
        known = bridge.from_wire(wire, link.name or "") is not None
    except Exception as error:  # noqa: BLE001 - a bridge's inverse serves diagnosis only
        classes = {"bridge_class": type(bridge).__name__, "error_class": type(error).__name__}
        _LOG.warning("stage_from_wire_failed", extra={**place, **classes})
        return
    if known:
        _LOG.debug("stage_foreign_scope_seen", extra=place)
