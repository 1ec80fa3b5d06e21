"""When deliveries came: noted as the client reads them, some queues and tasks before it hands them over."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import aiormq
from aiormq import spec
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from choreo_bdd.transports.shared.arrival import Arrival

_CAME_AT: WeakKeyDictionary[object, float] = WeakKeyDictionary()
"""Loop time at which the latest bytes of each delivery came."""


def stamp(channel: aiormq.Channel, arrival: Arrival) -> None:
    """Note from now on when what is delivered on a channel came; ``arrival`` knows when the connection's bytes did."""
    put = channel.frames.put
    delivery: spec.Basic.Deliver | None = None

    async def stamped(item: tuple[int, object]) -> None:
        nonlocal delivery
        frame = item[1]
        if isinstance(frame, spec.Basic.Deliver):
            delivery = frame
        elif not isinstance(frame, ContentHeader | ContentBody):
            delivery = None
        if delivery is not None:
            _CAME_AT[delivery] = arrival.of_the_last_read
        await put(item)
        await arrival.give_way()

    channel.frames.put = stamped  # type: ignore[method-assign] # the client hands each frame on by it


def came_at(delivered: aiormq.abc.DeliveredMessage) -> float:
    """Loop time at which the last of a delivery's bytes came."""
    return _CAME_AT[delivered.delivery]
