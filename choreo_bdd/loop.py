"""The loop the engine lives on: always running, on a thread of its own (spec/steps.md 4, spec/harness.md 6.2)."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_SWITCH_INTERVAL_S = 0.0005
_DEBUG_ALLOWED = frozenset({"set_result", "set_exception", "ensure_future", "set", "dispatch"})


def new_loop() -> asyncio.AbstractEventLoop:
    """An event loop that asks for addresses on daemon threads.

    Its own executor would be waited for at the end of the process, and a resolver may answer after minutes, or never.
    """
    loop = asyncio.new_event_loop()

    async def resolve(host: Any, port: Any, **options: Any) -> Any:
        found: asyncio.Future[Any] = loop.create_future()

        def tell(settle: Callable[[Any], None], told: Any) -> None:
            if not found.done():
                settle(told)

        def ask() -> None:
            try:
                answer: tuple[Callable[[Any], None], Any] = (
                    found.set_result,
                    socket.getaddrinfo(host, port, **options),
                )
            except Exception as error:  # noqa: BLE001 - raised again where it was asked
                answer = (found.set_exception, error)
            with contextlib.suppress(RuntimeError):  # the loop is closed by now
                loop.call_soon_threadsafe(tell, *answer)

        threading.Thread(target=ask, name="choreo-resolver", daemon=True).start()
        return await found

    loop.getaddrinfo = resolve  # type: ignore[method-assign] # asyncio and the clients ask the loop
    return loop


class LoopThread:
    """An event loop on a daemon thread, for callers that are plain functions.

    Arrival times are taken on this loop, so whatever the test runner does between two steps cannot delay them. While
    it runs, Python switches threads every 0.5 ms: at its usual 5 ms a busy runner would add them to each latency.
    """

    def __init__(self, name: str = "choreo-loop") -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._usual_interval_s = sys.getswitchinterval()

    @property
    def is_running(self) -> bool:
        """Whether the loop can take work."""
        return self._loop is not None and not self._loop.is_closed()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop; ``RuntimeError`` before ``start`` and after ``stop``."""
        if self._loop is None:
            raise RuntimeError("the engine's loop is not running: call start() first")
        return self._loop

    def time(self) -> float:
        """The loop's own time, in seconds."""
        return self.loop.time()

    def start(self) -> None:
        """Start the thread; a no-op while it runs."""
        if self.is_running:
            return
        started: concurrent.futures.Future[asyncio.AbstractEventLoop] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._serve, args=(started,), name=self._name, daemon=True)
        self._thread.start()
        self._loop = started.result(timeout=10)
        self._usual_interval_s = sys.getswitchinterval()
        sys.setswitchinterval(min(_SWITCH_INTERVAL_S, self._usual_interval_s))

    @staticmethod
    def _serve(started: concurrent.futures.Future[asyncio.AbstractEventLoop]) -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            loop = runner.get_loop()
            loop.call_soon(started.set_result, loop)
            loop.run_forever()

    def run(self, coroutine: Coroutine[Any, Any, T], *, timeout_s: float | None = None) -> T:
        """Run a coroutine on the loop and return its result, or raise what it raised.

        An interrupt of the waiting thread, or ``timeout_s`` running out, cancels the coroutine.
        """
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("LoopThread.run() was called on the loop's own thread and would wait for itself")
        answer: _Answer[T] = _Answer()
        tasks: list[asyncio.Task[None]] = []
        try:
            loop = self.loop
            loop.call_soon_threadsafe(lambda: tasks.append(loop.create_task(_answered(coroutine, answer))))
            return answer.wait(timeout_s)
        except BaseException:
            try:
                self.loop.call_soon_threadsafe(_cancel, tasks, coroutine)
            except RuntimeError:  # there is no loop, or one that is closed and has ended what it had begun
                coroutine.close()
            raise

    def stop(self, *, timeout_s: float = 5.0) -> None:
        """Cancel what still runs, close the loop and end the thread; a no-op when it does not run."""
        if self._loop is None or self._thread is None:
            return
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout_s)
        self._loop = self._thread = None
        sys.setswitchinterval(self._usual_interval_s)


class _Answer(Generic[T]):
    """What one thread waits for and another says, once: a bare lock, as each scenario goes this way twice."""

    __slots__ = ("_error", "_said", "_value")

    def __init__(self) -> None:
        self._said = threading.Lock()
        self._said.acquire()
        self._error: BaseException | None = None
        self._value: T

    def give(self, value: T) -> None:
        self._value = value
        self._said.release()

    def fail(self, error: BaseException) -> None:
        self._error = error
        self._said.release()

    def wait(self, timeout_s: float | None) -> T:
        if not self._said.acquire(timeout=-1 if timeout_s is None else timeout_s):
            raise TimeoutError
        if self._error is None:
            return self._value
        try:
            raise self._error
        finally:
            del self  # which would hold the error, which holds this frame


async def _answered(work: Coroutine[Any, Any, T], answer: _Answer[T]) -> None:
    """Do the work and tell whoever waits in the same turn of the loop."""
    try:
        answer.give(await work)
    except asyncio.CancelledError:
        answer.fail(concurrent.futures.CancelledError())
        raise
    except BaseException as error:
        answer.fail(error)
        if not isinstance(error, Exception):
            raise


def _cancel(tasks: Sequence[asyncio.Task[None]], work: Coroutine[Any, Any, object]) -> None:
    for task in tasks:
        task.cancel()
        task.add_done_callback(lambda _: work.close())  # it may not have begun
    if not tasks:
        work.close()


class LoopPoster:
    """The one door from other threads onto the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, debug: bool = False) -> None:
        self._loop = loop
        self._debug = debug
        self._born_before = asyncio.all_tasks(loop)

    def post(self, call: Callable[..., object], *args: object) -> None:
        """Run ``call(*args)`` on the loop's thread, soon.

        With ``debug``, anything but the engine's own short list of calls raises ``RuntimeError``.
        """
        name = getattr(call, "__name__", type(call).__name__)
        if self._debug and name not in _DEBUG_ALLOWED:
            raise RuntimeError(f"LoopPoster.post() refuses {name!r}: allowed are {', '.join(sorted(_DEBUG_ALLOWED))}")
        self._loop.call_soon_threadsafe(call, *args)

    async def drain(self, timeout: float = 5.0) -> int:  # noqa: ASYNC109 - a pinned public name
        """Wait for the tasks started since this poster was made; how many were still pending after ``timeout`` s."""
        await asyncio.sleep(0)
        deadline = self._loop.time() + timeout
        while tasks := self._own_tasks():
            _, pending = await asyncio.wait(tasks, timeout=max(0.0, deadline - self._loop.time()))
            if pending:
                return len(pending)
        return 0

    def _own_tasks(self) -> set[asyncio.Task[Any]]:
        tasks = asyncio.all_tasks(self._loop) - self._born_before
        return tasks - {asyncio.current_task()}
