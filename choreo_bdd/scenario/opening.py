"""Opening a scope: every harness connected again where it must be, and the scenario's id on each of their wires."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, TypeAlias, TypeVar

from choreo_bdd.correlation import CorrelationPolicy
from choreo_bdd.exceptions import CorrelationPolicyError
from choreo_bdd.scenario.links import HarnessLike, Link
from choreo_bdd.scenario.options import ScopeOptions
from choreo_bdd.scenario.scope import Scope

Name = TypeVar("Name", bound=str | None)
"""A link's name: ``None`` where there is only one."""


class Identity(NamedTuple):
    """A scenario's id, and what it is on each link's wire, in their order; ``None`` where nothing is routed by it."""

    correlation_id: str | None
    wire_ids: tuple[str | None, ...]


Identify: TypeAlias = Callable[[Mapping[Name, CorrelationPolicy]], Awaitable[Identity]]
"""Makes a new scenario's identity for the policies of its links."""


async def open_scope(
    name: str, harnesses: Mapping[Name, HarnessLike], identify: Identify[Name], options: ScopeOptions
) -> Scope:
    """A running scenario over these harnesses; raises what healing and identifying raise."""
    for harness in harnesses.values():
        await harness.heal()
    identity = await identify({link: harness.correlation for link, harness in harnesses.items()})
    links = [
        Link(link, harness, wire_id)
        for (link, harness), wire_id in zip(harnesses.items(), identity.wire_ids, strict=True)
    ]
    return Scope(name, links, correlation_id=identity.correlation_id, options=options)


async def own_id(policies: Mapping[None, CorrelationPolicy]) -> Identity:
    """The id that the policy of the only link makes; ``CorrelationPolicyError`` when it can make none."""
    (policy,) = policies.values()
    try:
        fresh = await policy.new_id()
    except Exception as error:
        raise CorrelationPolicyError(type(policy).__name__, "new_id", error) from error
    return Identity(fresh, (fresh,))
