"""Sentences of ours in a description: written as steps, and run by no framework."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from choreo_bdd_project.gherkin.errors import FeatureError
from choreo_bdd_project.gherkin.feature import read_feature
from choreo_bdd_project.gherkin.places import relative
from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.vocabulary import recognise_text

_BULLET = re.compile(r"^(?:[-*+•]|\d+[.)])\s+")
_TAG = re.compile(r"(?:timeout|slow|bus)\([^()]*\)")
_DRIVING = ("topic", "method")
"""What a sentence that sends or checks has; without one it may be prose, as `The limit is 5` is."""


def require_run(path: Path | str, described: Iterable[str]) -> None:
    """``StepError``, at its place, where one of these lines of a file's descriptions is a sentence of ours."""
    unrun = list(filter(is_unrun, described))
    if unrun:
        try:
            asides = read_feature(path).asides
        except FeatureError:  # what reads it otherwise is behave's own parser
            asides = ()
        text, line = next((aside for aside in asides if aside[0] in unrun), (unrun[0], 1))
        raise StepError(f"{relative(path)}:{line}", unrun_step(text))


@lru_cache(maxsize=4096)  # each scenario asks for the description of its feature
def is_unrun(text: str) -> bool:
    """Whether a line of a description is a sentence of ours, with a keyword of whatever spelling or without one."""
    sentence = _BULLET.sub("", text)
    return '"' in sentence and any(map(_drives, (sentence, sentence.partition(" ")[2].strip())))


def _drives(sentence: str) -> bool:
    known = recognise_text(sentence)
    return known is not None and any(known.args.get(name) for name in _DRIVING)


def unrun_step(text: str) -> str:
    """What is wrong with such a line, and what to do."""
    return (
        f"{text!r} is part of a description and is not run: a step begins with Given, When, Then, And or But and a "
        f"blank, and stands below a line `Scenario: …` with its colon, in capital and small letters as here"
    )


def lost_tag(text: str) -> str | None:
    """What is wrong with a line of a description that is a tag of ours without its sign; ``None`` for prose."""
    if _TAG.fullmatch(text) is None:
        return None
    return f"{text!r} is part of a description and no tag; write @{text} above Scenario if it is meant to be one"
