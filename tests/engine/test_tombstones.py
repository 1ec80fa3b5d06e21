"""A message without a payload is a message: it is heard, counted and sent, and is not one with an empty payload."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from choreo_bdd import NO_PAYLOAD, Harness, HeaderPolicy, IdentityBridge, Outcome, Stage
from choreo_bdd.codecs import Codec, JSONCodec, RawCodec
from choreo_bdd.codecs.base import TextCodec
from choreo_bdd.matchers import anything, eq, exists
from choreo_bdd.transports import MockTransport, TransportCapabilities
from tests.support.engine_doubles import PlainTransport

CODECS = [JSONCodec(), JSONCodec(strict=True), RawCodec(), TextCodec()]


@pytest.fixture(params=CODECS, ids=["json", "strict json", "raw", "text"])
async def harness(request: pytest.FixtureRequest) -> AsyncIterator[Harness]:
    codec: Codec = request.param
    harness = Harness(MockTransport(), codec=codec)
    await harness.connect()
    yield harness
    await harness.disconnect()


async def test_it_can_be_expected_and_counted_and_breaks_an_absence(harness: Harness) -> None:
    async with harness.scenario("gone") as s:
        comes, none, one = s.expect("t", eq(None)), s.expect_none("t"), s.expect_count("t", exists(), exactly=1)
        s.publish("t", NO_PAYLOAD, key="k")
        await s.await_all(timeout_ms=20)
    assert (comes.outcome, none.outcome, one.outcome) == (Outcome.PASS, Outcome.FAIL, Outcome.PASS)
    (record,) = comes.messages
    assert (record.payload, record.size, record.key) == (None, 0, "k")


async def test_an_empty_payload_is_another_thing() -> None:
    harness = Harness(MockTransport(), codec=RawCodec())
    await harness.connect()
    async with harness.scenario("empty") as s:
        gone, empty = s.expect("t", eq(None)), s.expect("t", eq(b""))
        s.publish("t", b"")
        await s.await_all(timeout_ms=20)
    assert (gone.outcome, empty.outcome) == (Outcome.FAIL, Outcome.PASS)
    await harness.disconnect()


class KnowsTombstones(MockTransport):
    """As Kafka: a message without a payload is a thing of its own."""

    @property
    def capabilities(self) -> TransportCapabilities:
        return replace(super().capabilities, tombstones=True)


async def test_none_means_one_where_the_bus_knows_it_in_scenarios_stages_and_harnesses() -> None:
    harness = Harness(KnowsTombstones(), codec=JSONCodec(strict=True), correlation=HeaderPolicy())
    stage = Stage({"only": harness}, IdentityBridge())
    await stage.connect()
    async with stage.scenario("gone") as s:
        handle = s.expect("t", eq(None), on="only")
        s.publish("t", None, on="only")
        assert (await s.await_all(timeout_ms=500)).passed
    assert handle.messages[0].size == 0
    async with harness.scenario("gone") as one:
        record = one.expect("t", eq(None))
        one.publish("t", None)
        assert (await one.await_all(timeout_ms=500)).passed
    assert record.messages[0].size == 0
    sent: list[bytes] = []
    harness.subscribe("u", lambda _, payload: sent.append(payload))
    harness.publish("u", None)
    assert sent == [NO_PAYLOAD]
    await stage.disconnect()


async def test_where_the_bus_knows_none_none_is_a_value_and_no_payload_an_empty_message() -> None:
    transport = PlainTransport()
    harness = Harness(transport)
    await harness.connect()
    async with harness.scenario("a bus of bytes") as s:
        s.expect("t", anything())
        s.publish("t", None)
        s.publish("t", NO_PAYLOAD)
        await s.await_all(timeout_ms=20)
    assert transport.wire == [("t", b"null"), ("t", b"")]
    await harness.disconnect()
