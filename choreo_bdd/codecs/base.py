"""Codecs: payload values to bytes and back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from choreo_bdd.codecs.decimals import encode_exactly, exact_number

_BYTES = (bytes, bytearray)
_parse = json.JSONDecoder(parse_float=exact_number).decode
_compact = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode
"""What contains itself is found by its depth: to look for it at every level takes half of the time."""


class Refused(ValueError):
    """Bytes that a codec refuses for a reason that may be shown: it holds nothing of them."""


@runtime_checkable
class Codec(Protocol):
    """Turns a payload value into bytes and bytes into a payload value."""

    def decode(self, data: bytes) -> Any:
        """Value of the bytes; raises when they are not of this codec's kind."""
        ...

    def encode(self, value: Any) -> bytes:
        """Bytes of the value; raises ``TypeError`` for a value this codec cannot carry."""
        ...


@dataclass(frozen=True, slots=True)
class JSONCodec:
    """Compact ASCII JSON; a number a float cannot hold is a decimal, read and written with all its digits.

    Bytes that are not JSON decode to themselves, so that raw messages can still be judged; with ``strict`` they are
    an error, and a message that carries them is diagnosed as undecodable.
    """

    strict: bool = False

    def decode(self, data: bytes) -> Any:
        """The JSON value; for bytes that do not parse ``data`` itself, or ``ValueError`` when strict."""
        try:
            return _parse(str(data, "utf-8"))  # spares json the guess at the encoding
        except (ValueError, RecursionError):
            return self._decode_other(data)

    def _decode_other(self, data: bytes) -> Any:
        """What is not UTF-8, or is not JSON at all."""
        try:
            return json.loads(data, parse_float=exact_number)
        except RecursionError:
            if self.strict:
                raise ValueError("nested too deeply") from None
        except ValueError:
            if self.strict:
                raise
        return data

    def encode(self, value: Any) -> bytes:
        """Compact JSON; ``TypeError`` for bytes and for values JSON cannot hold."""
        if isinstance(value, _BYTES):
            raise TypeError("JSONCodec.encode() takes a JSON value, not bytes; publish bytes directly instead")
        try:
            return self._encoded(value).encode("ascii")
        except (ValueError, RecursionError):
            raise TypeError("JSON cannot hold a value that contains itself or is nested too deeply") from None

    def _encoded(self, value: Any) -> str:
        try:
            return _compact(value)
        except TypeError:
            return encode_exactly(value, json.dumps, separators=(",", ":"))


def reads_json(codec: object) -> bool:
    """Whether a codec reads bytes as the JSON they are, and nothing else into or out of them."""
    return type(codec) is JSONCodec


class TextCodec:
    """UTF-8 text."""

    def decode(self, data: bytes) -> str:
        """The text; ``UnicodeDecodeError`` when the bytes are not UTF-8."""
        return data.decode("utf-8")

    def encode(self, value: Any) -> bytes:
        """UTF-8 bytes; ``TypeError`` for anything but text."""
        if not isinstance(value, str):
            raise TypeError(f"TextCodec.encode() takes str, not {type(value).__name__}")
        return value.encode("utf-8")


class RawCodec:
    """Bytes, untouched."""

    def decode(self, data: bytes) -> bytes:
        """The same bytes."""
        return data

    def encode(self, value: Any) -> bytes:
        """The same bytes; ``TypeError`` for anything else."""
        if not isinstance(value, bytes | bytearray):
            raise TypeError(f"RawCodec.encode() takes bytes, not {type(value).__name__}")
        return bytes(value)
