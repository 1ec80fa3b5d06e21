"""The one scenario engine: expectations, replies and publishes over named links.

A plain scenario is a scope with one unnamed link; a Stage scope has one link a transport. Everything here runs on the
loop's thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from choreo_bdd import topic_patterns
from choreo_bdd.inbound.dispatcher import SurpriseEntry
from choreo_bdd.inbound.listening import Delivery
from choreo_bdd.matchers import Matcher
from choreo_bdd.message import Message
from choreo_bdd.scenario.adoption import disown, hear_too, own, rename, translated
from choreo_bdd.scenario.arming import Proofs
from choreo_bdd.scenario.backlog import Backlog
from choreo_bdd.scenario.judging.expectation import LATE, UNCONCERNED, Expectation
from choreo_bdd.scenario.judging.handle import Handle, are_resolved
from choreo_bdd.scenario.judging.occurs import ONCE, Occurs
from choreo_bdd.scenario.judging.windows import Windows
from choreo_bdd.scenario.links import Link, require_heard, require_matcher
from choreo_bdd.scenario.options import DEFAULTS, ScopeOptions
from choreo_bdd.scenario.sending.outbox import Outbox, Publication
from choreo_bdd.scenario.sending.replies import Reply, ReplyPlan
from choreo_bdd.scenario.sending.reply_sender import Replier
from choreo_bdd.scenario.subscriptions import TopicListener, guarded
from choreo_bdd.scenario.timeline import TimelineAction, _Timeline
from choreo_bdd.scenario.verdicts import Verdicts
from choreo_bdd.shared.changes import Changes
from choreo_bdd.shared.collector import put_off_full_collections
from choreo_bdd.transports.base import Ready

_RECEIVED = TimelineAction.RECEIVED
_TURNS_TO_DRAIN = 3  # of the loop: socket, reader, whoever the reader wakes


class Scope:
    """One running scenario."""

    def __init__(
        self, name: str, links: Iterable[Link], *, correlation_id: str | None, options: ScopeOptions = DEFAULTS
    ) -> None:
        self.name = name
        self.correlation_id = correlation_id
        self.links: Mapping[str | None, Link] = {link.name: link for link in links}
        self.options = options
        self.clock = asyncio.get_running_loop().time
        self.timeline = _Timeline(
            clock=self.clock, max_entries=options.timeline_events, anchor_at_first_event=options.anchor_at_first_event
        )
        self.opened_at = self.clock()
        self.expectations: list[Expectation] = []
        self._by_handle: dict[Handle, Expectation] = {}
        self._changes = Changes()
        self._backlog = Backlog()
        self._windows = Windows(self.look_behind)
        self.replies: list[Reply] = []
        self._proofs = Proofs(patience_s=options.arm_timeout_s)
        self.outbox = Outbox(self._proofs, self.timeline, self.clock, self._changes.tell)
        self.replier = Replier(self.replies, self.links, self.outbox, self.timeline, self._changes.tell)
        self.verdicts = Verdicts(
            self.expectations,
            self.links,
            self.outbox,
            self._proofs,
            self.timeline,
            replies=self.replies,
            options=options,
            clock=self.clock,
            notify=self._changes.tell,
        )
        self._listeners: dict[tuple[str | None, str], TopicListener] = {}
        self._watched: list[tuple[Link, str]] = []
        self._surprised = {name: link.harness.router.dispatcher.surprised for name, link in self.links.items()}
        own(self, self.links.values())
        self._resume_collections = put_off_full_collections(self)

    # --- arming ---------------------------------------------------------------------------------------------------

    def expect(
        self,
        topic: str,
        matcher: Matcher | None,
        *,
        link: str | None = None,
        occurs: Occurs = ONCE,
        after: Handle | None = None,
        unrouted: bool = False,
        description: str | None = None,
        origin: str | None = None,
        step_text: str | None = None,
    ) -> Handle:
        """Arm an expectation; without a matcher it holds what arrives until ``supply`` brings one.

        With ``after`` a message counts only once that expectation of this scope has been met, by an earlier message.
        ``unrouted`` hears every message of the topic, whatever correlation id it carries: for an inbox of one's own.
        """
        require_heard(topic, "expect")
        if matcher is not None:
            require_matcher(matcher, "expect", topic)
        where = self.links[link]
        predecessor = None if after is None else self.expectation_of(after)
        if predecessor is not None and not predecessor.occurs.minimum:
            raise ValueError(f"nothing can be expected after {after!r}: it may be met by no message at all")
        listener = self.listen(where, topic, unrouted=unrouted)
        if not unrouted:
            self._watch(where, topic)
        handle = Handle(
            topic,
            description or (matcher.description if matcher is not None else "(not known yet)"),
            where.wire_id,
            matcher=matcher,
            transport=link,
            origin=origin,
            step_text=step_text,
        )
        expectation = Expectation(
            handle,
            matcher,
            topic=topic,
            link=link,
            opened_at=self.clock(),
            occurs=occurs,
            after=predecessor,
            takes_leftovers=self.options.leftovers != "leave",
        )
        listener.takers.append(expectation)
        self.expectations.append(expectation)
        self._by_handle[handle] = expectation
        return handle

    def on(self, trigger_topic: str, matcher: Matcher | None, plan: ReplyPlan, *, link: str | None = None) -> Reply:
        """Arm a reply."""
        require_heard(trigger_topic, "on")
        if matcher is not None:
            require_matcher(matcher, "on", trigger_topic)
        listener = self.listen(self.links[link], trigger_topic)
        reply = Reply(trigger_topic, link, matcher, plan)
        listener.takers.append(reply)
        self.replies.append(reply)
        return reply

    def supply(self, handle: Handle, matcher: Matcher) -> None:
        """Bring the matcher of an expectation that holds; what it kept is judged now, in order of arrival."""
        expectation = self.expectation_of(handle)
        self._backlog.flush()
        for delivery in expectation.supply(matcher):
            self.verdicts.hear(expectation, delivery)

    def close_at(self, handle: Handle, moment: float, *, lingers: bool = False) -> None:
        """Let nothing that arrives after a loop time count for this expectation.

        One that ``lingers`` is watched beyond it, until somebody decides it: nothing between the publish and the step
        that asks for an absence is unwatched (spec/steps.md 1).
        """
        self._windows.close_at(self.expectation_of(handle), moment, lingers=lingers)

    def reached(self, handle: Handle, window_s: float) -> None:
        """Say that the step is reached now: an expectation that lingers is watched for so long from here, at least."""
        self.expectation_of(handle).reached(self.clock(), window_s)

    def expectation_of(self, handle: Handle) -> Expectation:
        """The engine's side of a handle of this scope; ``ValueError`` for one of another scenario."""
        expectation = self._by_handle.get(handle)
        if expectation is None:
            raise ValueError(f"{handle!r} is no expectation of scenario {self.name!r}: use one that this scenario made")
        return expectation

    def listen(self, link: Link, topic: str, *, unrouted: bool = False) -> TopicListener:
        """Who hears a topic on a link for this scope; ``unrouted`` as for ``expect``."""
        link.harness.require_connected()
        listener = self._listeners.get((link.name, topic))
        if listener is None:
            listener = TopicListener(link, topic, self, correlation_id=None if unrouted else link.wire_id)
            ready = link.harness.router.open(topic, listener)
            self._listeners[link.name, topic] = listener
            hear_too([listener])
            if ready is not None:
                self._proofs.add(topic, link, ready)
        return listener

    def _watch(self, link: Link, topic: str) -> None:
        """Listen beside the topic too, so that a message on a misspelt sibling can be named as the cause."""
        if not self.options.watch_similar_topics or topic_patterns.is_pattern(topic):
            return
        nearby = link.harness.router.nearby
        for pattern in nearby.beside(topic):
            if (link, pattern) not in self._watched:
                ready = nearby.add(pattern)
                self._watched.append((link, pattern))
                if ready is not None and nearby.is_cheap:
                    self._proofs.hope_for(ready)

    async def ready(self) -> None:
        """Wait until every subscription of this scope is proven live on its broker.

        Raises ``SubscriptionFailed``, which names transport, topic and reason, when one is refused or removed, or when
        none is confirmed for ``arm_timeout_s``.
        """
        await self._proofs.ready()

    # --- messages in ----------------------------------------------------------------------------------------------

    def hear(self, listener: TopicListener, delivery: Delivery) -> None:
        """Take a message; it is judged now, or in the loop's next turns where this one has judged enough."""
        self._backlog.put(self._judge(listener, delivery))

    def _judge(self, listener: TopicListener, delivery: Delivery) -> Iterator[None]:
        """Let every expectation and reply on this topic have the message, one after the other."""
        if received_by_expectation := listener.is_called:
            self._received(listener, delivery, "expect", "answer")
            self._changes.tell()
        for place, each in enumerate(tuple(listener.takers)):
            if place:
                yield
            if isinstance(each, Reply):
                if delivery.message.is_leftover and self.options.leftovers == "leave":
                    continue
                self._received(listener, delivery, "reply", f"reply:{each.plan.reply_topic}")
                self.replier.trigger(each, delivery)
                continue
            heard, why = each.hear(delivery)
            if heard is LATE or heard is UNCONCERNED:
                continue
            if not received_by_expectation:
                self._received(listener, delivery, "expect", "expect")
                received_by_expectation = True
            self.verdicts.follow(each, delivery, heard, why)

    def connection_lost(self, listener: TopicListener, reason: str) -> None:
        """Settle what waits on a connection that is gone: nothing can arrive there any more."""
        self._backlog.flush()
        self.outbox.failed(listener.link, listener.topic, reason)
        for each in listener.takers:
            if isinstance(each, Expectation):
                self.verdicts.expire(each)

    def unanswered(self, listener: TopicListener, asked: str) -> None:
        """Settle at once what waits for an answer to a request that has reached nobody; absence is still watched."""
        self._backlog.flush()
        for each in listener.takers:
            if isinstance(each, Expectation) and not each.occurs.waits_the_window_out:
                each.asked = asked
                self.verdicts.expire(each)

    def note_unreadable(self, listener: TopicListener, message: Message, reason: str) -> None:
        """Note on the timeline that a message came which nobody could read."""
        told = f"undecodable ({reason})"
        self._received(listener, Delivery(message, message.payload), "expect", told, told)

    def _received(self, listener: TopicListener, delivery: Delivery, source: str, alone: str, staged: str = "") -> None:
        name, message = listener.link.name, delivery.message
        self.timeline.record(
            action=_RECEIVED,
            topic=message.topic,
            detail=alone if name is None else staged,
            transport=name,
            source=None if name is None else source,
            message=delivery,
            at=message.received_at,
        )

    # --- messages out ---------------------------------------------------------------------------------------------

    def publish(
        self,
        topic: str,
        payload: Any,
        *,
        link: str | None = None,
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Ready | None:
        """Stamp, encode and send a message once every subscription of this scope is live.

        Returns what tells when it has left or why it has not; ``None`` when it has left already.
        """
        publication = Publication.prepare(self.links[link], topic, payload, headers or {}, key)
        return self.outbox.put(publication)

    def adopt(self, name: str | None, correlation_id: str) -> None:
        """Take an id that the scenario writes on a link for its own; messages of its ids so far are heard on."""
        shared = translated(self.links.values(), self.links[name], correlation_id)
        self.correlation_id = correlation_id if name is None else shared
        hear_too(self._listeners.values())
        rename(self.expectations, self.links)
        own(self, self.links.values())

    # --- waiting --------------------------------------------------------------------------------------------------

    async def wait(self, handles: Iterable[Handle], deadline: float) -> None:
        """Wait until every one of these is resolved, at the longest until a loop time."""
        await self._changes.until(partial(are_resolved, list(handles)), deadline)

    def awaited(self, handles: Iterable[Handle]) -> None:
        """Say, from any thread, that somebody waits for these from now on: a loop that is blocked sees it too late."""
        for each in map(self.expectation_of, handles):
            each.is_awaited = True

    async def decide(
        self, expectations: Sequence[Expectation], *, timeout_ms: float | None = None, alone: bool = False
    ) -> None:
        """Wait these out, each until it is resolved or its window has closed, and settle what is left.

        With ``alone`` nothing but what this scope has sent may cause a match: where that has reached nobody, what is
        expected is settled at once, and only an absence is watched to its end (spec/steps.md 5).
        """
        for each in expectations:
            each.is_awaited = True
        deadline = max((each.closes_at or 0.0 for each in expectations), default=0.0)
        may_be_in_vain = alone and not any(each.occurs.waits_the_window_out for each in expectations)

        def is_over() -> bool:
            is_in_vain = may_be_in_vain and self.outbox.has_reached_nobody
            return is_in_vain or not any(each.is_pending for each in expectations)

        await self.until(is_over, deadline)
        await self.look_behind(expectations)
        measured = is_over()  # and not as long as it could have been
        for each in expectations:
            self.verdicts.expire(each, timeout_ms=None if measured else timeout_ms)

    async def look_behind(self, expectations: Iterable[Expectation]) -> None:
        """Before those of these that wait are settled, hear all that lay in the sockets and in their brokers for them.

        A broker that gives no answer is a failed transport: nothing is decided by not having looked (spec/steps.md 1).
        """
        topics: dict[str | None, dict[str, None]] = {}
        for each in expectations:
            if each.is_pending:
                topics.setdefault(each.link, {})[each.topic] = None
        if not topics:
            return
        self.outbox.expect_confirmations()
        for _ in range(_TURNS_TO_DRAIN):
            await asyncio.sleep(0)
        fences = (self._fence(self.links[name], tuple(asked)) for name, asked in topics.items())
        await asyncio.gather(self.outbox.confirmations(), *fences)
        self._backlog.flush()

    async def hear_out(self, deadline: float) -> None:
        """Before a result is made, hear what is still due to what waited until then, and judge all that has come."""
        pending = [each for each in self.expectations if each.is_pending]
        if pending:
            self._windows.bound(pending, deadline)
            await self.look_behind(pending)
        self._backlog.flush()

    async def _fence(self, link: Link, topics: tuple[str, ...]) -> None:
        try:
            await link.harness.fence(topics)
        except Exception as error:  # noqa: BLE001 - a transport of any make: it cannot say whether all has come
            if self.outbox.overdue is not None:
                return  # why not even our own message is through says more
            for topic in topics:
                self.outbox.failed(link, topic, f"the broker did not say that all has come: {error}")

    async def until(self, condition: Callable[[], bool], deadline: float) -> None:
        """Wait until a condition on handles or replies holds, at the longest until a loop time."""
        await self._changes.until(condition, deadline)

    def listening(self) -> Iterator[tuple[Link, str, tuple[str, ...]]]:
        """Each topic this scope listens to, with its link and who listens: ``expect``, ``reply`` or both."""
        for (_, topic), listener in self._listeners.items():
            roles = dict.fromkeys("reply" if isinstance(each, Reply) else "expect" for each in listener.takers)
            yield listener.link, topic, tuple(roles)

    def surprises(self) -> tuple[SurpriseEntry, ...]:
        """Messages on this scope's topics, since it was entered, that no scenario owned."""
        logged: list[SurpriseEntry] = []
        for name, link in self.links.items():
            logged += link.harness.router.dispatcher.surprise_log(since=self._surprised[name])
        if not logged:
            return ()
        mine = {topic for _, topic in self._listeners}
        return tuple(each for each in logged if any(topic_patterns.matches(topic, each.topic) for topic in mine))

    # --- the end --------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop listening everywhere; a failing unsubscribe is logged and the rest continue."""
        self._resume_collections()
        self._windows.forget()
        for expectation in self.expectations:
            _ = expectation.handle.diagnosis  # made now, while what was heard is still at hand
        self.outbox.close()
        self.replier.close()
        for (_, topic), listener in self._listeners.items():
            guarded(listener.link, topic, partial(listener.link.harness.router.close, topic, listener))
        for link, pattern in self._watched:
            guarded(link, pattern, partial(link.harness.router.nearby.remove, pattern))
        self._listeners.clear()
        self._watched.clear()
        disown(self, self.links.values(), self.expectations, at=self.clock())
