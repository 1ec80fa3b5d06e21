"""Where reports are checked: in threads of the server, or in a process beside it that leaves it free to answer."""

from __future__ import annotations

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from contextlib import suppress
from typing import Any, Protocol

import msgspec
from anyio import CapacityLimiter, to_thread

from choreo_bdd_chronicle.receive import understanding
from choreo_bdd_chronicle.receive.understanding import HEAD, Refused, Understood, understand

_THREADS = 4
_PIECE = 64 * 1024
_BUFFERED = 1 << 20
_DECODER: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Understood | Refused)
_COMMAND = (sys.executable, "-P", "-m", understanding.__name__)
_log = logging.getLogger("choreo_bdd_chronicle")


class Checker(Protocol):
    """Checks reports and sums them up. Close it in the end."""

    async def start(self) -> None:
        """Make ready for the first report."""

    async def understand(self, body: bytes) -> Understood | Refused:
        """What becomes of a report's bytes."""

    async def close(self) -> None:
        """Let go of what does the work."""


class ThreadChecker:
    """In threads of this process."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(_THREADS)

    async def start(self) -> None:
        """Nothing: a thread begins with its report."""

    async def understand(self, body: bytes) -> Understood | Refused:
        """What becomes of a report's bytes."""
        return await to_thread.run_sync(understand, body, limiter=self._limiter)

    async def close(self) -> None:
        """Nothing: a thread ends with its report."""


class ProcessChecker:
    """In a process beside this one; when that is gone, in threads of this one, and the next report begins another.

    It ends with this process, however that ends: its input is over then.
    """

    def __init__(self) -> None:
        self._threads = ThreadChecker()
        self._writing = asyncio.Lock()
        self._process: Process | None = None
        self._readers: set[asyncio.Task[None]] = set()
        self._asked: deque[asyncio.Future[bytes | None]] = deque()

    async def start(self) -> None:
        """Begin the process, which takes a while to be ready and is not waited for."""
        async with self._writing:
            with suppress(OSError):  # the first report tries again, and tells of it
                await self._begun()

    async def understand(self, body: bytes) -> Understood | Refused:
        """What becomes of a report's bytes."""
        answer = await self._answer(body)
        if answer is None:
            return await self._threads.understand(body)
        found: Understood | Refused = _DECODER.decode(answer)
        return found

    async def close(self) -> None:
        """End the process once it has answered."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        await asyncio.gather(*self._readers)

    async def _answer(self, body: bytes) -> bytes | None:
        """What the process says; ``None`` when it is gone."""
        waiting: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        async with self._writing:  # one body after the other, in the order of those who wait
            try:
                process = self._process or await self._begun()
                self._asked.append(waiting)
                await _write(process, body)
            except (OSError, RuntimeError) as problem:  # uvloop tells of a closed pipe by the latter
                _log.warning(
                    "a report is checked in the server itself, not beside it: %s", str(problem) or "it is gone"
                )
                return None
        return await waiting

    async def _begun(self) -> Process:
        process = await asyncio.create_subprocess_exec(
            *_COMMAND,
            stdin=PIPE,
            stdout=PIPE,
            limit=_BUFFERED,
            start_new_session=True,  # ctrl-c is for the server alone
        )
        self._process, self._asked = process, deque()
        reader = asyncio.create_task(self._read(process, self._asked))
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)
        return process

    async def _read(self, process: Process, asked: deque[asyncio.Future[bytes | None]]) -> None:
        """Hand out answers until the process ends; whoever still waits is told that it has."""
        assert process.stdout is not None
        with suppress(asyncio.IncompleteReadError):
            while True:
                answer = await process.stdout.readexactly(*HEAD.unpack(await process.stdout.readexactly(HEAD.size)))
                _tell(asked.popleft(), answer)
        if self._process is process:
            self._process = None
        for waiting in asked:
            _tell(waiting, None)
        code = await process.wait()
        if code:
            _log.warning("the process that checks reports ended with %s; the next report begins another", code)


async def _write(process: Process, body: bytes) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(HEAD.pack(len(body)))
        for begin in range(0, len(body), _PIECE):
            process.stdin.write(body[begin : begin + _PIECE])
            await process.stdin.drain()
    except asyncio.CancelledError:  # what came next would be taken for the rest of this body
        with suppress(ProcessLookupError):
            process.kill()
        raise


def _tell(waiting: asyncio.Future[bytes | None], answer: bytes | None) -> None:
    if not waiting.done():  # whoever sent the report may have been let go meanwhile
        waiting.set_result(answer)
