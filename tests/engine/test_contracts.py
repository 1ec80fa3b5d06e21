"""Contracts at work: what a harness does with messages that break one."""

from __future__ import annotations

from typing import Any

import pytest

from choreo_bdd import Harness, Outcome, Scenario
from choreo_bdd.contracts import Guard, Problem
from choreo_bdd.exceptions import ContractBroken
from choreo_bdd.matchers import contains_fields, exists
from choreo_bdd.message import Message
from choreo_bdd.scenario import Cause, Occurs
from choreo_bdd.transports import MockTransport
from choreo_bdd_project.config import TransportConfig
from choreo_bdd_project.reply_addresses import reply_address
from tests.support.engine_doubles import IntegerTotals, guarded, sent_as

from .test_diagnosis import diagnosed, publishing, raw


class TestSending:
    async def test_a_message_that_breaks_its_contract_is_not_sent(self, transport: MockTransport) -> None:
        async with guarded(transport) as harness:
            with pytest.raises(
                ContractBroken, match=r"'orders.placed'.*not sent:\n  total: expected integer"
            ) as caught:
                harness.publish("orders.placed", {"total": "12"})
        assert transport.sent() == []
        assert caught.value.topic == "orders.placed"
        assert [problem.path for problem in caught.value.problems if isinstance(problem, Problem)] == ["total"]

    async def test_so_it_is_with_a_scenarios_message(self, transport: MockTransport) -> None:
        async with guarded(transport) as harness, harness.scenario("sending") as s:
            s.expect("orders.settled", exists())
            with pytest.raises(ContractBroken):
                s.publish("orders.placed", {"total": 1.5})
        assert transport.sent() == []

    async def test_the_error_does_not_repeat_a_value(self, transport: MockTransport) -> None:
        async with guarded(transport) as harness:
            with pytest.raises(ContractBroken) as caught:
                harness.publish("orders.placed", {"total": "s3cr3t"})
        assert "s3cr3t" not in str(caught.value) + repr(caught.value.problems)

    async def test_a_message_that_keeps_it_is(self, transport: MockTransport) -> None:
        async with guarded(transport) as harness:
            harness.publish("orders.placed", {"total": 12})
        assert sent_as(transport, "orders.placed") == [{"total": 12}]

    async def test_bytes_are_on_purpose_what_they_are(self, transport: MockTransport) -> None:
        async with guarded(transport) as harness:
            harness.publish("orders.placed", b'{"total": "twelve"}')
        assert sent_as(transport, "orders.placed") == [{"total": "twelve"}]

    @pytest.mark.parametrize("payload", [{}, b"raw"])
    async def test_an_unknown_topic_is_refused(self, transport: MockTransport, payload: Any) -> None:
        async with guarded(transport) as harness:
            with pytest.raises(ContractBroken, match=r"did you mean 'orders\.settled'"):
                harness.publish("order.settled", payload)
        assert transport.sent() == []

    async def test_or_warned_about(self, transport: MockTransport) -> None:
        async with guarded(transport, unknown_topics="warn") as harness:
            with pytest.warns(UserWarning, match=r"did you mean 'orders\.settled'"):
                harness.publish("order.settled", {})
        assert sent_as(transport, "order.settled") == [{}]

    async def test_or_let_through(self, transport: MockTransport) -> None:
        async with guarded(transport, unknown_topics="ignore") as harness:
            harness.publish("order.settled", {"total": 1})
        assert sent_as(transport, "order.settled") == [{"total": 1}]

    async def test_a_stand_in_fails_rather_than_answer_so(self, transport: MockTransport) -> None:
        async with guarded(transport) as harness, harness.scenario("answering") as s:
            s.on("orders.placed").publish("orders.settled", {"total": "12"})
            handle = s.expect("orders.settled", exists())
            s.publish("orders.placed", {})
            result = await s.await_all(timeout_ms=100)
        assert handle.outcome is Outcome.TIMEOUT
        assert result.replies[0].builder_error == "ContractBroken"


