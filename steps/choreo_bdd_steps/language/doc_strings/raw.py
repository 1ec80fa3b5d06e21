"""Bodies that are bytes: plain text, ``hex:`` and ``base64:``."""

from __future__ import annotations

import base64
import binascii

from choreo_bdd_steps.language.errors import BodyError


def from_hex(text: str) -> bytes:
    """Bytes from hexadecimal digits; blanks between them mean nothing. Raises BodyError."""
    try:
        return bytes.fromhex("".join(text.split()))
    except ValueError as error:
        raise BodyError(f"the body is not hexadecimal: {error}; write pairs of digits 0-9 a-f") from error


def from_base64(text: str) -> bytes:
    """Bytes from base64; blanks mean nothing. Raises BodyError."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BodyError(f"the body is not base64: {error}") from error


def from_text(text: str) -> bytes:
    """Bytes of ``hex:…``, ``base64:…``, or else the text itself as UTF-8. Raises BodyError."""
    stripped = text.strip()
    if stripped.startswith("hex:"):
        return from_hex(stripped.removeprefix("hex:"))
    if stripped.startswith("base64:"):
        return from_base64(stripped.removeprefix("base64:"))
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise BodyError("the body holds half of a surrogate pair, which has no bytes") from error
