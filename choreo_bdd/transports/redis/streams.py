"""Redis Streams: one blocking XREAD for all streams, from positions that were fixed before anything was promised."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from choreo_bdd import topic_patterns
from choreo_bdd.exceptions import TransportError
from choreo_bdd.transports.redis.messages import START, EntryLayout, Id, Layouts, id_of, text_of
from choreo_bdd.transports.redis.pubsub import glob_of
from choreo_bdd.transports.redis.tally import BEGINNING, End, Tally, end_seen, end_told
from choreo_bdd.transports.redis.wire import Wire, is_denial, is_refusal, reason_of
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


class _Stream:
    """A stream that is read: how far, and for whom from which entry on."""

    __slots__ = ("fields", "listeners", "missed", "position", "tally")

    def __init__(self, listeners: dict[Registration, Id], end: End) -> None:
        self.listeners = listeners
        self.position = min(listeners.values())
        self.fields = end.fields if end.last == self.position else None
        """Those of the entry at its position, where they are known."""
        self.tally = Tally(end if end.last == self.position else BEGINNING)
        self.missed: Counter[Registration] = Counter()
        """How many entries each listener can never be told, for they were gone before they were read."""

    def is_another(self, end: End) -> bool:
        """Whether it shows by its last entry that it was made anew: entries never change."""
        return end.last == self.position and None not in (end.fields, self.fields) and end.fields != self.fields

    def begin_anew(self, last: Id | None = None) -> None:
        """Have all of it be news to whoever listens; those who began by ``last`` came since."""
        self.position, self.fields, self.tally = START, None, Tally(BEGINNING)
        for registration, start in self.listeners.items():
            self.listeners[registration] = start if last is not None and start <= last else START

    def settle(self, end: End | None) -> None:
        """Note what whoever listens has missed of all up to an end, once all that is left of it has been read."""
        if end is not None and (missing := self.tally.missing(end)):
            self.missed.update(dict.fromkeys(self.listeners, missing))

    def require_whole(self, name: str, registrations: Iterable[Registration]) -> None:
        """``TransportError`` where one of these has missed any."""
        if missing := max((self.missed[each] for each in registrations), default=0):
            entries = "an entry" if missing == 1 else f"{missing:,} entries"
            raise TransportError(
                f"{entries} of the stream {name!r} had been deleted, or trimmed away, before we could read"
            )


class Streams:
    """The listening side of Streams: a talking connection for positions, and one that reads and blocks."""

    def __init__(self, talking: Wire, listening: Wire, layouts: Layouts) -> None:
        self._talking = talking
        self._listening = listening
        self._layouts = layouts
        self._loop = asyncio.get_running_loop()
        self._streams: dict[str, _Stream] = {}
        self._patterns: list[Registration] = []
        self._denied: set[str] = set()
        """Streams under these patterns that this user may not read; one alone would make every read fail."""
        self._client_id: int | None = None
        self._is_stale = False
        self._filled = asyncio.Event()
        self._left = asyncio.Event()
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
                name: BEGINNING for name in self._streams if topic_patterns.matches(registration.topic, name)
            } | starts
            self._patterns.append(registration)
        for name, end in starts.items():
            self._attach(name, registration, end)
        self._look_around()
        await self._interrupt()  # whoever is woken gets what comes in the order in which it comes
        registration.confirm()

    async def _starts(self, topic: str) -> dict[str, End]:
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
        seen = {name: end_seen(last) for name, last in zip(names, answers[::2], strict=True)}
        return seen | await self._told(names)

    def _attach(self, name: str, registration: Registration, end: End) -> None:
        stream, start = self._streams.get(name), end.last
        self._denied.discard(name)
        if stream is not None:
            if stream.is_another(end):
                stream.begin_anew()
                self._is_stale = True
            stream.listeners[registration] = start
            return
        # A stream met for the first time was not there when the patterns looked, so all of it is news to them.
        listeners = {each: START for each in self._patterns if topic_patterns.matches(each.topic, name)}
        self._streams[name] = _Stream({**listeners, registration: start}, end)
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
        if not self._streams and not self._patterns:
            self._left.set()

    # --- streams that appear later, or anew -----------------------------------------------------------------------

    def _look_around(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = self._tasks.spawn(self._keep_looking())

    async def _keep_looking(self) -> None:
        pause = _DISCOVERY_S
        while self._patterns or self._streams:
            self._left.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._left.wait()  # then there is nothing to look for: whoever comes begins anew
                    continue
            began = self._loop.time()
            try:
                await self._meet_all({registration.topic for registration in self._patterns})
                await self._look_back()
            except ConnectionError:
                return
            except Exception as error:  # noqa: BLE001 - a subscription that hears no more is a lost one
                self._listening.shut(f"streams can no longer be looked for: {reason_of(error)}")
                return
            pause = max(_DISCOVERY_S, _DISCOVERY_SHARE * (self._loop.time() - began))

    async def _look_back(self) -> None:
        """See whether what is read is still the same, and whole."""
        told = await self._start_over([name for name, stream in self._streams.items() if stream.position > START])
        for name, end in told.items():
            stream = self._streams.get(name)
            if stream is not None and stream.position >= end.last:
                stream.settle(end)

    async def _meet_all(self, patterns: Iterable[str]) -> None:
        """Read the streams under these patterns that have come since they were last looked for."""
        for pattern in patterns:
            for name in set(await self._scan(pattern)) - self._streams.keys() - self._denied:
                self._meet(name)
        await self._interrupt()

    def _meet(self, name: str) -> None:
        for registration in self._patterns:
            if topic_patterns.matches(registration.topic, name):
                self._attach(name, registration, BEGINNING)

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
        streams = (text for text in texts if isinstance(self._layouts.of(text), EntryLayout))
        return [text for text in streams if topic_patterns.matches(pattern, text)]

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
                if is_denial(error) and await self._leave_denied():
                    continue
                self._listening.shut(f"the streams can no longer be read: {reason_of(error)}")
                self._progress.set()
                return
            now = self._listening.arrived_at
            for name, entries in answer or ():
                self._take(name.decode(), entries, now)
            self._progress.set()

    async def _leave_denied(self) -> bool:
        """Go on without the streams that this user may not read, told to whoever heard them; whether there are any."""
        asked = {name: self._talking.pack("XREAD", "COUNT", 1, "STREAMS", name, "$") for name in self._streams}
        denied: dict[str, str] = {}
        try:
            for name, answer in zip(asked, self._talking.write(list(asked.values())), strict=True):
                try:
                    await answer
                except Exception as error:
                    if not is_denial(error):
                        raise
                    denied[name] = reason_of(error)
        except Exception:  # noqa: BLE001 - the connection is lost, or worse: whoever reads tells why
            return False
        self._denied |= denied.keys()
        for name, reason in denied.items():
            stream = self._streams.pop(name, None)
            for registration in () if stream is None else tuple(stream.listeners):
                if not registration.is_bystander:
                    registration.interrupt(_NAME, f"the stream {name!r} cannot be read: {reason}")
        return bool(denied)

    def _read_command(self) -> tuple[str | int, ...]:
        block = _BLOCK_UNINTERRUPTED_MS if self._client_id is None else _BLOCK_MS
        positions = (text_of(stream.position) for stream in self._streams.values())
        return ("XREAD", "COUNT", _ENTRIES, "BLOCK", block, "STREAMS", *self._streams, *positions)

    async def _interrupt(self) -> None:
        """Have the blocked read start over, with the streams that have come since and are still there."""
        while self._is_stale and self._streams and self._client_id is not None and self._listening.closed is None:
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
                stream.tally.note(entry)

    async def fence(self, registrations: Sequence[Registration]) -> None:
        """Ask where the streams end, and wait until they have been read that far."""
        await self._meet_all({each.topic for each in registrations if topic_patterns.is_pattern(each.topic)})
        names = {name for name, stream in self._streams.items() if stream.listeners.keys() & set(registrations)}
        told = await self._start_over(names)
        ends = await self._ends(names)
        while self._is_behind(ends):
            self._progress.clear()
            await self._progress.wait()
            if self._listening.closed is not None:
                raise ConnectionError(self._listening.closed)
        for name in names & self._streams.keys():
            self._streams[name].settle(told.get(name))
            self._streams[name].require_whole(name, registrations)

    async def _start_over(self, names: Iterable[str]) -> Mapping[str, End]:
        """Read those from their start that were made anew: with ids below what has been read, or another last entry.

        Returns where each ends, as far as this user may ask.
        """
        read = {name: self._streams[name].position for name in names}
        told = await self._told(read)
        for name, end in told.items():
            stream = self._streams.get(name)
            if stream is None or stream.position != read[name]:
                continue
            if end.last_ever < read[name]:
                stream.begin_anew(end.last_ever)
            elif stream.is_another(end):
                stream.begin_anew()
            else:
                continue
            self._is_stale = True
        await self._interrupt()
        return told

    async def _told(self, names: Iterable[str]) -> dict[str, End]:
        """Where streams end, by the server's word; without those that this user may not ask for."""
        told = {}
        asked = {name: self._talking.pack("XINFO", "STREAM", name) for name in names}
        for name, answer in zip(asked, self._talking.write(list(asked.values())), strict=True):
            try:
                told[name] = end_told(await answer)
            except Exception as error:
                if not is_refusal(error):
                    raise
                if "no such key" in str(error):
                    told[name] = BEGINNING
        return told

    async def _ends(self, names: Collection[str]) -> Mapping[str, Id]:
        """The id of each stream's last entry, where there is one."""
        asked = [self._talking.pack("XREVRANGE", name, "+", "-", "COUNT", 1) for name in names]
        answers = [await answer for answer in self._talking.write(asked)]
        return {name: id_of(last[0][0]) for name, last in zip(names, answers, strict=True) if last}

    def _is_behind(self, ends: Mapping[str, Id]) -> bool:
        return any(name in self._streams and self._streams[name].position < end for name, end in ends.items())

    # --- the rest -------------------------------------------------------------------------------------------------

    def command(self, outgoing: Outgoing) -> tuple[str | bytes | int, ...]:
        """How a message is published."""
        if self._patterns and outgoing.topic not in self._streams and outgoing.topic not in self._denied:
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
