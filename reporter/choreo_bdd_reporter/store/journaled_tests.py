"""Tests that stay in the journal until somebody looks inside: what lets a page be drawn that is larger than memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from choreo_bdd_reporter.store.journal import Journal, Place


class StoredTest(Mapping[str, Any]):
    """A test's part of ``results.json``; its head is at hand, the rest is read."""

    __slots__ = ("_place", "_reader")

    def __init__(self, reader: ReadCache, place: Place) -> None:
        self._reader = reader
        self._place = place

    def __getitem__(self, name: str) -> Any:
        head = self._place.head
        if name in head:
            return head[name]
        if name == "scenarios":
            return [self._scenario(number) for number in range(len(self._place.facts.events))]
        return self._reader.test(self._place)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._reader.test(self._place))

    def __len__(self) -> int:
        return len(self._reader.test(self._place))

    def _scenario(self, number: int) -> _StoredObject:
        read = partial(self._reader.scenario, self._place, number)
        timeline = _StoredList(lambda: read()["timeline"], self._place.facts.events[number])
        return _StoredObject(read, {"timeline": timeline})


class _StoredObject(Mapping[str, Any]):
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


class _StoredList(Sequence[Any]):
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


class StoredRows(Mapping[str, Sequence[Any]]):
    """What is kept of tests, by row id; ``look`` gives that of one, unread."""

    __slots__ = ("_look", "_places")

    def __init__(self, places: Mapping[str, Place], look: Callable[[Place], Sequence[Any]]) -> None:
        self._places = places
        self._look = look

    def __getitem__(self, row: str) -> Sequence[Any]:
        return self._look(self._places[row])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def stored_details(reader: ReadCache, place: Place) -> list[Mapping[str, Any]]:
    """The details of a test, one mapping a scenario."""
    count = len(place.facts.events)
    return [_StoredObject(partial(reader.detail, place, number), {}) for number in range(count)]


def stored_described(reader: ReadCache, row: str, place: Place) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The head of its feature and the scenario of a test, as ``document.described`` has them."""
    head = _StoredObject(lambda: reader.gherkin(place)["feature"], {"uri": place.feature})
    return head, _StoredObject(lambda: reader.gherkin(place)["scenario"], {"nodeid": row})


def stored_attachments(journal: Journal, place: Place) -> Sequence[Any]:
    """What was attached to a test."""
    return _StoredList(partial(journal.attachments, place)) if place.has_attachments else ()


class ReadCache:
    """Reads from a journal and remembers the last test: whoever looks inside one looks several times."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._test: tuple[Place | None, Any] = (None, None)
        self._gherkin: tuple[Place | None, Any] = (None, None)
        self._details: tuple[Place | None, Any] = (None, None)

    def test(self, place: Place) -> Any:
        """A test's part of ``results.json``."""
        if self._test[0] is not place:
            self._test = (place, self._journal.test(place))
        return self._test[1]

    def scenario(self, place: Place, number: int) -> Any:
        """One of its scenarios."""
        return self.test(place)["scenarios"][number]

    def gherkin(self, place: Place) -> Any:
        """Its feature and scenario."""
        if self._gherkin[0] is not place:
            self._gherkin = (place, self._journal.gherkin(place))
        return self._gherkin[1]

    def detail(self, place: Place, number: int) -> Any:
        """The details of one of its scenarios."""
        if self._details[0] is not place:
            self._details = (place, self._journal.details(place))
        return self._details[1][number]
