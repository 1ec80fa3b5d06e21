"""Waiting until a broker has confirmed a subscription, or saying why it has not."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from choreo_bdd.exceptions import SubscriptionFailed
from choreo_bdd.scenario.links import Link
from choreo_bdd.transports.base import Ready

_MOMENT_S = 0.25


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


class _Arming(NamedTuple):
    topic: str
    link: Link
    ready: Ready


class Proofs:
    """The promises that the subscriptions of one scope are live; one is kept every ``patience_s`` s, or they fail."""

    def __init__(self, *, patience_s: float) -> None:
        self._patience_s = patience_s
        self._armings: list[_Arming] = []
        self._hoped_for: list[Ready] = []
        self._given_up: tuple[Ready, str] | None = None

    def add(self, topic: str, link: Link, ready: Ready) -> None:
        """Take on a promise."""
        self._armings.append(_Arming(topic, link, ready))

    def hope_for(self, ready: Ready) -> None:
        """Take on a promise that is waited for a moment, and that harms nobody when it is broken."""
        self._hoped_for.append(ready)

    @property
    def is_live(self) -> bool:
        """Whether all of them have been kept."""
        return not self._armings or all(is_proven(arming.ready) for arming in self._armings)

    async def ready(self) -> None:
        """Wait until all of them are kept; ``SubscriptionFailed`` for the first that is not."""
        for arming in tuple(self._armings):  # a thousand topics may take their time, as long as there is progress
            name = arming.link.name or arming.link.harness.transport_name
            try:
                await prove(arming.ready, name, arming.topic, timeout_s=self._patience_s)
            except SubscriptionFailed as error:
                self._given_up = arming.ready, str(error)
                raise
        self._armings = [arming for arming in self._armings if not is_proven(arming.ready)]
        hoped_for, self._hoped_for = [ready for ready in self._hoped_for if not ready.done()], []
        if hoped_for:
            await asyncio.wait(hoped_for, timeout=_MOMENT_S)

    @property
    def given_up(self) -> str | None:
        """Why the scope had to do without a subscription, also where it has only not been confirmed in time."""
        if self._given_up is None:
            return None
        ready, reason = self._given_up
        return None if is_proven(ready) else reason

    def failure(self, link: str | None, topic: str) -> str | None:
        """Why a subscription could not be proven live, if it could not."""
        for arming in self._armings:
            ready = arming.ready
            if arming.topic == topic and arming.link.name == link and ready.done() and not is_proven(ready):
                return "the subscription was removed" if ready.cancelled() else str(ready.exception())
        return None
