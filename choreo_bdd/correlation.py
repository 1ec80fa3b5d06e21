"""Correlation policies: how a scenario's id gets into messages and is read back (spec/harness.md 7)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

from choreo_bdd.exceptions import CorrelationIdNotInNamespaceError, CorrelationPolicyError

__all__ = [
    "CorrelationIdNotInNamespaceError",
    "CorrelationPolicy",
    "CorrelationPolicyError",
    "DictFieldPolicy",
    "Envelope",
    "HeaderPolicy",
    "NoCorrelationPolicy",
    "test_namespace",
]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a policy sees of a message: topic, payload and headers. It never reaches the wire."""

    topic: str
    payload: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class CorrelationPolicy(Protocol):
    """Mints ids and puts them into, or reads them from, messages.

    A policy may have an attribute ``strict``: true means that a message without an id belongs to no scenario; false,
    the default, lets such a message through to every scenario that listens on its topic.
    """

    @property
    def routes_by_correlation(self) -> bool:
        """Whether messages are routed to scenarios by id."""
        ...

    async def new_id(self) -> str | None:
        """A fresh id, or ``None`` when this policy does not correlate."""
        ...

    def write(self, envelope: Envelope, correlation_id: str) -> Envelope:
        """An envelope that carries the id; the given one is not changed."""
        ...

    def read(self, envelope: Envelope) -> str | None:
        """The id a message carries, if any."""
        ...


class NoCorrelationPolicy:
    """No ids at all: every scenario sees every message on its topics."""

    strict = False

    @property
    def routes_by_correlation(self) -> bool:
        """Always false."""
        return False

    async def new_id(self) -> str | None:
        """Always ``None``."""
        return None

    def write(self, envelope: Envelope, correlation_id: str) -> Envelope:  # noqa: ARG002 - the protocol's signature
        """The same envelope."""
        return envelope

    def read(self, envelope: Envelope) -> str | None:  # noqa: ARG002 - the protocol's signature
        """Always ``None``."""
        return None


def _random_id() -> str:
    return os.urandom(16).hex()


@dataclass(frozen=True)
class DictFieldPolicy:
    """The id travels in a top-level field of dict payloads.

    With a ``prefix``, ids outside it are refused before anything is sent. With ``strict``, a message without an id
    belongs to no scenario, and an id that is not text is read by its text.
    """

    field: str = "correlation_id"
    prefix: str = ""
    id_generator: Callable[[], str] | None = None
    strict: bool = False

    @property
    def routes_by_correlation(self) -> bool:
        """Always true."""
        return True

    async def new_id(self) -> str | None:
        """The prefix and 32 random hex digits, or what the generator makes."""
        return self.prefix + (self.id_generator or _random_id)()

    def write(self, envelope: Envelope, correlation_id: str) -> Envelope:
        """Stamp a dict payload that has no id yet; an id the caller chose is honoured."""
        if not isinstance(envelope.payload, dict):
            return envelope
        _check_namespace(correlation_id, self.prefix)
        if self.field in envelope.payload:
            _check_namespace(envelope.payload[self.field], self.prefix)
            return envelope
        return replace(envelope, payload={**envelope.payload, self.field: correlation_id})

    def read(self, envelope: Envelope) -> str | None:
        """The field's value, if the payload is a dict that has one."""
        if not isinstance(envelope.payload, dict):
            return None
        value = envelope.payload.get(self.field)
        if isinstance(value, str):
            return value
        return None if value is None or not self.strict else str(value)


@dataclass(frozen=True)
class HeaderPolicy:
    """The id travels in a message header, so that payloads of any kind stay as they are."""

    header: str = "correlation-id"
    prefix: str = ""
    id_generator: Callable[[], str] | None = None
    strict: bool = False

    @property
    def routes_by_correlation(self) -> bool:
        """Always true."""
        return True

    async def new_id(self) -> str | None:
        """The prefix and 32 random hex digits, or what the generator makes."""
        return self.prefix + (self.id_generator or _random_id)()

    def write(self, envelope: Envelope, correlation_id: str) -> Envelope:
        """Add the header; one the caller set is honoured."""
        _check_namespace(correlation_id, self.prefix)
        existing = self.read(envelope)
        if existing is not None:
            _check_namespace(existing, self.prefix)
            return envelope
        return replace(envelope, headers={**envelope.headers, self.header: correlation_id})

    def read(self, envelope: Envelope) -> str | None:
        """The header's value; header names are compared without regard to case."""
        value = envelope.headers.get(self.header)
        if value is not None:
            return value
        wanted = self.header.lower()
        return next((text for name, text in envelope.headers.items() if name.lower() == wanted), None)


def _check_namespace(value: object, prefix: str) -> None:
    if prefix and not (isinstance(value, str) and value.startswith(prefix)):
        raise CorrelationIdNotInNamespaceError(
            f"correlation id {value!r} does not start with {prefix!r}: this policy only sends ids of its own namespace"
        )


def test_namespace(field: str = "correlation_id") -> DictFieldPolicy:  # noqa: PT028 - not a test: see __test__ below
    """A ``DictFieldPolicy`` whose ids start with ``TEST-``, so that test traffic can be told apart."""
    return DictFieldPolicy(field=field, prefix="TEST-")


test_namespace.__test__ = False  # type: ignore[attr-defined] # pytest must not collect it where it is imported
