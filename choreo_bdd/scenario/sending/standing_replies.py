"""Stand-ins: replies outside any scenario, for as long as they are wanted."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import Any

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.inbound.listening import Delivery, Unreadable
from choreo_bdd.matchers import Matcher
from choreo_bdd.message import Message
from choreo_bdd.scenario.arming import prove
from choreo_bdd.scenario.judging.matching import match_delivery
from choreo_bdd.scenario.links import HarnessLike, Link
from choreo_bdd.scenario.sending.outbox import Publication
from choreo_bdd.scenario.sending.replies import Reply, ReplyPlan, ReplyReport

_LOG = logging.getLogger("choreo_bdd.scenario")
_ARM_S = 10.0
_CHAIN_MAX = 1_000
_ANSWERS_KEPT = 10_000


class EndlessAnswers(ChoreoError):
    """Stand-ins answer each other's answers, and nobody else has a part in it."""

    def __init__(self, topic: str) -> None:
        super().__init__(
            f"the message on {topic!r} is the {_CHAIN_MAX:,}th answer to an answer in a row: stand-ins of this harness "
            f"trigger each other without end. Have one of them take fewer, by its matcher or `times=`"
        )


class AnswerChains:
    """How many answers in a row led to a message, where the stand-ins of one harness answer each other.

    A message is known by its topic and bytes again: nothing of ours travels with it.
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, int], int] = OrderedDict()

    def answered(self, topic: str, data: bytes, number: int) -> None:
        """Note an answer that is about to leave, and the how manieth it is."""
        key = topic, hash(data)
        self._answers[key] = number
        self._answers.move_to_end(key)
        if len(self._answers) > _ANSWERS_KEPT:
            self._answers.popitem(last=False)

    def up_to(self, message: Message) -> int:
        """How many answers led to a message; 0 for one of anybody else."""
        return self._answers.get((message.topic, hash(message.payload)), 0)


class StandIn:
    """A standing reply, made by ``Harness.stand_in``: answers everybody's triggers until ``stop`` is called.

    An answer carries the correlation id of its trigger, so that it belongs to the scenario that asked. After the
    connection was lost and made anew it listens again. Stand-ins of one harness that answer nothing but each other
    stop after 1,000 answers in a row, with an error in the log and in the report (``EndlessAnswers``).
    """

    def __init__(
        self, harness: HarnessLike, topic: str, matcher: Matcher | None, plan: ReplyPlan, chains: AnswerChains
    ) -> None:
        self._harness = harness
        self._chains = chains
        self._reply = Reply(topic, None, matcher, plan)
        self._due: set[asyncio.Task[None]] = set()
        self.is_stopped = False

    @property
    def correlation_id(self) -> None:
        """It belongs to no scenario and hears them all."""
        return

    @property
    def answers(self) -> int:
        """How many answers have left."""
        return self._reply.answers

    def report(self) -> ReplyReport:
        """What has become of it so far."""
        return self._reply.report()

    # --- life -----------------------------------------------------------------------------------------------------

    async def arm(self) -> None:
        """Listen, and wait until that is proven; ``SubscriptionFailed`` when it cannot be."""
        topic = self._reply.trigger_topic
        ready = self._harness.router.open(topic, self)
        if ready is not None:
            await prove(ready, self._harness.transport_name, topic, timeout_s=_ARM_S)

    def stop(self) -> None:
        """Answer no more; answers still due are given up. Harmless when called again."""
        if not self.is_stopped:
            self.is_stopped = True
            self.rest()
            self._harness.router.close(self._reply.trigger_topic, self)

    def rest(self) -> None:
        """Give up answers still due: there is no connection to send them on."""
        for task in tuple(self._due):
            task.cancel()

    # --- messages -------------------------------------------------------------------------------------------------

    def receive(self, delivery: Delivery) -> None:
        """Answer a message, if it is a trigger."""
        reply = self._reply
        reply.candidates += 1
        if reply.matches >= reply.plan.times or not self._accepts(delivery):
            return
        reply.matches += 1
        delivery.message.used()
        task = asyncio.get_running_loop().create_task(self._answer(delivery))
        self._due.add(task)
        task.add_done_callback(self._due.discard)

    def _accepts(self, delivery: Delivery) -> bool:
        matcher = self._reply.matcher
        try:
            return matcher is None or match_delivery(matcher, delivery).matched
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a matcher may raise anything; it is reported by class
            _LOG.warning(
                "the matcher of the stand-in for %r raised %s", self._reply.trigger_topic, type(error).__name__
            )
            return False

    async def _answer(self, delivery: Delivery) -> None:
        reply = self._reply
        try:
            await asyncio.sleep(reply.plan.delay_s)
            await self._send(await reply.build(delivery.value), delivery)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # building, stamping, sending fail alike: reported by class
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # given up by stop() or rest()
                raise
            reply.builder_error = type(error).__name__
            topics = reply.trigger_topic, reply.plan.reply_topic
            told = f"{reply.builder_error}: {error}" if isinstance(error, EndlessAnswers) else reply.builder_error
            _LOG.error("the stand-in for %r on %r failed: %s", *topics, told)

    async def _send(self, payload: Any, trigger: Delivery) -> None:
        number = 1 + self._chains.up_to(trigger.message)
        if number > _CHAIN_MAX:
            raise EndlessAnswers(trigger.message.topic)
        link = Link(None, self._harness, trigger.correlation_id)
        publication = Publication.prepare(link, self._reply.plan.reply_topic, payload, {}, None)
        self._chains.answered(publication.topic, publication.data, number)
        self._reply.is_handed_over = True
        ready = self._harness.send(
            publication.topic, publication.data, on_sent=self._sent, headers=publication.headers, key=None
        )
        if ready is not None:
            await ready

    def _sent(self) -> None:
        self._reply.published = True
        self._reply.answers += 1

    def unreadable(self, message: Message, error: Unreadable) -> None:
        """Leave alone what cannot be read; it is in the log."""

    def connection_lost(self, reason: str) -> None:
        """Wait for the connection to come back; the harness arms it again."""

    def unanswered(self, asked: str) -> None:
        """Leave alone what somebody else has asked."""
