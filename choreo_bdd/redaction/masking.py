"""Masking of values, matchers and ids.

Masking goes by *key* in structured values, by *pattern* in text, and by what is known to be secret in both; each puts
``<redacted>`` in the place of the value and leaves what surrounds it readable (spec/report.md C).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

from choreo_bdd.redaction.beside_names import is_told_in_pair
from choreo_bdd.redaction.credentials import (
    declare_patterns,
    forget_declared_patterns,
    is_innocent_json,
    redact_text,
)
from choreo_bdd.redaction.findable import Findable
from choreo_bdd.redaction.known_secrets import MIN_CHARS, REDACTED, KnownSecrets, is_unmistakable, put
from choreo_bdd.redaction.secret_names import (
    declare_names,
    forget_declared_names,
    is_count_under,
    is_secret_key,
    is_secret_path,
)

REDACTION_VERSION = "v1"

_LITERAL = "<value>"
_JSON = ("{", "[", '"{', '"[', '"\\"')
_JSON_IN_BASE64 = (
    "eyJ", "eyA", "ewo", "ewA", "W3s", "WyJ", "WwB", "WwA", "AHs", "AFs", "AAAAe", "AAAAW",
    "77u/", "//57", "//5b", "//4", "/v8", "AAD+/", "77u_", "__57", "__5b", "__4", "_v8", "AAD-_",
)  # fmt: skip
"""How base64 begins of what begins like JSON, in UTF-8, UTF-16 or UTF-32, without a byte order mark and with one."""
_SHAPE_MAX_DEPTH = 8
_SHAPE_MAX_ITEMS = 10
LEARNED_MAX = 1000
_CLEAN_MAX = 65_536
_CLEAN_CHARS = 300
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
    """Masks values and text, counts what it masked, and finds what it knows to be secret wherever it stands.

    ``fields`` counts values masked by their key, ``stream_matches`` places masked in text. One redactor
    serves one test or one message; what it remembers never leaves memory.
    """

    fields: int = 0
    stream_matches: int = 0
    _known: KnownSecrets = field(default_factory=KnownSecrets, repr=False)
    _names: dict[str, str] = field(default_factory=dict, repr=False)
    _clean: set[str] = field(default_factory=set, repr=False)
    _clean_for: int = field(default=-1, repr=False)
    """Topics, ids and sentences come again and again: what had nothing to mask, as long as no more is known."""

    def value(self, value: Any) -> Any:
        """A masked copy of a structured value; tuples and sets become lists. Depth is no problem."""
        known = len(self._known)
        masked = self._masked(value)
        if len(self._known) == known:
            return masked
        counted = self.fields, self.stream_matches
        masked = self._masked(masked)  # what is secret at one place may have been met at another before
        self.fields, self.stream_matches = counted
        return masked

    def _masked(self, value: Any) -> Any:
        holder: list[Any] = [None]
        copies: dict[int, Any] = {}
        pending: list[tuple[Any, Any, Any]] = [(value, holder, 0)]
        while pending:
            source, target, place = pending.pop()
            target[place] = self._copy(source, copies, pending)
        return holder[0]

    def at_path(self, path: str, value: Any) -> Any:
        """The same for a value that was found at a dotted path, whose parts count as keys."""
        if is_secret_path(path):
            return None if value is None else self._mask(value)
        return self.value(value)

    def text(self, text: str) -> str:
        """Running text, masked by pattern and cleared of every value known to be secret, or quoted as one here."""
        changes = self._known.changes + _DECLARED.changes + _MET.changes + len(self._names)
        if self._clean_for != changes or len(self._clean) >= _CLEAN_MAX:
            self._clean.clear()
            self._clean_for = changes
        if text in self._clean:
            return text
        found: set[str] = set()
        whole = text
        for known in (self._known, _DECLARED, _MET):
            whole = known.mask_divisible(whole, REDACTED)
        masked, hits = redact_text(whole, found)
        if hits:
            self.stream_matches += hits
            self._learn_here(found)
        shown = self.without_known(masked)
        if shown == text and len(text) <= _CLEAN_CHARS:
            self._clean.add(text)
        return shown

    def document(self, text: str) -> str:
        """A text that may be JSON, as a whole or line by line, masked by its structure; all else like running text."""
        inner = self._json_inside(text.strip())
        if inner is None and "\n{" in text:
            lines = [self._json_inside(line.strip()) or line for line in text.split("\n")]
            inner = "\n".join(lines)
        return self.text(text if inner is None else inner)

    def rename(self, literal: str, name: str) -> None:
        """Show ``name`` wherever a text or a value has ``literal`` from now on; not counted, and not for short ones."""
        if len(literal) >= MIN_CHARS:
            self._names[literal] = name

    def touches(self, text: str) -> bool:
        """Whether something in the text is known to be secret, or has another name to be shown by."""
        if self._names and any(literal in text for literal in self._names):
            return True
        return any(known.written and known.are_in(text) for known in (self._known, _DECLARED, _MET))

    def without_known(self, text: str) -> str:
        """The text cleared of what is known to be secret, with names for what was renamed; not counted."""
        for known in (self._known, _DECLARED, _MET):
            if known.written:  # nearly never, and this runs for every text of a report
                text = known.mask(text, REDACTED)
        for literal, name in self._names.items():
            text = put(name, literal, text)
        return text

    def learn(self, value: Any) -> None:
        """Remember a value as a secret without counting it; what cannot be mistaken for prose, for every redactor."""
        for text in self._learn_here(value):
            if is_unmistakable(text) and len(_MET) < LEARNED_MAX:
                _MET.add(text)

    def _learn_here(self, value: Any) -> list[str]:
        """Remember a value for this redactor; the texts it consists of."""
        learned: list[str] = []
        pending, seen = [value], 0
        while pending and seen < LEARNED_MAX:
            item = pending.pop()
            seen += 1
            if isinstance(item, Mapping):
                pending.extend(item.values())
            elif isinstance(item, list | tuple | set | frozenset):
                pending.extend(item)
            elif isinstance(item, bytes | bytearray):
                learned.append(bytes(item).decode("latin-1"))
            elif isinstance(item, str | int | float) and not isinstance(item, bool) and item != REDACTED:
                learned.append(str(item))
        for text in learned:
            self._known.add(text)
        return learned

    def learn_secrets(self, value: Any) -> None:
        """Remember what a structured value has under secret keys, without counting it."""
        counted = self.fields, self.stream_matches
        self.value(value)
        self.fields, self.stream_matches = counted

    def learn_at_path(self, path: str, value: Any) -> None:
        """The same for a value that was found at a path, whose parts count as keys."""
        counted = self.fields, self.stream_matches
        self.at_path(path, value)
        self.fields, self.stream_matches = counted

    def _mask(self, value: Any) -> str:
        if not (isinstance(value, str) and value == REDACTED):
            self.fields += 1
            self.learn(value)
        return REDACTED

    def _copy(self, source: Any, copies: dict[int, Any], pending: list[tuple[Any, Any, Any]]) -> Any:
        if isinstance(source, str):
            return self._copy_text(source)
        if isinstance(source, bytes | bytearray):
            return self._copy_text(bytes(source).decode("latin-1")).encode("latin-1", "replace")
        if isinstance(source, _PLAIN) or not isinstance(source, _CONTAINERS):
            return REDACTED if type(source) in (int, float) and self._is_known(str(source)) else source
        if id(source) in copies:
            return copies[id(source)]
        if isinstance(source, dict | Mapping):
            return self._copy_mapping(source, copies, pending)
        items: list[Any] = [None] * len(source)
        copies[id(source)] = items
        if isinstance(source, list | tuple) and len(source) == 2 and is_told_in_pair(*source):
            items[:] = source[0], self._mask(source[1])
        else:
            pending.extend((item, items, index) for index, item in enumerate(source))
        return items

    def _is_known(self, text: str) -> bool:
        return text in self._known or text in _DECLARED or text in _MET

    def _copy_text(self, source: str) -> str:
        inner = self._json_inside(source)
        if inner is not None:
            return self.without_known(inner)
        return self.text(source)

    def _json_inside(self, source: str) -> str | None:
        """A string that is JSON itself, masked by its structure; ``None`` where there is nothing to mask in it.

        That may be JSON within JSON (``"{\\"password\\": …``), or within base64.
        """
        if source.startswith(_JSON_IN_BASE64):
            return self._base64_inside(source)
        if not source.startswith(_JSON) or is_innocent_json(source):
            return None
        try:
            document = json.loads(source)
        except (ValueError, RecursionError):
            return None
        counted = self.fields, self.stream_matches
        masked = self.value(document)
        if (self.fields, self.stream_matches) == counted:
            return None
        try:
            return json.dumps(masked, ensure_ascii=False)
        except RecursionError:
            return None

    def _base64_inside(self, source: str) -> str | None:
        """The same for JSON in base64, which is base64 again."""
        try:
            data = base64.b64decode(
                source + "=" * (-len(source) % 4), altchars=b"-_" if set("-_") & {*source} else None
            )
            text = data.decode(json.detect_encoding(data))
        except ValueError:
            return None
        inner = self._json_inside(text)
        return None if inner is None else base64.b64encode(inner.encode()).decode("ascii")

    def _copy_mapping(
        self, source: Mapping[Any, Any], copies: dict[int, Any], pending: list[tuple[Any, Any, Any]]
    ) -> dict[Any, Any]:
        copy: dict[Any, Any] = {}
        copies[id(source)] = copy
        for key, item in source.items():
            shown = self._shown_key(key, copy)
            copy[shown] = None
            if _is_of_secret(key, source) and not is_count_under(key, item):
                copy[shown] = self._mask(item)
            else:
                pending.append((item, copy, shown))
        return copy

    def _shown_key(self, key: Any, taken: Mapping[Any, Any]) -> Any:
        """The key itself, unless a secret stands in it; then masked, and still another one than those before."""
        if not isinstance(key, str):
            return key
        masked = self.text(key)
        if masked not in taken:
            return masked
        return next(name for name in (f"{masked} ({number})" for number in count(2)) if name not in taken)


def _is_of_secret(key: Any, beside: Mapping[Any, Any]) -> bool:
    """Whether a member's name is that of a secret, or the one that ``{"name": "password", "value": "x"}`` tells."""
    return is_secret_key(key) or (key == "value" and is_secret_key(beside.get("name") or beside.get("key")))


_DECLARED = KnownSecrets()
_MET = KnownSecrets()
"""What stood under a secret name somewhere in this run, so that no later test shows it; the first thousand."""


def known_to_all() -> tuple[KnownSecrets, KnownSecrets]:
    """What every redactor of this process knows: what was declared, and what was met."""
    return _DECLARED, _MET


def declare_secrets(
    *, names: Iterable[str] = (), patterns: Iterable[Findable] = (), values: Iterable[str] = ()
) -> None:
    """Hide more from now on, in all this process shows: values under these names, and these values wherever they are.

    What one of the ``patterns`` finds in a text is masked whole (``choreo_bdd.matchers.patterns.finding`` makes them of
    regular expressions). Values of fewer than five characters are not looked for.
    """
    _DECLARED.note_change()
    declare_names(names)
    declare_patterns(patterns)
    for value in values:
        _DECLARED.add(value)


def forget_declared_secrets() -> None:
    """Hide only what is hidden anyway, and forget which secrets were met."""
    forget_declared_names()
    forget_declared_patterns()
    _DECLARED.clear()
    _MET.clear()


class RedactionCounts(NamedTuple):
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
