"""Streams, channels and lists beside each other, as the layouts tell: each topic goes by its kind, a pattern by all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from choreo_bdd import topic_patterns
from choreo_bdd.message import Message
from choreo_bdd.transports.redis.lists import Lists
from choreo_bdd.transports.redis.messages import EntryLayout, Layouts, ListEnd
from choreo_bdd.transports.redis.pubsub import PubSub
from choreo_bdd.transports.redis.streams import Streams
from choreo_bdd.transports.redis.wire import Wire
from choreo_bdd.transports.shared.outbound import Outgoing
from choreo_bdd.transports.shared.subscriptions import Registration

_Kind = type[EntryLayout] | type[ListEnd] | None
"""The type of a topic's layout; ``None`` for a channel."""


class Mode(Protocol):
    """What Pub/Sub, streams and lists do differently."""

    def add(self, registration: Registration) -> None:
        """Listen for a registration."""

    def remove(self, registration: Registration) -> None:
        """Stop listening for it."""

    def command(self, outgoing: Outgoing) -> tuple[str | bytes | int, ...]:
        """How a message is published."""

    def bystanders(self, topic: str) -> int:
        """How many listen there for diagnosis only."""

    async def start(self) -> None:
        """Begin to listen."""

    async def stop(self) -> None:
        """End what runs beside the connections."""

    async def fence(self, registrations: Sequence[Registration]) -> None:
        """Return once all that is due to these has been handed over."""


def modes(talking: Wire, listening: Sequence[Wire], layouts: Layouts, database: int) -> Mode:
    """How topics are listened to and published on; ``listening`` are as many wires as there are kinds."""
    wires = iter(listening)
    by_kind: dict[_Kind, Mode] = {}
    if layouts.has_streams:
        by_kind[EntryLayout] = Streams(talking, next(wires), layouts)
    if layouts.has_channels:
        by_kind[None] = PubSub(next(wires))
    if layouts.has_lists:
        by_kind[ListEnd] = Lists(next(wires), database, layouts)
    return _ModeByLayout(by_kind, layouts) if len(by_kind) > 1 else next(iter(by_kind.values()))


class _Part(Registration):
    """What a registration of a pattern hears of one kind of topic; it is live once all of its parts are."""

    __slots__ = ("_kind", "_layouts", "_parts", "_whole")

    def __init__(self, whole: Registration, kind: _Kind, layouts: Layouts, parts: dict[_Kind, _Part]) -> None:
        super().__init__(whole.topic, whole.callback)
        self._whole = whole
        self._kind = kind
        self._layouts = layouts
        self._parts = parts

    def deliver(self, message: Message) -> None:
        """Hand over a message of a topic of this kind: one of that name may exist as another one, too."""
        if not self.is_removed and _kind_of(self._layouts, message.topic) is self._kind:
            self._whole.deliver(message)

    def confirm(self) -> None:
        """The broker has confirmed this part."""
        super().confirm()
        if all(part.is_live for part in self._parts.values()):
            self._whole.confirm()

    def fail(self, transport: str, reason: str) -> None:
        """Without one part the whole is none."""
        super().fail(transport, reason)
        self._whole.fail(transport, reason)

    def interrupt(self, transport: str, reason: str) -> None:
        """The broker has ended this part."""
        self.has_ended = True
        self._whole.interrupt(transport, reason)


class _ModeByLayout:
    """The modes that there are, by the kind of a topic's layout."""

    def __init__(self, by_kind: Mapping[_Kind, Mode], layouts: Layouts) -> None:
        self._modes = by_kind
        self._layouts = layouts
        self._parts: dict[Registration, dict[_Kind, _Part]] = {}

    def _of(self, topic: str) -> Mode:
        return self._modes[_kind_of(self._layouts, topic)]

    def add(self, registration: Registration) -> None:
        kind = _kind_of(self._layouts, registration.topic)
        is_of_one = _kinds_under(self._layouts, registration.topic) == {kind}
        if is_of_one or registration.is_bystander:  # for diagnosis no server shows all of its commands
            self._modes[kind].add(registration)
            return
        parts: dict[_Kind, _Part] = {}
        for kind in _kinds_under(self._layouts, registration.topic):
            parts[kind] = _Part(registration, kind, self._layouts, parts)
        self._parts[registration] = parts
        for kind, part in parts.items():
            self._modes[kind].add(part)

    def remove(self, registration: Registration) -> None:
        parts = self._parts.pop(registration, None)
        if parts is None:
            self._of(registration.topic).remove(registration)
            return
        for kind, part in parts.items():
            part.is_removed = True
            self._modes[kind].remove(part)

    def command(self, outgoing: Outgoing) -> tuple[str | bytes | int, ...]:
        return self._of(outgoing.topic).command(outgoing)

    def bystanders(self, topic: str) -> int:
        return self._of(topic).bystanders(topic)

    async def start(self) -> None:
        for mode in self._modes.values():
            await mode.start()

    async def stop(self) -> None:
        for mode in self._modes.values():
            await mode.stop()

    async def fence(self, registrations: Sequence[Registration]) -> None:
        for kind, mode in self._modes.items():
            concerned = list(self._concerned(registrations, kind))
            if concerned:
                await mode.fence(concerned)

    def _concerned(self, registrations: Iterable[Registration], kind: _Kind) -> Iterator[Registration]:
        for each in registrations:
            if (parts := self._parts.get(each)) is not None:
                yield from [parts[kind]] if kind in parts else []
            elif _kind_of(self._layouts, each.topic) is kind:
                yield each


def _kind_of(layouts: Layouts, topic: str) -> _Kind:
    layout = layouts.of(topic)
    return None if layout is None else type(layout)


def _kinds_under(layouts: Layouts, topic: str) -> set[_Kind]:
    """The kinds of topics that a name or pattern may mean."""
    if not topic_patterns.is_pattern(topic):
        return {_kind_of(layouts, topic)}
    return {None if layout is None else type(layout) for layout in layouts.under(topic)}
