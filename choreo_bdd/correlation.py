"""Correlation policies: how a scenario's id gets into messages and is read back (spec/harness.md 7)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Protocol, runtime_checkable

from msgspec import Struct

from choreo_bdd.exceptions import CorrelationIdNotInNamespaceError, CorrelationPolicyError, NoPlaceForIdError
from choreo_bdd.matchers.values.paths import MISSING, Missing, Part, Quantifier, parse_path
from choreo_bdd.shared.minted import minted
from choreo_bdd.shared.policy_facts import is_strict, prefix_of
from choreo_bdd.topic_patterns import ByTopic

__all__ = [
    "CorrelationByTopic",
    "CorrelationIdNotInNamespaceError",
    "CorrelationPolicy",
    "CorrelationPolicyError",
    "DictFieldPolicy",
    "Envelope",
    "FieldPolicy",
    "HeaderPolicy",
    "NoCorrelationPolicy",
    "TraceparentPolicy",
    "policy_of",
    "test_namespace",
    "trace_of",
    "traceparent",
]


TRACEPARENT = "traceparent"
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a policy sees of a message: topic, payload and headers. It never reaches the wire."""

    topic: str
    payload: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class CorrelationPolicy(Protocol):
    """Mints ids and puts them into, or reads them from, messages.

    It may be ``Strict`` and ``Namespaced``, too.
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


@dataclass(frozen=True)
class NoCorrelationPolicy:
    """No ids at all: every scenario sees every message on its topics; where that ``is_meant`` nobody is warned."""

    is_meant: bool = False
    strict: ClassVar[bool] = False

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
        return self.prefix + (self.id_generator or minted)()

    def write(self, envelope: Envelope, correlation_id: str) -> Envelope:
        """Stamp a dict payload that has no id yet; an id the caller chose is honoured."""
        if not isinstance(envelope.payload, dict):
            return envelope
        _check_namespace(correlation_id, self.prefix)
        if self.field in envelope.payload:
            _check_namespace(envelope.payload[self.field], self.prefix)
            return envelope
        return Envelope(envelope.topic, {**envelope.payload, self.field: correlation_id}, envelope.headers)

    def read(self, envelope: Envelope) -> str | None:
        """The field's value, if the payload is a dict that has one."""
        if not isinstance(envelope.payload, dict):
            return None
        value = envelope.payload.get(self.field)
        if isinstance(value, str):
            return value
        return None if value is None or not self.strict else str(value)


class FieldPolicy(Struct, frozen=True, dict=True):
    """The id travels in a field of the payload, anywhere in it: ``field`` is a path such as ``data.order_id``.

    What has no such place, a text, a list or a number, carries it in a header of the field's own name, where the
    transport ``has_headers``; else ``NoPlaceForIdError``. Bytes are sent as they are. A number counts as its text, and
    a message without an id belongs to no scenario. ``ValueError`` for a path that stands for several fields.
    """

    field: str
    prefix: str = ""
    has_headers: bool = True
    strict: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if any(isinstance(part, Quantifier) for part in parse_path(self.field)):
            raise ValueError(f"{self.field!r} stands for several fields, and one message carries one id")

    @cached_property
    def path(self) -> tuple[Part, ...]:
        """The names, and indexes of lists, that lead to the field."""
        return tuple(part for part in parse_path(self.field) if not isinstance(part, Quantifier))

    @property
    def header(self) -> str:
        """The header that carries the id of a payload that has no fields."""
        return str(self.path[-1])

    @property
    def routes_by_correlation(self) -> bool:
        """Always true."""
        return True

    async def new_id(self) -> str | None:
        """The prefix and 32 random hex digits."""
        return self.prefix + minted()

    def write(self, envelope: Envelope, correlation_id: str) -> Envelope:
        """Stamp a payload that has no id yet; an id the caller chose is honoured."""
        value = self.value(envelope.payload)
        existing = envelope.headers.get(self.header) if value is MISSING else value
        _check_namespace(correlation_id if existing is None else str(existing), self.prefix)
        if existing is not None or value is None:
            return envelope
        stamped = _placed(envelope.payload, self.path, correlation_id)
        if stamped is not MISSING:
            return Envelope(envelope.topic, stamped, envelope.headers)
        if self.has_headers:
            return Envelope(envelope.topic, envelope.payload, {**envelope.headers, self.header: correlation_id})
        if isinstance(envelope.payload, bytes | bytearray | memoryview):
            return envelope
        raise NoPlaceForIdError(self.field, envelope.payload)

    def read(self, envelope: Envelope) -> str | None:
        """The field's value as text, or the header's where there is no such field."""
        value = self.value(envelope.payload)
        return envelope.headers.get(self.header) if value is None or value is MISSING else str(value)

    def value(self, payload: Any) -> Any:
        """What stands in the field, ``MISSING`` where there is none."""
        return _value_at(payload, self.path)

    def without(self, payload: Any) -> tuple[Any, ...]:
        """What a payload may have been before it was stamped: without the field, and without objects made for it."""
        bare = [_removed(payload, self.path)]
        for end in range(len(self.path) - 1, 0, -1):
            if _value_at(bare[-1], self.path[:end]) != {}:
                break
            bare.append(_removed(bare[-1], self.path[:end]))
        return tuple(bare)


def _value_at(payload: Any, path: tuple[Part, ...]) -> Any:
    for part in path:
        payload = _entry(payload, part)
    return payload


def _entry(payload: Any, part: Part) -> Any:
    if isinstance(part, str):
        return payload.get(part, MISSING) if isinstance(payload, dict) else MISSING
    is_there = isinstance(payload, list) and -len(payload) <= part < len(payload)
    return payload[part] if is_there else MISSING


