"""What services write: every line with the time it came, and no more of them than memory bears."""

from __future__ import annotations

import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from choreo_bdd.redaction.printable import on_one_line
from choreo_bdd_steps.services.facts import Line

KEPT_LINES = 2_000
LINE_CHARACTERS = 2_000
_CHUNK_BYTES = 65_536
_COLOURS = re.compile(rb"\x1b\[[0-9;:]*m")


class Output:
    """The output of one service: its last ``KEPT_LINES`` lines, long ones cut, without their colours."""

    def __init__(self, service: str, awaited: str | None) -> None:
        self._service = service
        self._awaited = awaited
        self.has_come = threading.Event()
        """Whether a line with the awaited text was there."""
        self._lines: deque[Line] = deque(maxlen=KEPT_LINES)
        self._begun = b""
        self._reader: threading.Thread | None = None

    def read(self, descriptor: int, *, then: Callable[[], None]) -> None:
        """Read a pipe to its end on a thread of its own, and close it; ``then`` is called on that thread."""
        self._reader = threading.Thread(
            target=self._read, args=(descriptor, then), name=f"choreo-output-{self._service}", daemon=True
        )
        self._reader.start()

    def wait(self, patience_s: float) -> None:
        """Wait for the end of what is being read."""
        if self._reader is not None and self._reader is not threading.current_thread():
            self._reader.join(patience_s)

    def lines(self, since: float = 0.0) -> list[Line]:
        """What has come since a moment, as far as it is kept."""
        while True:
            try:
                return [line for line in self._lines if line.at >= since]
            except RuntimeError:  # the reader has added a line meanwhile
                continue

    def last(self, count: int) -> list[str]:
        """The last lines, as text."""
        return [line.text for line in self.lines()[-count:]]

    def _read(self, descriptor: int, then: Callable[[], None]) -> None:
        try:
            while chunk := os.read(descriptor, _CHUNK_BYTES):
                self._take(chunk)
        finally:
            os.close(descriptor)
        if self._begun:
            self._take(b"\n")
        then()

    def _take(self, chunk: bytes) -> None:
        *whole, begun = (self._begun + chunk).split(b"\n")
        self._begun = begun[: LINE_CHARACTERS * 4]  # of a line without an end no more than is shown of it
        now = time.monotonic()
        clock = datetime.now(UTC).strftime("%H:%M:%S.%f")[:-3]
        for raw in whole:
            plain = _COLOURS.sub(b"", raw[: LINE_CHARACTERS * 4])
            text = plain.decode("utf-8", "replace").rstrip("\r")
            if self._awaited is not None and not self.has_come.is_set() and self._awaited in text:
                self.has_come.set()
            shown = text if len(text) <= LINE_CHARACTERS else f"{text[:LINE_CHARACTERS]}…"
            self._lines.append(Line(now, clock, self._service, on_one_line(shown)))
