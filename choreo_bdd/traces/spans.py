"""Spans: what services say that they did, kept by trace and bounded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

SPANS_A_TRACE = 500
TRACES_KEPT = 200
TEXT_CHARACTERS = 200


class Span(Struct, frozen=True):
    """One piece of work of a service, as it told it; times are epoch seconds, texts are cut.

    An act of the user's own is one, too: of the kind ``act`` and of no service, it ends where times count from.
    ``topic`` is what it sent or received, where it is about messages, and ``error`` what it failed with.
    """

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    kind: str
    began: float
    ended: float
    error: str | None = None
    topic: str | None = None

    @property
    def has_failed(self) -> bool:
        """Whether the service says that it failed."""
        return self.error is not None


class SpanSource(Protocol):
    """Where the spans of services are read."""

    @property
    def heard(self) -> bool:
        """Whether any service has told anything yet."""
        ...

    def expect(self, trace_id: str) -> None:
        """Keep the spans of a trace from now on."""
        ...

    def of(self, trace_id: str) -> tuple[Span, ...]:
        """The spans of a trace so far, by the time they began."""
        ...


class Spans:
    """The spans of the traces somebody asked for; what belongs to no such trace is dropped. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._traces: OrderedDict[str, list[Span]] = OrderedDict()
        self.heard = False
        """Whether any service has told anything yet."""

    def expect(self, trace_id: str) -> None:
        """Keep the spans of a trace from now on; the oldest traces are forgotten."""
        with self._lock:
            self._traces.setdefault(trace_id, [])
            while len(self._traces) > TRACES_KEPT:
                self._traces.popitem(last=False)

    def add(self, spans: Iterable[Span]) -> None:
        """Take spans in."""
        with self._lock:
            for span in spans:
                self.heard = True
                kept = self._traces.get(span.trace_id)
                if kept is not None and len(kept) < SPANS_A_TRACE:
                    kept.append(span)

    def of(self, trace_id: str) -> tuple[Span, ...]:
        """The spans of a trace so far, by the time they began."""
        with self._lock:
            return tuple(sorted(self._traces.get(trace_id, ()), key=lambda span: (span.began, span.ended)))
