"""Stage: several harnesses and the bridge between their ids."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from choreo_bdd.harness import Harness
from choreo_bdd.scenario.options import ScopeOptions
from choreo_bdd.shared.fitting import fits
from choreo_bdd.stage.bridges import Configured, CorrelationBridge
from choreo_bdd.stage.errors import (
    BridgeTransportMismatchError,
    InvalidTransportNameError,
    StageConnectError,
    StageDisconnectError,
    StageStateError,
)
from choreo_bdd.stage.scenario import StageScenario
from choreo_bdd.stage.wire import _SMOKE_INPUT, mint

_LOG = logging.getLogger("choreo_bdd.stage")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_DEFAULTS = ScopeOptions(anchor_at_first_event=True)


class _State(StrEnum):
    NEW = "new"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


class Stage:
    """Several transports in one scenario. Connects once, disconnects once."""

    def __init__(self, harnesses: Mapping[str, Harness], bridge: CorrelationBridge) -> None:
        if not harnesses:
            raise ValueError("a Stage needs at least one harness")
        for name in harnesses:
            if not isinstance(name, str) or _NAME.fullmatch(name) is None:
                raise InvalidTransportNameError(f"transport name {name!r} does not match {_NAME.pattern}")
        self._harnesses = dict(harnesses)
        self._bridge = bridge
        self._state = _State.NEW
        self._check_configured()
        mint(bridge, _SMOKE_INPUT, {name: harness.correlation for name, harness in harnesses.items()})
        _LOG.info(
            "stage_initialised",
            extra={"bridge_class": type(bridge).__name__, "transports": tuple(self._harnesses)},
        )

    def _check_configured(self) -> None:
        configured = self._bridge.configured_transports if fits(self._bridge, Configured) else None
        if configured is not None and set(configured) != set(self._harnesses):
            raise BridgeTransportMismatchError(
                type(self._bridge).__name__, tuple(sorted(configured)), tuple(sorted(self._harnesses))
            )

    @property
    def harnesses(self) -> Mapping[str, Harness]:
        """The harnesses by transport name, in registration order."""
        return MappingProxyType(self._harnesses)

    @property
    def bridge(self) -> CorrelationBridge:
        """The bridge."""
        return self._bridge

    async def connect(self) -> None:
        """Connect all transports, in order; the first that fails ends it and the others are disconnected again."""
        self._require(_State.NEW, "connect")
        connected: list[str] = []
        for name, harness in self._harnesses.items():
            try:
                await harness.connect()
            except BaseException as error:
                await self._roll_back(name, connected)
                if isinstance(error, Exception):
                    raise StageConnectError(name, type(self._bridge).__name__, error) from error
                raise
            connected.append(name)
        self._state = _State.CONNECTED

    async def _roll_back(self, failing: str, connected: list[str]) -> None:
        try:
            await self._harnesses[failing].force_disconnect()
        except Exception as error:  # noqa: BLE001 - the connect error is the one to tell
            self._log_rollback("stage_rollback_failing_transport_disconnect_failed", failing, error)
        for name in reversed(connected):
            try:
                await self._harnesses[name].disconnect()
            except Exception as error:  # noqa: BLE001 - as above
                self._log_rollback("stage_rollback_sibling_disconnect_failed", name, error)

    @staticmethod
    def _log_rollback(event: str, transport: str, error: Exception) -> None:
        _LOG.warning(event, extra={"transport": transport, "error_class": type(error).__name__})

    async def disconnect(self) -> None:
        """Disconnect all transports, in reverse order, each of them; ``StageDisconnectError`` tells who failed.

        On another event loop than theirs ``RuntimeError`` says so, and nothing has changed.
        """
        for harness in self._harnesses.values():
            harness.require_own_loop()
        if self._state is not _State.CONNECTED:
            self._state = _State.DISCONNECTED
            return
        self._state = _State.DISCONNECTED
        errors: list[Exception] = []
        for harness in reversed(self._harnesses.values()):
            try:
                await harness.disconnect()
            except Exception as error:  # noqa: BLE001 - raised together below
                errors.append(error)
        if errors:
            raise StageDisconnectError(f"{len(errors)} transport(s) did not disconnect cleanly", errors)

    def scenario(self, name: str, *, options: ScopeOptions = _DEFAULTS) -> StageScenario:
        """A scenario over all transports; any number at once."""
        self._require(_State.CONNECTED, "scenario")
        return StageScenario(self.harnesses, self._bridge, name, options)

    def _require(self, state: _State, member: str) -> None:
        if self._state is not state:
            raise StageStateError(f"{member}() needs a Stage that is {state.value}, this one is {self._state.value}")
