"""What is written for a message, and what becomes of it when the broker says nothing, without a broker."""

from __future__ import annotations

import asyncio
import random
from typing import Any, cast

import aiormq
import pamqp.frame
import pytest
from aiormq import spec
from aiormq.abc import DeliveredMessage
from pamqp.header import ContentHeader

from choreo_bdd.exceptions import PublishFailed
from choreo_bdd.message import NO_HEADERS
from choreo_bdd.transports.rabbitmq import publisher
from choreo_bdd.transports.rabbitmq.exchange import Exchange
from choreo_bdd.transports.rabbitmq.messages import new_id, properties_of, to_publish
from choreo_bdd.transports.rabbitmq.publisher import Publisher
from choreo_bdd.transports.rabbitmq.routes import Routes
from choreo_bdd.transports.shared.outbound import Outgoing

_MOST = 1000


@pytest.mark.parametrize("size", [0, 1, _MOST - 1, _MOST, _MOST + 1, 5 * _MOST + 7])
def test_a_body_goes_out_whole_in_frames_that_the_broker_takes(size: int) -> None:
    body = random.Random(size).randbytes(size)
    written = to_publish(
        7,
        exchange="ex",
        key="orders.ö",
        mandatory=True,
        properties=properties_of({"a": "ü"}, most=_MOST),
        body=body,
        most=_MOST,
    )
    frames: list[Any] = []
    while written:
        read, channel, frame = pamqp.frame.unmarshal(written)
        assert channel == 7
        frames.append(frame)
        written = written[read:]
    method, header, *bodies = frames
    assert (method.exchange, method.routing_key, method.mandatory) == ("ex", "orders.ö", True)
    assert (header.body_size, header.properties.headers) == (size, {"a": "ü"})
    assert b"".join(each.value for each in bodies) == body
    assert all(len(each.value) <= _MOST for each in bodies)


def test_ids_do_not_repeat_where_a_test_seeds_the_random_numbers() -> None:
    ids = set()
    for _ in range(3):
        random.seed(1)
        ids.add(new_id())
    assert len(ids) == 3


class Channel:
    """An open channel, as far as publishing needs one."""

    number, max_content_size = 1, _MOST

    def __init__(self) -> None:
        self.delivery_tag = 0
        self.confirmations: dict[int, Any] = {}
        self.message_id_delivery_tag: dict[str, int] = {}
        self.closing: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def is_closed(self) -> bool:
        return self.closing.done()


class Site:
    """A publisher on such channels, and what it has written."""

    def __init__(self) -> None:
        self.channels: list[Channel] = []
        self.written: list[bytes] = []
        self.unheard: list[Outgoing] = []
        self.transport = self
        self.publisher = Publisher(
            Routes(Exchange("ex")),
            self._open,
            writer=lambda: cast(Any, self),
            on_unheard=self.unheard.append,
        )

    async def _open(self) -> Any:
        self.channels.append(Channel())
        return self.channels[-1]

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def get_write_buffer_size(self) -> int:
        return 0

    async def drain(self) -> None:
        pass

    def publish(self, topic: str = "a") -> Outgoing:
        outgoing = Outgoing(topic, b"{}", NO_HEADERS, None, None)
        assert self.publisher.write_now(outgoing, asyncio.get_running_loop().time())
        return outgoing


@pytest.fixture
async def site() -> Site:
    made = Site()
    await made.publisher.open()
    return made


async def test_each_is_confirmed_by_its_own_number(site: Site) -> None:
    first, second = site.publish(), site.publish()
    channel = site.channels[0]
    channel.confirmations.pop(2).set_result(None)
    assert (first.ready.done(), second.ready.done()) == (False, True)
    channel.confirmations.pop(1).set_exception(aiormq.DeliveryError(None, spec.Basic.Nack()))
    with pytest.raises(PublishFailed, match="nack"):
        await first.ready
    assert channel.message_id_delivery_tag == {}
    assert len(site.written) == 2


async def test_one_that_is_returned_has_reached_nobody_and_is_published(site: Site) -> None:
    outgoing = site.publish()
    channel: Any = site.channels[0]
    returned = DeliveredMessage(spec.Basic.Return(), ContentHeader(), b"{}", channel)
    channel.confirmations.pop(1).set_exception(aiormq.PublishError(returned, spec.Basic.Return()))
    await outgoing.ready
    assert site.unheard == [outgoing]


async def test_what_the_broker_does_not_confirm_fails_in_time_and_what_came_later_has_its_own(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "CONFIRM_S", 0.2)
    first = site.publish()
    await asyncio.sleep(0.1)
    second = site.publish()
    with pytest.raises(PublishFailed, match="no answer within"):
        await asyncio.wait_for(first.ready, 5)
    assert not second.ready.done()
    with pytest.raises(PublishFailed, match="no answer within"):
        await asyncio.wait_for(second.ready, 5)
    late: Any = site.channels[0].confirmations.pop(1)
    assert late.done()  # so that the client does not tell of an answer that comes now
    late.set_result(None)


async def test_a_channel_that_is_closed_takes_what_went_by_it_along_and_nothing_else(site: Site) -> None:
    lost = site.publish()
    site.channels[0].closing.set_exception(aiormq.ChannelNotFoundEntity("NOT_FOUND - no exchange 'ex'"))
    await site.publisher.write([kept := Outgoing("b", b"", NO_HEADERS, None, None)])
    with pytest.raises(PublishFailed, match="no exchange 'ex'"):
        await lost.ready
    assert len(site.channels) == 2
    assert not kept.ready.done()
    site.channels[1].confirmations.pop(1).set_result(None)
    await kept.ready


async def test_nothing_is_left_waiting_when_it_stops(site: Site) -> None:
    outgoing = site.publish()
    await site.publisher.settled(patience_s=0.01)
    site.publisher.stop()
    with pytest.raises(PublishFailed, match="closed before the broker confirmed"):
        await outgoing.ready


async def test_a_blocked_broker_fails_what_is_under_way_and_takes_nothing(site: Site) -> None:
    under_way = site.publish()
    site.publisher.set_blocked("low on memory")
    with pytest.raises(PublishFailed, match="low on memory"):
        await under_way.ready
    later = Outgoing("a", b"", NO_HEADERS, None, None)
    assert not site.publisher.write_now(later, 0.0)
    await site.publisher.write([later])
    with pytest.raises(PublishFailed, match="low on memory"):
        await later.ready
