"""Adopting an id: a scenario that writes the correlation key itself takes what it wrote for its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from choreo_bdd.scenario.judging.expectation import Expectation
from choreo_bdd.scenario.links import Link
from choreo_bdd.scenario.subscriptions import TopicListener
from choreo_bdd.shared.policy_facts import prefix_of


def translated(links: Iterable[Link], link: Link, correlation_id: str) -> str:
    """Have every link carry an id that was written on one of them; returns it without the prefix of that link's policy.

    On each link it stands behind the prefix of the policy there.
    """
    shared = correlation_id.removeprefix(prefix_of(link.harness.correlation))
    for each in links:
        if each.wire_id is not None:
            each.wire_id = prefix_of(each.harness.correlation) + shared
            each.adopted[each.wire_id] = None
    return shared


def own(scope: object, links: Iterable[Link]) -> None:
    """Say that a scope owns the ids its links carry now."""
    for link in links:
        if link.wire_id is not None:
            link.harness.router.dispatcher.register_scope(scope, link.wire_id)


def disown(scope: object, links: Iterable[Link], expectations: Sequence[Expectation], *, at: float) -> None:
    """Say that a scope has been left at a loop time, and where it was still owed a message then."""
    for link in links:
        missed = sorted({each.topic for each in expectations if each.link == link.name and not each.is_met})
        link.harness.router.dispatcher.deregister_scope(scope, at=at, missed=missed)


def hear_too(listeners: Iterable[TopicListener]) -> None:
    """Let those that hear one id hear all that have been adopted on their links."""
    for listener in listeners:
        for each in listener.link.adopted if listener.correlation_id is not None else ():
            listener.link.harness.router.adopt(listener.topic, listener, each)


def rename(expectations: Iterable[Expectation], links: Mapping[str | None, Link]) -> None:
    """Have what is still expected name the id that is waited for now."""
    for each in expectations:
        if each.is_pending:
            each.handle.correlation_id = links[each.link].wire_id
