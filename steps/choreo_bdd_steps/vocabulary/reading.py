"""Reading what stands below a step, so that complaints know their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.vocabulary.phrase import StepCall

T = TypeVar("T")


def read(call: StepCall, reader: Callable[[], T]) -> T:
    """What a reader of the body language makes of a step; its complaint gets the step's place."""
    try:
        return reader()
    except BodyError as error:
        raise body_error(call, error) from error


def body_error(call: StepCall, error: BodyError) -> StepError:
    """A complaint of the body language at its line, where it knows it: the doc string begins below its step."""
    if error.line is None:
        return StepError(call.place, str(error))
    line = call.line + error.line + (1 if call.docstring is not None else 0)
    return StepError(f"{call.file}:{line}", str(error))
