"""What a phrase means, as data."""

from __future__ import annotations

from dataclasses import dataclass

from choreo_bdd.scenario import Occurs
from choreo_bdd_steps.language.body import ExpectationBody


@dataclass(frozen=True, slots=True)
class ExpectationSpec:
    """What a check step expects, before variables are filled in. Durations are seconds.

    ``window_s`` is how long a count or an absence is watched, from the last publish of the phase or on
    ``window_topic``; ``None`` for the timeout. ``untaken`` leaves out messages that earlier checks have taken,
    ``is_reply`` listens where the phase's request wants its answer, and each of ``then`` must come after the one
    before it. With ``hop_from`` the budget counts from that topic's message.
    """

    topic: str
    transport: str | None
    body: ExpectationBody
    occurs: Occurs
    budget_s: float | None = None
    budget_topic: str | None = None
    window_s: float | None = None
    window_topic: str | None = None
    untaken: bool = False
    is_reply: bool = False
    hop_from: Hop | None = None
    then: tuple[ExpectationSpec, ...] = ()

    @property
    def chain(self) -> tuple[ExpectationSpec, ...]:
        """This message and those that must come after it, in order."""
        return (self, *self.then)

    @property
    def needs(self) -> frozenset[str]:
        """Variables that its bodies name."""
        return frozenset().union(*(each.body.needs for each in self.chain))


@dataclass(frozen=True, slots=True)
class Hop:
    """Where a hop begins."""

    topic: str
    transport: str | None = None
