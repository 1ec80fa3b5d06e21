"""What there is one of for each event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


def one_per_loop(make: Callable[[asyncio.AbstractEventLoop], T]) -> Callable[[], T]:
    """Returns what gives the running loop's own; it is made when that is first asked for, and goes with the loop."""
    known: WeakKeyDictionary[asyncio.AbstractEventLoop, T] = WeakKeyDictionary()

    def own() -> T:
        loop = asyncio.get_running_loop()
        found = known.get(loop)
        if found is None:
            found = known[loop] = make(loop)
        return found

    return own
