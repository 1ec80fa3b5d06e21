"""The tests of a run on disk while it goes on: one JSON line each, so that neither a crash nor a big run costs memory.

Line 1 says what run it is; nearly every other line is one test with everything a report keeps of it. Of a test that was
repeated each attempt has a line, and one that was completed later another: for an attempt its last line counts, for a
test its last attempt. Where another worker made that, a line before it says whose attempts were ``moved`` to it. Of
lines that have a ``run``, which say what is known of it as a whole, the last one counts. What is to run stands in lines
that have ``ahead``: a test that has no line of its own never came to its end.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from choreo_bdd.redaction.afterwards import hidden, hidden_in_json, known_count
from choreo_bdd_reporter.documents.file_names import JOURNAL_FORMAT
from choreo_bdd_reporter.documents.results import TestDocument, TestFacts, facts_document
from choreo_bdd_reporter.model.clock import now
from choreo_bdd_reporter.model.json_text import document_json, read_document
from choreo_bdd_reporter.model.notices import notice
from choreo_bdd_reporter.model.tests import Environment

_KEPT = ("nodeid", "file", "name", "class", "outcome", "duration_ms", "worker_id")
_SPILLED_AT = 1 << 62
"""Where what is in memory begins, behind all that a file could hold."""
_SPILLED_BYTES_MAX = 1 << 26
_PARTS = ("test", "gherkin", "details", "attachments", "recordings")


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """Where the parts of a test stand in the journal, and what is known of it without reading.

    ``feature`` is the path of its feature file, ``None`` without Gherkin; ``known`` how many secrets were known when it
    was masked, ``None`` where another process did that. ``earlier`` are the attempts at the test before this one,
    ``None`` for one that was not added.
    """

    spans: tuple[tuple[int, int], ...]
    head: dict[str, Any]
    facts: TestFacts
    feature: str | None
    has_attachments: bool
    known: int | None = 0
    earlier: tuple[JournalEntry | None, ...] = ()


class Journal:
    """Written line by line, readable at any time. Raises ``OSError`` like the file it is.

    What a full disk has no room for is kept in memory, within bounds: a report without it would show another run.

    What has become known to be secret since a test was written down is not read back; in what is ``plain`` of a test it
    stands nevertheless.
    """

    def __init__(self, path: Path, *, started_at: str, environment: Environment, plain: Collection[str] = ()) -> None:
        self._plain = plain
        self._path = path
        self._entries: dict[tuple[str, str | None], dict[int, JournalEntry]] = {}
        path.unlink(missing_ok=True)  # not overwritten: the run that it belongs to may still go on
        self._file = path.open("xb", buffering=0)
        self._reader = path.open("rb")
        self._end = 0
        self._spilled = bytearray()
        """What the disk has had no room for."""
        self._append(
            document_json({"journal": JOURNAL_FORMAT, "started_at": started_at, "environment": asdict(environment)})
        )

    def add(self, document: TestDocument, *, redacted: tuple[int, int]) -> None:
        """Keep a test; ``redacted`` is how much was masked in the run so far, by key and in text."""
        parts = (document.test, document.gherkin, document.details, document.attachments)
        texts = [*map(document_json, parts), f"[{','.join(document.recordings)}]"]
        line, places = "{", []
        for name, text in zip(_PARTS, texts, strict=True):
            line += f'"{name}":'
            places.append((len(line), len(text)))
            line += f"{text},"
        rest = {"facts": facts_document(document.facts), "redacted": redacted, "at": now()}
        begin = self._append(line + document_json(rest)[1:])
        spans = ((begin + start, length) for start, length in places)
        test: dict[str, Any] = {**document.test}
        head = {name: test[name] for name in _KEPT}
        feature = document.gherkin["feature"]["uri"] if document.gherkin else None
        attempts = self._entries.setdefault((head["nodeid"], head["worker_id"]), {})
        number = len(document.facts.earlier)
        attempts[number] = JournalEntry(
            tuple(spans),
            head,
            document.facts,
            feature,
            bool(document.attachments),
            known_count() if head["worker_id"] is None else None,
            tuple(attempts.get(before) for before in range(number)),
        )

    def move(self, nodeid: str, from_worker: str | None, to_worker: str | None) -> None:
        """Count the attempts at a test on one worker as earlier ones of those on another."""
        self._append(document_json({"moved": [nodeid, from_worker, to_worker], "at": now()}))
        self._entries[nodeid, to_worker] = self._entries.pop((nodeid, from_worker))

    def announce(self, nodeids: Sequence[str]) -> None:
        """Keep what is to run, for the case that it never does."""
        self._append(document_json({"ahead": list(nodeids), "at": now()}))

    def note(self, **known: Any) -> None:
        """Keep what is known of the run as a whole; of what was noted before, other names still hold."""
        self._append(document_json({"run": known, "at": now()}))

    def find(self, nodeid: str, worker_id: str | None) -> TestDocument | None:
        """The last attempt at a test that was added before."""
        attempts = self._entries.get((nodeid, worker_id))
        if attempts is None:
            return None
        entry = attempts[max(attempts)]
        return TestDocument(
            self.test(entry),
            self.gherkin(entry),
            self.details(entry),
            self.attachments(entry),
            self.recordings(entry),
            entry.facts,
        )

    def entries(self) -> list[JournalEntry]:
        """The last attempt at every test, in the order in which they were first added."""
        return [attempts[max(attempts)] for attempts in self._entries.values()]

    def by_now(self, entries: Iterable[JournalEntry]) -> list[JournalEntry]:
        """The same tests, what is known of them without what has become known to be secret."""
        known = known_count()
        return [_by_now(entry, known) for entry in entries]

    def test_text(self, entry: JournalEntry) -> str:
        """The JSON text of a test's part of ``results.json``."""
        return self._read(entry, 0)

    def test(self, entry: JournalEntry) -> Any:
        """A test's part of ``results.json``."""
        return read_document(self._read(entry, 0))

    def gherkin(self, entry: JournalEntry) -> Any:
        """Feature and scenario of a test, empty without Gherkin."""
        return read_document(self._read(entry, 1))

    def details(self, entry: JournalEntry) -> Any:
        """What the page shows of the test's scenarios beyond their part of ``results.json``."""
        return read_document(self._read(entry, 2))

    def attachments(self, entry: JournalEntry) -> Any:
        """What was attached to the test."""
        return read_document(self._read(entry, 3))

    def recordings(self, entry: JournalEntry) -> list[str]:
        """The traffic of the test's scenarios as far as it is kept, a line of JSON each."""
        return [document_json(each) for each in read_document(self._read(entry, 4))]

    def is_replaced(self) -> bool:
        """Whether another run has begun its journal in the place of this one."""
        try:
            return not os.path.samestat(os.fstat(self._file.fileno()), self._path.stat())
        except FileNotFoundError:
            return False

    def close(self, *, remove: bool) -> None:
        """Close it; ``remove`` it when the report that it stood in for is written."""
        remove = remove and not self.is_replaced()
        self._file.close()
        self._reader.close()
        if remove:
            self._path.unlink(missing_ok=True)

    def _append(self, line: str) -> int:
        """Write a line down; returns where it begins."""
        written = line.encode("ascii") + b"\n"
        left = memoryview(written)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            self._file.seek(self._end)
            self._file.truncate()  # half a line would move all that follows, once there is room again
            if len(self._spilled) + len(written) > _SPILLED_BYTES_MAX:
                raise
            if not self._spilled:
                notice(
                    f"{self._path.parent} takes no more ({error.strerror}): what follows is kept in memory meanwhile"
                )
            self._spilled += written
            return _SPILLED_AT + len(self._spilled) - len(written)
        self._end += len(written)
        return self._end - len(written)

    def _read(self, entry: JournalEntry, part: int) -> str:
        start, length = entry.spans[part]
        if start >= _SPILLED_AT:
            start -= _SPILLED_AT
            raw = bytes(self._spilled[start : start + length])
        else:
            self._reader.seek(start)
            raw = self._reader.read(length)
        text = raw.decode("ascii")
        if entry.known == known_count():
            return text
        cleaned = hidden_in_json(text, left=() if part else self._plain)
        return text if cleaned is None else document_json(cleaned)


def _by_now(entry: JournalEntry, known: int) -> JournalEntry:
    before = tuple(None if each is None else _by_now(each, known) for each in entry.earlier)
    if entry.known == known:
        return replace(entry, earlier=before) if before else entry
    earlier = tuple(replace(each, reason=hidden(each.reason)) for each in entry.facts.earlier)
    return replace(
        entry,
        earlier=before,
        head=hidden(entry.head),
        facts=replace(entry.facts, earlier=earlier),
        feature=hidden(entry.feature),
    )
