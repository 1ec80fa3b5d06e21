"""Minting wire ids, and refusing those that could not do their work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from choreo_bdd.correlation import CorrelationPolicy
from choreo_bdd.shared.policy_facts import prefix_of
from choreo_bdd.stage.bridges import CorrelationBridge
from choreo_bdd.stage.errors import BridgeAmbiguityError, BridgeTranslationError, WireIdError

_MAX_WIRE_ID_LEN = 1024
_SMOKE_INPUT = "choreo-bdd-smoke-0123456789abcdef"


def _redact(text: str, head: int = 8, tail: int = 4) -> str:
    """A short text's ``repr``; of a longer one its beginning, its end and its length."""
    if len(text) <= head + tail + 3:
        return repr(text)
    return f"{text[:head]!r}...{text[-tail:]!r} ({len(text)} characters)"


def mint(bridge: CorrelationBridge, logical: Any, policies: Mapping[str, CorrelationPolicy]) -> dict[str, str]:
    """The wire id of a logical id on each transport.

    Raises ``BridgeTranslationError`` for what is no usable id and ``BridgeAmbiguityError`` for two that are equal.
    """
    minted: dict[str, str] = {}
    for transport, policy in policies.items():
        wire = _translated(bridge, logical, transport, policy)
        for other, taken in minted.items():
            if taken == wire:
                first, second = sorted((other, transport))
                raise BridgeAmbiguityError((first, second), type(bridge).__name__, _redact(wire))
        minted[transport] = wire
    return minted


def _translated(bridge: CorrelationBridge, logical: Any, transport: str, policy: CorrelationPolicy) -> str:
    name = type(bridge).__name__
    try:
        wire = bridge.to_wire(logical, transport)
    except Exception as error:
        raise BridgeTranslationError(name, "to_wire", transport, error) from error
    if not isinstance(wire, str) or not wire:
        what = "an empty text" if isinstance(wire, str) else type(wire).__name__
        raise BridgeTranslationError(name, "to_wire", transport, TypeError(f"expected a non-empty str, got {what}"))
    problem = _unusable(wire, policy)
    if problem is not None:
        raise BridgeTranslationError(name, "to_wire", transport, problem)
    return wire


def _unusable(wire: str, policy: CorrelationPolicy) -> WireIdError | None:
    if len(wire) > _MAX_WIRE_ID_LEN:
        return WireIdError(f"the wire id has {len(wire)} characters, at most {_MAX_WIRE_ID_LEN} are allowed")
    prefix = prefix_of(policy)
    if not wire.startswith(prefix):
        return WireIdError(f"the wire id does not start with {prefix!r}, the namespace of its transport's policy")
    return None