class TestReceiving:
    async def test_what_breaks_it_satisfies_nothing(self, transport: MockTransport) -> None:
        async with guarded(transport) as harness:
            handle, _ = await diagnosed(harness, publishing("orders.settled", {"status": "settled", "total": "5"}))
        assert handle.outcome is Outcome.FAIL
        (failure,) = handle.failures
        assert (failure.kind, failure.path, failure.actual) == ("predicate", "total", "5")
        assert "breaks its contract: total: expected integer" in handle.reason

    async def test_a_good_one_after_it_does(self, transport: MockTransport) -> None:
        def act(s: Scenario) -> None:
            publishing("orders.settled", {"status": "settled", "total": "5"})(s)
            publishing("orders.settled", {"status": "settled", "total": 5})(s)

        async with guarded(transport) as harness:
            handle, _ = await diagnosed(harness, act)
        assert handle.outcome is Outcome.PASS
        assert handle.message["total"] == 5

    async def test_it_still_counts_where_none_may_come(self, transport: MockTransport) -> None:
        act = publishing("orders.settled", {"status": "settled", "total": "5"})
        async with guarded(transport) as harness:
            handle, diagnosis = await diagnosed(harness, act, occurs=Occurs(0, 0))
        assert (handle.outcome, diagnosis.cause) == (Outcome.FAIL, Cause.UNEXPECTED)

    async def test_a_wrong_shape_beside_it_is_named_when_that_was_meant(self, transport: MockTransport) -> None:
        def act(s: Scenario) -> None:
            publishing("orders.settled", {"status": "open", "total": "5"})(s)
            publishing("orders.settled", {"status": "open", "total": 5})(s)

        async with guarded(transport) as harness:
            _, diagnosis = await diagnosed(harness, act)
        assert diagnosis.cause is Cause.WRONG_SHAPE

    async def test_a_secret_in_the_offending_field_is_masked(self, transport: MockTransport) -> None:
        class Pins(IntegerTotals):
            def problems(self, topic: str, payload: Any, headers: Any) -> tuple[Problem, ...]:
                return (Problem("password", "expected integer", "here", {"type": "integer"}, "s3cr3t"),)

        async with guarded(transport, contract=Pins()) as harness:
            act = raw("orders.settled", b'{"correlation_id": "x", "status": "settled", "password": "s3cr3t"}')
            async with harness.scenario("masked") as s:
                handle = s.expect("orders.*", contains_fields({"status": "settled"}))
                act(s)
                s.scope.links[None].harness.send(
                    "orders.settled", f'{{"correlation_id": "{s.correlation_id}", "status": "settled"}}'.encode(),
                    on_sent=lambda: None, headers={}, key=None,
                )  # fmt: skip
                s.scope.verdicts.expire(s.scope.expectations[0])
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.CONTRACT_BROKEN
        assert "s3cr3t" not in handle.diagnosis.text

    async def test_an_unknown_topic_that_was_asked_for_by_name_breaks_it(self, transport: MockTransport) -> None:
        act = publishing("order.settled", {"status": "settled"})
        async with guarded(transport) as harness:
            _, diagnosis = await diagnosed(harness, act, topic="order.settled")
        assert diagnosis.cause is Cause.CONTRACT_BROKEN
        assert "did you mean 'orders.settled'" in diagnosis.sentence

    async def test_but_not_one_that_a_pattern_found(self, transport: MockTransport) -> None:
        act = publishing("order.settled", {"status": "settled"})
        async with guarded(transport) as harness:
            handle, _ = await diagnosed(harness, act, topic="order.*")
        assert handle.outcome is Outcome.PASS

    async def test_a_contract_that_raises_is_a_finding(self, transport: MockTransport) -> None:
        class Broken(IntegerTotals):
            def problems(self, topic: str, payload: Any, headers: Any) -> tuple[Problem, ...]:
                if topic == "orders.settled":
                    raise ZeroDivisionError
                return ()

        async with guarded(transport, contract=Broken()) as harness:
            _, diagnosis = await diagnosed(harness, publishing("orders.settled", {"status": "settled"}))
        assert "the contract raised ZeroDivisionError" in diagnosis.sentence


async def test_without_a_contract_nothing_is_looked_at(harness: Harness, transport: MockTransport) -> None:
    harness.publish("anything", {"total": "12"})
    assert sent_as(transport, "anything") == [{"total": "12"}]


@pytest.mark.parametrize("kind", ["memory", "kafka", "nats", "rabbitmq", "redis"])
def test_where_a_request_wants_its_answer_is_no_matter_of_contracts(kind: str) -> None:
    address = reply_address(TransportConfig("bus", kind, "the test"), "0123")
    guard = Guard(IntegerTotals())
    for topic in (address.topic, address.name):
        guard.require_topic(topic)
        assert guard.problems(Message(topic, b""), {}, subscribed=topic) == ()
