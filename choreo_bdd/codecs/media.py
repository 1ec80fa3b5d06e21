"""Bodies of HTTP: each says by its media type what it is."""

from __future__ import annotations

from typing import Any

from choreo_bdd.codecs.base import JSONCodec

_JSON = JSONCodec(strict=True)
_TEXT = ("xml", "x-www-form-urlencoded", "javascript", "yaml", "html")


class MediaBytes(bytes):
    """A body that knows its media type, as ``application/json; charset=utf-8``; empty where nobody has said."""

    media_type: str

    def __new__(cls, data: bytes, media_type: str) -> MediaBytes:
        """Of these bytes."""
        made = super().__new__(cls, data)
        made.media_type = media_type
        return made


class NoJson(str):
    """The text of a body that says it is JSON and cannot be read as such."""

    __slots__ = ()


class MediaCodec:
    """JSON and text by their media types; anything else, and what is not what it says, stays bytes."""

    def decode(self, data: bytes) -> Any:
        """The value of a body; one of unknown type is JSON or text where it reads as such."""
        kind, _, parameters = (data.media_type if isinstance(data, MediaBytes) else "").lower().partition(";")
        kind = kind.strip()
        if not kind or kind == "application/json" or kind.endswith(("+json", "/json")):
            try:
                return _JSON.decode(data)
            except ValueError:
                text = _text(data, parameters)
                return NoJson(text) if kind and data and isinstance(text, str) else text
        is_text = kind.startswith("text/") or kind.rpartition("/")[2].rpartition("+")[2] in _TEXT
        return _text(data, parameters) if is_text else bytes(data)

    def encode(self, value: Any) -> bytes:
        """Text as plain text, all else as JSON; ``TypeError`` for what JSON cannot hold."""
        if isinstance(value, str):
            return MediaBytes(value.encode(), "text/plain; charset=utf-8")
        return MediaBytes(_JSON.encode(value), "application/json")


def _text(data: bytes, parameters: str) -> str | bytes:
    charset = parameters.partition("charset=")[2].partition(";")[0].strip(" \"'") or "utf-8"
    try:
        return data.decode(charset)
    except (LookupError, UnicodeDecodeError):
        return bytes(data)
