"""How much of a value a report keeps, and the markers that stand for the rest.

Every function here accepts whatever a message or a test can contain: endless nesting, NaN, half surrogate pairs,
NUL characters, objects without a usable ``repr``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

VALUE_MAX_CHARS = 8192
STRING_MAX_BYTES = 2048
STREAM_MAX_BYTES = 65_536
BODY_MAX_CHARS = 65_536
TIMELINE_MAX = 10_000
DETAIL_MAX_CHARS = 120
FAILURES_MAX = 20
DIFFERENCES_MAX = 100
HANDLES_MAX = 100
REPLIES_MAX = 100
SCENARIOS_MAX = 100
TESTS_MAX = 50_000

_BODY_HEAD_CHARS = 49_152
_DEPTH_MAX = 64
_NODES_MAX = 100_000
_INT_MAX_BITS = 1024
_INT_WRITTEN_MAX_BITS = 14_000
"""Python writes out no integer that is much longer."""
_HUGE_NUMBER_CHARS = 300
_HUGE_NUMBER = re.compile(rf"\d{{{_HUGE_NUMBER_CHARS}}}")
_NUMBERS = (int, float, type(None))
_BYTES = (bytes, bytearray, memoryview)
_ESCAPED = re.compile(r"\\x..|\\.")
_CONTAINERS = (dict, list, tuple, set, frozenset, Mapping)  # the abstract one is slow to test, so it comes last

Item = TypeVar("Item")

compact_json = json.JSONEncoder(allow_nan=False, check_circular=False, separators=(",", ":")).encode
"""ASCII JSON in as few characters as possible; refuses what JSON has no form for.

What contains itself is a ``RecursionError``: to look for that at every level takes half of the time.
"""


def clean_text(text: str) -> str:
    """``text`` that every JSON reader and database takes: no lone surrogates, no NUL (shown as U+2400)."""
    if text.isascii() and "\0" not in text:
        return text
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\u2400")


def count_bytes(text: str) -> int:
    """How many bytes of UTF-8 a text has in the report."""
    return len(clean_text(text).encode("utf-8"))


def cap_stream(text: str, *, left_out: int = 0) -> str:
    """The last 65,536 bytes of captured text, below a line that says how many bytes are missing.

    ``left_out`` bytes stood before the text and are missing already.
    """
    text = clean_text(text)
    if not left_out and len(text) <= STREAM_MAX_BYTES and text.isascii():  # nearly always
        return text
    raw = text.encode("utf-8")
    missing = max(0, len(raw) - STREAM_MAX_BYTES)
    if not missing + left_out:
        return text
    return f"[{missing + left_out} bytes truncated]\n{raw[missing:].decode('utf-8', 'ignore')}"


def cap_detail(text: str) -> str:
    """A one-line detail of at most 120 characters, cut with ``...``."""
    text = clean_text(text)
    return text if len(text) <= DETAIL_MAX_CHARS else text[: DETAIL_MAX_CHARS - 3] + "..."


def cap_value(value: Any) -> tuple[Any, bool]:
    """A JSON value within the limits, and whether all of it had to be replaced by a marker.

    ``value`` must be JSON already (see ``json_safe``). Long strings are replaced one by one, a value that is still
    too large as a whole; the markers give the original size in bytes and the beginning.
    """
    text = json.dumps(value)
    if len(text) <= STRING_MAX_BYTES:
        return value, False
    capped = _cap_strings(value)
    capped_text = json.dumps(capped)
    if len(capped_text) <= VALUE_MAX_CHARS:
        return capped, False
    return _marker(len(text), capped_text[:VALUE_MAX_CHARS]), True


def cap_body(value: Any) -> Any:
    """A message's payload as the page shows it: whole, or with a marker in its place its beginning and its end."""
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text) <= BODY_MAX_CHARS:
        return value
    if _is_bytes(value):
        return {**value, "_repr": _marker(_count_bytes(value["_repr"]), value["_repr"][:_BODY_HEAD_CHARS])}
    tail = text[_BODY_HEAD_CHARS - BODY_MAX_CHARS :]
    return {**_marker(len(text.encode("utf-8")), text[:_BODY_HEAD_CHARS]), "_tail": tail}


def _cap_strings(value: Any) -> Any:
    if isinstance(value, str):
        raw = value.encode("utf-8")
        if len(raw) <= STRING_MAX_BYTES:
            return value
        return _marker(len(raw), raw[:STRING_MAX_BYTES].decode("utf-8", "ignore"))
    if isinstance(value, dict):
        capped = {key: _cap_strings(item) for key, item in value.items()}
        if _is_bytes(value) and capped["_repr"] != value["_repr"]:
            capped["_repr"]["_original_bytes"] = _count_bytes(value["_repr"])
        return capped
    if isinstance(value, list):
        return [_cap_strings(item) for item in value]
    return value


