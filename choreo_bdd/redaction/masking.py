"""Masking of values, matchers and ids.

Masking goes by *key* in structured values and by *pattern* in text; both put ``<redacted>`` in the place of
the value and leave what surrounds it readable (spec/report.md C).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from choreo_bdd.redaction.credentials import REDACTED, is_secret_key, is_suspicious, redact_text

REDACTION_VERSION = "v1"

_LITERAL = "<value>"
_SHAPE_MAX_DEPTH = 8
_SHAPE_MAX_ITEMS = 10
_MIN_SECRET_CHARS = 5
_CONTAINERS = (dict, list, tuple, set, frozenset, Mapping)  # the abstract one is slow to test, so it comes last
_PLAIN = (int, float, type(None))


def redact_correlation_id(correlation_id: str) -> str:
    """Short, stable stand-in for an id: ``sha256:`` and the first 16 hex digits of its SHA-256 over UTF-8."""
    import hashlib  # noqa: PLC0415 - OpenSSL's, and needed only where an id is shown

    digest = hashlib.sha256(correlation_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"sha256:{digest[:16]}"


redact_wire_id = redact_correlation_id


@dataclass(slots=True)
class Redactor:
    """Masks values and text, counts what it masked, and finds literals masked once in later prose again.

    ``fields`` counts values masked by their key, ``stream_matches`` places masked in text. One redactor
    serves one test or one message; what it remembers never leaves memory.
    """

    fields: int = 0
    stream_matches: int = 0
    _known: set[str] = field(default_factory=set, repr=False)
    _names: dict[str, str] = field(default_factory=dict, repr=False)

    def value(self, value: Any) -> Any:
        """A masked copy of a structured value; tuples and sets become lists. Depth is no problem."""
        holder: list[Any] = [None]
        copies: dict[int, Any] = {}
        pending: list[tuple[Any, Any, Any]] = [(value, holder, 0)]
        while pending:
            source, target, place = pending.pop()
            target[place] = self._copy(source, copies, pending)
        return holder[0]

    def at_path(self, path: str, value: Any) -> Any:
        """The same for a value that was found at a dotted path, whose parts count as keys."""
        if any(is_secret_key(part) for part in path.split(".")):
            return None if value is None else self._mask(value)
        return self.value(value)

    def text(self, text: str) -> str:
        """Running text, masked by pattern and cleared of every literal masked before, or quoted as a secret here."""
        if not is_suspicious(text):  # nearly always
            return self.without_known(text) if self._known or self._names else text
        found: set[str] = set()
        masked, hits = redact_text(text, found)
        if hits:
            self.stream_matches += hits
            self.learn(found)
        return self.without_known(masked)

    def rename(self, literal: str, name: str) -> None:
        """Show ``name`` wherever a text or a value has ``literal`` from now on; not counted, and not for short ones."""
        if len(literal) >= _MIN_SECRET_CHARS:
            self._names[literal] = name

    def names(self, text: str) -> bool:
        """Whether something in the text has another name to be shown by."""
        return any(literal in text for literal in self._names)

    def without_known(self, text: str) -> str:
        """The text cleared of literals masked before, with names for what was renamed; nothing else, not counted."""
        for literal in sorted(self._known, key=len, reverse=True):
            text = _put(REDACTED, literal, text)
        return self._renamed(text)

    def _renamed(self, text: str) -> str:
        for literal, name in self._names.items():
            text = _put(name, literal, text)
        return text

    def learn(self, value: Any) -> None:
        """Remember a value as a secret without counting it."""
        pending, seen = [value], 0
        while pending and seen < 1000:
            item = pending.pop()
            seen += 1
            if isinstance(item, Mapping):
                pending.extend(item.values())
            elif isinstance(item, list | tuple | set | frozenset):
                pending.extend(item)
            elif isinstance(item, str | int | float) and not isinstance(item, bool):
                literal = str(item)
                if len(literal) >= _MIN_SECRET_CHARS and literal != REDACTED:
                    self._known.add(literal)

    def learn_secrets(self, value: Any) -> None:
        """Remember what a structured value has under secret keys, without counting it."""
        counted = self.fields, self.stream_matches
        self.value(value)
        self.fields, self.stream_matches = counted

    def _mask(self, value: Any) -> str:
        if not (isinstance(value, str) and value == REDACTED):
            self.fields += 1
            self.learn(value)
        return REDACTED

    def _copy(self, source: Any, copies: dict[int, Any], pending: list[tuple[Any, Any, Any]]) -> Any:
        if isinstance(source, str):
            masked, hits = redact_text(source)
            self.stream_matches += hits
            return self._renamed(masked) if self._names else masked
        if isinstance(source, bytes | bytearray):
            return self._copy(bytes(source).decode("latin-1"), copies, pending).encode("latin-1")
        if isinstance(source, _PLAIN) or not isinstance(source, _CONTAINERS):
            return source
        if id(source) in copies:
            return copies[id(source)]
        if isinstance(source, dict | Mapping):
            return self._copy_mapping(source, copies, pending)
        items: list[Any] = [None] * len(source)
        copies[id(source)] = items
        pending.extend((item, items, index) for index, item in enumerate(source))
        return items

    def _copy_mapping(
        self, source: Mapping[Any, Any], copies: dict[int, Any], pending: list[tuple[Any, Any, Any]]
    ) -> dict[Any, Any]:
        copy: dict[Any, Any] = dict.fromkeys(source)
        copies[id(source)] = copy
        for key, item in source.items():
            if is_secret_key(key):
                copy[key] = self._mask(item)
            else:
                pending.append((item, copy, key))
        return copy


def _put(shown: str, literal: str, text: str) -> str:
    """The text with ``shown`` wherever the literal stands as a word of its own."""
    if literal not in text:
        return text
    return re.sub(rf"(?<!\w){re.escape(literal)}(?!\w)", lambda _match: shown, text)


@dataclass(frozen=True, slots=True)
class RedactionCounts:
    """How much was masked: values by their key, and places in text."""

    fields: int
    stream_matches: int


def redact_value(value: Any) -> tuple[Any, RedactionCounts]:
    """A masked copy of a structured value, and how much was masked. Depth is no problem."""
    redactor = Redactor()
    masked = redactor.value(value)
    return masked, RedactionCounts(redactor.fields, redactor.stream_matches)


_QUOTED = r"b?'(?:\\.|[^'\\])*'|b?\"(?:\\.|[^\"\\])*\""
_AFTER_EQUALS = re.compile(rf"=\s*(?:{_QUOTED}|[^\s,()]*)", re.DOTALL)
_ANY_LITERAL = re.compile(rf"{_QUOTED}|(?<![\w.<-])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w)", re.DOTALL)


def redact_matcher_description(text: str) -> str:
    """``account='ACME-123'`` becomes ``account=<value>``: what follows ``=`` is masked, the rest is kept."""
    return _AFTER_EQUALS.sub(f"={_LITERAL}", text)


def mask_literals(text: str) -> str:
    """Mask every literal of a description in prose: after ``=``, quoted anywhere, and numbers (``qty > 5``).

    For text whose structure is lost; where the expected shape is at hand, ``describe_shape`` is better.
    """
    return _ANY_LITERAL.sub(_LITERAL, redact_matcher_description(text))


def describe_shape(shape: Any) -> str:
    """An expected shape as one line of text, with its field names and operators but without any literal."""
    return _describe(shape, _SHAPE_MAX_DEPTH)


def _describe(shape: Any, depth: int) -> str:
    if hasattr(shape, "expected_shape"):
        shape = _own_shape(shape)
    if not isinstance(shape, Mapping | list | tuple | set | frozenset):
        return _LITERAL
    if depth == 0:
        return "..."
    if isinstance(shape, Mapping):
        parts = [f"{key}: {_describe(item, depth - 1)}" for key, item in list(shape.items())[:_SHAPE_MAX_ITEMS]]
        return "{" + _listing(parts, len(shape)) + "}"
    parts = [_describe(item, depth - 1) for item in list(shape)[:_SHAPE_MAX_ITEMS]]
    return "[" + _listing(parts, len(shape)) + "]"


def _own_shape(matcher: Any) -> Any:
    try:
        return matcher.expected_shape()
    except Exception:  # noqa: BLE001 - a user's matcher; a log line must not fail on it
        return None


def _listing(parts: list[str], total: int) -> str:
    hidden = total - len(parts)
    return ", ".join([*parts, f"{hidden} more"] if hidden else parts)
