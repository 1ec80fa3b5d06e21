"""Tests that stay in the journal until somebody looks inside: what lets a page be drawn that is larger than memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from choreo_bdd_reporter.store.journal import Journal, JournalEntry


class JournaledTest(Mapping[str, Any]):
    """A test's part of ``results.json``; its head is at hand, the rest is read."""

    __slots__ = ("_entry", "_reader")

    def __init__(self, reader: ReadCache, entry: JournalEntry) -> None:
        self._reader = reader
        self._entry = entry

    def __getitem__(self, name: str) -> Any:
        head = self._entry.head
        if name in head:
            return head[name]
        if name == "scenarios":
            return [self._scenario(number) for number in range(len(self._entry.facts.events))]
        return self._reader.test(self._entry)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._reader.test(self._entry))

    def __len__(self) -> int:
        return len(self._reader.test(self._entry))

    def _scenario(self, number: int) -> _LazyObject:
        read = partial(self._reader.scenario, self._entry, number)
        timeline = _LazyList(lambda: read()["timeline"], self._entry.facts.events[number])
        return _LazyObject(read, {"timeline": timeline})


class _LazyObject(Mapping[str, Any]):
    """An object that is read when it is asked for something other than what is ``known`` of it."""

    __slots__ = ("_known", "_read")

    def __init__(self, read: Callable[[], Any], known: Mapping[str, Any]) -> None:
        self._read = read
        self._known = known

    def __getitem__(self, name: str) -> Any:
        return self._known[name] if name in self._known else self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


class _LazyList(Sequence[Any]):
    """A list that is read when somebody looks into it; its length may be known before."""

    __slots__ = ("_length", "_read")

    def __init__(self, read: Callable[[], Any], length: int | None = None) -> None:
        self._read = read
        self._length = length

    def __getitem__(self, index: Any) -> Any:
        return self._read()[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read()) if self._length is None else self._length


class LazyRows(Mapping[str, Sequence[Any]]):
    """What is kept of tests, by row id; ``look`` gives that of one, unread."""

    __slots__ = ("_entries", "_look")

    def __init__(self, entries: Mapping[str, JournalEntry], look: Callable[[JournalEntry], Sequence[Any]]) -> None:
        self._entries = entries
        self._look = look

    def __getitem__(self, row: str) -> Sequence[Any]:
        return self._look(self._entries[row])

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def journaled_details(reader: ReadCache, entry: JournalEntry) -> list[Mapping[str, Any]]:
    """The details of a test, one mapping a scenario."""
    count = len(entry.facts.events)
    return [_LazyObject(partial(reader.detail, entry, number), {}) for number in range(count)]


def journaled_gherkin(reader: ReadCache, row: str, entry: JournalEntry) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The head of its feature and the scenario of a test, as ``document.described`` has them."""
    head = _LazyObject(lambda: reader.gherkin(entry)["feature"], {"uri": entry.feature})
    return head, _LazyObject(lambda: reader.gherkin(entry)["scenario"], {"nodeid": row})


def journaled_attachments(journal: Journal, entry: JournalEntry) -> Sequence[Any]:
    """What was attached to a test."""
    return _LazyList(partial(journal.attachments, entry)) if entry.has_attachments else ()


class ReadCache:
    """Reads from a journal and remembers the last test: whoever looks inside one looks several times."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._test: tuple[JournalEntry | None, Any] = (None, None)
        self._gherkin: tuple[JournalEntry | None, Any] = (None, None)
        self._details: tuple[JournalEntry | None, Any] = (None, None)

    def test(self, entry: JournalEntry) -> Any:
        """A test's part of ``results.json``."""
        if self._test[0] is not entry:
            self._test = (entry, self._journal.test(entry))
        return self._test[1]

    def scenario(self, entry: JournalEntry, number: int) -> Any:
        """One of its scenarios."""
        return self.test(entry)["scenarios"][number]

    def gherkin(self, entry: JournalEntry) -> Any:
        """Its feature and scenario."""
        if self._gherkin[0] is not entry:
            self._gherkin = (entry, self._journal.gherkin(entry))
        return self._gherkin[1]

    def detail(self, entry: JournalEntry, number: int) -> Any:
        """The details of one of its scenarios."""
        if self._details[0] is not entry:
            self._details = (entry, self._journal.details(entry))
        return self._details[1][number]
