"""One timer for all that waits until a moment: each is woken at its own, and who needs it no more holds nothing."""

from __future__ import annotations

import asyncio
import gc
import random
from functools import partial
from weakref import ref

from choreo_bdd.shared.alarms import Alarms, alarms
from choreo_bdd.shared.pauses import pauses


async def test_each_is_woken_at_its_moment_whatever_the_order_they_came_in() -> None:
    loop, woken = asyncio.get_running_loop(), list[tuple[int, float]]()
    alarms, began = Alarms(loop), loop.time()
    moments = [0.03, 0.01, 0.05, 0.01, 0.02, 0.04]
    promises = []

    def note(number: int, _: object) -> None:
        woken.append((number, loop.time()))

    for number, after in enumerate(moments):
        promise = loop.create_future()
        promise.add_done_callback(partial(note, number))
        promises.append(promise)
        alarms.set(began + after, promise)
    await asyncio.wait_for(asyncio.gather(*promises), 5)
    await asyncio.sleep(0)
    assert [number for number, _ in woken] == [1, 3, 4, 0, 5, 2]
    assert all(at >= began + moments[number] - 0.001 for number, at in woken)


async def test_a_moment_that_has_passed_is_now() -> None:
    loop = asyncio.get_running_loop()
    promise = loop.create_future()
    Alarms(loop).set(loop.time() - 1, promise)
    await asyncio.wait_for(promise, 1)


async def test_one_that_was_given_up_wakes_nobody_and_the_next_is_woken_all_the_same() -> None:
    loop = asyncio.get_running_loop()
    alarms, given_up, cancelled, wanted = Alarms(loop), *(loop.create_future() for _ in range(3))
    for after, promise in enumerate((given_up, cancelled, wanted)):
        alarms.set(loop.time() + 0.01 * after, promise)
    given_up.set_result(None)
    cancelled.cancel()
    await asyncio.wait_for(wanted, 5)


async def test_of_a_hundred_thousand_that_were_given_up_few_are_kept() -> None:
    loop = asyncio.get_running_loop()
    alarms, waiting = Alarms(loop), [loop.create_future() for _ in range(50)]
    for promise in waiting:
        alarms.set(loop.time() + 60, promise)
    for _ in range(100_000):
        promise = loop.create_future()
        alarms.set(loop.time() + random.uniform(1, 60), promise)
        promise.set_result(None)
    kept = {each for _, _, each in alarms._due}
    assert len(kept) <= 200
    assert kept >= set(waiting)


def test_what_a_loop_has_one_of_goes_with_the_loop() -> None:
    async def wait() -> None:
        loop = asyncio.get_running_loop()
        assert alarms() is alarms()
        alarms().set(loop.time() + 60, loop.create_future())
        pauses()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(wait())
    loop.close()
    former = ref(loop)
    del loop
    gc.collect()
    assert former() is None
