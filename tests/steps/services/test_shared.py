"""Services that the workers of a run share: the first starts them, all are told, they stop with the last of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import textwrap
import threading
from collections.abc import Callable, Iterator
from multiprocessing.queues import SimpleQueue
from pathlib import Path

import httpx
import pytest

from choreo_bdd.brokers.processes import wait_until
from choreo_bdd.exceptions import ChoreoError
from choreo_bdd_steps.plan.settings import configuration
from choreo_bdd_steps.run.session import Session
from choreo_bdd_steps.services import meeting
from choreo_bdd_steps.services.errors import ServiceFailed
from choreo_bdd_steps.services.shared import SharedServices, end_shared
from tests.engine.test_traces import SPAN, TRACE, request
from tests.support.project import Project
from tests.support.running_processes import alive, family

pytestmark = pytest.mark.process

RUN = "a run"
SERVICE = """
    import os, pathlib, time
    with open("pids", "a") as file:
        file.write(f"{os.getpid()} {os.getppid()}\\n")
    print("up")
    while not pathlib.Path("die").exists():
        time.sleep(0.02)
    raise SystemExit(7)
"""
CONFIG = """
    services_per: run
    services:
      a: {command: python service.py, ready: {log: up}}
    profiles:
      local: {bus: {type: memory, correlation: none}}
"""

Join = Callable[..., SharedServices]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "service.py").write_text(textwrap.dedent(SERVICE))
    (tmp_path / "choreo.yaml").write_text(textwrap.dedent(CONFIG))
    return tmp_path


@pytest.fixture
def join(folder: Path) -> Iterator[Join]:
    """A further worker's view of the services; of a run with a controller, where that is given."""
    made: list[SharedServices] = []

    def join(controller: int | None = None) -> SharedServices:
        made.append(SharedServices(configuration(folder), RUN, controller))
        return made[-1]

    yield join
    for each in made:
        each.stop()


def started(folder: Path) -> list[tuple[int, int]]:
    """Process ids of all that were started so far, and of what keeps them."""
    lines = (folder / "pids").read_text().splitlines()
    return [(int(pid), int(supervisor)) for pid, supervisor in map(str.split, lines)]


def meeting_folder(folder: Path) -> Path:
    return meeting.meeting_folder(RUN, folder / "choreo.yaml", "local")


def test_the_first_starts_them_and_the_last_one_that_leaves_has_them_stopped(folder: Path, join: Join) -> None:
    first, second = join(), join()
    ((pid, supervisor),) = started(folder)
    assert first.addresses == second.addresses
    assert [each.text for each in second.lines(0)] == ["up"]
    first.stop()
    assert pid in alive()
    assert not second.deaths()
    second.stop()
    assert not {pid} & alive(), "it had to be gone when the last one was told so"
    assert wait_until(lambda: supervisor not in alive(), 10)
    assert not meeting_folder(folder).exists()


def test_one_that_is_done_before_another_comes_leaves_them_to_it(folder: Path, join: Join) -> None:
    join(os.getpid()).stop()
    late = join(os.getpid())
    assert [each.text for each in late.lines(0)] == ["up"]
    late.stop()
    ((pid, supervisor),) = started(folder)
    assert {pid, supervisor} <= alive(), "the run goes on"
    end_shared(meeting_folder(folder))
    assert not {pid} & alive(), "it had to be gone when the run was told so"
    assert wait_until(lambda: supervisor not in alive(), 10)
    assert not meeting_folder(folder).exists()


@pytest.mark.parametrize("is_last", ["the worker", "the controller"])
def test_they_end_with_the_controller_and_the_last_worker(folder: Path, join: Join, is_last: str) -> None:
    controller = subprocess.Popen(["sleep", "120"])
    worker = join(controller.pid)
    ((pid, supervisor),) = started(folder)
    ends = {"the worker": worker.stop, "the controller": controller.kill}  # which nobody collects: it stays a zombie
    try:
        (other,) = ends.keys() - {is_last}
        ends[other]()
        assert not wait_until(lambda: pid not in alive(), 0.7), "one of them is there yet"
        ends[is_last]()
        assert wait_until(lambda: not {pid, supervisor} & alive(), 20)
    finally:
        controller.kill()
        controller.wait()


