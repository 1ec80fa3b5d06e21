"""Matchers around a user's own Python predicate."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from copy import deepcopy

from msgspec import Struct

from choreo_bdd.matchers import ROOT_PATH, MatchFailure, MatchResult


class PredicateMatcher(Struct, frozen=True):
    """Accepts what the predicate accepts; a failed assertion in it refuses with the assertion's message.

    Any other exception is the predicate's own fault and passes through. What it changes, other checks do not see.
    """

    name: str
    accepts: Callable[[object], object]
    argument: object
    description: str

    def match(self, payload: object) -> MatchResult:
        """Ask the predicate."""
        note = ""
        try:
            if self.accepts(deepcopy(payload) if isinstance(payload, dict | list) else payload):
                return MatchResult(True, f"matched {self.description}")
        except AssertionError as error:
            note = f" ({error})"
        failure = MatchFailure("predicate", ROOT_PATH, self.expected_shape(), payload)
        return MatchResult(False, f"expected {self.description}, got {payload!r:.200}{note}", failure)

    def expected_shape(self) -> object:
        """``{name: argument}``, or ``{name: True}`` without one."""
        return {self.name: True if self.argument is None else self.argument}

    def __repr__(self) -> str:
        return self.description


def predicate_matcher(name: str, predicate: Callable[..., object], argument: object = None) -> PredicateMatcher:
    """The matcher of ``predicate(value)`` or ``predicate(value, argument)``. Raises ValueError on a wrong argument."""
    words = f"is {name}" if argument is None else f"is {name} {argument!r}"
    if _takes_argument(predicate):
        return PredicateMatcher(name, lambda value: predicate(value, argument), argument, words)
    if argument is not None:
        raise ValueError("takes no value")
    return PredicateMatcher(name, predicate, None, words)


def imported(reference: str) -> Callable[..., object]:
    """The function that ``package.module:function`` names. Raises ValueError, TypeError."""
    module_name, _, name = reference.partition(":")
    try:
        found = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"cannot import {reference!r}: {error}; write package.module:function") from error
    if not callable(found):
        raise TypeError(f"{reference!r} is not a function")
    accepted: Callable[..., object] = found
    return accepted


def _takes_argument(predicate: Callable[..., object]) -> bool:
    try:
        parameters = inspect.signature(predicate).parameters.values()
    except (TypeError, ValueError):  # some built-in callables tell no signature
        return False
    positional = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    return len(positional) > 1
