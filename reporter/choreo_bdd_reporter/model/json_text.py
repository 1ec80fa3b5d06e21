"""JSON of documents of our own, which are finished: finite numbers, plain objects, whole characters.

Where ``msgspec`` is installed (the extra ``fast``) writing takes an eighth of the time. What it would say otherwise
than the standard library, which is any text that is not ASCII, is left to that; numbers of any size are the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from choreo_bdd_reporter.model.limits import compact_json

_READ_BACK_MAX = 1_000_000
"""Bytes; what is larger would stand in memory a second time."""
_DIGITS_AS_ZERO = bytes.maketrans(b"123456789", b"000000000")


def document_json(document: Any) -> str:
    """A document as ASCII JSON in as few characters as possible."""
    encode = _codec().encode
    if encode is None:
        return compact_json(document)
    try:
        raw = encode(document)
    except Exception:  # noqa: BLE001 - what it does not know, such as half a character, the standard library may
        return compact_json(document)
    return raw.decode("ascii") if raw.isascii() and b"\x7f" not in raw else compact_json(document)


def foreign_json(value: Any) -> str | None:
    """The same of what others have written; ``None`` where the standard library has to look at it.

    A number that JSON has none for would be ``null`` here.
    """
    encode = _codec().encode
    if encode is None:
        return None
    try:
        raw = encode(value)
        is_sure = raw.isascii() and b"\x7f" not in raw and (b"null" not in raw or _reads_back(raw, value))
    except Exception:  # noqa: BLE001 - as above
        return None
    return raw.decode("ascii") if is_sure else None


def _reads_back(raw: bytes, value: Any) -> bool:
    """Whether this is surely the value, and spelled as the standard library spells it but for characters.

    What JSON has no form for is not what it was when it is read back: a date is a text then, bytes are one, too.
    """
    if len(raw) > _READ_BACK_MAX:
        return False
    numbers = raw.translate(_DIGITS_AS_ZERO)
    may_differ = b"0e0" in numbers or b"0e-" in numbers or b"0.0000" in raw
    read = _codec().read_alike if may_differ else _codec().decode
    return read is not None and bool(read(raw) == value)


def _float_as_written(text: str) -> float | None:
    """A float that the standard library writes in the same way; ``None`` of ``1e16``, which there is ``1e+16``."""
    value = float(text)
    return value if repr(value) == text else None


def read_document(text: str) -> Any:
    """What ``document_json`` has written."""
    decode = _codec().decode
    if decode is not None:
        try:
            return decode(text)
        except ValueError:  # half a character again
            pass
    return json.loads(text)


class _Codec(NamedTuple):
    """Of ``msgspec``, nothing without it; ``read_alike`` reads ``None`` for floats that are not written alike."""

    encode: Callable[[Any], bytes] | None = None
    decode: Callable[[str | bytes], Any] | None = None
    read_alike: Callable[[bytes], Any] | None = None


@cache
def _codec() -> _Codec:
    """Asked for late: a run without a report needs none."""
    try:
        from msgspec.json import Decoder, Encoder  # noqa: PLC0415 - an extra
    except ImportError:
        return _Codec()
    return _Codec(Encoder().encode, Decoder().decode, Decoder(float_hook=_float_as_written).decode)
