"""The table of a transport's registrations: what a subscriber raises is its own affair."""

from __future__ import annotations

import asyncio

import pytest

from choreo_bdd.message import Message
from choreo_bdd.transports.base import TransportCallback
from choreo_bdd.transports.shared.subscriptions import Registration


def raising(error: BaseException) -> TransportCallback:
    def callback(topic: str, payload: bytes) -> None:
        raise error

    return callback


@pytest.mark.parametrize(
    "raised",
    [LookupError("s3cr3t"), pytest.fail.Exception("s3cr3t"), asyncio.CancelledError("s3cr3t"), GeneratorExit()],
)
async def test_what_a_subscriber_raises_is_logged_and_the_reader_lives_on(
    caplog: pytest.LogCaptureFixture, raised: BaseException
) -> None:
    registration = Registration("t", raising(raised))
    registration.deliver(Message("t", b"1"))
    registration.deliver(Message("t", b"2"))
    assert [record.getMessage() for record in caplog.records] == [
        f"transport_subscriber_failed: {type(raised).__name__} on topic 't'"
    ] * 2
    assert "s3cr3t" not in caplog.text


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), SystemExit(3)])
async def test_a_subscriber_may_end_the_run(raised: BaseException) -> None:
    registration = Registration("t", raising(raised))
    with pytest.raises(type(raised)):
        registration.deliver(Message("t", b"1"))
