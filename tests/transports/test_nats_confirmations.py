"""A PING right behind what is written confirms it, without a server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from choreo_bdd.exceptions import PublishFailed
from choreo_bdd.message import NO_HEADERS
from choreo_bdd.transports.nats.confirmations import Confirmations
from choreo_bdd.transports.shared.outbound import Outgoing

_PING = b"PING\r\n"


class Server:
    """The client's side of one: the PONGs it waits for, and what was written."""

    def __init__(self) -> None:
        self._pongs: list[Any] = []
        self.written: list[bytes] = []
        self.denied: set[str] = set()
        self.confirmations = Confirmations(self, refusal=self._refusal, send=self.written.append)

    def _refusal(self, topic: str) -> str | None:
        return "denied" if topic in self.denied else None

    def answer(self) -> None:
        self._pongs.pop(0).set_result(True)


def message(topic: str = "a") -> Outgoing:
    return Outgoing(topic, b"", NO_HEADERS, None, None)


async def test_what_is_written_is_confirmed_by_the_answer_to_the_ping_behind_it() -> None:
    server, first = Server(), message()
    assert server.confirmations.behind([first]) == _PING
    assert server.confirmations.are_due
    server.answer()
    assert first.ready.done()
    assert first.ready.exception() is None
    assert not server.confirmations.are_due


async def test_while_an_answer_is_due_no_other_is_asked_for_and_then_one_for_all() -> None:
    server, first, second, third = Server(), message(), message(), message()
    assert server.confirmations.behind([first]) == _PING
    assert server.confirmations.behind([second]) == b""
    assert server.confirmations.behind([third]) == b""
    server.answer()
    assert (first.ready.done(), second.ready.done()) == (True, False)
    assert server.written == [_PING]
    server.answer()
    assert second.ready.done()
    assert third.ready.done()


async def test_what_somebody_else_asks_behind_is_theirs_to_settle() -> None:
    server, first, second = Server(), message(), message()
    server.confirmations.behind([first])
    server.confirmations.behind([second])
    assert server.confirmations.taken_over() == [second]
    server.answer()
    assert server.written == []
    assert not second.ready.done()


async def test_a_topic_that_the_server_denies_fails() -> None:
    server, refused, taken = Server(), message("a"), message("b")
    server.confirmations.behind([refused, taken])
    server.denied.add("a")
    server.answer()
    with pytest.raises(PublishFailed, match="denied"):
        await refused.ready
    await taken.ready


async def test_what_is_given_up_has_failed_and_a_late_answer_changes_nothing() -> None:
    server, asked, waiting = Server(), message(), message()
    server.confirmations.behind([asked])
    server.confirmations.behind([waiting])
    server.confirmations.give_up("too slow", older_than_s=60)
    assert not asked.ready.done()
    server.confirmations.give_up("too slow")
    for each in (asked, waiting):
        with pytest.raises(PublishFailed, match="too slow"):
            await each.ready
    server.answer()
    assert not server.confirmations.are_due


async def test_an_answer_that_is_due_for_too_long_is_given_up() -> None:
    server, asked = Server(), message()
    server.confirmations.behind([asked])
    await asyncio.sleep(0.02)
    server.confirmations.give_up("too slow", older_than_s=0.01)
    with pytest.raises(PublishFailed, match="too slow"):
        await asked.ready
