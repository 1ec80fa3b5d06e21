"""What a test leaves running: tasks of the loop, and open sockets of the process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

_PATIENCE_S = 2.0
_POLL_S = 0.02


def _sockets() -> set[str]:
    found: set[str] = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the folder's own descriptor is gone by now
            target = str(descriptor.readlink())
            if target.startswith("socket:"):
                found.add(target)
    return found


@contextlib.asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """Fail if the block leaves a task or a socket behind; what is about to end gets the time to do so."""
    tasks, sockets = asyncio.all_tasks(), _sockets()
    yield
    deadline = asyncio.get_running_loop().time() + _PATIENCE_S
    while True:
        left = [repr(task) for task in asyncio.all_tasks() - tasks]
        left += sorted(_sockets() - sockets)
        if not left:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError("left behind:\n" + "\n".join(left))
        await asyncio.sleep(_POLL_S)
