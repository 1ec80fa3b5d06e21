"""Reports that could not be sent, kept in a folder until the next time."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from choreo_bdd_chronicle.client.sending import Target

_SUFFIX = ".report.gz"
KEPT_MAX = 500
"""Of more reports the oldest are given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A report in the queue."""

    file: Path
    url: str
    tenant: str
    body: bytes


class Queue:
    """A folder of reports, each in a file of its own that is there whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, body: bytes, target: Target) -> None:
        """Keep a report for later; the same one for the same place only once. Raises ``OSError``."""
        self._folder.mkdir(parents=True, exist_ok=True)
        head = json.dumps({"url": target.url, "tenant": target.tenant}).encode()
        name = hashlib.sha256(head + b"\n" + body).hexdigest() + _SUFFIX
        half = self._folder / f".{name}.{os.getpid()}"
        half.write_bytes(gzip.compress(head + b"\n" + body))
        half.replace(self._folder / name)
        for file in self._files()[:-KEPT_MAX]:
            file.unlink(missing_ok=True)

    def waiting(self, url: str) -> Iterator[Waiting]:
        """What waits for a server, the oldest first; a file that cannot be read is left out."""
        for file in self._files():
            try:
                head, _, body = gzip.decompress(file.read_bytes()).partition(b"\n")
                place = json.loads(head)
                found = Waiting(file=file, url=place["url"], tenant=place["tenant"], body=body)
            except (OSError, EOFError, ValueError, KeyError, TypeError):
                continue
            if found.url == url:
                yield found

    def remove(self, sent: Waiting) -> None:
        """Forget a report that is kept elsewhere now."""
        sent.file.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"[!.]*{_SUFFIX}"), key=lambda file: (file.stat().st_mtime_ns, file.name))
