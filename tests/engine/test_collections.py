"""A full garbage collection halts every thread: none comes while a scenario runs, and those put off come after it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from choreo_bdd import Harness
from choreo_bdd.matchers import anything
from choreo_bdd.shared.collector import put_off_full_collections

FULL = 2
YOUNG = len(gc.get_objects()) // 16
USUAL = (YOUNG, 1, 1)
MANY = 10 * YOUNG
"""So many new objects make a full collection due: every fourth time, and a quarter of what there is has come anew."""


class Owner:
    """Somebody who has collections put off."""


@pytest.fixture(autouse=True)
def _a_collector_of_our_own() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(*USUAL)
    gc.collect()  # what was made before is counted no more
    yield
    gc.set_threshold(*before)


@pytest.fixture
def full() -> Iterator[list[str]]:
    """A word for each full collection."""
    seen: list[str] = []

    def note(phase: str, told: dict[str, int]) -> None:
        if phase == "start" and told["generation"] == FULL:
            seen.append("full")

    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)


@pytest.mark.thorough
async def test_no_full_collection_comes_while_a_scenario_runs(harness: Harness, full: list[str]) -> None:
    async with harness.scenario("waits for a message") as scenario:
        scenario.expect("orders.placed", anything())
        kept = [list[int]() for _ in range(MANY)]
        assert full == []
    kept += [list[int]() for _ in range(MANY)]
    assert full


@pytest.mark.thorough
def test_all_is_as_it_was_once_the_last_has_ended() -> None:
    first, second = Owner(), Owner()
    resume_first, resume_second = put_off_full_collections(first), put_off_full_collections(second)
    seldom = gc.get_threshold()
    assert seldom[:2] == USUAL[:2]
    assert seldom[2] > USUAL[2]
    resume_first()
    resume_first()
    assert gc.get_threshold() == seldom
    resume_second()
    assert gc.get_threshold() == USUAL


@pytest.mark.thorough
def test_who_is_no_more_has_nothing_put_off() -> None:
    owner = Owner()
    put_off_full_collections(owner)
    del owner
    assert gc.get_threshold() == USUAL


@pytest.mark.thorough
def test_what_somebody_else_has_set_meanwhile_stays() -> None:
    owner = Owner()
    resume = put_off_full_collections(owner)
    gc.set_threshold(7, 7, 7)
    resume()
    assert gc.get_threshold() == (7, 7, 7)


@pytest.mark.thorough
async def test_a_scenario_that_is_left_is_freed_without_a_collection(harness: Harness) -> None:
    gc.disable()
    try:
        async with harness.scenario("comes and goes") as scenario:
            scenario.expect("orders.placed", anything())
            scenario.publish("orders.placed", {"n": 1})
            await scenario.await_all(timeout_ms=100)
        scope = weakref.ref(scenario._scope)
        del scenario
        assert scope() is None
    finally:
        gc.enable()
