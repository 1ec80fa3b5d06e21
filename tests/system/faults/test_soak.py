"""Each fault, mixed scenarios between them, and nothing left: ``bench.soak`` in short."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.soak import __main__ as command
from bench.soak import census
from bench.soak.__main__ import KINDS, Length, Soak, soak
from bench.soak.census import Census
from tests.support.brokers import start_or_skip

QUICK_TO_START = ("memory", "nats", "redis-streams")


@pytest.mark.broker
async def test_a_short_soak_leaves_nothing_behind_and_judges_each_scenario_right(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for broker in ("nats", "redis"):
        with start_or_skip(broker):
            pass
    code = await soak(QUICK_TO_START, Length(topics=1, fault_every=1))
    assert code == 0, capsys.readouterr().out


def test_all_transports_are_soaked_unless_some_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    async def take_down(kinds: Sequence[str], _length: Length) -> int:
        asked.append(tuple(kinds))
        return 0

    monkeypatch.setattr(command, "soak", take_down)
    assert command.main([]) == command.main(["nats", "redis"]) == 0
    assert asked == [KINDS, ("nats", "redis")]


async def test_what_a_slow_census_has_seen_first_is_not_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    run, seen = Soak([], [], 0), iter([{"tasks of last": 1}, {}])

    async def slowly(_: Soak) -> Census:
        found: Census = next(seen)
        await asyncio.sleep(0.05)  # the brokers are asked behind the process
        return found

    monkeypatch.setattr(command, "_SETTLE_S", 0.01)
    monkeypatch.setattr(Soak, "census", slowly)
    await run.compare("block 1", {})
    assert run.left == {}


async def test_the_census_counts_what_is_left_behind(tmp_path: Path) -> None:
    before, done = census.of_process(), threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    task = asyncio.create_task(asyncio.sleep(60))
    child = await asyncio.create_subprocess_exec("sleep", "60")
    with socket.socket(), (tmp_path / "left").open("w"):
        found = census.of_process()
    done.set()
    thread.join()
    task.cancel()
    child.kill()
    await child.wait()
    more = {name for name, count in found.items() if count > before.get(name, 0)}
    assert more == {"tasks of sleep", "threads", "sockets", "descriptors", "processes"}
