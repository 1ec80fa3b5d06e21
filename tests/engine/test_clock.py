"""The virtual clock of this suite: exact, instant, and still open to other threads."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest


async def test_a_day_of_sleep_is_exact_and_takes_no_time() -> None:
    loop = asyncio.get_running_loop()
    began, real = loop.time(), time.monotonic()
    await asyncio.sleep(86_400)
    assert loop.time() - began == pytest.approx(86_400, abs=1e-6)
    assert time.monotonic() - real < 30


async def test_sleeps_end_in_order_of_their_length() -> None:
    ended: list[int] = []

    async def sleep(seconds: int) -> None:
        await asyncio.sleep(seconds)
        ended.append(seconds)

    await asyncio.gather(sleep(3), sleep(1), sleep(2))
    assert ended == [1, 2, 3]


async def test_work_without_sleep_takes_no_virtual_time() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    for _ in range(100):
        await asyncio.sleep(0)
    assert loop.time() == began


async def test_another_thread_can_wake_the_loop() -> None:
    loop = asyncio.get_running_loop()
    woken = loop.create_future()
    threading.Thread(target=loop.call_soon_threadsafe, args=(woken.set_result, "hello")).start()
    assert await woken == "hello"
