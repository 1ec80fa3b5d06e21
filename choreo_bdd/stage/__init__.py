"""Stage: several transports in one scenario, on the one engine."""

from __future__ import annotations

from choreo_bdd.stage.bridges import CorrelationBridge, IdentityBridge, MappedBridge
from choreo_bdd.stage.errors import (
    BridgeAmbiguityError,
    BridgeTranslationError,
    BridgeTransportMismatchError,
    InvalidTransportNameError,
    MissingTransportError,
    StageConnectError,
    StageDisconnectError,
    StageError,
    StageStateError,
    UnknownTransportError,
)
from choreo_bdd.stage.result import StageReplyReport, StageReplyState, StageScenarioResult
from choreo_bdd.stage.result import StageScenarioResult as _StageScenarioResult
from choreo_bdd.stage.scenario import StageReplyChain, StageScenario
from choreo_bdd.stage.stage import Stage
from choreo_bdd.stage.wire import _MAX_WIRE_ID_LEN, _SMOKE_INPUT, _redact

__all__ = [
    "_MAX_WIRE_ID_LEN",
    "_SMOKE_INPUT",
    "BridgeAmbiguityError",
    "BridgeTranslationError",
    "BridgeTransportMismatchError",
    "CorrelationBridge",
    "IdentityBridge",
    "InvalidTransportNameError",
    "MappedBridge",
    "MissingTransportError",
    "Stage",
    "StageConnectError",
    "StageDisconnectError",
    "StageError",
    "StageReplyChain",
    "StageReplyReport",
    "StageReplyState",
    "StageScenario",
    "StageScenarioResult",
    "StageStateError",
    "UnknownTransportError",
    "_StageScenarioResult",
    "_redact",
]
