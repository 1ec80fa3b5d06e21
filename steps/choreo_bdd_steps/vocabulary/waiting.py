"""Waiting, for those who must."""

from __future__ import annotations

from typing import TYPE_CHECKING

from choreo_bdd_steps.language.durations import parse_duration
from choreo_bdd_steps.vocabulary.phrase import Intent, Match, Phrase

if TYPE_CHECKING:
    from choreo_bdd_steps.run.scenario_run import ScenarioRun


def _wait(run: ScenarioRun, match: Match) -> None:
    run.wait(parse_duration(match.arg("duration")))


PHRASES = (
    Phrase(
        "I wait {duration}",
        Intent.WAIT,
        "Do nothing for a while. A check waits by itself: this is hardly ever what you want.",
        "When I wait 50ms",
        _wait,
    ),
)