def _is_bytes(value: Any) -> bool:
    """Whether a value is the marker of bytes, which are kept as Python writes them."""
    if not isinstance(value, dict) or value.get("_unserialisable") is not True:
        return False
    return isinstance(value["_repr"], str) and value["_repr"].startswith(("b'", 'b"'))


def _count_bytes(written: str) -> int:
    """How many bytes a literal of bytes stands for."""
    return len(_ESCAPED.sub(".", written)) - len("b''")


def _marker(original_bytes: int, head: str) -> dict[str, Any]:
    return {"_truncated": True, "_original_bytes": original_bytes, "_head": head}


def both_ends(all_of_them: Sequence[Item], most: int) -> Sequence[Item]:
    """Of too many in a row the first quarter of ``most`` and the latest."""
    left_out, head = len(all_of_them) - most, most // 4
    return all_of_them if left_out <= 0 else [*all_of_them[:head], *all_of_them[head + left_out :]]


def keep_worst(items: Sequence[Item], limit: int, is_bad: Iterable[bool]) -> tuple[list[int], int]:
    """Indices of at most ``limit`` items in their order, bad ones first choice; and how many are left out."""
    if len(items) <= limit:
        return list(range(len(items))), 0
    flags = list(is_bad)
    ranked = sorted(range(len(items)), key=lambda index: not flags[index])
    return sorted(ranked[:limit]), len(items) - limit


def small_json(value: Any) -> str | None:
    """The JSON text of a small value made of nothing but what JSON knows, else ``None``."""
    try:
        text = compact_json(value)
    except (TypeError, ValueError, RecursionError):
        return None
    return text if len(text) <= STRING_MAX_BYTES else None


def is_plain_json(text: str) -> bool:
    """Whether a small JSON text is within the limits on depth and numbers, too."""
    if text.count("[") + text.count("{") > _DEPTH_MAX:
        return False
    return len(text) < _HUGE_NUMBER_CHARS or not _HUGE_NUMBER.search(text)


def json_safe(value: Any) -> Any:
    """A copy of any Python value that JSON can hold.

    Matchers become their expected shape, sets and tuples lists, keys text. What has no JSON form, NaN included,
    becomes ``{"_unserialisable": true, "_repr": ...}``; what lies too deep, or repeats its own parent, a marker.
    """
    return _Converter().convert(value, 0, ())


class _Converter:
    """One conversion: counts nodes, so that a small value that shares parts cannot explode."""

    def __init__(self) -> None:
        self._nodes = 0

    def convert(self, value: Any, depth: int, parents: tuple[int, ...]) -> Any:
        self._nodes += 1
        if isinstance(value, str):
            return clean_text(str(value))
        if isinstance(value, _NUMBERS):
            return _number(value)
        if isinstance(value, _CONTAINERS):
            return self._container(value, depth, parents)
        if hasattr(value, "expected_shape"):
            return self._shape(value, depth, parents)
        return unserialisable(_repr(bytes(value) if isinstance(value, _BYTES) else value))

    def _container(self, value: Any, depth: int, parents: tuple[int, ...]) -> Any:
        if id(value) in parents:
            return _left_out("<contains itself>")
        if depth >= _DEPTH_MAX:
            return _left_out(f"<nested deeper than {_DEPTH_MAX} levels>")
        if self._nodes > _NODES_MAX:
            return _left_out(f"<more than {_NODES_MAX} values>")
        inside = (*parents, id(value))
        if isinstance(value, dict | Mapping):
            return {_key(key): self.convert(item, depth + 1, inside) for key, item in value.items()}
        return [self.convert(item, depth + 1, inside) for item in value]

    def _shape(self, matcher: Any, depth: int, parents: tuple[int, ...]) -> Any:
        if depth >= _DEPTH_MAX:
            return _left_out(f"<nested deeper than {_DEPTH_MAX} levels>")
        try:
            shape = matcher.expected_shape()
        except Exception as error:  # noqa: BLE001 - a user's matcher must not cost the report
            return unserialisable(f"<expected_shape() raised {type(error).__name__}>")
        return self.convert(shape, depth + 1, parents)


def _number(value: float | None) -> Any:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else unserialisable(repr(value))
    if value is None or isinstance(value, bool) or value.bit_length() <= _INT_MAX_BITS:
        return value
    is_written = value.bit_length() <= _INT_WRITTEN_MAX_BITS
    return unserialisable(str(value) if is_written else f"<int of {value.bit_length()} bits>")


def _key(key: object) -> str:
    return clean_text(key if isinstance(key, str) else _repr(key))


def _repr(value: object) -> str:
    try:
        return str(value) if isinstance(value, Decimal) else clean_text(repr(value))
    except Exception as error:  # noqa: BLE001 - any object may break here, also with RecursionError
        return f"<{type(value).__name__} whose repr raised {type(error).__name__}>"


def unserialisable(text: str) -> dict[str, Any]:
    """The marker for a value that JSON has no form for."""
    return {"_unserialisable": True, "_repr": text}


def _left_out(reason: str) -> dict[str, Any]:
    return {"_truncated": True, "_head": reason}
