"""A scope's way out: stamp, encode, wait for the scope's own subscriptions, send in order, remember what left when."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from msgspec import Struct

from choreo_bdd.codecs.base import reads_json
from choreo_bdd.correlation import Envelope
from choreo_bdd.exceptions import CorrelationIdNotInNamespaceError, CorrelationPolicyError, NoPlaceForIdError
from choreo_bdd.message import Encoded, MessageRecord
from choreo_bdd.observers.traffic import Sent
from choreo_bdd.scenario.arming import Proofs
from choreo_bdd.scenario.links import Link
from choreo_bdd.scenario.timeline import TimelineAction, _Timeline
from choreo_bdd.shared.promises import break_promise
from choreo_bdd.transports.base import Ready

_PUBLISHED = TimelineAction.PUBLISHED
_CONFIRMED_S = 1.0


class Publication(Struct, frozen=True, eq=False):
    """A message ready to go: stamped and encoded; nothing of it changes any more."""

    link: Link
    topic: str
    data: bytes
    value: Any
    headers: Mapping[str, str]
    key: str | None

    def __repr__(self) -> str:
        return f"<Publication on {self.topic!r}>"  # what it says may be secret

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []  # a struct's own shows every field

    @classmethod
    def prepare(cls, link: Link, topic: str, payload: Any, headers: Mapping[str, str], key: str | None) -> Publication:
        """Stamp a payload with the scope's id on this link and encode it; what the caller does to it later is its own.

        Raises ``CorrelationIdNotInNamespaceError``, ``NoPlaceForIdError``, ``CorrelationPolicyError``,
        ``ContractBroken`` or what the codec raises; nothing has been sent then.
        """
        carried = link.harness.headers_of(topic, headers)
        if link.trace_headers is not None:
            carried = {**link.trace_headers(topic, carried), **carried}
        envelope = _stamp(link, Envelope(topic, payload, carried))
        data = link.harness.outgoing(envelope.topic, envelope.payload, envelope.headers)
        return cls(link, envelope.topic, data, envelope.payload, dict(envelope.headers), key)

    @property
    def overrides_id(self) -> bool:
        """Whether it carries another id than its scope's, read back through the policy; ``CorrelationPolicyError``."""
        if self.link.wire_id is None:
            return False
        policy = self.link.harness.correlation
        try:
            carried = policy.read(Envelope(self.topic, self.value, self.headers))
        except Exception as error:
            raise CorrelationPolicyError(type(policy).__name__, "read", error) from error
        return carried is not None and carried != self.link.wire_id

    @property
    def size(self) -> int:
        """In bytes, as it travels."""
        return len(self.data)

    def record(self, transport: str | None) -> MessageRecord:
        """The message as results keep it; ``transport`` is its name on a Stage."""
        codec = self.link.harness.codec_of(self.topic)
        content, json = Encoded(self.data, codec.decode), self.data if reads_json(codec) else None
        return MessageRecord(self.topic, transport, content, self.size, self.headers, self.key, json=json)


def _stamp(link: Link, envelope: Envelope) -> Envelope:
    if link.wire_id is None:
        return envelope
    policy = link.harness.correlation
    try:
        return policy.write(envelope, link.wire_id)
    except (CorrelationIdNotInNamespaceError, NoPlaceForIdError):
        raise
    except Exception as error:
        raise CorrelationPolicyError(type(policy).__name__, "write", error) from error


class TransportFailure(Struct, frozen=True):
    """A transport could not do what the scenario asked of it."""

    transport: str | None
    topic: str
    reason: str


class Unheard(NamedTuple):
    """Messages that have reached nobody: a sentence a topic, and whether that is all that left."""

    sentences: tuple[str, ...]
    are_all: bool


class _Sent(NamedTuple):
    at: float
    publication: Publication | None = None
    """``None`` for an act of the user's own."""
    began: float = 0.0
    """When such an act began; ``at`` is when it counts from."""

    @property
    def topic(self) -> str | None:
        """Where it went; ``None`` for an act."""
        return None if self.publication is None else self.publication.topic

    @property
    def link(self) -> str | None:
        """The name of the link it went by, where a scope has several."""
        return None if self.publication is None else self.publication.link.name


class _Departure:
    """Told when a message has left. A transport that still has it may ask whether its scope wants it to leave."""

    __slots__ = ("_left_at", "_outbox", "_publication", "_sent", "is_reply")

    def __init__(
        self, outbox: Outbox, publication: Publication, sent: Callable[[float | None], None], *, is_reply: bool
    ) -> None:
        self._outbox = outbox
        self._publication = publication
        self._sent = sent
        self._left_at: float | None = None
        self.is_reply = is_reply

    def __call__(self) -> None:
        self._sent(self._left_at)

    def leaving(self, at: float) -> None:
        """Take down when it has left, of which the call tells a moment later."""
        self._left_at = at

    @property
    def is_given_up(self) -> bool:
        """Whether the scope has been left: what it had not sent by then would only disturb the next one."""
        return self._outbox.is_closed

    def unheard(self, words: str) -> None:
        """Note what the broker says: it has reached nobody."""
        self._outbox.unheard(self._publication, words)


