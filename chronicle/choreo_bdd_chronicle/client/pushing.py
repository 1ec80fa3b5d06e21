"""Pushing report files: what waits goes first, and what cannot be sent waits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from choreo_bdd_chronicle.client.queue import Queue
from choreo_bdd_chronicle.client.sending import RefusedError, Sent, Target, UnreachableError, send, slug_of

RESULTS = "results.json"
Send = Callable[[bytes, Target], Sent]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pusher:
    """Sends reports to one server; ``say`` is told of each what became of it. Without a tenant, the project's name."""

    url: str
    queue: Queue
    say: Callable[[str], None]
    tenant: str | None = None
    token: str | None = None
    send: Send = send

    def push(self, path: Path) -> int:
        """Send a report file, or the one in a folder. 0: kept, or waiting; 1: refused; 2: cannot be read."""
        file = path / RESULTS if path.is_dir() else path
        try:
            body = file.read_bytes()
        except OSError as problem:
            self.say(f"{file}: cannot be read: {problem.strerror}")
            return 2
        target = Target(url=self.url, tenant=self.tenant or tenant_of(body), token=self.token)
        try:
            sent = self.send(body, target)
        except RefusedError as problem:
            self.say(f"{file}: refused: {problem}")
            return 1
        except UnreachableError as problem:
            return self._keep(file, body, target, problem)
        self.say(f"{file}: {'known already' if sent.is_known else 'sent'}: {self.url}/runs/{sent.run_id}")
        for warning in sent.warnings:
            self.say(f"{file}: {warning}")
        return 0

    def push_waiting(self) -> None:
        """Send what could not be sent earlier, until the server is away again."""
        for each in self.queue.waiting(self.url):
            try:
                sent = self.send(each.body, Target(url=each.url, tenant=each.tenant, token=self.token))
            except RefusedError as problem:
                self.say(f"a report that had waited was refused, and is given up: {problem}")
            except UnreachableError:
                return
            else:
                self.say(f"a report that had waited is sent: {self.url}/runs/{sent.run_id}")
            self.queue.remove(each)

    def _keep(self, file: Path, body: bytes, target: Target, reason: UnreachableError) -> int:
        try:
            self.queue.put(body, target)
        except OSError as problem:
            self.say(f"{file}: not sent ({reason}), and it cannot be kept for later either: {problem}")
            return 1
        self.say(f"{file}: not sent ({reason}); it is kept, and the next push sends it")
        return 0


def tenant_of(body: bytes) -> str:
    """Whose report it is by itself: the project's name as a tenant's."""
    return slug_of(_project(body))


def _project(body: bytes) -> str | None:
    try:
        found = json.loads(body)["run"]["project_name"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found, str) else None
