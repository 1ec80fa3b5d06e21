"""Reports of earlier runs, found below a folder and sent in the order in which they were made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from choreo_bdd_chronicle.client.converting import UnreadableError, as_bytes, from_history, from_junit
from choreo_bdd_chronicle.client.pushing import RESULTS, Send, tenant_of
from choreo_bdd_chronicle.client.sending import RefusedError, Target, UnreachableError, send
from choreo_bdd_reporter.documents.file_names import HISTORY
from choreo_bdd_reporter.store.history import read_history


@dataclass(slots=True)
class _Count:
    sent: int = 0
    known: int = 0
    refused: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class _Found:
    """A report, read when its turn comes: when its run began, in seconds, and what it is called."""

    begun: float
    label: str
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """Sends reports to one server; ``say`` is told of each what became of it. Without a tenant, each project's name."""

    url: str
    say: Callable[[str], None]
    tenant: str | None = None
    token: str | None = None
    send: Send = send

    def bring(self, folder: Path) -> int:
        """Send every report below a folder, the oldest run first. What is known already, by its hash, is kept once.

        0: all are kept; 1: some were refused or cannot be read; 2: there is none, or the server went away, and the
        same again goes on where it ended.
        """
        count = _Count()
        reports = sorted(self._found(folder, count), key=lambda each: (each.begun, each.label))
        found = len(reports) + count.unreadable
        if not found:
            self.say(f"{folder}: no {RESULTS}, {HISTORY} or JUnit file below it")
            return 2
        try:
            for each in reports:
                self._bring(each, count)
        except UnreachableError as problem:
            self.say(f"not sent ({problem}); the same command goes on from here")
            self._sum_up(count, found)
            return 2
        self._sum_up(count, found)
        return 1 if count.refused or count.unreadable else 0

    def _found(self, folder: Path, count: _Count) -> Iterator[_Found]:
        begun: set[str] = set()
        for file in sorted(folder.rglob(RESULTS)):
            started_at, moment = _begun(file)
            begun.add(started_at)
            yield _Found(moment, str(file), file.read_bytes)
        for file in sorted(folder.rglob(HISTORY)):
            yield from self._of_history(file, begun, count)
        for file in sorted(folder.rglob("*.xml")):
            yield from self._of_junit(file, count)

    def _of_history(self, file: Path, known: set[str], count: _Count) -> Iterator[_Found]:
        """A report for each line whose run has left no report of its own here."""
        try:
            project = _project(file.with_name(RESULTS))
            for number, past in enumerate(read_history(file), start=1):
                if past.started_at not in known:
                    document = from_history(json.loads(past.text), project)
                    yield _made(document, f"{file}, run {number}")
        except (OSError, UnreadableError) as problem:
            self._unreadable(file, problem, count)

    def _of_junit(self, file: Path, count: _Count) -> Iterator[_Found]:
        try:
            document = from_junit(file.read_bytes(), datetime.fromtimestamp(file.stat().st_mtime, UTC))
            if document is not None:
                yield _made(document, str(file))
        except (OSError, UnreadableError) as problem:
            self._unreadable(file, problem, count)

    def _bring(self, found: _Found, count: _Count) -> None:
        try:
            body = found.read()
            sent = self.send(body, Target(url=self.url, tenant=self.tenant or tenant_of(body), token=self.token))
        except RefusedError as problem:
            count.refused += 1
            self.say(f"{found.label}: refused: {problem}")
        except OSError as problem:
            self._unreadable(found.label, problem, count)
        else:
            count.known += sent.is_known
            count.sent += not sent.is_known

    def _unreadable(self, what: Path | str, problem: Exception, count: _Count) -> None:
        count.unreadable += 1
        self.say(f"{what}: cannot be read: {getattr(problem, 'strerror', None) or problem}")

    def _sum_up(self, count: _Count, found: int) -> None:
        told = f"{found} found, {count.sent} sent, {count.known} known already, {count.refused} refused"
        self.say(told + (f", {count.unreadable} unreadable" if count.unreadable else ""))


def _made(document: dict[str, Any], label: str) -> _Found:
    body = as_bytes(document)
    return _Found(datetime.fromisoformat(document["run"]["started_at"]).timestamp(), label, lambda: body)


def _begun(file: Path) -> tuple[str, float]:
    """When a report's run began; one that does not say so comes last, and the server says what is wrong with it."""
    try:
        text = str(json.loads(file.read_bytes())["run"]["started_at"])
        return text, datetime.fromisoformat(text).timestamp()
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return "", float("inf")


def _project(file: Path) -> str | None:
    """The project of the report beside a history."""
    try:
        return str(json.loads(file.read_bytes())["run"]["project_name"] or "") or None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
