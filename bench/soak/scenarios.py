"""Kinds of scenarios for a soak: each says what was wrong with its verdict, or nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping

from choreo_bdd import Harness, Outcome
from choreo_bdd.matchers import field_equals
from choreo_bdd.scenario import Cause, Handle, ScenarioResult
from tests.support.proxy import Proxy

Play = Callable[[Harness, str], Awaitable[str | None]]


class Unserved(Exception):
    """The library said that it could not look in time: no false verdict, but a machine that was too slow."""


PATIENCE_MS = 15_000
"""For what must come: a machine under load is no fault."""

ABSENT_MS = 60
_WINDOW_MS = 500
_BURST = 20
_LARGE = "x" * 200_000


async def answered(harness: Harness, topic: str) -> str | None:
    """A stand-in answers, and its answer is expected."""
    async with harness.scenario("answered") as s:
        s.on(f"{topic}.asked").publish(f"{topic}.answered", lambda asked: {"n": asked["n"] + 1})
        s.expect(f"{topic}.answered", field_equals("n", 2))
        s.publish(f"{topic}.asked", {"n": 1})
        return _unless_passed(await s.await_all(timeout_ms=PATIENCE_MS))


async def counted(harness: Harness, topic: str) -> str | None:
    """A burst arrives whole, and nothing of it twice."""
    async with harness.scenario("counted") as s:
        handle = s.expect_count(f"{topic}.burst", field_equals("kind", "burst"), exactly=_BURST)
        for n in range(_BURST):
            s.publish(f"{topic}.burst", {"kind": "burst", "n": n})
        result = await s.await_all(timeout_ms=_WINDOW_MS)
        return _unless_passed(result) or _unless(
            sorted(each.payload["n"] for each in handle.messages) == [*range(_BURST)], handle
        )


async def absent(harness: Harness, topic: str) -> str | None:
    """Nothing comes where nothing was sent."""
    async with harness.scenario("absent") as s:
        s.expect_none(f"{topic}.forbidden")
        s.publish(f"{topic}.else", {"n": 1})
        await s.ready()
        return _unless_passed(await s.await_all(timeout_ms=_WINDOW_MS))


async def broken_absence(harness: Harness, topic: str) -> str | None:
    """What must not come does, and is seen."""
    async with harness.scenario("broken absence") as s:
        handle = s.expect_none(f"{topic}.forbidden")
        s.publish(f"{topic}.forbidden", {"n": 1})
        await s.await_all(timeout_ms=PATIENCE_MS)
        return _unless(handle.outcome is Outcome.FAIL and _cause(handle) is Cause.UNEXPECTED, handle)


async def near_miss(harness: Harness, topic: str) -> str | None:
    """Only the wrong message comes."""
    async with harness.scenario("near miss") as s:
        handle = s.expect(f"{topic}.shaped", field_equals("n", 1))
        arrived = s.expect(f"{topic}.shaped", field_equals("n", 2))
        s.publish(f"{topic}.shaped", {"n": 2})
        await s.await_all(timeout_ms=_WINDOW_MS)
        right = handle.outcome is Outcome.FAIL and _cause(handle) is Cause.WRONG_SHAPE
        return _unless(right and arrived.outcome is Outcome.PASS, handle)


async def late(harness: Harness, topic: str) -> str | None:
    """Nothing comes in time."""
    async with harness.scenario("late") as s:
        handle = s.expect(f"{topic}.late", field_equals("n", 1))
        s.publish(f"{topic}.else", {"n": 1})
        await s.await_all(timeout_ms=ABSENT_MS)
        return _unless(handle.outcome is Outcome.TIMEOUT, handle)


async def undecodable(harness: Harness, topic: str) -> str | None:
    """Bytes that are no JSON come beside what is expected."""
    async with harness.scenario("undecodable") as s:
        s.expect(f"{topic}.mixed", field_equals("n", 1))
        await s.ready()
        harness.transport.publish(f"{topic}.mixed", b"\xff{")
        s.publish(f"{topic}.mixed", {"n": 1})
        return _unless_passed(await s.await_all(timeout_ms=PATIENCE_MS))


async def large(harness: Harness, topic: str) -> str | None:
    """A payload of 200 kB."""
    async with harness.scenario("large") as s:
        s.expect(f"{topic}.large", field_equals("blob", _LARGE))
        s.publish(f"{topic}.large", {"blob": _LARGE})
        return _unless_passed(await s.await_all(timeout_ms=PATIENCE_MS))


async def raised(harness: Harness, topic: str) -> str | None:
    """The author's own code raises in the middle."""
    with contextlib.suppress(LookupError):
        async with harness.scenario("raised") as s:
            s.expect(f"{topic}.raised", field_equals("n", 1))
            raise LookupError
    return None


async def cancelled(harness: Harness, topic: str) -> str | None:
    """Whoever waits is cancelled."""
    task = asyncio.create_task(late(harness, topic))
    await asyncio.sleep(ABSENT_MS / 2000)
    task.cancel()
    await asyncio.wait([task])
    return None


PLAYS: tuple[Play, ...] = (
    answered,
    counted,
    absent,
    broken_absence,
    near_miss,
    late,
    undecodable,
    large,
    raised,
    cancelled,
)


async def cut(harness: Harness, topic: str, proxy: Proxy) -> str | None:
    """The connection breaks while a scenario waits: nothing is judged without having looked."""
    async with harness.scenario("cut") as s:
        handles = (s.expect(f"{topic}.cut", field_equals("n", 1)), s.expect_none(f"{topic}.forbidden"))
        s.publish(f"{topic}.else", {"n": 1})
        await s.ready()
        proxy.cut()
        await s.await_all(timeout_ms=30_000)
        proxy.mend()
        return _unless(all(_cause(each) is Cause.TRANSPORT_FAILED for each in handles), *handles)


async def stalled(harness: Harness, topic: str, proxy: Proxy) -> str | None:
    """The wire falls silent while a scenario waits."""
    async with harness.scenario("stalled") as s:
        handles = (s.expect(f"{topic}.stalled", field_equals("n", 1)), s.expect_none(f"{topic}.forbidden"))
        await s.ready()
        proxy.stall()
        s.publish(f"{topic}.stalled", {"n": 1})
        await s.await_all(timeout_ms=500)
        proxy.resume()
        return _unless(all(_cause(each) is Cause.TRANSPORT_FAILED for each in handles), *handles)


FAULTS: Mapping[str, Callable[[Harness, str, Proxy], Awaitable[str | None]]] = {"cut": cut, "stall": stalled}


def _cause(handle: Handle) -> Cause | None:
    return None if handle.diagnosis is None else handle.diagnosis.cause


def _unless_passed(result: ScenarioResult) -> str | None:
    return _unless(result.passed, *result.handles)


def _unless(right: bool, *handles: Handle) -> str | None:
    if right:
        return None
    if any(_cause(each) is Cause.TRANSPORT_FAILED for each in handles):
        raise Unserved(_said(*handles))
    return _said(*handles)


def _said(*handles: Handle) -> str:
    told = (f"{each!r}, {each.diagnosis.sentence if each.diagnosis else 'no diagnosis'}" for each in handles)
    return "; ".join(("not as it should be", *told))
