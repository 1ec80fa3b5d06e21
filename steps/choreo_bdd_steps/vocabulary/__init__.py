"""The vocabulary: every phrase, one file a family."""

from __future__ import annotations

from choreo_bdd_steps.vocabulary import calling, expecting, further_checks, publishing, services, variables, waiting
from choreo_bdd_steps.vocabulary.phrase import Match, Phrase, StepCall

__all__ = ["PHRASES", "Match", "Phrase", "StepCall", "recognise", "recognise_text"]

PHRASES: tuple[Phrase, ...] = (
    *publishing.PHRASES,
    *calling.PHRASES,
    *expecting.PHRASES,
    *further_checks.PHRASES,
    *services.PHRASES,
    *variables.PHRASES,
    *waiting.PHRASES,
)


def recognise(call: StepCall) -> Match | None:
    """The step as a phrase of this vocabulary; ``None`` for a step of somebody else's."""
    return next((match for phrase in PHRASES if (match := phrase.match(call)) is not None), None)


def recognise_text(text: str) -> Match | None:
    """A step's sentence as a phrase of this vocabulary."""
    return recognise(StepCall(text, "", 0))
