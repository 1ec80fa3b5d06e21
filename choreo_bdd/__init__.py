"""choreo_bdd: trusted verdicts for message-driven systems.

The engine's public names. Transports, matchers and codecs live in the modules of their names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from choreo_bdd.shared.late_names import late_names

if TYPE_CHECKING:
    from choreo_bdd.correlation import (
        CorrelationIdNotInNamespaceError,
        CorrelationPolicy,
        CorrelationPolicyError,
        DictFieldPolicy,
        Envelope,
        HeaderPolicy,
        NoCorrelationPolicy,
        test_namespace,
    )
    from choreo_bdd.harness import Harness
    from choreo_bdd.message import NO_PAYLOAD
    from choreo_bdd.scenario import Handle, Outcome, Scenario, ScenarioResult, ScopeOptions
    from choreo_bdd.stage import (
        BridgeAmbiguityError,
        BridgeTranslationError,
        BridgeTransportMismatchError,
        CorrelationBridge,
        IdentityBridge,
        InvalidTransportNameError,
        MappedBridge,
        MissingTransportError,
        Stage,
        StageConnectError,
        StageDisconnectError,
        StageError,
        StageReplyReport,
        StageReplyState,
        StageScenarioResult,
        StageStateError,
        UnknownTransportError,
    )
else:  # not for type checkers, to which any name would be one of ours
    # pytest's plug-in is there without an engine, too
    __getattr__ = late_names(globals(), ("correlation", "message", "scenario", "harness", "stage"))


__version__ = "0.1.0"

BundleFn = Callable[["Scenario"], None]
"""A bundle: a plain function that registers replies on a scenario. Several compose on one scenario."""

__all__ = [
    "NO_PAYLOAD",
    "BridgeAmbiguityError",
    "BridgeTranslationError",
    "BridgeTransportMismatchError",
    "BundleFn",
    "CorrelationBridge",
    "CorrelationIdNotInNamespaceError",
    "CorrelationPolicy",
    "CorrelationPolicyError",
    "DictFieldPolicy",
    "Envelope",
    "Handle",
    "Harness",
    "HeaderPolicy",
    "IdentityBridge",
    "InvalidTransportNameError",
    "MappedBridge",
    "MissingTransportError",
    "NoCorrelationPolicy",
    "Outcome",
    "Scenario",
    "ScenarioResult",
    "ScopeOptions",
    "Stage",
    "StageConnectError",
    "StageDisconnectError",
    "StageError",
    "StageReplyReport",
    "StageReplyState",
    "StageScenarioResult",
    "StageStateError",
    "UnknownTransportError",
    "test_namespace",
]
