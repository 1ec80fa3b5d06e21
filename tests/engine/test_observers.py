"""The observer seam."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from choreo_bdd import Harness
from choreo_bdd._reporting import _emit, _observers, current_test_nodeid, register_observer, unregister_observer
from choreo_bdd.matchers import eq
from choreo_bdd.observers import note_run_fact
from tests.support.engine_doubles import Reported


@contextmanager
def observing(*observers: Any) -> Iterator[None]:
    for observer in observers:
        register_observer(observer)
    yield
    for observer in observers:
        unregister_observer(observer)


async def one_scenario(harness: Harness, name: str = "one") -> None:
    async with harness.scenario(name) as s:
        s.expect("t", eq(1))
        s.publish("t", 1)
        await s.await_all(timeout_ms=10)


async def test_an_observer_is_told_result_nodeid_and_completion(harness: Harness, reported: list[Reported]) -> None:
    await one_scenario(harness, "observed")
    (report,) = reported
    assert report.result.name == "observed"
    assert report.nodeid is None
    assert report.completed_normally


async def test_registering_twice_counts_once(harness: Harness) -> None:
    seen: list[Any] = []

    def observer(result: Any, nodeid: str | None, completed: bool) -> None:
        seen.append(result)

    with observing(observer, observer):
        assert _observers.count(observer) == 1
        await one_scenario(harness)
    assert len(seen) == 1


async def test_unregistering_stops_calls_and_an_unknown_observer_is_no_error(harness: Harness) -> None:
    seen: list[Any] = []

    def observer(result: Any, nodeid: str | None, completed: bool) -> None:
        seen.append(result)

    unregister_observer(observer)
    register_observer(observer)
    unregister_observer(observer)
    await one_scenario(harness)
    assert seen == []


async def test_observers_are_called_in_order_even_if_one_leaves_meanwhile(harness: Harness) -> None:
    seen: list[str] = []

    def leaving(result: Any, nodeid: str | None, completed: bool) -> None:
        seen.append("leaving")
        unregister_observer(leaving)

    def staying(result: Any, nodeid: str | None, completed: bool) -> None:
        seen.append("staying")

    with observing(leaving, staying):
        await one_scenario(harness)
        await one_scenario(harness)
    assert seen == ["leaving", "staying", "staying"]


async def test_a_raising_observer_is_a_warning_and_stops_nobody(harness: Harness, reported: list[Reported]) -> None:
    def broken(result: Any, nodeid: str | None, completed: bool) -> None:
        raise LookupError("no report today")

    seen: list[Any] = []

    def after(result: Any, nodeid: str | None, completed: bool) -> None:
        seen.append(result)

    with observing(broken, after), pytest.warns(RuntimeWarning, match=r"observer.*LookupError"):
        await one_scenario(harness)
    assert len(seen) == 1
    assert reported[0].result.passed


async def test_concurrent_scenarios_see_their_own_nodeid(harness: Harness, reported: list[Reported]) -> None:
    async def test_of(nodeid: str) -> None:
        current_test_nodeid.set(nodeid)
        await asyncio.sleep(0)
        await one_scenario(harness, f"scenario of {nodeid}")

    await asyncio.gather(*(test_of(f"test_{n}") for n in range(5)))
    assert {(each.nodeid, each.result.name) for each in reported} == {
        (f"test_{n}", f"scenario of test_{n}") for n in range(5)
    }


async def test_the_engine_never_sets_the_nodeid(harness: Harness) -> None:
    await one_scenario(harness)
    assert current_test_nodeid.get() is None


async def test_a_partial_result_is_reported_once_with_the_nodeid(harness: Harness, reported: list[Reported]) -> None:
    token = current_test_nodeid.set("test_partial")
    try:
        with pytest.raises(LookupError):
            async with harness.scenario("partial"):
                raise LookupError
    finally:
        current_test_nodeid.reset(token)
    assert [(each.nodeid, each.completed_normally) for each in reported] == [("test_partial", False)]


def test_the_compatible_name_emits_to_the_same_observers(reported: list[Reported]) -> None:
    anything: Any = "anything"
    _emit(anything, False)
    assert reported == [Reported("anything", None, False)]


def test_a_fact_reaches_those_who_take_facts_and_their_faults_decide_nothing(reported: list[Reported]) -> None:
    class Taking:
        def __init__(self) -> None:
            self.facts: dict[str, object] = {}

        def __call__(self, result: object, nodeid: str | None, completed_normally: bool) -> None: ...

        def run_fact(self, key: str, value: object) -> None:
            self.facts[key] = value

    class Broken(Taking):
        def run_fact(self, key: str, value: object) -> None:
            raise LookupError

    broken, taking = Broken(), Taking()
    with observing(broken, taking), pytest.warns(RuntimeWarning, match=r"observer.*LookupError"):
        note_run_fact("channels", {"touched": []})
    assert taking.facts == {"channels": {"touched": []}}
