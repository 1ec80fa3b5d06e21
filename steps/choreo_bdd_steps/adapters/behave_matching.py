"""How behave finds the vocabulary's sentences among all step definitions. Proven on behave 1.3.3."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from behave.matchers import Match, RegexMatcher
from behave.model_type import Argument
from behave.runner import the_step_registry

from choreo_bdd_steps.vocabulary import PHRASES, Phrase, recognised

_PATTERNS = {phrase.regex: phrase for phrase in PHRASES}


_askable: dict[str, tuple[list[Any], dict[str, Sequence[Any]]]] = {}
"""By the type of a step, all definitions and which of them may answer to sentences of a phrase, by its text."""


def first_match(step: Any, phrase: Phrase) -> Any:
    """What behave finds for a sentence of ours, of the user's own definitions too, but not asking all the others."""
    definitions = [*the_step_registry.steps[step.step_type], *the_step_registry.steps["step"]]
    known, askable = _askable.get(step.step_type, ([], {}))
    if known != definitions:  # the first step of its type, or one more has been defined
        askable = {}
        _askable[step.step_type] = definitions, askable
    if phrase.text not in askable:
        askable[phrase.text] = [each for each in definitions if _may_be(each, phrase)]
    for each in askable[phrase.text]:
        if (match := each.match(step.name)) is not None:
            return match
    return None


def _may_be(definition: Any, phrase: Phrase) -> bool:
    """Whether a definition is the user's own, or that of this very phrase."""
    return type(definition) is not PhraseMatcher or definition.phrase is phrase


class PhraseMatch(Match):  # type: ignore[misc] # as below
    """A sentence of ours, and the step to run: what it says has been read by then."""

    step: Any = None

    def __init__(self, func: Callable[..., None], found: re.Match[str], location: Any) -> None:
        self.func, self.location = func, location
        self._found = found

    @property
    def arguments(self) -> list[Argument]:
        """The sentence's parameters and where they stand, for formatters that show them."""
        return [Argument(*self._found.span(name), value, value, name) for name, value in _given(self._found).items()]

    def run(self, context: Any) -> None:
        """Run the step."""
        with context.use_with_user_mode():
            self.func(context, self.step)


class PhraseMatcher(RegexMatcher):  # type: ignore[misc] # behave ships no types
    """behave's matcher for regular expressions, held to whole sentences; the phrase reads its own parameters."""

    NAME = "choreo"

    def compile(self) -> PhraseMatcher:
        """behave compiles each pattern to see whether it can be; ours can, and most are not needed in a run."""
        return self

    def match(self, step_text: str) -> Match | None:
        """How to run a sentence that is this phrase, ``None`` for any other."""
        known = recognised(step_text)
        if known is None or known[0] is not self.phrase:
            return None
        return PhraseMatch(self.func, known[1], self._location)

    @cached_property
    def _location(self) -> Any:
        """Where the function stands: behave would look for it anew in each step."""
        return Match.make_location(self.func)

    def matches(self, step_text: str) -> bool:
        """behave holds each pattern against those before it; no phrase of ours is another's sentence."""
        return self.pattern == step_text or (step_text not in _PATTERNS and super().matches(step_text))

    def check_match(self, step_text: str) -> list[Argument] | None:
        """The parameters of a sentence that is this phrase, ``None`` for any other."""
        match = self.match(step_text)
        return None if match is None else match.arguments

    @cached_property
    def phrase(self) -> Phrase | None:
        """The phrase whose sentences it finds; ``None`` for a pattern of the user's own."""
        return _PATTERNS.get(self.pattern)


def _given(found: re.Match[str]) -> dict[str, str]:
    """A sentence's parameters, without those it leaves out."""
    return {name: value for name, value in found.groupdict().items() if value is not None}
