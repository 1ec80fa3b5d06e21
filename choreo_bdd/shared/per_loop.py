"""What there is one of for each event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar, cast

T = TypeVar("T")


def one_per_loop(make: Callable[[asyncio.AbstractEventLoop], T]) -> Callable[[], T]:
    """Returns what gives the running loop's own; it is made when that is first asked for, and goes with the loop."""
    name = f"_{make.__module__}.{make.__qualname__}"

    def own() -> T:
        held = vars(asyncio.get_running_loop())  # by itself: what it has knows it, and would keep it in any other place
        found = held.get(name)
        if found is None:
            found = held[name] = make(asyncio.get_running_loop())
        return cast(T, found)

    return own