class Outbox:
    """Publishes of one scope, in call order."""

    def __init__(
        self, proofs: Proofs, timeline: _Timeline, clock: Callable[[], float], notify: Callable[[], None]
    ) -> None:
        self._proofs = proofs
        self._notify = notify
        self._timeline = timeline
        self._clock = clock
        self._waiting: deque[tuple[Publication, Ready]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._sent: list[_Sent] = []
        self._begun: dict[str, dict[str | None, float]] = {}
        """When the first message on a topic was handed to its transport, in loop time, by the names of links."""
        self._acts: list[_Sent] = []
        """Those of ``_sent`` that are acts of the user's own."""
        self._unconfirmed: dict[Ready, str] = {}
        self._due: frozenset[Ready] = frozenset()
        """What should have been confirmed by now: it was under way when the broker was asked for all it had."""
        self._unheard: dict[Publication, str] = {}
        """What has reached nobody, and in what words the broker said so."""
        self.is_closed = False
        self.failures: list[TransportFailure] = []
        self._act_began = 0.0
        self._is_acting = False

    def put(self, publication: Publication) -> Ready | None:
        """Send a message, at once when the scope's subscriptions are live, else as soon as they are."""
        if self._task is None and self._proofs.is_live:
            try:
                return self.send(publication, partial(self._published, publication))
            except Exception as error:
                self._take_down(publication, str(error), at_once=True)
                raise
        done: Ready = asyncio.get_running_loop().create_future()
        self._waiting.append((publication, done))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._send_waiting())
        return done

    def send(
        self, publication: Publication, on_sent: Callable[[float | None], None], *, is_reply: bool = False
    ) -> Ready | None:
        """Hand a message, or a stand-in's reply, to the transport now; a later failure is recorded.

        ``on_sent`` is called once it has left, with the loop time of that where the transport knows it.
        """
        self._begun.setdefault(publication.topic, {}).setdefault(publication.link.name, self._clock())
        ready = publication.link.harness.send(
            publication.topic,
            publication.data,
            on_sent=_Departure(self, publication, on_sent, is_reply=is_reply),
            headers=publication.headers,
            key=publication.key,
        )
        if ready is not None:
            self._unconfirmed[ready] = publication.topic
            ready.add_done_callback(partial(self._settled, publication, is_reply))
        return ready

    async def _send_waiting(self) -> None:
        try:
            await self._proofs.ready()
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for these messages, and recorded
            self._refuse(error)
            return
        finally:
            self._task = None
        while self._waiting:
            publication, done = self._waiting.popleft()
            try:
                ready = self.send(publication, partial(self._published, publication))
            except Exception as error:  # noqa: BLE001 - as above
                self._not_sent(publication, f"{type(error).__name__}: {error}")
                break_promise(done, error)
                continue
            if ready is None:
                done.set_result(None)
            else:
                ready.add_done_callback(partial(_copy, to=done))

    def _refuse(self, error: Exception) -> None:
        while self._waiting:
            publication, done = self._waiting.popleft()
            self._not_sent(publication, str(error))
            break_promise(done, error)

    def _settled(self, publication: Publication, is_reply: bool, ready: Ready) -> None:
        del self._unconfirmed[ready]
        if ready.cancelled():
            if not is_reply:
                self._take_down(publication, "the broker did not confirm it while that was waited for")
        elif (error := ready.exception()) is not None:
            if is_reply:
                self.failed(publication.link, publication.topic, str(error))
            else:
                self._not_sent(publication, str(error))
        if publication in self._unheard:
            self._notify()

    def failed(self, link: Link, topic: str, reason: str) -> None:
        """Record that a transport could not do its part; it becomes a diagnosis of its own."""
        self.failures.append(TransportFailure(link.name, topic, reason))

    def _not_sent(self, publication: Publication, reason: str) -> None:
        self.failed(publication.link, publication.topic, reason)
        self._take_down(publication, reason)

    def _take_down(self, publication: Publication, reason: str, *, at_once: bool = False) -> None:
        """Have a recording tell that a message did not get through; ``at_once`` where whoever published was told."""
        if (traffic := publication.link.harness.router.traffic) is not None:
            now = self._clock()
            sent = Sent(now, publication.topic, publication.data, publication.headers, publication.key)
            traffic.fail(sent._replace(failed=reason, failed_at=None if at_once else now))

    def _published(self, publication: Publication, left_at: float | None) -> None:
        now = self._clock()
        at = now if left_at is None else left_at
        self._sent.append(_Sent(at, publication))
        if (traffic := publication.link.harness.router.traffic) is not None:
            traffic.send(Sent(at, publication.topic, publication.data, publication.headers, publication.key))
        self._timeline.record(
            action=_PUBLISHED,
            topic=publication.topic,
            transport=publication.link.name,
            source="publish" if publication.link.name is not None else None,
            message=publication,
            at=now,
        )

    def unheard(self, publication: Publication, words: str) -> None:
        """Record that a message has reached nobody."""
        self._unheard[publication] = words
        if (traffic := publication.link.harness.router.traffic) is not None:
            traffic.unheard(publication.topic, publication.data, words)

    @property
    def returned(self) -> tuple[tuple[float, Publication, str], ...]:
        """Each message that has reached nobody: the loop time at which it left, and what the broker says of it."""
        if not self._unheard:
            return ()
        left = ((sent.at, sent.publication) for sent in self._sent if sent.publication in self._unheard)
        return tuple((at, each, self._unheard[each]) for at, each in left if each is not None)

    def nobody_listens(self, topic: str | None, *, since: float) -> Unheard:
        """What has reached nobody of all that left, or was done, since a loop time (on ``topic``)."""
        sent = [each.publication for each in self._sent if each.at >= since and topic in (None, each.topic)]
        concerned = set(sent)
        said = {each.topic: words for each, words in self._unheard.items() if each in concerned}
        sentences = tuple(f"nobody listens on {at!r}: {words}" for at, words in said.items())
        return Unheard(sentences, are_all=bool(said) and concerned <= self._unheard.keys())

    @property
    def has_reached_nobody(self) -> bool:
        """Whether the brokers say so of every message that this scope has sent, and nothing else was done."""
        is_under_way = self._waiting or self._unconfirmed or self._is_acting
        return bool(self._sent) and not is_under_way and all(each.publication in self._unheard for each in self._sent)

    def expect_confirmations(self) -> None:
        """Say that the broker is asked for all it has now: what is under way should be confirmed."""
        self._due = frozenset(self._unconfirmed)

    async def confirmations(self) -> None:
        """Give what is due a moment beyond the broker's answer, which may come on another connection."""
        if due := self._due & self._unconfirmed.keys():
            await asyncio.wait(due, timeout=_CONFIRMED_S)

    @property
    def overdue(self) -> str | None:
        """Which messages are still under way, and why; ``None`` if none is.

        Not sent, because a subscription of the scope is not proven live, or not confirmed although the broker was asked
        behind it. What has left since, as of stand-ins that answer each other, is only on its way.
        """
        if self._waiting:
            waiting = _listed(publication.topic for publication, _ in self._waiting)
            return f"the message on {waiting} has not been sent yet: a subscription is still unconfirmed"
        late = [topic for ready, topic in self._unconfirmed.items() if ready in self._due]
        return f"the broker has not confirmed the message on {_listed(late)} yet" if late else None

    @property
    def topics(self) -> frozenset[str]:
        """Topics this scope has published on."""
        return frozenset(sent.topic for sent in self._sent if sent.topic is not None)

    def begin_act(self) -> None:
        """Say that an act of the user's own is under way; when it counts from is not known yet."""
        self._is_acting, self._act_began = True, self._clock()

    def count_from(self, moment: float) -> None:
        """Have times count from an act of the user's own, at a loop time."""
        self._is_acting = False
        act = _Sent(moment, began=self._act_began)
        self._sent.append(act)
        self._acts.append(act)

    def is_during_act(self, moment: float) -> bool:
        """Whether at a loop time an act of the user's own had begun, and did not count yet."""
        if self._is_acting and self._act_began <= moment:
            return True
        return bool(self._acts) and any(act.began <= moment < act.at for act in self._acts)

    def last_sent(
        self, by: float, topic: str | None = None, link: str | None = None, *, since: float = float("-inf")
    ) -> float | None:
        """Loop time of the last message (on ``topic``, and ``link``) that left, or the last act, between two times."""
        for sent in reversed(self._sent):  # in order of time, and the latest is nearly always the one
            if sent.at < since:
                return None
            if sent.at <= by and (topic is None or topic == sent.topic) and (link is None or link == sent.link):
                return sent.at
        return None

    def had_begun(self, topic: str, link: str | None, by: float) -> bool:
        """Whether by a loop time the first message on ``topic`` was on its way: an answer may overtake our knowing."""
        return any(at <= by for on, at in self._begun.get(topic, {}).items() if link in (None, on))

    def close(self) -> None:
        """Give up what has not been sent yet."""
        self.is_closed = True
        if self._task is not None:
            self._task.cancel()
            self._task = None
        while self._waiting:
            self._waiting.popleft()[1].cancel()


def _listed(topics: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(map(repr, topics)))


def _copy(settled: Ready, to: Ready) -> None:
    if to.done():
        return
    if settled.cancelled():
        to.cancel()
    elif (error := settled.exception()) is not None:
        break_promise(to, error)
    else:
        to.set_result(None)
