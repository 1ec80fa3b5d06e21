"""The always-running loop and the door into it (spec/harness.md 6.2, spec/steps.md 4)."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from choreo_bdd._internal import LoopPoster
from choreo_bdd.loop import LoopThread


@pytest.fixture
def thread() -> Iterator[LoopThread]:
    thread = LoopThread("test-loop")
    thread.start()
    yield thread
    thread.stop()


class Endless:
    """A coroutine that waits for ever, and says when it began and how it ended."""

    def __init__(self) -> None:
        self.began, self.ended = threading.Event(), threading.Event()

    async def run(self) -> None:
        self.began.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            self.ended.set()
            raise


class TestLoopThread:
    def test_it_runs_coroutines_on_a_thread_of_its_own(self, thread: LoopThread) -> None:
        async def where() -> tuple[str, bool]:
            return threading.current_thread().name, asyncio.get_running_loop() is thread.loop

        assert thread.run(where()) == ("test-loop", True)

    def test_the_loop_goes_on_between_two_calls(self, thread: LoopThread) -> None:
        turned = threading.Event()

        async def begin() -> None:
            asyncio.get_running_loop().call_later(0.001, turned.set)

        thread.run(begin())
        assert turned.wait(10)  # nobody runs anything meanwhile

    def test_exceptions_come_out_as_they_are(self, thread: LoopThread) -> None:
        async def fail() -> None:
            raise LookupError("as it is")

        with pytest.raises(LookupError, match="as it is"):
            thread.run(fail())

    def test_its_own_thread_may_not_wait_for_itself(self, thread: LoopThread) -> None:
        async def nested() -> None:
            thread.run(asyncio.sleep(0))

        with pytest.raises(RuntimeError, match="own thread"):
            thread.run(nested())

    def test_running_out_of_time_cancels_the_coroutine(self, thread: LoopThread) -> None:
        endless = Endless()
        with pytest.raises(TimeoutError):
            thread.run(endless.run(), timeout_s=0.01)
        assert endless.ended.wait(10)

    def test_an_interrupt_while_waiting_cancels_the_coroutine(self, thread: LoopThread) -> None:
        endless, waiting = Endless(), threading.get_ident()

        def interrupt() -> None:
            endless.began.wait(10)
            signal.pthread_kill(waiting, signal.SIGINT)  # what Ctrl-C does to whoever waits

        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has it ignored in the background
        try:
            threading.Thread(target=interrupt).start()
            with pytest.raises(KeyboardInterrupt):
                thread.run(endless.run())
        finally:
            signal.signal(signal.SIGINT, before)
        assert endless.ended.wait(10)

    def test_an_interrupt_as_soon_as_the_work_is_handed_over_cancels_it(
        self, thread: LoopThread, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        endless, hand_over = Endless(), thread.loop.call_soon_threadsafe

        def interrupted(call: Callable[..., object], *arguments: Any) -> None:
            monkeypatch.undo()
            hand_over(call, *arguments)
            assert endless.began.wait(10)
            raise KeyboardInterrupt

        monkeypatch.setattr(thread.loop, "call_soon_threadsafe", interrupted)
        with pytest.raises(KeyboardInterrupt):
            thread.run(endless.run())
        assert endless.ended.wait(10)

    def test_what_has_not_begun_when_time_runs_out_never_begins(self, thread: LoopThread) -> None:
        release = threading.Event()
        thread.loop.call_soon_threadsafe(release.wait, 10)
        coroutine = asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            thread.run(coroutine, timeout_s=0.01)
        release.set()
        thread.run(asyncio.sleep(0))
        with pytest.raises(RuntimeError):  # closed: it warns nobody that it was never awaited
            coroutine.send(None)

    def test_stopping_ends_every_task_and_the_thread(self) -> None:
        thread = LoopThread("short-lived")
        thread.start()
        loop = thread.loop
        endless = Endless()

        async def leave_behind() -> None:
            leave_behind.task = asyncio.ensure_future(endless.run())  # type: ignore[attr-defined] # keeps it alive

        thread.run(leave_behind())
        assert endless.began.wait(10)
        thread.stop()
        assert endless.ended.is_set()
        assert loop.is_closed()
        assert not thread.is_running
        assert "short-lived" not in [each.name for each in threading.enumerate()]

    def test_starting_and_stopping_again_is_harmless(self, thread: LoopThread) -> None:
        loop = thread.loop
        thread.start()
        assert thread.loop is loop
        thread.stop()
        thread.stop()
        thread.start()
        assert thread.run(asyncio.sleep(0, "back")) == "back"

    @pytest.mark.parametrize("was_started", [True, False])
    def test_without_a_loop_it_refuses_and_leaves_no_coroutine_behind(self, was_started: bool) -> None:
        thread = LoopThread()
        if was_started:
            thread.start()
            thread.stop()
        coroutine = asyncio.sleep(0)
        with pytest.raises(RuntimeError, match=r"start\(\)"):
            thread.run(coroutine)
        with pytest.raises(RuntimeError):  # closed: it can't be awaited any more, and warns nobody
            coroutine.send(None)


STUCK = """
import asyncio, socket, sys, time
from choreo_bdd.loop import LoopThread, new_loop

