"""Correlation policies, alone and at work."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd import (
    CorrelationIdNotInNamespaceError,
    CorrelationPolicy,
    CorrelationPolicyError,
    DictFieldPolicy,
    Envelope,
    Harness,
    HeaderPolicy,
    NoCorrelationPolicy,
    Outcome,
    test_namespace,
)
from choreo_bdd.matchers import eq, exists
from choreo_bdd.message import HeaderValues
from choreo_bdd.transports import MockTransport
from tests.support.engine_doubles import ScriptedPolicy, sent_as


class TestEnvelope:
    def test_it_is_frozen_and_has_no_headers_of_its_own(self) -> None:
        envelope = Envelope("t", {"a": 1})
        assert envelope.headers == {}
        with pytest.raises(dataclasses.FrozenInstanceError):
            envelope.topic = "u"  # type: ignore[misc] # the mistake under test


class TestNoCorrelation:
    async def test_it_does_nothing(self) -> None:
        policy, envelope = NoCorrelationPolicy(), Envelope("t", {"correlation_id": "x"})
        assert await policy.new_id() is None
        assert policy.write(envelope, "id-1") is envelope
        assert policy.read(envelope) is None
        assert policy.routes_by_correlation is False

    async def test_payload_bytes_are_exactly_the_encoded_payload(
        self, harness: Harness, transport: MockTransport
    ) -> None:
        async with harness.scenario("plain") as s:
            assert s.correlation_id is None
            handle = s.expect("t", exists())
            s.publish("t", {"a": 1})
            await s.await_all(timeout_ms=10)
        assert transport.sent() == [("t", b'{"a":1}')]
        assert handle.correlation_id is None

    async def test_every_live_scope_sees_every_message(self, harness: Harness) -> None:
        async with harness.scenario("one") as one, harness.scenario("two") as two:
            handles = [s.expect("t", exists()) for s in (one, two)]
            one.publish("t", {})
            assert [handle.outcome for handle in handles] == [Outcome.PASS, Outcome.PASS]
            two.publish("t", {})
            for s in (one, two):
                await s.await_all(timeout_ms=10)


class TestDictField:
    async def test_ids_are_fresh_hex_behind_the_prefix(self) -> None:
        policy = DictFieldPolicy(prefix="P-")
        ids = [str(await policy.new_id()) for _ in range(100)]
        assert len(set(ids)) == 100
        for each in ids:
            assert each.startswith("P-")
            assert len(bytes.fromhex(each.removeprefix("P-"))) == 16

    async def test_a_generator_of_ones_own_is_used_behind_the_prefix(self) -> None:
        assert await DictFieldPolicy(prefix="P-", id_generator=lambda: "7").new_id() == "P-7"

    def test_it_routes(self) -> None:
        assert DictFieldPolicy().routes_by_correlation is True

    def test_a_dict_is_stamped_in_a_copy(self) -> None:
        payload = {"a": 1}
        envelope = Envelope("t", payload)
        stamped = DictFieldPolicy("cid").write(envelope, "id-1")
        assert stamped.payload == {"a": 1, "cid": "id-1"}
        assert (payload, envelope.payload) == ({"a": 1}, {"a": 1})

    @pytest.mark.parametrize("payload", [[1], "text", b"bytes", 7, None])
    def test_anything_else_is_left_alone(self, payload: Any) -> None:
        policy = DictFieldPolicy(prefix="P-")
        envelope = Envelope("t", payload)
        assert policy.write(envelope, "outside the namespace").payload is payload
        assert policy.read(envelope) is None

    def test_an_id_the_caller_chose_is_honoured(self) -> None:
        envelope = Envelope("t", {"correlation_id": "mine"})
        assert DictFieldPolicy().write(envelope, "id-1").payload == {"correlation_id": "mine"}

    @pytest.mark.parametrize(
        ("payload", "read"),
        [({"correlation_id": "x"}, "x"), ({"correlation_id": 7}, None), ({"correlation_id": None}, None), ({}, None)],
    )
    def test_only_text_is_an_id(self, payload: Any, read: str | None) -> None:
        assert DictFieldPolicy().read(Envelope("t", payload)) == read

    @pytest.mark.parametrize(
        ("payload", "read"),
        [({"correlation_id": 7}, "7"), ({"correlation_id": 0}, "0"), ({"correlation_id": None}, None), ({}, None)],
    )
    def test_strictly_anything_is_read_by_its_text(self, payload: Any, read: str | None) -> None:
        assert DictFieldPolicy(strict=True).read(Envelope("t", payload)) == read

    @pytest.mark.parametrize("value", ["other", 7, None, ""])
    def test_a_value_outside_the_namespace_is_refused_by_name(self, value: Any) -> None:
        with pytest.raises(CorrelationIdNotInNamespaceError) as caught:
            DictFieldPolicy(prefix="P-").write(Envelope("t", {"correlation_id": value}), "P-1")
        assert isinstance(caught.value, ValueError)
        assert repr(value) in str(caught.value)
        assert "P-" in str(caught.value)

    def test_the_argument_is_checked_before_the_field(self) -> None:
        with pytest.raises(CorrelationIdNotInNamespaceError, match="'bad argument'"):
            DictFieldPolicy(prefix="P-").write(Envelope("t", {"correlation_id": "bad field"}), "bad argument")

    def test_matching_explicit_values_pass(self) -> None:
        envelope = Envelope("t", {"correlation_id": "P-2"})
        assert DictFieldPolicy(prefix="P-").write(envelope, "P-1").payload == {"correlation_id": "P-2"}


class TestTestNamespace:
    async def test_its_ids_are_marked_as_tests(self) -> None:
        policy = test_namespace("cid")
        first, second = str(await policy.new_id()), str(await policy.new_id())
        assert first != second
        assert first.startswith("TEST-")
        assert len(first.removeprefix("TEST-")) >= 32
        assert policy.write(Envelope("t", {}), first).payload == {"cid": first}

    @pytest.mark.process
    def test_pytest_does_not_take_it_for_a_test(self, tmp_path: Path) -> None:
        module = tmp_path / "test_user.py"
        module.write_text("from choreo_bdd import test_namespace\n\ndef test_own():\n    assert test_namespace()\n")
        run = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-W",
                "error",
                "-p",
                "no:cacheprovider",
                "-p",
                "no:asyncio",
                str(module),
            ],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )
        assert "1 passed" in run.stdout, run.stdout + run.stderr


class TestHeader:
    def test_it_is_a_policy_by_structure_and_leaves_the_payload_alone(self) -> None:
        policy = HeaderPolicy()
        assert isinstance(policy, CorrelationPolicy)
        stamped = policy.write(Envelope("t", b"bytes", {"other": "1"}), "id-1")
        assert stamped.payload == b"bytes"
        assert stamped.headers == {"other": "1", "correlation-id": "id-1"}
        assert policy.read(stamped) == "id-1"

    def test_names_are_read_without_regard_to_case(self) -> None:
        assert HeaderPolicy("X-Trace").read(Envelope("t", None, {"x-trace": "id-1"})) == "id-1"
        assert HeaderPolicy("X-Trace").read(Envelope("t", None, {"x-other": "id-1"})) is None

    def test_a_header_the_caller_set_is_honoured_within_the_namespace(self) -> None:
        policy = HeaderPolicy(prefix="P-")
        kept = Envelope("t", {}, {"Correlation-Id": "P-mine"})
        assert policy.write(kept, "P-1") is kept
        with pytest.raises(CorrelationIdNotInNamespaceError):
            policy.write(replace(kept, headers={"correlation-id": "other"}), "P-1")

    async def test_its_ids_are_fresh_behind_the_prefix(self) -> None:
        policy = HeaderPolicy(prefix="P-")
        first, second = await policy.new_id(), await policy.new_id()
        assert first != second
        assert str(first).startswith("P-")


class TestProtocol:
    @pytest.mark.parametrize("policy", [NoCorrelationPolicy(), DictFieldPolicy(), HeaderPolicy(), ScriptedPolicy()])
    def test_policies_satisfy_it_by_structure(self, policy: object) -> None:
        assert isinstance(policy, CorrelationPolicy)

    def test_something_else_does_not(self) -> None:
        assert not isinstance(object(), CorrelationPolicy)

    def test_an_error_says_which_policy_which_method_and_what_class(self) -> None:
        original = LookupError("why")
        error = CorrelationPolicyError("OwnPolicy", "write", original)
        assert (error.policy_class, error.method, error.original) == ("OwnPolicy", "write", original)
        assert all(part in str(error) for part in ("OwnPolicy", "write", "LookupError"))


class TestInAScenario:
    async def test_a_dict_is_stamped_without_changing_the_callers_object(
        self, routed: Harness, transport: MockTransport
    ) -> None:
        payload = {"a": 1}
        async with routed.scenario("stamped") as s:
            s.expect("t", exists())
            s.publish("t", payload)
            result = await s.await_all(timeout_ms=10)
        assert result.passed
        assert payload == {"a": 1}
        assert sent_as(transport, "t") == [{"a": 1, "correlation_id": s.correlation_id}]

    async def test_two_scopes_in_a_row_have_different_ids(self, routed: Harness) -> None:
        ids = []
        for _ in range(2):
            async with routed.scenario("again") as s:
                ids.append(s.correlation_id)
                s.on("x")
                s.publish("x", {})
                await s.await_all(timeout_ms=1)
        assert len(set(ids)) == 2

    async def test_a_foreign_id_is_sent_as_it_is_and_not_seen(self, routed: Harness, transport: MockTransport) -> None:
        async with routed.scenario("foreign") as s:
            handle = s.expect("t", exists())
            s.publish("t", {"correlation_id": "elsewhere"})
            await s.await_all(timeout_ms=10)
        assert sent_as(transport, "t") == [{"correlation_id": "elsewhere"}]
        assert handle.outcome is Outcome.TIMEOUT

    async def test_a_message_that_names_its_id_twice_is_one_message(self, transport: MockTransport) -> None:
        harness = Harness(transport, correlation=HeaderPolicy())
        await harness.connect()
        async with harness.scenario("twice") as s:
            handle = s.expect_count("t", exists(), exactly=1)
            s.publish("start", {})
            transport.publish("t", b"1", headers={"correlation-id": HeaderValues([str(s.correlation_id)] * 2)})
            await s.await_all(timeout_ms=10)
        assert handle.outcome is Outcome.PASS

    async def test_a_message_that_names_anothers_id_beside_ours_is_not_told_as_anothers(
        self, transport: MockTransport
    ) -> None:
        harness = Harness(transport, correlation=HeaderPolicy(strict=True))
        await harness.connect()
        async with harness.scenario("asks") as s, harness.scenario("shares the topic") as other:
            handle = s.expect("t", eq(1))
            other.expect("t", eq(1))
            s.publish("start", {})
            transport.publish("t", b"2", headers={"correlation-id": HeaderValues([str(s.correlation_id), "proxy"])})
            await s.await_all(timeout_ms=10)
            other.publish("start", {})
            await other.await_all(timeout_ms=1)
        assert handle.diagnosis is not None
        assert "another correlation id" not in handle.diagnosis.text

    async def test_an_id_outside_the_namespace_is_not_sent(self, transport: MockTransport) -> None:
        harness = Harness(transport, correlation=test_namespace())
        await harness.connect()
        async with harness.scenario("outside") as s:
            s.expect("t", exists())
            with pytest.raises(CorrelationIdNotInNamespaceError):
                s.publish("t", {"correlation_id": "PROD-1"})
            assert transport.sent() == []
            s.publish("t", {"correlation_id": f"{s.correlation_id}"})
            assert (await s.await_all(timeout_ms=10)).passed

    async def test_bytes_are_never_stamped(self, routed: Harness, transport: MockTransport) -> None:
        async with routed.scenario("bytes") as s:
            handle = s.expect("t", exists())
            s.publish("t", b'{"a":1}')
            s.publish("t", f'{{"correlation_id":"{s.correlation_id}"}}'.encode())
            await s.await_all(timeout_ms=10)
        assert transport.sent()[0] == ("t", b'{"a":1}')
        assert handle.was_fulfilled()

    async def test_a_policy_that_cannot_write_fails_the_publish_and_nothing_is_sent(
        self, transport: MockTransport
    ) -> None:
        policy = ScriptedPolicy({"write"})
        harness = Harness(transport, correlation=policy)
        await harness.connect()
        async with harness.scenario("unwritable") as s:
            s.expect("t", exists())
            with pytest.raises(CorrelationPolicyError) as caught:
                s.publish("t", {})
            assert (caught.value.policy_class, caught.value.method) == ("ScriptedPolicy", "write")
            assert isinstance(caught.value.__cause__, ArithmeticError)
            assert transport.sent() == []
            policy.faults.clear()
            s.publish("t", {})
            assert (await s.await_all(timeout_ms=10)).passed

    async def test_headers_a_policy_writes_reach_the_wire(self, transport: MockTransport) -> None:
        harness = Harness(transport, correlation=HeaderPolicy())
        await harness.connect()
        async with harness.scenario("header") as s:
            handle = s.expect("t", exists())
            s.publish("t", {"a": 1}, headers={"other": "1"})
            await s.await_all(timeout_ms=10)
        assert handle.messages[0].headers == {"other": "1", "correlation-id": s.correlation_id}
        assert sent_as(transport, "t") == [{"a": 1}]
