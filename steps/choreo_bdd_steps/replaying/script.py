"""The recorded traffic as a play: every message comes again when it came, counted from what the scenario does."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NoReturn

from choreo_bdd import topic_patterns
from choreo_bdd.exceptions import TransportError
from choreo_bdd.message import NO_HEADERS, Message
from choreo_bdd.observers.traffic import Fenced, Heard, Lost, Sent
from choreo_bdd.shared.fitting import fits
from choreo_bdd.shared.promises import break_promise
from choreo_bdd.transports.abilities import Asking, Departing, Sender
from choreo_bdd.transports.base import (
    Interruptible,
    OnLost,
    OnSent,
    Ready,
    TransportCallback,
    TransportCapabilities,
)
from choreo_bdd.transports.shared.listeners import Listeners
from choreo_bdd_steps.recording import RecordedTransport, Recording

_EARLIER_S = 1.0
"""So much sooner than in the recorded run, whose steps took their time, the same question may be asked."""


@dataclass(slots=True)
class _Cue:
    """Something the scenario itself does: what was recorded after it waits until it is done again."""

    at: float
    transport: str | None
    topic: str | None
    asked: asyncio.Event
    done: asyncio.Future[None]
    sent: Sent | None = None
    settled: asyncio.Future[None] | None = None
    """Fails when the message failed then; ``None`` where it did not, or at once."""


class Script:
    """Plays a recording on the loop it is begun on; all transports of the scenario share it.

    What came before a publish comes before it again, what came after it comes as long after it as it did. Where the
    scenario is later than it was (its checks wait longer now), everything that follows is later by as much.
    """

    def __init__(self, recording: Recording) -> None:
        self.transports = {name: ReplayTransport(self, name, link) for name, link in recording.links.items()}
        self._acts = dict(recording.acts)
        self._links = recording.links
        self._cues: list[_Cue] = []
        self._task: asyncio.Task[None] | None = None
        self._base = 0.0

    def begin(self) -> None:
        """Start to play, on the running loop; a no-op while it plays."""
        if self._task is not None:
            return
        loop = asyncio.get_running_loop()
        self._base = loop.time()
        entries: list[tuple[float, int, Callable[[], None] | _Cue]] = []
        for name, link in self._links.items():
            transport = self.transports[name]
            entries += [(each.message.received_at, 1, partial(transport.deliver, each)) for each in link.heard]
            entries += [(each.at, 1, partial(transport.lose, each)) for each in link.lost if not each.is_untold]
            cues = [_cue(sent, name) for sent in link.sent]
            entries += [
                (cue.sent.failed_at, 1, partial(_fail, cue))
                for cue in cues
                if cue.sent and cue.sent.failed_at is not None
            ]
            self._cues += cues
        self._cues += [_Cue(at, None, None, asyncio.Event(), loop.create_future()) for at in self._acts.values()]
        self._cues.sort(key=lambda cue: cue.at)
        entries += [(cue.at, 0, cue) for cue in self._cues]
        entries.sort(key=lambda entry: entry[:2])
        self._task = asyncio.get_running_loop().create_task(self._play([(at, what) for at, _, what in entries]))

    async def _play(self, entries: list[tuple[float, Callable[[], None] | _Cue]]) -> None:
        loop = asyncio.get_running_loop()
        for at, what in entries:
            if isinstance(what, _Cue):
                await what.asked.wait()
            await asyncio.sleep(max(0.0, self._base + at - loop.time()))
            if isinstance(what, _Cue):
                self._base = max(self._base, loop.time() - at)
                what.done.set_result(None)
                await what.done  # whoever waits for it goes first
                await asyncio.sleep(0)
            else:
                what()

    def cue(self, transport: str | None, topic: str | None) -> _Cue | None:
        """The scenario does what it did: done at the moment when it was; ``None`` for what it did not do then.

        What stands before it, and is not asked for yet, the scenario does no more: nothing waits for that.
        """
        waiting = [cue for cue in self._cues if not cue.asked.is_set()]
        same = (place for place, cue in enumerate(waiting) if (cue.transport, cue.topic) == (transport, topic))
        place = next(same, None)
        if place is None:
            return None
        for cue in waiting[: place + 1]:
            cue.asked.set()
        return waiting[place]

    def now(self) -> float:
        """Seconds since the beginning, as the recording counts them."""
        return asyncio.get_running_loop().time() - self._base

    async def reach(self, at: float) -> None:
        """Go on to when the recorded run had come so far, what came until then included."""
        if self._task is not None and (left := at - self.now()) > 0:
            await asyncio.sleep(left)
            await asyncio.sleep(0)  # what came at that very moment goes first

    def end(self) -> None:
        """Play no more."""
        if self._task is not None:
            self._task.cancel()


class ReplayTransport:
    """Plays one transport's part; what is published on it goes nowhere."""

    def __init__(self, script: Script, name: str, link: RecordedTransport) -> None:
        self._script = script
        self._name = name
        self._capabilities = link.capabilities
        self._listeners = Listeners()
        self._on_lost: list[OnLost] = []
        self._is_called = link.type == "http"
        self._remarks = link.remarks
        self._overlooked = link.overlooked
        self._listened = link.listened
        self._fenced = [(_asked_since(each, link.heard), each) for each in link.fenced]
        self._breaks = [lost.reason for lost in link.lost if lost.topic is None]
        self._untold = [lost for lost in link.lost if lost.is_untold]
        self._answers = Counter(heard.message.topic for heard in link.heard)
        """How many answers to calls of a topic are still to come."""
        self._callers: list[tuple[str, asyncio.Future[None]]] = []
        self.lost: str | None = None

    @property
    def capabilities(self) -> TransportCapabilities:
        """Those that it had."""
        return self._capabilities

    async def connect(self) -> None:
        """Begin to play, with all others."""
        self._script.begin()

    async def disconnect(self) -> None:
        """End the play."""
        self._script.end()

    def on_lost(self, listener: OnLost) -> None:
        """Tell of a connection that was lost."""
        self._on_lost.append(listener)

    def lose(self, lost: Lost) -> None:
        """Lose the connection, or one subscription, as it was lost then."""
        if lost.topic is None:
            self.lost = lost.reason
            for listener in self._on_lost:
                listener(lost.reason)
            return
        for each in self._listeners:
            if each.topic != lost.topic:
                continue
            if lost.is_unanswered and fits(each.callback, Asking):
                each.callback.unanswered(lost.reason)
            elif fits(each.callback, Interruptible):
                each.callback.interrupted(lost.reason)

    def subscribe(self, topic: str, callback: TransportCallback) -> Ready | None:
        """Deliver what comes on a topic, or a pattern of topics, from now on."""
        self._listeners.add(topic, callback)
        return None

    def unsubscribe(self, topic: str, callback: TransportCallback) -> None:
        """Remove one registration."""
        self._listeners.remove(topic, callback)

    def publish(
        self,
        topic: str,
        payload: bytes,  # noqa: ARG002 - the protocol's signature
        *,
        on_sent: OnSent | None = None,
        headers: Mapping[str, str] = NO_HEADERS,  # noqa: ARG002 - as above
        key: str | None = None,  # noqa: ARG002 - as above
    ) -> Ready | None:
        """Send nothing: what came of it has been recorded. It has left at the moment when it left then."""
        if on_sent is None:
            return None
        is_reply = not fits(on_sent, Departing) or on_sent.is_reply
        if is_reply:  # what came of it has been recorded, too
            on_sent()
            return None
        cue = self._script.cue(self._name, topic)
        if cue is None:
            why = f" ({self._breaks[0]})" if self._breaks else ""
            no_more = f"the recorded run published nothing more on {topic!r}{why}"
            raise TransportError(f"{no_more}, so nobody knows what comes of it: run it live")
        sent = cue.sent
        if sent is not None and sent.failed is not None and sent.failed_at is None:
            raise TransportError(sent.failed)
        if sent is None or not sent.never_left:
            cue.done.add_done_callback(partial(_has_left, on_sent, None if sent is None else sent.unheard))
        if cue.settled is not None:
            return cue.settled
        return self._answer(topic) if self._is_called else cue.done

    def _answer(self, topic: str) -> Ready:
        """Who calls waits for the answer."""
        answered: Ready = asyncio.get_running_loop().create_future()
        if self._answers[topic]:
            self._callers.append((topic, answered))
        else:
            answered.set_exception(TransportError(f"no answer to {topic} has been recorded"))
        return answered

    async def fence(self, topics: Collection[str]) -> None:
        """All that was recorded until now has been delivered; ``TransportError`` where the broker did not say so then.

        When it was silent first nobody knows, so until it was found to be it counts as silent. What came between the
        question and the answer then comes before the answer again.
        """
        now = self._script.now()
        known = ((since, each) for since, each in self._fenced if not {*topics}.isdisjoint(each.topics))
        until = max((each.until for since, each in known if since <= now), default=now)
        if until > now:
            await asyncio.sleep(until - now)
            await asyncio.sleep(0)  # what came at that very moment goes first
        for lost in self._untold:
            if lost.topic in topics and now <= lost.at:
                raise TransportError(lost.reason)

    def remark(self, topic: str) -> str | None:
        """What was said of a topic then."""
        return self._remarks.get(topic)

    def overlooks(self, topic: str) -> str | None:
        """What of a pattern could not be heard then."""
        return self._overlooked.get(topic)

    def active_subscription_count(self) -> int:
        """How many registrations there are."""
        return len(self._listeners)

    def clear_subscriptions(self) -> None:
        """Forget every registration."""
        self._listeners.clear()

    def deliver(self, heard: Heard) -> None:
        """Hand over a message that came now."""
        message = replace(heard.message, received_at=asyncio.get_running_loop().time())
        for each in self._listeners:
            if each.topic in heard.subscribed or self._may_hear(each.topic, heard.message):
                each.deliver(message)
        self._answers[message.topic] -= 1
        for place, (topic, answered) in enumerate(self._callers):
            if topic == message.topic:
                answered.set_result(None)
                del self._callers[place]
                return

    def _may_hear(self, topic: str, message: Message) -> bool:
        """Whether its name is enough: not where it was listened to then and heard nothing (a list, another queue)."""
        was_listened_to = self._listened.get(topic, math.inf) <= message.received_at
        return not was_listened_to and topic_patterns.matches(topic, message.topic)

    def __reduce__(self) -> NoReturn:
        raise TypeError("ReplayTransport cannot be pickled: it belongs to one event loop")


def _cue(sent: Sent, name: str) -> _Cue:
    loop = asyncio.get_running_loop()
    settled = None if sent.failed_at is None else loop.create_future()
    return _Cue(sent.at, name, sent.topic, asyncio.Event(), loop.create_future(), sent, settled)


def _asked_since(fenced: Fenced, heard: Sequence[Heard]) -> float:
    """From when on the same question has the same answer: nothing came after that, before it was asked."""
    before = (each.message.received_at for each in heard if each.message.received_at <= fenced.at)
    return max((fenced.at - _EARLIER_S, *before))


def _fail(cue: _Cue) -> None:
    """The message does not get through, for the reason it had then."""
    assert cue.settled is not None  # it has failed
    assert cue.sent is not None
    break_promise(cue.settled, TransportError(str(cue.sent.failed)))


def _has_left(on_sent: OnSent, unheard: str | None, _: asyncio.Future[None]) -> None:
    on_sent()
    if unheard is not None and fits(on_sent, Sender):
        on_sent.unheard(unheard)