socket.getaddrinfo = lambda *_, **__: time.sleep(60)

async def connect():
    async with asyncio.timeout(0.2):
        await asyncio.open_connection("broker.test", 4222)

try:
    if sys.argv[1] == "thread":
        thread = LoopThread()
        thread.start()
        thread.run(connect())
    else:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(connect())
except TimeoutError:
    print("given up")
if sys.argv[1] == "thread":
    thread.stop()
"""


class TestResolving:
    """Names are asked for where nobody waits for an answer that never comes."""

    @pytest.mark.process
    @pytest.mark.parametrize("kind", ["thread", "runner"])
    def test_a_resolver_that_never_answers_keeps_no_process_from_ending(self, kind: str) -> None:
        ended = subprocess.run(
            [sys.executable, "-c", STUCK, kind], capture_output=True, text=True, check=False, timeout=30
        )
        assert (ended.returncode, ended.stdout) == (0, "given up\n"), ended.stderr

    def test_names_are_resolved_and_those_that_are_unknown_raise(self, thread: LoopThread) -> None:
        found = thread.run(thread.loop.getaddrinfo("localhost", 80, family=socket.AF_INET, type=socket.SOCK_STREAM))
        assert [address for *_, address in found] == [("127.0.0.1", 80)]
        with pytest.raises(socket.gaierror):
            thread.run(thread.loop.getaddrinfo("no-such-host.invalid", 80), timeout_s=20)

    def test_an_answer_after_the_end_is_nobodys(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked, answer = threading.Event(), threading.Event()

        def slow(*_: Any, **__: Any) -> list[Any]:
            asked.set()
            answer.wait(10)
            return []

        monkeypatch.setattr(socket, "getaddrinfo", slow)
        thread = LoopThread("resolving")
        thread.start()
        with pytest.raises(TimeoutError):
            thread.run(thread.loop.getaddrinfo("broker.test", 80), timeout_s=0.05)
        assert asked.wait(5)
        thread.stop()
        answer.set()
        for resolver in [each for each in threading.enumerate() if each.name == "choreo-resolver"]:
            resolver.join(5)  # what it raises pytest reports


class TestPost:
    async def test_from_another_thread_it_runs_on_the_loops(self) -> None:
        poster = LoopPoster(asyncio.get_running_loop())
        done: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()

        def note(word: str) -> None:
            done.set_result((word, threading.get_ident()))

        thread = threading.Thread(target=poster.post, args=(note, "posted"))
        thread.start()
        assert await done == ("posted", threading.get_ident())
        thread.join()

    async def test_from_the_loops_own_thread_it_runs_soon(self) -> None:
        seen: list[str] = []
        LoopPoster(asyncio.get_running_loop()).post(seen.append, "soon")
        assert seen == []
        await asyncio.sleep(0)
        assert seen == ["soon"]

    async def test_debug_refuses_what_is_not_on_the_list(self) -> None:
        poster = LoopPoster(asyncio.get_running_loop(), debug=True)
        with pytest.raises(RuntimeError, match="append"):
            poster.post([].append, 1)

    @pytest.mark.parametrize("name", ["set_result", "set_exception", "ensure_future", "set", "dispatch"])
    async def test_debug_allows_the_engines_own_calls(self, name: str) -> None:
        called: list[int] = []

        def call(value: int) -> None:
            called.append(value)

        call.__name__ = name
        LoopPoster(asyncio.get_running_loop(), debug=True).post(call, 7)
        await asyncio.sleep(0)
        assert called == [7]


class TestDrain:
    async def test_an_idle_loop_is_clean_at_once(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await LoopPoster(loop).drain() == 0
        assert loop.time() == began

    async def test_it_waits_for_tasks_and_for_the_tasks_they_start(self) -> None:
        loop = asyncio.get_running_loop()
        poster = LoopPoster(loop)
        done: list[str] = []
        children: list[asyncio.Task[None]] = []

        async def child() -> None:
            await asyncio.sleep(2)
            done.append("child")

        async def parent() -> None:
            await asyncio.sleep(1)
            children.append(asyncio.create_task(child()))
            done.append("parent")

        poster.post(asyncio.ensure_future, parent())
        began = loop.time()
        assert await poster.drain() == 0
        assert done == ["parent", "child"]
        assert loop.time() - began == pytest.approx(3.0)

    async def test_what_is_stuck_is_counted_at_the_deadline(self) -> None:
        loop = asyncio.get_running_loop()
        poster = LoopPoster(loop)
        stuck = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(2)]
        began = loop.time()
        assert await poster.drain(timeout=0.5) == 2
        assert loop.time() - began == pytest.approx(0.5)
        for task in stuck:
            task.cancel()

    async def test_tasks_older_than_the_poster_are_somebody_elses(self) -> None:
        old = asyncio.create_task(asyncio.sleep(3600))
        assert await LoopPoster(asyncio.get_running_loop()).drain(timeout=0.5) == 0
        old.cancel()
