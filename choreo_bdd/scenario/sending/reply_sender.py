"""Answering triggers: build, stamp, send, count, and never stop the scenario over it."""

from __future__ import annotations

import asyncio
import copy
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from choreo_bdd.inbound.listening import Delivery
from choreo_bdd.matchers.protocols import expected_shape
from choreo_bdd.redaction import describe_shape, mask_literals
from choreo_bdd.scenario.judging.matching import match_delivery
from choreo_bdd.scenario.links import Link
from choreo_bdd.scenario.sending.outbox import Outbox, Publication
from choreo_bdd.scenario.sending.replies import MAX_FIRINGS, Answer, Reply
from choreo_bdd.scenario.timeline import TimelineAction, _Timeline

_LOG = logging.getLogger("choreo_bdd.scenario")
_STAGE_LOG = logging.getLogger("choreo_bdd.stage")


class Replier:
    """The replies of one scope at work."""

    def __init__(
        self,
        replies: Sequence[Reply],
        links: Mapping[str | None, Link],
        outbox: Outbox,
        timeline: _Timeline,
        notify: Callable[[], None],
    ) -> None:
        self._replies = replies
        self._links = links
        self._outbox = outbox
        self._timeline = timeline
        self._notify = notify
        self._due: dict[asyncio.Task[None], Reply] = {}

    def trigger(self, reply: Reply, delivery: Delivery) -> None:
        """Take a candidate; answer it if the reply is armed and its matcher accepts."""
        reply.candidates += 1
        if not reply.is_armed:
            return
        if not self._accepts(reply, delivery):
            reply.passed_over = delivery
            return
        reply.matches += 1
        delivery.message.used()
        if reply.plan.is_silent:
            return
        if reply.plan.delay_s:
            self._later(reply, self._delayed(reply, delivery.value))
            return
        try:
            built = reply.build_now(delivery.value)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a builder may raise anything; it is reported by class
            self._failed(reply, error)
            return
        if inspect.isawaitable(built):
            self._later(reply, built)
        else:
            self._send(reply, built)

    def _accepts(self, reply: Reply, delivery: Delivery) -> bool:
        if reply.matcher is None:
            return True
        try:
            return match_delivery(reply.matcher, delivery).matched
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a matcher may raise anything; it is reported by class
            name = reply.condition_error = type(error).__name__
            _LOG.warning("the matcher of the reply to %r raised %s", reply.trigger_topic, name)
            self._timeline.record(
                action=TimelineAction.MISMATCHED,
                topic=delivery.message.topic,
                detail=f"reply:{reply.plan.reply_topic} the matcher raised {name}",
                transport=reply.link,
                source="reply" if reply.link is not None else None,
            )
            return False

    @staticmethod
    async def _delayed(reply: Reply, trigger: Any) -> Any:
        await asyncio.sleep(reply.plan.delay_s)
        return await reply.build(trigger)

    def _later(self, reply: Reply, building: Awaitable[Any]) -> None:
        task = asyncio.get_running_loop().create_task(self._built(reply, building))
        self._due[task] = reply
        task.add_done_callback(partial(self._done, building))

    async def _built(self, reply: Reply, building: Awaitable[Any]) -> None:
        try:
            built = await building
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # as above; what leaves a task as SystemExit would end the loop
            task = asyncio.current_task()
            if task not in self._due:  # given up by close()
                raise
            self._failed(reply, error)
        else:
            self._send(reply, built)

    def _done(self, building: Awaitable[Any], task: asyncio.Task[None]) -> None:
        self._due.pop(task, None)
        if asyncio.iscoroutine(building):
            building.close()  # given up before it began

    def _send(self, reply: Reply, built: Any) -> None:
        answer = built if isinstance(built, Answer) else Answer(built)
        try:
            link, topic = self._links[reply.plan.link], reply.plan.reply_topic
            publication = Publication.prepare(link, topic, _own(answer.payload), answer.headers, answer.key)
            if publication.overrides_id:
                reply.overridden = True
                _LOG.warning("correlation_id overridden by the reply to %r", reply.trigger_topic)
            ready = self._outbox.send(publication, lambda _: self._replied(reply, publication), is_reply=True)
            reply.is_handed_over = True
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - stamping, encoding and sending fail alike: reported by class
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
        self._notify()

    def _failed(self, reply: Reply, error: BaseException) -> None:
        reply.builder_error = type(error).__name__
        topics = reply.trigger_topic, reply.plan.reply_topic
        if reply.link is None:
            _LOG.error("the reply to %r on %r failed: %s", *topics, reply.builder_error)
        else:
            _STAGE_LOG.warning("stage_reply_failed", extra=_places(reply))
        self._record(reply, TimelineAction.REPLY_FAILED, error=reply.builder_error)

    def _record(
        self, reply: Reply, action: TimelineAction, *, publication: Publication | None = None, error: str = ""
    ) -> None:
        on_stage = reply.plan.link is not None
        detail = f"reply={reply.plan.reply_topic} error={error}" if error else f"reply={reply.plan.reply_topic}"
        self._timeline.record(
            action=action,
            topic=reply.plan.reply_topic if on_stage else reply.trigger_topic,
            detail=f"trigger={reply.trigger_topic}" if on_stage and not error else detail,
            transport=reply.plan.link,
            source="reply" if on_stage else None,
            message=publication,
        )

    def close(self) -> None:
        """Give up replies still due, and say which ones never fired."""
        given_up, self._due = self._due, {}
        for task, reply in given_up.items():
            task.cancel()
            message = "the reply to %r on %r was still due when the scope ended"
            _LOG.log(_level(reply), message, reply.trigger_topic, reply.plan.reply_topic)
        for reply in self._replies:
            if reply.matches == 0:
                _LOG.log(
                    _level(reply),
                    "the reply to %r on %r never fired: matcher %s, %s, %d candidate(s)",
                    reply.trigger_topic,
                    reply.plan.reply_topic,
                    _without_literals(reply),
                    reply.state.value,
                    reply.candidates,
                )


def _level(reply: Reply) -> int:
    """A service that answers as often as it is asked need not be asked at all, or be done in time."""
    return logging.INFO if reply.plan.times >= MAX_FIRINGS else logging.WARNING


def _without_literals(reply: Reply) -> str:
    """What triggers a reply, fit for a log: field names and operators, but no value."""
    shape = None if reply.matcher is None else expected_shape(reply.matcher)
    return mask_literals(reply.description) if shape is None else describe_shape(shape)


def _places(reply: Reply) -> dict[str, str | None]:
    return {
        "trigger_topic": reply.trigger_topic,
        "response_topic": reply.plan.reply_topic,
        "trigger_transport": reply.link,
        "response_transport": reply.plan.link,
        "error_class": reply.builder_error,
    }


def _own(payload: Any) -> Any:
    """A copy of what a template or builder gave, so that no policy can change the original."""
    return copy.deepcopy(payload) if isinstance(payload, dict | list) else payload
