"""Redis Streams: one blocking XREAD for all streams, from positions that were fixed before anything was promised."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from choreo_bdd import topic_patterns
from choreo_bdd.transports.redis.messages import START, EntryLayout, Id, Layouts, id_of, text_of
from choreo_bdd.transports.redis.pubsub import glob_of
from choreo_bdd.transports.redis.wire import Wire, is_refusal, reason_of
from choreo_bdd.transports.shared.outbound import Outgoing
from choreo_bdd.transports.shared.subscriptions import Registration
from choreo_bdd.transports.shared.tasks import Tasks

_NAME = "RedisTransport"
_BLOCK_MS = 5000
_BLOCK_UNINTERRUPTED_MS = 50  # for a user who may not CLIENT UNBLOCK: new streams wait for the next turn
_ENTRIES = 1000
_SCAN_COUNT = 1000
_AGAIN_S = 0.001
_DISCOVERY_S = 0.1
_DISCOVERY_SHARE = 10  # scanning takes at most a tenth of the server's time for us

Fields = list[bytes]
Place = tuple[Id, Fields | None]
"""Where a stream ends: the id of its last entry and the fields of that."""

_BEGINNING: Place = (START, None)


class _Stream:
    """A stream that is read: how far, and for whom from which entry on."""

    __slots__ = ("fields", "listeners", "position")

    def __init__(self, listeners: dict[Registration, Id], place: Place) -> None:
        self.listeners = listeners
        self.position = min(listeners.values())
        self.fields = place[1] if place[0] == self.position else None
        """Those of the entry at its position, where they are known."""

    def is_another(self, place: Place) -> bool:
        """Whether it shows by its last entry that it was made anew: entries never change."""
        last, fields = place
        return last == self.position and None not in (fields, self.fields) and fields != self.fields

    def begin_anew(self, last: Id | None = None) -> None:
        """Have all of it be news to whoever listens; those who began by ``last`` came since."""
        self.position, self.fields = START, None
        for registration, start in self.listeners.items():
            self.listeners[registration] = start if last is not None and start <= last else START


class Streams:
    """The listening side of Streams: a talking connection for positions, and one that reads and blocks."""

    def __init__(self, talking: Wire, listening: Wire, layouts: Layouts) -> None:
        self._talking = talking
        self._listening = listening
        self._layouts = layouts
        self._loop = asyncio.get_running_loop()
        self._streams: dict[str, _Stream] = {}
        self._patterns: list[Registration] = []
        self._client_id: int | None = None
        self._is_stale = False
        self._filled = asyncio.Event()
        self._progress = asyncio.Event()
        self._tasks = Tasks()
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Learn how to interrupt our own blocking read, and begin to read."""
        try:
            client_id = await self._listening.call("CLIENT", "ID")
            await self._talking.call("CLIENT", "UNBLOCK", client_id)  # is it permitted?
        except Exception as error:
            if not is_refusal(error):
                raise
        else:
            self._client_id = client_id
        self._tasks.spawn(self._read())

    async def stop(self) -> None:
        """End everything that runs beside the connections."""
        self._tasks.cancel()
        await self._tasks.ended()

    # --- registrations --------------------------------------------------------------------------------------------

    def add(self, registration: Registration) -> None:
        """Listen for a registration; it is confirmed when the place to read from is known."""
        self._tasks.spawn(self._arm(registration))

    async def _arm(self, registration: Registration) -> None:
        try:
            starts = await self._starts(registration.topic)
        except Exception as error:  # noqa: BLE001 - told to whoever waits for this subscription
            registration.fail(_NAME, reason_of(error))
            return
        if registration.is_removed:
            return
        if topic_patterns.is_pattern(registration.topic):
            starts = {
                name: _BEGINNING for name in self._streams if topic_patterns.matches(registration.topic, name)
            } | starts
            self._patterns.append(registration)
        for name, place in starts.items():
            self._attach(name, registration, place)
        self._look_around()
        await self._interrupt()  # whoever is woken gets what comes in the order in which it comes
        registration.confirm()

    async def _starts(self, topic: str) -> dict[str, Place]:
        """The streams a topic stands for, and their ends; one that does not exist yet is read from its start."""
        names = await self._scan(topic) if topic_patterns.is_pattern(topic) else [topic]
        # The XREAD returns nothing: it proves that this user may read the stream, and that it is one.
        commands = [
            self._talking.pack(*command)
            for name in names
            for command in (
                ("XREVRANGE", name, "+", "-", "COUNT", 1),
                ("XREAD", "COUNT", 1, "STREAMS", name, "$"),
            )
        ]
        answers = [await answer for answer in self._talking.write(commands)]
        return {name: _place(last[0]) if last else _BEGINNING for name, last in zip(names, answers[::2], strict=True)}

    def _attach(self, name: str, registration: Registration, place: Place) -> None:
        stream, start = self._streams.get(name), place[0]
        if stream is not None:
            if stream.is_another(place):
                stream.begin_anew()
                self._is_stale = True
            stream.listeners[registration] = start
            return
        # A stream met for the first time was not there when the patterns looked, so all of it is news to them.
        listeners = {each: START for each in self._patterns if topic_patterns.matches(each.topic, name)}
        self._streams[name] = _Stream({**listeners, registration: start}, place)
        self._is_stale = True
        self._filled.set()

    def remove(self, registration: Registration) -> None:
        """Stop listening for a registration."""
        if registration in self._patterns:
            self._patterns.remove(registration)
        for name, stream in tuple(self._streams.items()):
            stream.listeners.pop(registration, None)
            if not stream.listeners:
                del self._streams[name]

    # --- streams that appear later, or anew -----------------------------------------------------------------------

    def _look_around(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = self._tasks.spawn(self._keep_looking())

    async def _keep_looking(self) -> None:
        pause = _DISCOVERY_S
        while self._patterns or self._streams:
            await asyncio.sleep(pause)
            began = self._loop.time()
            try:
                await self._meet_all({registration.topic for registration in self._patterns})
                await self._start_over([name for name, stream in self._streams.items() if stream.position > START])
            except ConnectionError:
                return
            except Exception as error:  # noqa: BLE001 - a subscription that hears no more is a lost one
                self._listening.shut(f"streams can no longer be looked for: {reason_of(error)}")
                return
            pause = max(_DISCOVERY_S, _DISCOVERY_SHARE * (self._loop.time() - began))

    async def _meet_all(self, patterns: Iterable[str]) -> None:
        """Read the streams under these patterns that have come since they were last looked for."""
        for pattern in patterns:
            for name in set(await self._scan(pattern)) - self._streams.keys():
                self._meet(name)
        await self._interrupt()

    def _meet(self, name: str) -> None:
        for registration in self._patterns:
            if topic_patterns.matches(registration.topic, name):
                self._attach(name, registration, _BEGINNING)

    async def _scan(self, pattern: str) -> list[str]:
        names: set[bytes] = set()
        cursor = b"0"
        while True:
            cursor, found = await self._talking.call(
                "SCAN", cursor, "MATCH", glob_of(pattern), "COUNT", _SCAN_COUNT, "TYPE", "stream"
            )
            names.update(found)
            if cursor == b"0":
                break
        texts = [name.decode("utf-8", "replace") for name in names]
        return [text for text in texts if topic_patterns.matches(pattern, text)]

    # --- reading --------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        while True:
            while not self._streams:  # again once woken: who was added may have been removed by now
                self._filled.clear()
                await self._filled.wait()
            self._is_stale = False
            try:
                answer = await self._listening.call(*self._read_command())
            except Exception as error:  # noqa: BLE001 - a subscription that hears no more is a lost one
                self._listening.shut(f"the streams can no longer be read: {reason_of(error)}")
                self._progress.set()
                return
            now = self._listening.arrived_at
            for name, entries in answer or ():
                self._take(name.decode(), entries, now)
            self._progress.set()

    def _read_command(self) -> tuple[str | int, ...]:
        block = _BLOCK_UNINTERRUPTED_MS if self._client_id is None else _BLOCK_MS
        positions = (text_of(stream.position) for stream in self._streams.values())
        return ("XREAD", "COUNT", _ENTRIES, "BLOCK", block, "STREAMS", *self._streams, *positions)

    async def _interrupt(self) -> None:
        """Have the blocked read start over, with the streams that have come since."""
        while self._is_stale and self._client_id is not None:
            try:
                was_blocked = await self._talking.call("CLIENT", "UNBLOCK", self._client_id)
            except Exception:  # noqa: BLE001 - the connection is lost, which others tell
                return
            if not was_blocked:
                await asyncio.sleep(_AGAIN_S)  # the read has not reached the server yet

    def _take(self, name: str, entries: Iterable[tuple[bytes, list[bytes]]], now: float) -> None:
        stream = self._streams.get(name)
        if stream is None:
            return  # unsubscribed while it was read
        layout = self._layout_of(name)
        for text, fields in entries:
            entry = id_of(text)
            message = layout.message(name, entry, fields, now)
            for registration, start in tuple(stream.listeners.items()):
                if entry > start:
                    registration.deliver(message)
            if entry > stream.position:
                stream.position, stream.fields = entry, fields

    async def fence(self, registrations: Sequence[Registration]) -> None:
        """Ask where the streams end, and wait until they have been read that far."""
        await self._meet_all({each.topic for each in registrations if topic_patterns.is_pattern(each.topic)})
        names = [name for name, stream in self._streams.items() if stream.listeners.keys() & set(registrations)]
        await self._start_over(names)
        ends = await self._ends(names)
        while self._is_behind(ends):
            self._progress.clear()
            await self._progress.wait()
            if self._listening.closed is not None:
                raise ConnectionError(self._listening.closed)

    async def _start_over(self, names: Sequence[str]) -> None:
        """Read those from their start that were made anew: with ids below what has been read, or another last entry."""
        read = {name: self._streams[name].position for name in names}
        for name, answer in zip(
            names, self._talking.write([self._talking.pack("XINFO", "STREAM", n) for n in names]), strict=True
        ):
            try:
                last, place = _ends_of(await answer)
            except Exception as error:
                if not is_refusal(error):
                    raise
                if "no such key" not in str(error):
                    continue  # this user may not ask
                last, place = START, _BEGINNING
            stream = self._streams.get(name)
            if stream is None or stream.position != read[name]:
                continue
            if last < read[name]:
                stream.begin_anew(last)
            elif stream.is_another(place):
                stream.begin_anew()
            else:
                continue
            self._is_stale = True
        await self._interrupt()

    async def _ends(self, names: Sequence[str]) -> Mapping[str, Id]:
        """The id of each stream's last entry, where there is one."""
        asked = [self._talking.pack("XREVRANGE", name, "+", "-", "COUNT", 1) for name in names]
        answers = [await answer for answer in self._talking.write(asked)]
        return {name: id_of(last[0][0]) for name, last in zip(names, answers, strict=True) if last}

    def _is_behind(self, ends: Mapping[str, Id]) -> bool:
        return any(name in self._streams and self._streams[name].position < end for name, end in ends.items())

    # --- the rest -------------------------------------------------------------------------------------------------

    def command(self, outgoing: Outgoing) -> tuple[str | bytes | int, ...]:
        """How a message is published."""
        if self._patterns and outgoing.topic not in self._streams:
            self._meet(outgoing.topic)
            self._tasks.spawn(self._interrupt())
        return self._layout_of(outgoing.topic).command(outgoing)

    @staticmethod
    def bystanders(_: str) -> int:
        """None: an entry stays for whoever comes to read it."""
        return 0

    def _layout_of(self, name: str) -> EntryLayout:
        layout = self._layouts.of(name)
        return layout if isinstance(layout, EntryLayout) else EntryLayout()  # one heard through a pattern may be untold


def _place(entry: Sequence[Any]) -> Place:
    return id_of(entry[0]), entry[1]


def _ends_of(info: Sequence[Any]) -> tuple[Id, Place]:
    """The id of the last entry a stream ever had, and the last it has, of what XINFO STREAM answers."""
    told = dict(zip(info[::2], info[1::2], strict=True))
    last = told[b"last-entry"]
    return id_of(told[b"last-generated-id"]), _place(last) if last else _BEGINNING
