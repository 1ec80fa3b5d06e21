"""What can go wrong with a Stage."""

from __future__ import annotations

from collections.abc import Sequence

from choreo_bdd.exceptions import ChoreoError


class StageError(ChoreoError):
    """Base of every Stage error."""


class StageStateError(StageError, RuntimeError):
    """The call does not fit the state the Stage or its scope is in."""


class MissingTransportError(StageError, ValueError):
    """``on=`` was left out: a Stage cannot guess which transport is meant."""


class UnknownTransportError(StageError, LookupError):
    """``on=`` names a transport the Stage does not have."""


class InvalidTransportNameError(StageError, ValueError):
    """A transport name that reports and configuration could not carry."""


class StageConnectError(StageError, RuntimeError):
    """One transport did not connect; the others have been disconnected again."""

    def __init__(self, failing_transport: str, bridge_class: str, original: BaseException) -> None:
        super().__init__(f"transport {failing_transport!r} did not connect: {type(original).__name__}: {original}")
        self.failing_transport = failing_transport
        self.bridge_class = bridge_class


class StageDisconnectError(StageError, ExceptionGroup):
    """One or more transports did not disconnect cleanly; all were tried."""

    def derive(self, excs: Sequence[Exception]) -> StageDisconnectError:  # type: ignore[override] # Exceptions only
        """A part of it, as ``except*`` makes one, stays a ``StageDisconnectError``."""
        return StageDisconnectError(self.message, excs)


class BridgeAmbiguityError(StageError, ValueError):
    """Two transports would carry the same correlation id, so a message could not be told to its transport."""

    def __init__(self, transports: tuple[str, str], bridge_class: str, shown_id: str) -> None:
        super().__init__(
            f"{bridge_class} gives transports {transports[0]!r} and {transports[1]!r} the same wire id {shown_id}; "
            f"a bridge must give each transport its own"
        )
        self.transports = transports
        self.bridge_class = bridge_class


class BridgeTransportMismatchError(StageError, ValueError):
    """The bridge was made for other transports than the Stage has."""

    def __init__(self, bridge_class: str, bridge_transports: tuple[str, ...], registered: tuple[str, ...]) -> None:
        super().__init__(
            f"{bridge_class} is made for {', '.join(bridge_transports) or 'no transport'}, "
            f"but the Stage has {', '.join(registered)}"
        )
        self.bridge_class = bridge_class
        self.bridge_transports = bridge_transports
        self.registered_transports = registered


class BridgeTranslationError(StageError, RuntimeError):
    """A bridge method raised, or returned what cannot be a wire id."""

    def __init__(self, bridge_class: str, method: str, transport: str | None, original: BaseException) -> None:
        place = f" for transport {transport!r}" if transport is not None else ""
        super().__init__(f"{bridge_class}.{method}(){place} failed: {_told(original)}")
        self.bridge_class = bridge_class
        self.method = method
        self.transport = transport
        self.original = original


class WireIdError(ValueError):
    """A wire id of an impossible length or outside its policy's namespace; carries no id."""


def _told(original: BaseException) -> str:
    """Only our own complaint is told in words: a bridge's exception may carry the id."""
    name = type(original).__name__
    return f"{name}: {original}" if isinstance(original, WireIdError) else name
