"""choreo_bdd: trusted verdicts for message-driven systems.

The engine's public names. Transports, matchers and codecs live in the modules of their names.
"""

from __future__ import annotations

from collections.abc import Callable

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
from choreo_bdd.scenario import Handle, Outcome, Scenario, ScenarioResult, ScopeOptions

__version__ = "0.1.0"

BundleFn = Callable[[Scenario], None]
"""A bundle: a plain function that registers replies on a scenario. Several compose on one scenario."""

__all__ = [
    "BundleFn",
    "CorrelationIdNotInNamespaceError",
    "CorrelationPolicy",
    "CorrelationPolicyError",
    "DictFieldPolicy",
    "Envelope",
    "Handle",
    "Harness",
    "HeaderPolicy",
    "NoCorrelationPolicy",
    "Outcome",
    "Scenario",
    "ScenarioResult",
    "ScopeOptions",
    "test_namespace",
]
