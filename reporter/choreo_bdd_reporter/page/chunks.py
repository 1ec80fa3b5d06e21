"""A page too large for one JSON text keeps its scenarios in chunks: columns instead of objects, deflated, as base64.

The browser's own ``DecompressionStream`` reads them, one at a time, when a scenario is opened. Base64 has no ``<``,
so a chunk can stand in a ``<template>`` as it is.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any

from choreo_bdd_reporter.model.schema_types import ResultsScenario
from choreo_bdd_reporter.page.exact import exact
from choreo_bdd_reporter.read.entries import Entry, Json

ENTRIES_PER_CHUNK = 100
EVENTS_PER_CHUNK = 1_250
ATTACHED_PER_CHUNK = 2_000_000
"""Characters of what tests attached."""
_LEVEL = 6  # level 9 takes three times as long for 2 percent
_CLOCK_TOLERANCE_US = 1000
_NOTHING: Json = {}
_COLUMNS = ("action", "topic", "detail", "transport", "source", "logical_topic")


def deflated(text: str) -> str:
    """An ASCII text as base64 of its zlib stream."""
    return base64.b64encode(zlib.compress(text.encode("ascii"), _LEVEL)).decode("ascii")


def split(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """The entries of one group in runs that are quick to decode."""
    run: list[Entry] = []
    events = attached = 0
    for entry in entries:
        run.append(entry)
        earlier = (each.entry for each in entry.earlier if each.entry is not None)
        events += sum(len(part["timeline"]) for each in (entry, *earlier) for part in each.parts)
        attached += sum(len(each.get("text") or each.get("base64") or "") for each in entry.attachments)
        if len(run) == ENTRIES_PER_CHUNK or events >= EVENTS_PER_CHUNK or attached >= ATTACHED_PER_CHUNK:
            yield run
            run, events, attached = [], 0, 0
    if run:
        yield run


class Chunk:
    """The entries of one chunk; texts, payloads and messages that repeat are kept once.

    ``write`` makes JSON of what they hold.
    """

    def __init__(self, write: Callable[[Any], str]) -> None:
        self._write = write
        self._texts: dict[str, int] = {}
        self._payloads: dict[str, int] = {}
        self._messages: dict[str, int] = {}
        self._entries: list[str] = []

    def add(self, entry: Entry, *, bodies: bool, events: bool = True) -> None:
        """Take an entry in, with or without its message bodies and timelines. Earlier attempts are always whole."""
        earlier = [
            None if each.entry is None else self._entry(each.entry.read(), bodies=True, events=True)
            for each in entry.earlier
        ]
        self._entries.append(self._write([*self._entry(entry, bodies=bodies, events=events), earlier]))

    def _entry(self, entry: Entry, *, bodies: bool, events: bool) -> list[Any]:
        notes = (*entry.notes, *repeat(_NOTHING, len(entry.parts) - len(entry.notes)))
        parts = [
            {**self._part(part, note, bodies, events), "bus": entry.bus(place)}
            for place, (part, note) in enumerate(zip(entry.parts, notes, strict=False))
        ]
        return [{**entry.test, "scenarios": parts}, entry.scenario, [*entry.attachments]]

    def text(self) -> str:
        """The chunk as the page reads it: a line each for the texts, how many entries and payloads there are, then
        every entry, payload and message, so that the page parses those alone that are looked at.
        """
        counts = [len(self._entries), len(self._payloads)]
        head = [self._write(list(self._texts)), self._write(counts)]
        return deflated("\n".join([*head, *self._entries, *self._payloads, *self._messages]))

    def _part(self, part: ResultsScenario, notes: Json, bodies: bool, events: bool) -> dict[str, Any]:
        table = _Table(notes, self)
        heard = notes.get("timeline") or () if events else ()
        strays = notes.get("strays") or () if events and bodies else ()
        return {
            **part,
            "handles": [self._handle(handle, bodies) for handle in part["handles"]],
            "timeline": self._timeline(part["timeline"] if events else ()),
            "notes": [
                {**note, "messages": table.messages(note.get("messages") or ()) if bodies else []}
                for note in notes.get("handles") or ()
            ],
            "spans": notes.get("spans") or [] if events else [],
            "surprises": notes.get("surprises") or [],
            "strays": [{**each, "message": table.messages([each["message"]])[0]} for each in strays],
            "broken": notes.get("transport_failures") or [],
            "left": notes.get("left_out") or {},
            **exact(part, notes),
            "same": table.payloads(heard),
            "heard": table.messages(heard) if bodies else None,
        }

    def _handle(self, handle: Json, bodies: bool) -> Json:
        if handle["actual"] is None:
            return handle
        return {**handle, "actual": self.payload(self._write(handle["actual"])) if bodies else -1}

    def _timeline(self, events: Sequence[Json]) -> dict[str, Any]:
        columns = {name: self._numbers([event.get(name) for event in events]) for name in _COLUMNS}
        offsets = [round(event["offset_ms"] * 1000) for event in events]
        return {name: column for name, column in columns.items() if max(column, default=-1) >= 0} | {
            "step": [after - before for before, after in zip([0, *offsets], offsets, strict=False)],
            "clock": events[0]["wall_clock"] if events else None,
            "drift": _drift(events, offsets),
        }

    def _numbers(self, texts: Sequence[str | None]) -> list[int]:
        """The place of each text, -1 for none."""
        known = self._texts
        return [-1 if text is None else known.setdefault(text, len(known)) for text in texts]

    def payload(self, text: str) -> int:
        """The place of a payload, given as JSON."""
        return self._payloads.setdefault(text, len(self._payloads))

    def message(self, message: Json, payload: str) -> int:
        """The place of a message with this payload."""
        known = self._write({**message, "payload": self.payload(payload)})
        return self._messages.setdefault(known, len(self._messages))


class _Table:
    """The messages of a part by their places, as they are found again in its chunk; -1 stands for none."""

    def __init__(self, notes: Json, chunk: Chunk) -> None:
        self._messages: Sequence[Json] = notes.get("messages") or ()
        self._payloads: Sequence[str] = notes.get("payloads") or ()
        self._chunk = chunk
        self._places: dict[int, int] = {-1: -1}

    def messages(self, places: Sequence[int]) -> list[int]:
        for place in places:
            if place not in self._places:
                message = self._messages[place]
                self._places[place] = self._chunk.message(message, self._payloads[message["payload"]])
        return [self._places[place] for place in places]

    def payloads(self, places: Sequence[int]) -> list[int]:
        """Equal numbers for equal payloads: what the page needs to follow a message whose body is not kept."""
        return [-1 if place < 0 else self._messages[place]["payload"] for place in places]


def _drift(events: Sequence[Json], offsets: Sequence[int]) -> dict[str, str]:
    """The wall clocks that do not follow from the first one and the offsets."""
    if not events:
        return {}
    began = datetime.fromisoformat(events[0]["wall_clock"]).timestamp() * 1e6 - offsets[0]
    return {
        str(index): event["wall_clock"]
        for index, (event, offset) in enumerate(zip(events, offsets, strict=True))
        if abs(datetime.fromisoformat(event["wall_clock"]).timestamp() * 1e6 - began - offset) > _CLOCK_TOLERANCE_US
    }