def test_workers_that_come_at_once_start_one_set(folder: Path, join: Join) -> None:
    threads = [threading.Thread(target=join) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(started(folder)) == 1


def test_a_death_is_told_to_every_worker(folder: Path, join: Join) -> None:
    both = join(), join()
    (folder / "die").touch()
    for each in both:
        assert wait_until(lambda each=each: bool(each.deaths()), 20)  # type: ignore[misc] # bound to this one
    assert [[(death.service, death.how) for death in each.deaths()] for each in both] == [
        [("a", "ended with code 7")],
        [("a", "ended with code 7")],
    ]


def test_nothing_is_left_of_workers_that_are_killed(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    is_there = context.Barrier(3)
    workers = [context.Process(target=_hold, args=(folder, is_there)) for _ in range(2)]
    for each in workers:
        each.start()
    is_there.wait(60)
    ((pid, supervisor),) = started(folder)
    workers[0].kill()
    workers[0].join()
    assert {pid, supervisor} <= alive()
    workers[1].kill()
    workers[1].join()
    assert wait_until(lambda: not {pid, supervisor} & alive(), 20)
    assert wait_until(lambda: not meeting_folder(folder).exists(), 5)


def _hold(folder: Path, is_there: threading.Barrier) -> None:
    _held = SharedServices(configuration(folder), RUN)
    is_there.wait(60)
    signal.pause()


def test_what_killed_their_keeper_is_told_and_the_next_run_starts_anew(folder: Path, join: Join) -> None:
    worker = join()
    ((pid, supervisor),) = started(folder)
    os.kill(supervisor, signal.SIGKILL)
    assert wait_until(lambda: not {pid, supervisor} & alive(), 20)
    assert "went down with the process that kept it" in worker.deaths()[0].how
    assert not worker.lines(0)
    worker.stop()
    assert [each.text for each in join().lines(0)] == ["up"]


def test_each_worker_is_told_why_they_could_not_be_started(folder: Path, join: Join) -> None:
    (folder / "service.py").write_text("print('no database'); raise SystemExit(3)")
    for _ in range(2):
        with pytest.raises(ChoreoError, match=r"ended with code 3 before it was ready(.|\n)*no database"):
            join()


def test_what_services_tell_of_a_trace_is_told_to_the_worker_that_asks_for_it(folder: Path, join: Join) -> None:
    config, service = folder / "choreo.yaml", folder / "service.py"
    config.write_text(f"traces: true\n{config.read_text()}")
    service.write_text(service.read_text().replace('"up"', 'os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], "up"'))
    first, second = join(), join()
    assert second.spans is not None
    assert not second.spans.heard
    second.spans.expect(TRACE)
    url = second.lines(0)[0].text.split()[0]
    httpx.post(f"{url}/v1/traces", json=request(SPAN), trust_env=False).raise_for_status()
    (span,) = second.spans.of(TRACE)
    assert (span.service, span.topic, span.has_failed) == ("settlement", "orders.placed", True)
    assert first.spans is not None
    assert first.spans.heard


def test_a_worker_of_a_pool_hears_its_own_services_in_every_run_it_makes(folder: Path) -> None:
    config, service = folder / "choreo.yaml", folder / "service.py"
    config.write_text("traces: true\n" + config.read_text().replace("services_per: run", ""))
    service.write_text(service.read_text().replace('"up"', 'os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], "up"'))
    context = multiprocessing.get_context("spawn")
    heard = context.SimpleQueue()
    worker = context.Process(target=_two_runs, args=(folder, heard))
    worker.start()
    worker.join(60)
    assert worker.exitcode == 0
    assert [heard.get(), heard.get()] == [["settlement"], ["settlement", "settlement"]]
    assert len(started(folder)) == 1


def _two_runs(folder: Path, heard: SimpleQueue[list[str]]) -> None:
    for _ in range(2):
        session = Session(configuration(folder))
        spans, url = session.services.spans, session.services.lines(0)[0].text.split()[0]
        assert spans is not None
        spans.expect(TRACE)
        httpx.post(f"{url}/v1/traces", json=request(SPAN), trust_env=False).raise_for_status()
        heard.put([span.service for span in spans.of(TRACE)])
        session.close()


def test_a_folder_of_somebody_else_is_not_used(folder: Path, join: Join) -> None:
    theirs = meeting_folder(folder)
    theirs.mkdir(mode=0o777)
    theirs.chmod(0o777)
    try:
        with pytest.raises(ServiceFailed, match="not this user's alone"):
            join()
    finally:
        theirs.rmdir()


ONE_AFTER_THE_OTHER = """
    import os, pathlib, time, pytest
    IS_DONE = pathlib.Path("one is done")
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop():
        until = time.monotonic() + 30
        while os.environ.get("PYTEST_XDIST_WORKER") == "gw1" and not IS_DONE.exists() and time.monotonic() < until:
            time.sleep(0.02)
    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure():
        if os.environ.get("PYTEST_XDIST_WORKER") == "gw0":
            IS_DONE.touch()
"""


def test_the_workers_of_xdist_share_one_set_where_it_is_said_so(project: Project) -> None:
    project.file("service.py", SERVICE).file("choreo.yaml", CONFIG).file("conftest.py", ONE_AFTER_THE_OTHER)
    for name in ("a", "b"):
        project.feature(f'Feature: {name}\n  Scenario: s\n    When I publish "a"\n    Then I expect "a"\n', name)
    ran = project.pytest("features", "-n", "2")
    assert ran.code == 0, ran.text
    assert (project.folder / "one is done").exists()
    ((pid, supervisor),) = started(project.folder)
    assert not family(pid) & alive()
    assert wait_until(lambda: supervisor not in alive(), 10)
