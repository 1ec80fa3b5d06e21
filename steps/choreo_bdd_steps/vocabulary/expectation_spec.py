"""What a check step expects, as data, before variables are filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from choreo_bdd.scenario import Occurs

if TYPE_CHECKING:
    from choreo_bdd_steps.language import ExpectationBody


class ExpectationSpec(Struct, frozen=True):
    """What a check step expects; durations are seconds.

    ``window_s`` is how long a count or an absence is watched, from the last publish of the phase or on
    ``window_topic``; ``None`` for the timeout. ``patience_s`` is a timeout of its own. A message that comes sooner
    than ``earliest_s``, counted as the budget is, comes too early. ``untaken`` leaves out messages that earlier checks
    have taken, ``is_reply`` listens where the phase's request wants its answer, ``is_response`` is about what the last
    call answers, and each of ``then`` comes after the one before. With ``is_everything`` its topics are those of the
    scenario's other checks. With ``hop_from`` the budget counts from that topic's message, with ``budget_transport``
    from a publish there. ``is_narrowed`` by what the step says of the message. An absence is watched on from its step.
    """

    topic: str
    transport: str | None
    body: ExpectationBody
    occurs: Occurs
    budget_s: float | None = None
    budget_topic: str | None = None
    budget_transport: str | None = None
    earliest_s: float | None = None
    patience_s: float | None = None
    window_s: float | None = None
    window_topic: str | None = None
    untaken: bool = False
    is_reply: bool = False
    is_response: bool = False
    hop_from: Hop | None = None
    is_narrowed: bool = False
    is_everything: bool = False
    is_absence: bool = False
    then: tuple[ExpectationSpec, ...] = ()
    beside: tuple[ExpectationSpec, ...] = ()

    @property
    def chain(self) -> tuple[ExpectationSpec, ...]:
        """This message and those that must come after it, in order."""
        return (self, *self.then)

    @property
    def parts(self) -> tuple[ExpectationSpec, ...]:
        """All that it listens for: the chain, and what it expects ``beside`` it on other topics."""
        return (*self.chain, *self.beside)

    @property
    def is_rest(self) -> bool:
        """Whether it is about what the checks before it leave: judged only when these are decided."""
        return self.untaken and self.is_absence

    def patience(self, timeout_s: float) -> float:
        """How long it waits, or watches, where others wait for ``timeout_s``."""
        if self.window_s is not None:
            return self.window_s
        end = self.chain[-1]
        own = end.patience_s or timeout_s + (end.earliest_s or 0.0)
        return max(own, end.budget_s or 0.0)

    @property
    def is_instant(self) -> bool:
        """Whether it leaves no time for anything to happen."""
        end = self.chain[-1]
        return 0 in (end.budget_s, end.window_s, end.patience_s, end.earliest_s)

    @property
    def needs(self) -> frozenset[str]:
        """Variables that its bodies name."""
        return frozenset().union(*(each.body.needs for each in self.parts))


class Hop(Struct, frozen=True):
    """Where a hop begins: with any message on a topic, or with one that a condition tells apart."""

    topic: str
    transport: str | None = None
    condition: ExpectationBody | None = None
