"""Tests that stay in the journal until somebody looks inside: what lets a page be drawn that is larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from choreo_bdd_reporter.journal import Journal, Place


class StoredTest(Mapping[str, Any]):
    """A test's part of ``results.json``; its head is at hand, the rest is read."""

    __slots__ = ("_place", "_reader")

    def __init__(self, reader: LastRead, place: Place) -> None:
        self._reader = reader
        self._place = place

    def __getitem__(self, name: str) -> Any:
        head = self._place.head
        if name in head:
            return head[name]
        if name == "scenarios":
            return [
                _StoredScenario(self._reader, self._place, number) for number in range(len(self._place.facts.events))
            ]
        return self._reader.test(self._place)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._reader.test(self._place))

    def __len__(self) -> int:
        return len(self._reader.test(self._place))


class _StoredScenario(Mapping[str, Any]):
    """A scenario of a test."""

    __slots__ = ("_number", "_place", "_reader")

    def __init__(self, reader: LastRead, place: Place, number: int) -> None:
        self._reader = reader
        self._place = place
        self._number = number

    def __getitem__(self, name: str) -> Any:
        if name == "timeline":
            return _StoredTimeline(self, self._place.facts.events[self._number])
        return self.read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.read())

    def __len__(self) -> int:
        return len(self.read())

    def read(self) -> Any:
        """The scenario as it was written."""
        return self._reader.test(self._place)["scenarios"][self._number]


class _StoredTimeline(Sequence[Any]):
    """Events of a scenario, which can be counted without being read."""

    __slots__ = ("_length", "_scenario")

    def __init__(self, scenario: _StoredScenario, length: int) -> None:
        self._scenario = scenario
        self._length = length

    def __getitem__(self, index: Any) -> Any:
        return self._scenario.read()["timeline"][index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._scenario.read()["timeline"])

    def __len__(self) -> int:
        return self._length


class StoredDetails(Mapping[str, Any]):
    """Details by node id, one mapping a scenario."""

    __slots__ = ("_places", "_reader")

    def __init__(self, reader: LastRead, places: Sequence[Place]) -> None:
        self._reader = reader
        self._places = {place.head["nodeid"]: place for place in places if place.facts.events}

    def __getitem__(self, nodeid: str) -> list[Mapping[str, Any]]:
        return stored_details(self._reader, self._places[nodeid])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def stored_details(reader: LastRead, place: Place) -> list[Mapping[str, Any]]:
    """The details of a test, one mapping a scenario."""
    return [_StoredDetail(reader, place, number) for number in range(len(place.facts.events))]


class _StoredDetail(Mapping[str, Any]):
    """Details of one scenario."""

    __slots__ = ("_number", "_place", "_reader")

    def __init__(self, reader: LastRead, place: Place, number: int) -> None:
        self._reader = reader
        self._place = place
        self._number = number

    def __getitem__(self, name: str) -> Any:
        return self._reader.details(self._place)[self._number][name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._reader.details(self._place)[self._number])

    def __len__(self) -> int:
        return len(self._reader.details(self._place)[self._number])


class LastRead:
    """Reads from a journal and remembers the last test: whoever looks inside one looks several times."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._test: tuple[Place | None, Any] = (None, None)
        self._details: tuple[Place | None, Any] = (None, None)

    def test(self, place: Place) -> Any:
        """A test's part of ``results.json``."""
        if self._test[0] is not place:
            self._test = (place, self._journal.test(place))
        return self._test[1]

    def details(self, place: Place) -> Any:
        """The details of its scenarios."""
        if self._details[0] is not place:
            self._details = (place, self._journal.details(place))
        return self._details[1]
