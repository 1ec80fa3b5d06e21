"""What is known of the services of a run: where they are, what they write, which of them have died."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from choreo_bdd_project.placeholders import Address

if TYPE_CHECKING:
    from choreo_bdd.traces.spans import SpanSource

_SHOWN_CHARACTERS = 300


class Line(Struct, frozen=True):
    """A line that a service wrote. ``at`` is ``time.monotonic()``, the same for all processes of the machine."""

    at: float
    clock: str
    """The moment in UTC, to the millisecond."""
    service: str
    text: str

    def __str__(self) -> str:
        return f"{self.clock} {self.service} | {self.text}"


class Death(Struct, frozen=True):
    """A service that has ended without being asked to; ``at`` is ``time.monotonic()``."""

    service: str
    how: str
    at: float
    last_line: str = ""
    """The last it wrote, which is mostly why."""
    last_error: str = ""
    """The last line before it that reads like an exception, where other lines have followed that."""

    @property
    def last_words(self) -> str:
        """These two, as clauses that follow what is told of it; empty where it wrote nothing."""
        said = {"its last error": self.last_error, "the last it wrote": self.last_line}
        return "".join(f"; {what}: {_cut(text)}" for what, text in said.items() if text)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


class Started(Struct, frozen=True):
    """A service and how long it took until it was ready, in seconds; ``is_ours`` unless it ran already."""

    name: str
    what: str
    ready_s: float
    is_ours: bool = True


class Running(Protocol):
    """Services that run, here or in the hands of another process."""

    @property
    def addresses(self) -> Mapping[str, Address]:
        """Where they are, by name."""
        ...

    @property
    def started(self) -> Sequence[Started]:
        """All of them, in their order."""
        ...

    @property
    def spans(self) -> SpanSource | None:
        """Where what they tell of their work is read; ``None`` where it is sent to this process."""
        ...

    def deaths(self) -> Sequence[Death]:
        """Those that have ended by themselves."""
        ...

    def lines(self, since: float) -> Sequence[Line]:
        """What they wrote since a moment of ``time.monotonic()``, in order."""
        ...

    def stop(self) -> None:
        """End them, last started first; harmless when called again."""
        ...


class NoServices:
    """What a run without services has."""

    addresses: Mapping[str, Address] = MappingProxyType({})
    started: Sequence[Started] = ()
    spans: SpanSource | None = None

    def deaths(self) -> Sequence[Death]:
        """None."""
        return ()

    def lines(self, since: float) -> Sequence[Line]:  # noqa: ARG002 - as the protocol has it
        """None."""
        return ()

    def stop(self) -> None:
        """There is nothing to stop."""
