"""The vocabulary: every phrase, one file a family."""

from __future__ import annotations

from functools import lru_cache

from choreo_bdd_steps.vocabulary import calling, expecting, further_checks, publishing, services, variables, waiting
from choreo_bdd_steps.vocabulary.phrase import Match, Phrase, StepCall

__all__ = ["PHRASES", "Match", "Phrase", "StepCall", "phrase_of", "recognise", "recognise_text"]

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
    phrase = phrase_of(call.text)
    return None if phrase is None else phrase.match(call)


@lru_cache(maxsize=4096)
def phrase_of(text: str) -> Phrase | None:
    """The phrase that a sentence is, kept: its step is read, planned and run, and each time there are all to ask."""
    return next((phrase for phrase in PHRASES if phrase.parameters(text) is not None), None)


def recognise_text(text: str) -> Match | None:
    """A step's sentence as a phrase of this vocabulary."""
    return recognise(StepCall(text, "", 0))
