"""Waiting until a broker has confirmed a subscription, or saying why it has not."""

from __future__ import annotations

import asyncio

from choreo_bdd.exceptions import SubscriptionFailed
from choreo_bdd.transports.base import Ready


def is_proven(ready: Ready) -> bool:
    """Whether the promise of a live subscription has been kept."""
    return ready.done() and not ready.cancelled() and ready.exception() is None


async def prove(ready: Ready, transport: str, topic: str, *, timeout_s: float) -> None:
    """Wait for a promise, ``timeout_s`` at the longest; ``SubscriptionFailed`` when it is broken or still open then."""
    done, _ = await asyncio.wait([ready], timeout=timeout_s)
    if not done:
        raise SubscriptionFailed(transport, topic, f"not confirmed within {timeout_s:g} s")
    if ready.cancelled():
        raise SubscriptionFailed(transport, topic, "removed before it was confirmed")
    error = ready.exception()
    if error is not None:
        reason = error.reason if isinstance(error, SubscriptionFailed) else f"{type(error).__name__}: {error}"
        raise SubscriptionFailed(transport, topic, reason) from error
