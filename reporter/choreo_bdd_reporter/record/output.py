"""What tests print, on its way into the report: cut first, masked then, and every text once.

A report keeps the last 65,536 bytes of what a test prints, until a run has kept so much that nobody reads it through;
from then on the last lines of each test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from choreo_bdd.redaction import Redactor
from choreo_bdd_reporter.record.masking import LAST_LINES, WHOLE, masked_end

PASSED_MAX_CHARS = 1_000_000
"""So much output of tests that passed is kept of a run before only the last lines of each are."""
FAILED_MAX_CHARS = 4_000_000
"""The same of tests that failed, of which more is read."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A text that was masked, with the number of places."""

    text: str
    masked: str
    hits: int


@dataclass(slots=True)
class _Open:
    """A test that goes on: pytest repeats in each phase what was printed in those before."""

    has_failed: bool = False
    read: dict[str, _Read] = field(default_factory=dict)

    def mask(self, redactor: Redactor, stream: str, text: str) -> str:
        """The text masked, at no cost where it is what was masked last."""
        read = self.read.get(stream)
        if read is not None and read.text == text:
            redactor.stream_matches += read.hits
            return redactor.without_known(read.masked)  # more may have become known
        before = redactor.stream_matches
        masked = redactor.text(text)
        self.read[stream] = _Read(text, masked, redactor.stream_matches - before)
        return masked


class CapturedOutput:
    """The output of the tests of one process; ``processes`` share what a run has room for.

    Without ``redact`` it is only cut.
    """

    def __init__(self, *, redact: bool = True, processes: int = 1) -> None:
        self._redact = redact
        self._room = {False: PASSED_MAX_CHARS // processes, True: FAILED_MAX_CHARS // processes}
        self._open: dict[str, _Open] = {}

    def take(
        self, test: str, streams: Mapping[str, str], redactor: Redactor, *, failed: bool, last: bool = True
    ) -> dict[str, str]:
        """What is kept of what a test has printed so far, by stream; ``last`` when it is over."""
        known = self._open.setdefault(test, _Open())
        known.has_failed = known.has_failed or failed
        room = self._room[known.has_failed]
        kept: dict[str, str] = {}
        for stream, text in streams.items():
            mask = partial(known.mask, redactor, stream) if self._redact else str
            kept[stream] = masked_end(mask, text, WHOLE if room > 0 else LAST_LINES)
            room -= len(kept[stream])
        if last:
            self._room[known.has_failed] = room
            del self._open[test]
        return kept
