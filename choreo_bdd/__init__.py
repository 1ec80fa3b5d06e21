"""choreo_bdd: trusted verdicts for message-driven systems.

The engine's public names. Transports, matchers and codecs live in the modules of their names.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

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
    _MODULES = ("correlation", "message", "scenario", "harness", "stage")

    def __getattr__(name):
        """The names of ``__all__``, loaded when one is asked for: pytest's plug-in is there without an engine, too."""
        modules = (import_module(f"{__name__}.{each}") for each in _MODULES if name in __all__)
        for module in modules:
            if hasattr(module, name):
                globals()[name] = found = getattr(module, name)
                return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
