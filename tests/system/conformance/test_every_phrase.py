"""The features hold every phrase of the vocabulary: in a scenario that passes, and in one that fails."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from choreo_bdd_steps.adapters.behave import read_feature
from choreo_bdd_steps.vocabulary import PHRASES, recognise
from choreo_bdd_steps.vocabulary.phrase import Phrase
from tests.support.runs import ROOT

CALLING = ROOT / "tests/system/conformance/calling/features/calling.feature"
"""Calls have a project of their own: they need a service, and a client that is an extra."""


@cache
def phrases(*, failing: bool) -> frozenset[str]:
    return frozenset(_phrases(failing=failing))


def _phrases(*, failing: bool) -> Iterator[str]:
    for path in (*(ROOT / "features/phrases").glob("*.feature"), CALLING):
        for _, scenario in read_feature(path):
            if ("deliberate" in scenario.tags) == failing:
                yield from (match.phrase.text for step in scenario.steps if (match := recognise(step)) is not None)


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.text)
@pytest.mark.parametrize("failing", [False, True], ids=["passing", "failing"])
def test_there_is_a_scenario_for(phrase: Phrase, *, failing: bool) -> None:
    where = "a scenario tagged @deliberate" if failing else "a scenario"
    assert phrase.text in phrases(failing=failing), f"write {where} with it in features/phrases"
