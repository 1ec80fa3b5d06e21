"""What a step can complain about, always with the place in the feature file."""

from __future__ import annotations

import re
import warnings

from choreo_bdd.exceptions import ChoreoError

_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d+): ")


def warn(told: str, category: type[Warning] = UserWarning) -> None:
    """Warn of something that begins with its place in a feature file: there, and not where this library does so."""
    place = _PLACE.match(told)
    warnings.warn_explicit(told, category, place["file"] if place else __file__, int(place["line"]) if place else 1)


class StepError(ChoreoError, AssertionError):
    """A step cannot be carried out as it is written, or the world it needs is not there."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place}: {message}")
        self.place = place
        self.message = message


class CheckFailed(ChoreoError, AssertionError):
    """A check came out FAIL, TIMEOUT or SLOW."""
