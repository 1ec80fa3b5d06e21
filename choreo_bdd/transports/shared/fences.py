"""What the fences of all brokers have in common: whom they ask for, how long, and how they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

from choreo_bdd.exceptions import TransportError
from choreo_bdd.transports.shared.subscriptions import Registration, Subscriptions

PATIENCE_S = 5.0

Ask = Callable[[Sequence[Registration]], Awaitable[None]]
"""Returns once all the broker had for these live registrations has been delivered; raises why that is not known."""


async def fence(
    transport: str,
    topics: Collection[str],
    subscriptions: Subscriptions,
    ask: Ask,
    *,
    why_down: Callable[[], str | None],
) -> None:
    """Ask for these topics, ``PATIENCE_S`` at the longest; ``TransportError`` says why it cannot be known.

    ``why_down`` tells what is wrong with the connection, before and after: what a connection says that has been lost
    or replaced meanwhile counts for nothing.
    """
    try:
        _require_up(why_down)
        async with asyncio.timeout(PATIENCE_S):
            await ask(_live(topics, subscriptions))
        _require_up(why_down)
    except Exception as error:
        silent = f"the broker did not answer within {PATIENCE_S:g} s" if isinstance(error, TimeoutError) else None
        reason = why_down() or silent or str(error) or type(error).__name__
        raise TransportError(f"{transport} cannot tell whether all has arrived: {reason}") from error


def _require_up(why_down: Callable[[], str | None]) -> None:
    reason = why_down()
    if reason is not None:
        raise TransportError(reason)


def _live(topics: Collection[str], subscriptions: Subscriptions) -> list[Registration]:
    """The live registrations of these topics; ``TransportError`` where a topic has none."""
    live = [each for each in subscriptions if each.topic in topics and each.is_live]
    gone = sorted(set(topics) - {each.topic for each in live})
    if gone:
        raise TransportError(f"there is no live subscription to {', '.join(map(repr, gone))}")
    return live
