"""Reports of earlier runs, found below a folder and sent in the order in which they were made."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from choreo_bdd_chronicle.client.pushing import RESULTS, Send, tenant_of
from choreo_bdd_chronicle.client.sending import AwayError, RefusedError, Target, send


@dataclass(slots=True)
class _Count:
    sent: int = 0
    known: int = 0
    refused: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """Sends reports to one server; ``say`` is told of each what became of it. Without a tenant, each project's name."""

    url: str
    say: Callable[[str], None]
    tenant: str | None = None
    token: str | None = None
    send: Send = send

    def bring(self, folder: Path) -> int:
        """Send every ``results.json`` below a folder. What is known already, by its hash, is kept once.

        0: all are kept; 1: some were refused or cannot be read; 2: there is none, or the server went away, and the
        same again goes on where it ended.
        """
        files = sorted(folder.rglob(RESULTS), key=_begun)
        if not files:
            self.say(f"{folder}: no {RESULTS} below it")
            return 2
        count = _Count()
        try:
            for file in files:
                self._bring(file, count)
        except AwayError as problem:
            self.say(f"not sent ({problem}); the same command goes on from here")
            self._sum_up(count, len(files))
            return 2
        self._sum_up(count, len(files))
        return 1 if count.refused or count.unreadable else 0

    def _bring(self, file: Path, count: _Count) -> None:
        try:
            body = file.read_bytes()
            sent = self.send(body, Target(url=self.url, tenant=self.tenant or tenant_of(body), token=self.token))
        except RefusedError as problem:
            count.refused += 1
            self.say(f"{file}: refused: {problem}")
        except OSError as problem:
            count.unreadable += 1
            self.say(f"{file}: cannot be read: {problem.strerror}")
        else:
            count.known += sent.is_known
            count.sent += not sent.is_known

    def _sum_up(self, count: _Count, found: int) -> None:
        told = f"{found} found, {count.sent} sent, {count.known} known already, {count.refused} refused"
        self.say(told + (f", {count.unreadable} unreadable" if count.unreadable else ""))


def _begun(file: Path) -> tuple[float, str]:
    """When a report's run began; one that does not say so comes last, and the server says what is wrong with it."""
    try:
        moment = datetime.fromisoformat(json.loads(file.read_bytes())["run"]["started_at"]).timestamp()
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        moment = float("inf")
    return moment, str(file)
