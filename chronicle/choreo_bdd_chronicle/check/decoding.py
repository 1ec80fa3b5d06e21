"""From bytes to JSON values, for any bytes at all."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from choreo_bdd_chronicle.check.records import Fault, RefusedReportError

DEPTH_MAX = 200
"""So deep may a report be nested; the reporter stops at 64 within a message."""

_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_NOT_STRUCTURE = bytes(sorted(set(range(256)) - set(b'"{}[]')))
_ALIKE = bytes.maketrans(b"{}", b"[]")
_STRINGS = re.compile(rb'"[^"]*"')


def decode(body: bytes) -> Any:
    """The JSON value of a body. Raises ``RefusedReportError``: not JSON, not UTF-8, nested too deep.

    Half a surrogate pair, as captured output may hold it, reads as U+FFFD.
    """
    try:
        document = _parsed(body)
    except RecursionError:
        raise _refused(f"nested deeper than {DEPTH_MAX} levels") from None
    except UnicodeDecodeError as error:
        raise _refused(f"not UTF-8 text: {error.reason} at byte {error.start}") from error
    except msgspec.DecodeError as error:
        raise _refused(f"not JSON: {error}") from error
    if is_deeper(body, DEPTH_MAX):
        raise _refused(f"nested deeper than {DEPTH_MAX} levels")
    return document


def _parsed(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except UnicodeDecodeError:
        whole = body.decode("utf-8", "surrogatepass")  # bytes that are no text even so are refused
        return msgspec.json.decode(_without_halves(whole.encode("utf-8", "replace")))
    except msgspec.DecodeError:
        mended = _without_halves(body)
        if mended == body:
            raise
        return msgspec.json.decode(mended)


def _without_halves(body: bytes) -> bytes:
    return _ESCAPES.sub(lambda found: rb"\ufffd" if found[1] else found[0], body)


def is_deeper(body: bytes, limit: int) -> bool:
    """Whether well-formed JSON is nested deeper: bare of strings, each pass peels the innermost level off."""
    opened = len(body) - len(body.replace(b"[", b"").replace(b"{", b""))  # count() looks at each byte by itself
    if opened <= limit:
        return False
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    bare = body.translate(_ALIKE, _NOT_STRUCTURE)
    holds_brackets = bare.count(b'""') * 2 != bare.count(b'"')  # some string does: its quotes stand apart
    bare = _STRINGS.sub(b"", bare) if holds_brackets else bare.translate(None, b'"')
    for _ in range(limit):
        if not bare:
            return False
        bare = bare.replace(b"[]", b"")
    return bool(bare)


def _refused(message: str) -> RefusedReportError:
    return RefusedReportError([Fault("", message)], is_shape=False)
