"""No message lost, no verdict wrong, and latencies that agree with the service's own clock; in memory and on NATS."""

from __future__ import annotations

import asyncio
import json
import queue
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import nats
import pytest

from choreo_bdd.brokers import Broker
from choreo_bdd_steps.run.scenario_run import ScenarioRun
from tests.steps.conftest import MakeBench
from tests.support.step_bench import Bench

RUNS = 1000
SILENT_EVERY = 100
AGREEMENT_MS = 3.0
Busy = Callable[[float], None]
Measure = Callable[[], list[float]]


@pytest.fixture
def memory_bench(make_bench: MakeBench) -> Bench:
    """The service of ``tests.support.answering``, in this process."""
    bench = make_bench(timeout_s=2.0, in_real_time=True)
    bench.service("ask", lambda question: [] if question.get("silent") else [("answer", question)])
    return bench


def wrong_verdicts(bench: Bench) -> dict[int, str]:
    """Runs whose verdict is not the true one, by number; now and then the service is silent."""
    wrong: dict[int, str] = {}
    for number in range(RUNS):
        is_silent = number % SILENT_EVERY == SILENT_EVERY - 1
        played = bench.play(
            f'When I publish "ask":\n  n: {number}\n  silent: {str(is_silent).lower()}',
            f'Then I expect "answer" where n is {number}',
            tags=["timeout(30ms)"] if is_silent else [],
        )
        expected = ["timeout"] if is_silent else ["pass"]
        if played.outcomes != expected or (played.error is None) is is_silent:
            wrong[number] = f"{played.outcomes}: {played.error}"
    return wrong


@pytest.mark.thorough
def test_no_answer_of_a_service_in_the_same_turn_is_lost_in_a_thousand_runs(memory_bench: Bench) -> None:
    assert wrong_verdicts(memory_bench) == {}


@pytest.mark.broker
def test_no_answer_of_a_service_in_another_process_is_lost_in_a_thousand_runs(nats_bench: Bench) -> None:
    assert wrong_verdicts(nats_bench) == {}


# --- latency ----------------------------------------------------------------------------------------------------------


def asleep(seconds: float) -> None:
    time.sleep(seconds)


def at_work(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(range(1000))


def disagreement(measure_ms: Measure, busy: Busy, bare_ms: Measure = lambda: [0.0]) -> str:
    """How reported latencies differ from what the service took by its own clock by 3 ms or more; empty if they agree.

    From the publish until after the answer the runner is asleep or at work. A machine that has no time for us just
    then spoils a series: there are up to five, each beside one of a bare client that was treated the same, and twice
    what that one is off is forgiven. An error of ours would spoil them all.
    """
    seen: list[str] = []
    for _ in range(5):
        ours, bare = typical(measure_ms(), busy), typical(bare_ms(), busy)
        if abs(ours) < max(AGREEMENT_MS, 2 * bare):
            return ""
        seen.append(f"off by {ours:.2f} ms, a bare client by {bare:.2f} ms")
    return "; ".join(seen)


def typical(differences: list[float], busy: Busy) -> float:
    """The median; at work the lower quartile: a thread that is preempted while it has the interpreter keeps it."""
    if busy is asleep or len(differences) < 2:
        return statistics.median(differences)
    return statistics.quantiles(differences)[0]


def bare_differences_ms(url: str, delay_ms: int, busy: Busy) -> list[float]:
    """What a bare client measures above the service's own time, on a thread of its own as ours is."""

    async def ask() -> list[float]:
        client = await nats.connect(url)
        answers: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def heard(message: Any) -> None:
            answers.put_nowait((time.perf_counter(), message.data))

        await client.subscribe("answer", cb=heard)
        differences: list[float] = []
        for _ in range(series(delay_ms)):
            asked = time.perf_counter()
            await client.publish("ask", json.dumps({"delay_ms": delay_ms}).encode())
            away = asyncio.get_running_loop().create_future()
            begin.put(away)
            at, answer = await answers.get()
            differences.append((at - asked) * 1000 - json.loads(answer)["service_ms"])
            await away
        await client.close()
        return differences

    begin: queue.SimpleQueue[asyncio.Future[None]] = queue.SimpleQueue()
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(asyncio.run, ask())
        for _ in range(series(delay_ms)):
            away = begin.get(timeout=10)
            busy(delay_ms / 1000 * 1.5)
            away.get_loop().call_soon_threadsafe(away.set_result, None)
        return asking.result()


def series(delay_ms: int) -> int:
    return 9 if delay_ms > 100 else 21


def differences_ms(bench: Bench, question: str, delay_ms: int, busy: Busy) -> list[float]:
    def away(run: ScenarioRun) -> None:
        busy(delay_ms / 1000 * 1.5)

    differences: list[float] = []
    for _ in range(series(delay_ms)):
        played = bench.play(question, "And I am away", 'Then I expect "answer"', own={"I am away": away}).passed()
        (handle,) = played.handles
        differences.append(handle.latency_ms - handle.message["service_ms"])
    return differences


@pytest.mark.alone
@pytest.mark.parametrize("busy", [asleep, at_work])
@pytest.mark.parametrize("delay_ms", [10, 50, 200])
def test_latency_in_memory_is_what_the_service_took(make_bench: MakeBench, delay_ms: int, busy: Busy) -> None:
    bench = make_bench(timeout_s=2.0, in_real_time=True)
    began = 0.0

    def answer(question: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        nonlocal began
        began = time.perf_counter()
        return [("due", {})]

    def due(_: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        return [("answer", {"service_ms": (time.perf_counter() - began) * 1000})]

    bench.service("ask", answer, after_s=delay_ms / 1000)
    bench.service("due", due)
    assert disagreement(lambda: differences_ms(bench, 'When I publish "ask"', delay_ms, busy), busy) == ""


@pytest.mark.broker
@pytest.mark.alone
@pytest.mark.parametrize("busy", [asleep, at_work])
@pytest.mark.parametrize("delay_ms", [10, 50, 200])
def test_latency_on_nats_is_what_the_service_took(
    nats_bench: Bench, nats_broker: Broker, delay_ms: int, busy: Busy
) -> None:
    question = f'When I publish "ask":\n  delay_ms: {delay_ms}'
    assert (
        disagreement(
            lambda: differences_ms(nats_bench, question, delay_ms, busy),
            busy,
            lambda: bare_differences_ms(nats_broker.url, delay_ms, busy),
        )
        == ""
    )
