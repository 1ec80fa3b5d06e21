"""JSON of documents of our own, which are finished: finite numbers, plain objects, whole characters.

``msgspec`` writes in an eighth of the time. What it would say otherwise than the standard library, which is any text
that is not ASCII, is left to that; numbers of any size are the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from choreo_bdd_reporter.model.limits import compact_json

_READ_BACK_MAX = 1_000_000
"""Bytes; what is larger would stand in memory a second time."""
_DIGITS_AS_ZERO = bytes.maketrans(b"123456789", b"000000000")


def document_json(document: Any) -> str:
    """A document as ASCII JSON in as few characters as possible."""
    try:
        raw = _codec().encode(document)
    except Exception:  # noqa: BLE001 - what it does not know, such as half a character, the standard library may
        return compact_json(document)
    return raw.decode("ascii") if raw.isascii() and b"\x7f" not in raw else compact_json(document)


def foreign_json(value: Any) -> str | None:
    """The same of what others have written; ``None`` where the standard library has to look at it.

    A number that JSON has none for would be ``null`` here.
    """
    try:
        raw = _codec().encode(value)
        is_sure = raw.isascii() and b"\x7f" not in raw and (b"null" not in raw or _reads_back(raw, value))
    except Exception:  # noqa: BLE001 - as above
        return None
    return raw.decode("ascii") if is_sure else None


def as_written(values: Sequence[bytes]) -> str | None:
    """JSON from elsewhere as text, a line each, where the standard library would write what they say just so.

    ``None`` where one of them has to be read and written, or is no JSON: other spaces, characters or spellings of
    numbers, names that come twice.
    """
    codec, lines = _codec(), b"\n".join(values)
    if lines.count(b"\n") != len(values) - 1:
        return None
    if not lines.isascii() or b"\x7f" in lines or _may_be_spelled(lines):
        return None
    try:
        return lines.decode("ascii") if codec.rewrite_lines(lines) == lines + b"\n" else None
    except Exception:  # noqa: BLE001 - no JSON, or nested too deeply
        return None


def _reads_back(raw: bytes, value: Any) -> bool:
    """Whether this is surely the value, and spelled as the standard library spells it but for characters.

    What JSON has no form for is not what it was when it is read back: a date is a text then, bytes are one, too.
    """
    if len(raw) > _READ_BACK_MAX:
        return False
    read = _codec().read_alike if _may_be_spelled(raw) else _codec().decode
    return bool(read(raw) == value)


def _may_be_spelled(raw: bytes) -> bool:
    """Whether there may be a float that the standard library writes in another way."""
    numbers = raw.translate(_DIGITS_AS_ZERO)
    return b"0e0" in numbers or b"0e-" in numbers or b"0.0000" in raw


def _float_as_written(text: str) -> float | None:
    """A float that the standard library writes in the same way; ``None`` of ``1e16``, which there is ``1e+16``."""
    value = float(text)
    return value if repr(value) == text else None


def read_document(text: str) -> Any:
    """What ``document_json`` has written."""
    try:
        return _codec().decode(text)
    except ValueError:  # half a character again
        return json.loads(text)


class _Codec(NamedTuple):
    """Of ``msgspec``; ``read_alike`` reads ``None`` for floats that are not written alike.

    ``rewrite_lines`` reads values, a line each, and writes them.
    """

    encode: Callable[[Any], bytes]
    decode: Callable[[str | bytes], Any]
    read_alike: Callable[[bytes], Any]
    rewrite_lines: Callable[[bytes], bytes]


@cache
def _codec() -> _Codec:
    """Asked for late: a run without a report needs none."""
    from msgspec.json import Decoder, Encoder  # noqa: PLC0415 - see above

    encoder, decoder = Encoder(), Decoder()
    return _Codec(
        encoder.encode,
        decoder.decode,
        Decoder(float_hook=_float_as_written).decode,
        lambda lines: encoder.encode_lines(decoder.decode_lines(lines)),
    )
