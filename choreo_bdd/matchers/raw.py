"""Matchers of undecoded payloads."""

from __future__ import annotations

from dataclasses import dataclass, field

from choreo_bdd.matchers.result import RAW_PATH, MatchFailure, MatchResult, matched, missed, show


@dataclass(frozen=True, slots=True, repr=False)
class PayloadContains:
    """A run of bytes somewhere in a raw payload."""

    substring: bytes
    description: str = field(compare=False)
    ok: MatchResult = field(compare=False)

    def match(self, payload: object) -> MatchResult:
        """Search. Raises TypeError for a payload that a codec has already decoded."""
        if not isinstance(payload, (bytes, bytearray)):
            raise TypeError(
                f"payload_contains judges raw bytes, but the payload is {type(payload).__name__}; "
                "use RawCodec, or contains() for a decoded field"
            )
        if self.substring in payload:
            return self.ok
        failure = MatchFailure("predicate", RAW_PATH, self.expected_shape(), bytes(payload))
        return missed(failure, f"expected {self.description}, got {show(bytes(payload))}")

    def expected_shape(self) -> object:
        """``{"payload_contains_hex": hexadecimal text}``."""
        return {"payload_contains_hex": self.substring.hex()}

    def __repr__(self) -> str:
        return self.description


def payload_contains(substring: bytes) -> PayloadContains:
    """The raw payload holds ``substring``. Its match raises TypeError for payloads that are not bytes."""
    if not isinstance(substring, (bytes, bytearray)):
        raise TypeError(f"payload_contains needs bytes, not {type(substring).__name__}")
    words = f"contains {bytes(substring)!r}"
    return PayloadContains(bytes(substring), words, matched(words))
