"""Waiting, for those who must."""

from __future__ import annotations

from choreo_bdd_steps.language.durations import parse_duration
from choreo_bdd_steps.vocabulary.acts import Wait
from choreo_bdd_steps.vocabulary.phrase import Match, Phrase


def _wait(match: Match) -> Wait:
    return Wait(parse_duration(match.arg("duration")))


PHRASES = (
    Phrase(
        "I wait {duration}",
        Wait,
        "Do nothing for a while. A check waits by itself: this is hardly ever what you want.",
        "When I wait 50ms",
        _wait,
    ),
)
