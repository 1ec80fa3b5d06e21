"""The vocabulary: every phrase, one file a family."""

from __future__ import annotations

from functools import lru_cache
from re import Match as Found

from choreo_bdd_steps.vocabulary import calling, expecting, further_checks, publishing, services, variables, waiting
from choreo_bdd_steps.vocabulary.phrase import Match, Phrase, StepCall

__all__ = ["PHRASES", "Match", "Phrase", "StepCall", "recognise", "recognise_text", "recognised"]

PHRASES: tuple[Phrase, ...] = (
    *publishing.PHRASES,
    *calling.PHRASES,
    *expecting.PHRASES,
    *further_checks.PHRASES,
    *services.PHRASES,
    *variables.PHRASES,
    *waiting.PHRASES,
)
_OPENINGS = tuple((phrase.opening, phrase) for phrase in PHRASES)


def recognise(call: StepCall) -> Match | None:
    """The step as a phrase of this vocabulary; ``None`` for a step of somebody else's."""
    known = recognised(call.text)
    return None if known is None else Match(known[0], call, known[1].groupdict())


@lru_cache(maxsize=4096)
def recognised(text: str) -> tuple[Phrase, Found[str]] | None:
    """The phrase that a sentence is, and where its parameters are; kept, as each step is looked at time and again."""
    sentence = text.strip()
    for opening, phrase in _OPENINGS:
        if sentence.startswith(opening) and (found := phrase.found(sentence)) is not None:
            return phrase, found
    return None


def recognise_text(text: str) -> Match | None:
    """A step's sentence as a phrase of this vocabulary."""
    return recognise(StepCall(text, "", 0))
