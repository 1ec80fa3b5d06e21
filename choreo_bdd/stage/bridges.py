"""Correlation bridges: one logical scenario id, a wire id on each transport."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol, runtime_checkable

from choreo_bdd.shared.minted import minted


@runtime_checkable
class CorrelationBridge(Protocol):
    """Mints logical ids and translates them; ``to_wire`` runs once a transport and scope, never per message."""

    async def fresh(self) -> Any:
        """A logical id nobody else has."""
        ...

    def to_wire(self, logical: Any, transport: str) -> str:
        """The id on this transport's wire: deterministic, quick, distinct per transport."""
        ...

    def from_wire(self, wire: str, transport: str) -> Any | None:
        """The logical id behind a wire id, for diagnosis; ``None`` when it cannot be told."""
        ...


class Configured(Protocol):
    """A bridge that is made for certain transports."""

    @property
    def configured_transports(self) -> Collection[str] | None:
        """Their names; ``None`` where it takes any."""
        ...


class IdentityBridge:
    """The logical id itself on the wire; for a Stage of one transport."""

    async def fresh(self) -> str:
        """32 random hex digits."""
        return minted()

    def to_wire(self, logical: Any, transport: str) -> str:  # noqa: ARG002 - the protocol's signature
        """The id's text."""
        return str(logical)

    def from_wire(self, wire: str, transport: str) -> str | None:  # noqa: ARG002 - the protocol's signature
        """The wire id."""
        return wire


class MappedBridge:
    """One function a transport makes the wire id from the logical id, and optionally one back."""

    def __init__(
        self,
        forwards: Mapping[str, Callable[[Any], str]],
        inverses: Mapping[str, Callable[[str], Any]] | None = None,
    ) -> None:
        self._forwards = dict(forwards)
        self._inverses = dict(inverses or {})

    @property
    def configured_transports(self) -> frozenset[str]:
        """The transports this bridge is made for."""
        return frozenset(self._forwards)

    async def fresh(self) -> str:
        """32 random hex digits."""
        return minted()

    def to_wire(self, logical: Any, transport: str) -> str:
        """What the transport's function makes of the logical id, unchanged: the Stage checks that it is text."""
        return self._forwards[transport](logical)

    def from_wire(self, wire: str, transport: str) -> Any | None:
        """What the transport's inverse makes of the wire id; ``None`` without one."""
        inverse = self._inverses.get(transport)
        return None if inverse is None else inverse(wire)
