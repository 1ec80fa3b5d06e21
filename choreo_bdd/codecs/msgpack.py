"""MessagePack payloads. Needs the extra ``msgpack``; imported when a configuration names the codec."""

from __future__ import annotations

from typing import Any

import msgpack  # type: ignore[import-untyped]  # ships no types

_EPOCH_SECONDS = 1


class MsgpackCodec:
    """MessagePack: JSON's values, and bytes. A timestamp is read as epoch seconds."""

    def decode(self, data: bytes) -> Any:
        """The value; ``ValueError`` when the bytes are not one MessagePack value."""
        try:
            return msgpack.unpackb(data, timestamp=_EPOCH_SECONDS, strict_map_key=False)
        except Exception as error:  # the library's errors have no base of their own
            raise ValueError(f"not one MessagePack value: {error}") from error

    def encode(self, value: Any) -> bytes:
        """MessagePack bytes; ``TypeError`` for a value it has no form for."""
        try:
            packed: bytes = msgpack.packb(value)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise TypeError(f"MessagePack cannot hold this value: {error}") from error
        return packed
