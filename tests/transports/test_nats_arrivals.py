"""What is taken out of the bytes of a NATS connection, and what is left to the client, come out in one order."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Sequence
from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.subscription import Subscription

from choreo_bdd.transports.nats.arrivals import Arrivals

_HEADERS = b"NATS/1.0\r\na: b\r\n\r\n"


def plain(subject: str, data: bytes) -> bytes:
    return b"MSG %b 1 %d\r\n%b\r\n" % (subject.encode(), len(data), data)


def asking(subject: str, data: bytes) -> bytes:
    return b"MSG %b 1 inbox %d\r\n%b\r\n" % (subject.encode(), len(data), data)


def headed(subject: str, data: bytes) -> bytes:
    size = len(_HEADERS)
    return b"HMSG %b 1 %d %d\r\n%b%b\r\n" % (subject.encode(), size, size + len(data), _HEADERS, data)


class Site:
    """A client that reads what the test feeds, and what its subscription has brought."""

    def __init__(self) -> None:
        self.client: Any = Client()
        self.reader = asyncio.StreamReader()
        self.taken: list[tuple[str, bytes, str, bool]] = []
        self.pongs: list[int] = []
        self.client._subs[1] = handle = Subscription(self.client, id=1, subject=">")
        self.arrivals = Arrivals()
        self.arrivals.watch(self.client, self.reader)
        self.arrivals.divert(handle, self._take)
        self.reading = asyncio.create_task(self._read())

    def _take(self, raw: Any, at: float) -> None:
        assert at <= asyncio.get_running_loop().time()
        self.taken.append((raw.subject, raw.data, raw.reply, raw.headers is not None))

    async def _read(self) -> None:
        while piece := await self.reader.read(1 << 16):
            await self.client._ps.parse(piece)

    async def feed(self, pieces: Sequence[bytes]) -> None:
        await asyncio.sleep(0)  # the client waits
        for piece in pieces:
            self.reader.feed_data(piece)
            for _ in range(random.randrange(4)):
                await asyncio.sleep(0)
        self.reader.feed_eof()
        await self.reading


def cut(stream: bytes, rng: random.Random) -> list[bytes]:
    places = sorted({0, len(stream), *(rng.randrange(len(stream)) for _ in range(rng.randrange(12)))})
    return [stream[begin:end] for begin, end in itertools.pairwise(places)]


@pytest.mark.parametrize("seed", range(60))
async def test_however_the_bytes_are_cut_each_message_is_taken_once_and_in_order(seed: int) -> None:
    rng = random.Random(seed)
    kinds = {plain: ("", False), asking: ("inbox", False), headed: ("", True)}
    wanted, stream = [], b""
    for number in range(rng.randrange(1, 40)):
        make = rng.choice([*kinds, plain, plain])
        data = rng.choice([b"", b"x", b"MSG a 1 3\r\nabc\r\n", b"PONG\r\n", b"-ERR 'x'\r\n", b"\r\n", b"y" * 5000])
        stream += rng.choice([b"", b"", b"PONG\r\n", b"+OK\r\n"]) + make(f"a.{number}", data)
        wanted.append((f"a.{number}", data, *kinds[make]))
    site = Site()
    await site.feed(cut(stream, rng))
    assert site.taken == wanted


async def test_a_plain_message_is_taken_before_the_client_is_woken() -> None:
    site = Site()
    await asyncio.sleep(0)
    site.reader.feed_data(plain("a", b"1"))
    assert site.taken == [("a", b"1", "", False)]
    await site.feed([])


async def test_what_comes_for_a_subscription_that_has_gone_is_dropped() -> None:
    site = Site()
    del site.client._subs[1]
    await site.feed([plain("a", b"1") + plain("b", b"2")])
    assert site.taken == []


async def test_who_waits_for_a_pong_is_told_in_its_turn() -> None:
    site = Site()
    first, second = (asyncio.get_running_loop().create_future() for _ in range(2))
    site.client._pongs += [first, second]
    await asyncio.sleep(0)
    site.reader.feed_data(b"PONG\r\n" + plain("a", b"1"))
    assert (first.done(), second.done(), len(site.taken)) == (True, False, 1)
    await site.feed([b"PO", b"NG\r\n"])
    assert second.done()
