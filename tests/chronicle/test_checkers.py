"""A process beside the server checks reports: its answers are those of a thread, and its end costs no report."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from choreo_bdd_chronicle.receive import understanding
from choreo_bdd_chronicle.receive.checkers import ProcessChecker
from choreo_bdd_chronicle.receive.understanding import Refused, Understood, understand
from tests.chronicle.reports import body, handle, one_test, report, scenario
from tests.chronicle.servers import start

PATIENCE_S = 20
on_linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc which processes there are")
LARGE = body(report(tests=[one_test([scenario([handle(f"topic.{place % 50}")] * 5)]) for place in range(400)]))
BODIES = (LARGE, body(report()), b"{", body({}), body(report([handle("a")])), LARGE, b"")


def with_checker(work: Callable[[ProcessChecker], Awaitable[None]]) -> None:
    """Have something done with a checker that runs."""

    async def run() -> None:
        checker = ProcessChecker()
        await checker.start()
        try:
            await asyncio.wait_for(work(checker), PATIENCE_S)
        finally:
            await checker.close()

    asyncio.run(run())


def told(*found: Understood | Refused) -> list[bytes]:
    """What was found, for comparing: a tuple that was sent is a list."""
    return [msgspec.msgpack.encode(each) for each in found]


def checking_for(parent: int) -> list[int]:
    """The processes that check reports for this one."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            begun_by = (place / "stat").read_text().rpartition(")")[2].split()[1]
            command = (place / "cmdline").read_text()
        except OSError:
            continue
        if int(begun_by) == parent and understanding.__name__ in command:
            found.append(int(place.name))
    return found


def test_each_report_gets_the_answer_that_a_thread_gives(caplog: pytest.LogCaptureFixture) -> None:
    async def work(checker: ProcessChecker) -> None:
        found = await asyncio.gather(*(checker.understand(each) for each in BODIES * 3))
        assert told(*found) == told(*map(understand, BODIES * 3))

    with_checker(work)
    assert not caplog.records
    assert [type(understand(each)) for each in BODIES[:3]] == [Understood, Understood, Refused]


@pytest.mark.thorough
@on_linux
def test_a_process_that_is_killed_while_it_is_sent_a_report_costs_none() -> None:
    async def work(checker: ProcessChecker) -> None:
        for pause in range(20):
            asked = [asyncio.create_task(checker.understand(each)) for each in (LARGE, *BODIES, LARGE)]
            for process in checking_for(os.getpid()):
                os.kill(process, 9)
            await asyncio.sleep(pause / 1000)
            assert told(*await asyncio.gather(*asked)) == told(*map(understand, (LARGE, *BODIES, LARGE)))

    with_checker(work)


@pytest.mark.parametrize(
    "problem", [BrokenPipeError(), RuntimeError("the handler is closed")], ids=["asyncio", "uvloop"]
)
def test_a_pipe_that_is_closed_costs_no_report_whatever_the_loop_calls_it(
    problem: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_args: object) -> None:
        raise problem

    async def work(checker: ProcessChecker) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(asyncio.StreamWriter, "write", closed)
            assert isinstance(await checker.understand(BODIES[1]), Understood)

    with_checker(work)


@pytest.mark.thorough
@on_linux
def test_a_process_that_is_killed_costs_no_report_and_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    async def work(checker: ProcessChecker) -> None:
        await checker.understand(BODIES[1])
        (first,) = checking_for(os.getpid())
        asked = [asyncio.create_task(checker.understand(each)) for each in BODIES]
        await asyncio.sleep(0)
        os.kill(first, 9)
        assert told(*await asyncio.gather(*asked)) == told(*map(understand, BODIES))
        assert isinstance(await checker.understand(BODIES[1]), Understood)
        (second,) = checking_for(os.getpid())
        assert second != first

    with_checker(work)
    assert "ended with -9; the next report begins another" in caplog.text


@pytest.mark.thorough
def test_who_is_let_go_while_a_report_is_handed_over_spoils_no_others() -> None:
    async def work(checker: ProcessChecker) -> None:
        for turns in range(6):
            gone = asyncio.create_task(checker.understand(LARGE))
            next_one = asyncio.create_task(checker.understand(BODIES[1]))
            for _ in range(turns):
                await asyncio.sleep(0)
            gone.cancel()
            assert told(await next_one) == told(understand(BODIES[1]))
            assert gone.cancelled() or gone.done()

    with_checker(work)


def test_a_process_whose_server_has_gone_ends_without_a_word() -> None:
    command = [sys.executable, "-m", understanding.__name__]
    checking = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert checking.stdin is not None
    assert checking.stdout is not None
    assert checking.stderr is not None
    checking.stdout.close()
    checking.stdin.write(understanding.HEAD.pack(len(LARGE)) + LARGE)
    checking.stdin.close()
    with checking.stderr as words:
        assert words.read() == b""
    assert checking.wait(PATIENCE_S) == 0


@pytest.mark.thorough
@on_linux
def test_the_process_ends_with_a_server_that_is_killed(tmp_path: Path) -> None:
    server, _ = start(tmp_path)
    until = time.monotonic() + PATIENCE_S
    while not (beside := checking_for(server.pid)):
        assert time.monotonic() < until
        time.sleep(0.01)
    server.kill()
    server.communicate(timeout=PATIENCE_S)
    while Path(f"/proc/{beside[0]}").exists():
        assert time.monotonic() < until
        time.sleep(0.01)
