"""What a step can complain about, always with the place in the feature file."""

from __future__ import annotations

from choreo_bdd.exceptions import ChoreoError


class StepError(ChoreoError, AssertionError):
    """A step cannot be carried out as it is written, or the world it needs is not there."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place}: {message}")
        self.place = place
        self.message = message


class CheckFailed(ChoreoError, AssertionError):
    """A check came out FAIL, TIMEOUT or SLOW."""
