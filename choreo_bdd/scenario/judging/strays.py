"""Messages that met no expectation and yet bear on one: late, somebody else's, nobody's, on another topic, returned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from choreo_bdd.inbound.listening import Delivery
from choreo_bdd.matchers import MatchFailure
from choreo_bdd.message import MessageRecord
from choreo_bdd.scenario.judging.expectation import Expectation
from choreo_bdd.scenario.judging.handle import Handle, Outcome
from choreo_bdd.scenario.judging.matching import closeness_of


class StrayReason(StrEnum):
    """Why a message has met nothing."""

    LATE = "late"
    """It came after the wait had ended."""
    FOREIGN = "foreign"
    """It carries another correlation id."""
    NO_ID = "no id"
    """It carries no correlation id, where one is expected."""
    OTHER_TOPIC = "other topic"
    """It came on a topic that is nearly the expected one."""
    RETURNED = "returned"
    """It was sent here and reached nobody."""


@dataclass(frozen=True, slots=True)
class Stray:
    """Such a message, and the expectation it came closest to with the fields in which it differs from that.

    ``at`` is epoch seconds; ``detail`` is what the broker says of it, if it says anything; ``ids`` are the correlation
    ids it carries.
    """

    why: StrayReason
    at: float
    message: MessageRecord
    handle: Handle | None = None
    differences: tuple[MatchFailure, ...] = field(default=(), repr=False)
    detail: str = ""
    ids: tuple[str, ...] = field(default=(), repr=False)


def nearest(expectations: Iterable[Expectation], delivery: Delivery) -> tuple[Handle | None, tuple[MatchFailure, ...]]:
    """The expectation that a message came closest to, one that was not met before any other, and what differs."""
    best: tuple[Expectation, tuple[MatchFailure, ...]] | None = None
    rank = (False, -1.0, 0)
    for each in expectations:
        if each.matcher is None:
            continue
        near = closeness_of(each.matcher, delivery)
        mine = (each.handle.outcome not in (Outcome.PASS, Outcome.SLOW), near.score, -len(near.differences))
        if best is None or mine > rank:
            best, rank = (each, near.differences), mine
    return (None, ()) if best is None else (best[0].handle, best[1])


def judged(expectations: Sequence[Expectation]) -> set[int]:
    """The messages, by ``id``, that some expectation has counted or found wanting: they are no strays."""
    return {id(delivery.message) for each in expectations for delivery in (*each.taken, *each.near_misses, *each.early)}
