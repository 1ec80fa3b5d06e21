"""Servers that are given, and connecting to one of several, of which some may never answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

from choreo_bdd.redaction import safe_url

T = TypeVar("T")

_NEXT_S = 0.25
"""How long a server has the field to itself before the next one is asked as well."""


def no_url(transport: str, given: object, examples: str) -> ValueError:
    """What to raise for an address that is no URL of a transport; logins in it stay hidden."""
    told = safe_url(given) if isinstance(given, str) else type(given).__name__
    return ValueError(f"{transport} needs a URL such as {examples}, not {told}")


def require_port(transport: str, address: str) -> None:
    """``ValueError`` for an address whose port is none; one that names no port has the usual one."""
    scheme, _, place = address.rpartition("://")
    if not scheme and place.count(":") > 1 and "[" not in place:
        return  # an IPv6 address by itself
    try:
        is_port = urlsplit(address if scheme else f"//{address}").port != 0
    except ValueError:
        is_port = False
    if not is_port:
        raise ValueError(
            f"{transport} cannot connect to {safe_url(address)}: the port behind the host is a number from 1 to 65535"
        )


def servers_of(transport: str, given: object, example: str) -> list[str]:
    """The servers that are given; a text may hold several, with commas between.

    ``ValueError`` for what names none, or no port.
    """
    if isinstance(given, str):
        servers: list[object] = [each.strip() for each in given.split(",") if each.strip()]
    else:
        servers = list(given) if isinstance(given, Iterable) else []
    texts = [each for each in servers if isinstance(each, str) and each]
    if not texts or len(texts) < len(servers):
        raise ValueError(
            f"{transport} needs at least one server, as text such as {example}, and got {type(given).__name__}"
        )
    for each in texts:
        require_port(transport, each)
    return texts


async def first_to_answer(
    attempts: Sequence[Callable[[], Awaitable[T]]], *, patience_s: float, release: Callable[[T], Awaitable[None]]
) -> T:
    """What the first attempt gives that succeeds; all of them have ``patience_s``, and none waits for a silent one.

    ``release`` takes back what comes too late. When none succeeds, raises the error that says most: the last that is
    an answer, else ``TimeoutError`` or the last.
    """
    waiting, started, failures = list(attempts), list[asyncio.Future[T]](), list[BaseException]()
    winner: asyncio.Future[T] | None = None
    try:
        async with asyncio.timeout(patience_s):
            while winner is None and (waiting or not all(task.done() for task in started)):
                if waiting:
                    started.append(asyncio.ensure_future(waiting.pop(0)()))
                done, _ = await asyncio.wait(
                    [task for task in started if not task.done()],
                    timeout=_NEXT_S if waiting else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                failures += [error for task in done if (error := task.exception()) is not None]
                winner = next(filter(_has_answered, done), None)
    except TimeoutError as error:
        failures.append(error)
    finally:
        await _end([task for task in started if task is not winner], release)
    if winner is not None:
        return winner.result()
    answers = [error for error in failures if not isinstance(error, OSError)]  # TimeoutError is one
    raise (answers or failures)[-1]


def _has_answered(task: asyncio.Future[T]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


async def _end(tasks: Sequence[asyncio.Future[T]], release: Callable[[T], Awaitable[None]]) -> None:
    """Give these up; one that has come to its end all the same is taken back."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    for late in filter(_has_answered, tasks):
        with contextlib.suppress(Exception):  # it is of no use to anybody
            await release(late.result())
