"""Which channels of the contract a run has touched: those a scenario has spoken on, or heard something on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from choreo_bdd import topic_patterns
from choreo_bdd.scenario import Scope

if TYPE_CHECKING:
    from choreo_bdd.asyncapi import AsyncApi  # loaded only where there is a contract


class ChannelCoverage:
    """The channels of a contract, as scenarios come by."""

    def __init__(self, contract: AsyncApi) -> None:
        self._contract = contract
        self._touched: set[str] = set()

    def note(self, scope: Scope) -> None:
        """Count what a scenario has said and heard."""
        self._touched.update(address for topic in _topics(scope) if (address := self._contract.address_of(topic)))

    @property
    def untouched(self) -> tuple[str, ...]:
        """Addresses that no scenario has touched, in the contract's order."""
        return tuple(address for address in self._contract.addresses if address not in self._touched)

    def as_fact(self) -> dict[str, Any]:
        """For reports, in the order of the alphabet, which does not depend on the process that tells."""
        return {
            "spec": self._contract.source,
            "touched": sorted(self._touched),
            "untouched": sorted(self.untouched),
        }


def _topics(scope: Scope) -> Iterator[str]:
    yield from scope.outbox.topics
    for expectation in scope.expectations:
        yield from (message.topic for message in expectation.handle.messages)
        yield from (delivery.message.topic for delivery in expectation.near_misses)
    for reply in scope.replies:
        if reply.candidates and not topic_patterns.is_pattern(reply.trigger_topic):
            yield reply.trigger_topic
        if reply.answers:
            yield reply.plan.reply_topic