def _placed(payload: Any, path: tuple[Part, ...], value: str) -> Any | Missing:
    """A copy with a value at a path, objects made on the way; ``MISSING`` where something else is there."""
    if not path:
        return value
    part, below = path[0], _entry(payload, path[0])
    if below is MISSING and not (isinstance(part, str) and isinstance(payload, dict)):
        return MISSING
    inner = _placed({} if below is MISSING else below, path[1:], value)
    return MISSING if inner is MISSING else _with(payload, part, inner)


def _with(payload: Any, part: Part, value: Any) -> Any:
    copy: Any = dict(payload) if isinstance(payload, dict) else list(payload)
    copy[part] = value
    return copy


def _removed(payload: Any, path: tuple[Part, ...]) -> Any:
    part, below = path[0], _entry(payload, path[0])
    if below is MISSING:
        return payload
    if len(path) > 1:
        return _with(payload, part, _removed(below, path[1:]))
    return {name: each for name, each in payload.items() if name != part} if isinstance(payload, dict) else payload


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
        return self.prefix + (self.id_generator or minted)()

    def write(self, envelope: Envelope, correlation_id: str) -> Envelope:
        """Add the header; one the caller set is honoured."""
        _check_namespace(correlation_id, self.prefix)
        existing = self.read(envelope)
        if existing is not None:
            _check_namespace(existing, self.prefix)
            return envelope
        return Envelope(envelope.topic, envelope.payload, {**envelope.headers, self.header: correlation_id})

    def read(self, envelope: Envelope) -> str | None:
        """The header's value; header names are compared without regard to case."""
        value = envelope.headers.get(self.header)
        if value is not None:
            return value
        wanted = self.header.lower()
        return next((text for name, text in envelope.headers.items() if name.lower() == wanted), None)


def traceparent(trace_id: str) -> str:
    """A W3C ``traceparent`` of a trace, with a new span's id: sampled, so that services record what they do."""
    return f"00-{trace_id}-{os.urandom(8).hex()}-01"


def trace_of(headers: Mapping[str, str]) -> str | None:
    """The trace that a message's ``traceparent`` is of; ``None`` where it has none, or one that is malformed."""
    value = next((text for name, text in headers.items() if name.lower() == TRACEPARENT), "")
    found = _TRACEPARENT.fullmatch(value.strip().lower())
    return None if found is None else found[1]


class TraceparentPolicy(Struct, frozen=True):
    """The id is that of a W3C trace: services that pass the trace on pass it on, each with a span's id of its own."""

    strict: bool = True
    prefix: ClassVar[str] = ""

    @property
    def routes_by_correlation(self) -> bool:
        """Always true."""
        return True

    async def new_id(self) -> str | None:
        """A new trace."""
        return minted()

    def write(self, envelope: Envelope, correlation_id: str) -> Envelope:
        """Add the header; one of another trace, which the caller set, is honoured."""
        if self.read(envelope) is not None:
            return envelope
        kept = {name: text for name, text in envelope.headers.items() if name.lower() != TRACEPARENT}
        return Envelope(envelope.topic, envelope.payload, {**kept, TRACEPARENT: traceparent(correlation_id)})

    def read(self, envelope: Envelope) -> str | None:
        """The trace's id."""
        return trace_of(envelope.headers)


class CorrelationByTopic(Struct, frozen=True):
    """A policy of their own for single topics, the first that fits; ids are those of the ``usual`` policy or of these.

    On a topic whose policy does not correlate every scenario sees every message, whatever holds elsewhere.
    """

    usual: CorrelationPolicy
    topics: tuple[tuple[str, CorrelationPolicy], ...]

    def of(self, topic: str) -> CorrelationPolicy:
        """The policy of a topic."""
        return ByTopic(self.usual, self.topics).of(topic)

    @property
    def _correlating(self) -> CorrelationPolicy:
        every = (self.usual, *(policy for _, policy in self.topics))
        return next((each for each in every if each.routes_by_correlation), self.usual)

    @property
    def strict(self) -> bool:
        """As the policy whose ids are used."""
        return is_strict(self._correlating)

    @property
    def prefix(self) -> str:
        """What ids begin with."""
        return prefix_of(self._correlating)

    @property
    def routes_by_correlation(self) -> bool:
        """Whether any topic's messages are routed by id."""
        return self._correlating.routes_by_correlation

    async def new_id(self) -> str | None:
        """A fresh id."""
        return await self._correlating.new_id()

    def write(self, envelope: Envelope, correlation_id: str) -> Envelope:
        """An envelope that carries the id as its topic's messages do."""
        return self.of(envelope.topic).write(envelope, correlation_id)

    def read(self, envelope: Envelope) -> str | None:
        """The id a message carries where its topic's messages do."""
        return self.of(envelope.topic).read(envelope)


def policy_of(policy: CorrelationPolicy, topic: str) -> CorrelationPolicy:
    """What ties the messages of one topic together."""
    return policy.of(topic) if isinstance(policy, CorrelationByTopic) else policy


def _check_namespace(value: object, prefix: str) -> None:
    if prefix and not (isinstance(value, str) and value.startswith(prefix)):
        raise CorrelationIdNotInNamespaceError(
            f"correlation id {value!r} does not start with {prefix!r}: this policy only sends ids of its own namespace"
        )


def test_namespace(field: str = "correlation_id") -> DictFieldPolicy:  # noqa: PT028 - not a test: see __test__ below
    """A ``DictFieldPolicy`` whose ids start with ``TEST-``, so that test traffic can be told apart."""
    return DictFieldPolicy(field=field, prefix="TEST-")


test_namespace.__test__ = False  # type: ignore[attr-defined] # pytest must not collect it where it is imported
