"""Connecting to one of several servers, of which some may never answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

_NEXT_S = 0.25
"""How long a server has the field to itself before the next one is asked as well."""


async def first_to_answer(
    attempts: Sequence[Callable[[], Awaitable[T]]], *, patience_s: float, release: Callable[[T], Awaitable[None]]
) -> T:
    """What the first attempt gives that succeeds; all of them have ``patience_s``, and none waits for a silent one.

    ``release`` takes back what comes too late. When none succeeds, raises the error that says most: the last that is
    an answer, else ``TimeoutError`` or the last.
    """
    waiting, running, failures = list(attempts), set[asyncio.Future[T]](), list[BaseException]()
    try:
        async with asyncio.timeout(patience_s):
            while waiting or running:
                if waiting:
                    running.add(asyncio.ensure_future(waiting.pop(0)()))
                done, running = await asyncio.wait(
                    running, timeout=_NEXT_S if waiting else None, return_when=asyncio.FIRST_COMPLETED
                )
                failures += [error for task in done if (error := task.exception()) is not None]
                connected = [task.result() for task in done if task.exception() is None]
                for late in connected[1:]:
                    await release(late)
                if connected:
                    return connected[0]
    except TimeoutError as error:
        failures.append(error)
    finally:
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
    answers = [error for error in failures if not isinstance(error, OSError)]  # TimeoutError is one
    raise (answers or failures)[-1]
