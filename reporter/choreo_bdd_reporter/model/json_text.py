"""JSON of documents of our own, which are finished: finite numbers, plain objects, whole characters.

Where ``msgspec`` is installed (the extra ``fast``) writing takes an eighth of the time. What it would say otherwise
than the standard library, which is any text that is not ASCII, is left to that; numbers of any size are the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from choreo_bdd_reporter.model.limits import compact_json


def document_json(document: Any) -> str:
    """A document as ASCII JSON in as few characters as possible."""
    encode = _codec()[0]
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
    encode = _codec()[0]
    if encode is None:
        return None
    try:
        raw = encode(value)
    except Exception:  # noqa: BLE001 - as above
        return None
    return raw.decode("ascii") if raw.isascii() and b"null" not in raw and b"\x7f" not in raw else None


def read_document(text: str) -> Any:
    """What ``document_json`` has written."""
    decode = _codec()[1]
    if decode is not None:
        try:
            return decode(text)
        except ValueError:  # half a character again
            pass
    return json.loads(text)


@cache
def _codec() -> tuple[Callable[[Any], bytes] | None, Callable[[str], Any] | None]:
    """Asked for late: a run without a report needs none."""
    try:
        from msgspec.json import Decoder, Encoder  # noqa: PLC0415 - an extra
    except ImportError:
        return None, None
    return Encoder().encode, Decoder().decode
