"""The names others type: root, modules, seams, signatures."""

from __future__ import annotations

import importlib
import inspect
from importlib.resources import files
from typing import Any

import pytest

import choreo_bdd
from choreo_bdd import Harness, Scenario, _redact, redaction, scenario, transports
from choreo_bdd.matchers import eq

ROOT = [
    "BundleFn",
    "CorrelationIdNotInNamespaceError",
    "CorrelationPolicy",
    "CorrelationPolicyError",
    "DictFieldPolicy",
    "Envelope",
    "Harness",
    "NoCorrelationPolicy",
    "Scenario",
    "test_namespace",
]
MODULES = {
    "harness": "Harness",
    "scenario": "Scenario ReplyChain Handle Outcome ScenarioResult ReplyReport ReplyReportState"
    " ReplyAlreadyBoundError TimelineAction TimelineEntry",
    "codecs": "Codec JSONCodec RawCodec",
    "correlation": "CorrelationPolicy NoCorrelationPolicy DictFieldPolicy Envelope test_namespace"
    " CorrelationPolicyError CorrelationIdNotInNamespaceError",
    "environment": "Allowlist load_allowlist AllowlistError HostNotInAllowlist AllowlistConfigError",
    "redaction": "redact_correlation_id redact_wire_id REDACTION_VERSION",
    "transports": "Transport TransportCallback TransportCapabilities TransportError ConflictingAuthError"
    " MockTransport NatsTransport",
    "transports.base": "Transport TransportCallback TransportCapabilities TransportError OnSent safe_url",
    "_reporting": "register_observer unregister_observer current_test_nodeid _observers _emit",
    "_internal": "Dispatcher LoopPoster SurpriseEntry",
    "_redact": "redact_matcher_description",
}


@pytest.mark.parametrize("name", ROOT)
def test_the_root_exports(name: str) -> None:
    assert name in choreo_bdd.__all__
    assert getattr(choreo_bdd, name) is not None


@pytest.mark.parametrize(("module", "name"), [(m, name) for m, names in MODULES.items() for name in names.split()])
def test_a_module_offers(module: str, name: str) -> None:
    assert getattr(importlib.import_module(f"choreo_bdd.{module}"), name) is not None


def test_legacy_names_are_the_same_objects() -> None:
    assert redaction.redact_wire_id is redaction.redact_correlation_id
    assert _redact.redact_matcher_description is redaction.redact_matcher_description


def test_caps_are_the_documented_numbers() -> None:
    assert scenario._FAILURES_MAX == 20
    assert scenario._TIMELINE_MAX_ENTRIES == 256
    assert scenario._TIMELINE_DETAIL_MAX_CHARS == 120


def test_an_unknown_transport_is_an_attribute_error_that_names_module_and_attribute() -> None:
    with pytest.raises(AttributeError, match=r"choreo_bdd\.transports.*CarrierPigeonTransport"):
        _ = transports.CarrierPigeonTransport  # type: ignore[attr-defined] # the mistake under test


def test_the_package_says_it_is_typed() -> None:
    assert files("choreo_bdd").joinpath("py.typed").is_file()


@pytest.mark.parametrize(
    ("call", "keyword_only"),
    [
        (Harness.__init__, {"codec": None, "correlation": None}),
        (Harness.publish, {"on_sent": None}),
    ],
)
def test_options_are_keyword_only_with_these_defaults(call: Any, keyword_only: dict[str, Any]) -> None:
    parameters = inspect.signature(call).parameters
    for name, default in keyword_only.items():
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters[name].default is default


async def test_await_all_takes_its_timeout_by_keyword_only(harness: Harness) -> None:
    async with harness.scenario("keyword") as s:
        s.expect("t", eq(1))
        s.publish("t", 1)
        with pytest.raises(TypeError):
            await s.await_all(10)  # type: ignore[call-arg] # the mistake under test
        await s.await_all(timeout_ms=10)


async def test_bundles_are_plain_functions_that_compose_on_one_scenario(harness: Harness) -> None:
    def intake(s: Scenario) -> None:
        s.on("order.placed").publish("order.accepted", {"by": "intake"})

    def billing(s: Scenario) -> None:
        s.on("order.accepted").publish("invoice.sent", {"by": "billing"})

    bundles: list[choreo_bdd.BundleFn] = [intake, billing]
    async with harness.scenario("bundles") as s:
        invoice = s.expect("invoice.sent", eq({"by": "billing"}))
        for bundle in bundles:
            bundle(s)
        s.publish("order.placed", {})
        result = await s.await_all(timeout_ms=10)
    assert invoice.was_fulfilled()
    assert len(result.replies) == 2
