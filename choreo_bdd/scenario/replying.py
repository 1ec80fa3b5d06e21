"""Answering triggers: build, stamp, send, count, and never stop the scenario over it (spec/harness.md 4.1, 4.5)."""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import TYPE_CHECKING, Any

from choreo_bdd.dispatch import Delivery
from choreo_bdd.redaction import redact_matcher_description
from choreo_bdd.scenario.expectation import match_delivery
from choreo_bdd.scenario.outbox import Publication
from choreo_bdd.scenario.replies import Reply
from choreo_bdd.scenario.timeline import TimelineAction

if TYPE_CHECKING:
    from choreo_bdd.scenario.scope import Scope

_LOG = logging.getLogger("choreo_bdd.scenario")
_STAGE_LOG = logging.getLogger("choreo_bdd.stage")


class Replier:
    """The replies of one scope at work."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._tasks: set[asyncio.Task[None]] = set()

    def trigger(self, reply: Reply, delivery: Delivery) -> None:
        """Take a candidate; answer it if the reply is armed and its matcher accepts."""
        reply.candidates += 1
        if not reply.is_armed or not self._accepts(reply, delivery):
            return
        reply.matches += 1
        if reply.plan.is_silent:
            return
        try:
            built = None if reply.plan.delay_s else reply.build_now(delivery.value)
        except Exception as error:  # noqa: BLE001 - a builder may raise anything; it is reported by class
            self._failed(reply, error)
            return
        if reply.plan.delay_s or inspect.isawaitable(built):
            self._later(reply, delivery.value, built)
        else:
            self._send(reply, built)

    @staticmethod
    def _accepts(reply: Reply, delivery: Delivery) -> bool:
        if reply.matcher is None:
            return True
        try:
            return match_delivery(reply.matcher, delivery).matched
        except Exception as error:  # noqa: BLE001 - a matcher may raise anything; it is reported by class
            _LOG.warning("the matcher of the reply to %r raised %s", reply.trigger_topic, type(error).__name__)
            return False

    def _later(self, reply: Reply, trigger: Any, built: Any) -> None:
        async def answer() -> None:
            try:
                await asyncio.sleep(reply.plan.delay_s)
                payload = await (built if built is not None else reply.build(trigger))
            except Exception as error:  # noqa: BLE001 - as in trigger()
                self._failed(reply, error)
            else:
                self._send(reply, payload)

        task = asyncio.get_running_loop().create_task(answer())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _send(self, reply: Reply, payload: Any) -> None:
        try:
            link = self._scope.links[reply.plan.link]
            publication = Publication.prepare(link, reply.plan.reply_topic, payload, {}, None)
            if publication.overridden:
                reply.overridden = True
                _LOG.warning("correlation_id overridden by the reply to %r", reply.trigger_topic)
            ready = self._scope.outbox.send(publication, lambda: self._replied(reply, publication))
        except Exception as error:  # noqa: BLE001 - stamping, encoding and sending fail alike: reported by class
            self._failed(reply, error)
            return
        if ready is not None:
            ready.add_done_callback(lambda done: self._settled(reply, done))

    def _settled(self, reply: Reply, done: asyncio.Future[None]) -> None:
        if not done.cancelled() and (error := done.exception()) is not None:
            reply.published = False
            self._failed(reply, error)

    def _replied(self, reply: Reply, publication: Publication) -> None:
        reply.published = True
        reply.answers += 1
        self._record(reply, TimelineAction.REPLIED, publication=publication)
        self._scope.notify()

    def _failed(self, reply: Reply, error: BaseException) -> None:
        reply.builder_error = type(error).__name__
        _LOG.error("the reply to %r on %r failed: %s", reply.trigger_topic, reply.plan.reply_topic, reply.builder_error)
        self._record(reply, TimelineAction.REPLY_FAILED, error=reply.builder_error)

    def _record(
        self, reply: Reply, action: TimelineAction, *, publication: Publication | None = None, error: str = ""
    ) -> None:
        on_stage = reply.plan.link is not None
        detail = f"reply={reply.plan.reply_topic} error={error}" if error else f"reply={reply.plan.reply_topic}"
        self._scope.timeline.record(
            action=action,
            topic=reply.plan.reply_topic if on_stage else reply.trigger_topic,
            detail=f"trigger={reply.trigger_topic}" if on_stage and not error else detail,
            transport=reply.plan.link,
            source="reply" if on_stage else None,
            message=publication.record if publication is not None else None,
        )

    def close(self) -> None:
        """Give up replies still being built, and say which ones never fired."""
        for task in self._tasks:
            task.cancel()
        for reply in self._scope.replies:
            if reply.matches == 0:
                _LOG.warning(
                    "the reply to %r on %r never fired: matcher %s, %s, %d candidate(s)",
                    reply.trigger_topic,
                    reply.plan.reply_topic,
                    redact_matcher_description(reply.description),
                    reply.state.value,
                    reply.candidates,
                )


def _places(reply: Reply) -> dict[str, str | None]:
    return {
        "trigger_topic": reply.trigger_topic,
        "response_topic": reply.plan.reply_topic,
        "trigger_transport": reply.link,
        "response_transport": reply.plan.link,
        "error_class": reply.builder_error,
    }
