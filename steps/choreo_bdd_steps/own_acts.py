"""Acts of the user's own: steps that make messages come without publishing any themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Function = TypeVar("Function", bound=Callable[..., object])

_MARK = "__choreo_act__"


def act(function: Function) -> Function:
    """Declare a step of your own to be an act: an HTTP call, a database write, a file.

    Write it above or below the step's own decorator, under behave and pytest-bdd alike::

        @act
        @when("I place an order")
        def place(...): ...

    It begins a phase as a publish does: what is expected after it listens before it runs, and time counts from its end,
    or from the moment it calls ``mark()`` of the running scenario.
    """
    setattr(function, _MARK, True)
    return function


def is_act(function: object) -> bool:
    """Whether a step's function has been declared an act."""
    return getattr(function, _MARK, False) is True
