"""Sending reports: what is kept, what is refused, and what waits while the server is away."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from choreo_bdd_chronicle.client.pushing import Pusher
from choreo_bdd_chronicle.client.queue import KEPT_MAX, Queue
from choreo_bdd_chronicle.client.sending import RefusedError, Sent, Target, UnreachableError, send, slug_of
from tests.chronicle.reports import body, report
from tests.chronicle.servers import serving

URL = "http://server"


class Server:
    """Keeps what it is sent, unless it is away or unwilling."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, bytes]] = []
        self.problem: Exception | None = None

    def take(self, content: bytes, target: Target) -> Sent:
        if self.problem is not None:
            raise self.problem
        self.kept.append((target.tenant, content))
        return Sent(run_id=f"run-{len(self.kept)}", is_known=False, warnings=("/run: odd",))


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def pusher(server: Server, said: list[str], tmp_path: Path) -> Pusher:
    return Pusher(url=URL, queue=Queue(tmp_path / "waiting"), say=said.append, send=server.take)


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def write(content: bytes, name: str = "results.json") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@pytest.mark.thorough
def test_a_report_far_too_large_is_refused_and_not_taken_for_a_server_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHRONICLE_MAX_BODY_SIZE", "4000000")
    noise = random.Random(1).randbytes(30_000_000)  # more than any system's buffers hold
    with serving(tmp_path) as url, pytest.raises(RefusedError, match=r"413 .* larger than 4000000 bytes"):
        send(noise, Target(url=url, tenant="shop", token=None), pauses=())


def test_a_file_and_a_folder_are_sent(
    pusher: Pusher, server: Server, said: list[str], file: Callable[..., Path]
) -> None:
    path = file(body(report(project_name="My Shop!")))
    assert [pusher.push(path), pusher.push(path.parent)] == [0, 0]
    assert [tenant for tenant, _ in server.kept] == ["my-shop", "my-shop"]
    assert said[:2] == [f"{path}: sent: {URL}/runs/run-1", f"{path}: /run: odd"]


def test_what_cannot_be_sent_waits_and_goes_first_next_time(
    pusher: Pusher, server: Server, said: list[str], file: Callable[..., Path]
) -> None:
    server.problem = UnreachableError("connection refused")
    first, second = body(report()), body(report(environment="b"))
    assert [pusher.push(file(first)), pusher.push(file(first)), pusher.push(file(second))] == [0, 0, 0]
    assert "kept" in said[0]
    pusher.push_waiting()
    server.problem = None
    pusher.push_waiting()
    pusher.push_waiting()
    assert sorted(content for _, content in server.kept) == sorted([first, second])


def test_what_waits_for_another_server_is_left_alone(
    pusher: Pusher, server: Server, file: Callable[..., Path], tmp_path: Path
) -> None:
    pusher.queue.put(b"{}", Target(url="http://elsewhere", tenant="a1"))
    (tmp_path / "waiting" / "broken.report.gz").write_bytes(b"no gzip")
    pusher.push_waiting()
    assert server.kept == []
    assert [each.tenant for each in pusher.queue.waiting("http://elsewhere")] == ["a1"]


def test_a_refused_report_is_an_error_and_does_not_wait(
    pusher: Pusher, server: Server, said: list[str], file: Callable[..., Path]
) -> None:
    server.problem = RefusedError("422 /run: missing")
    assert pusher.push(file(b"[]")) == 1
    assert "422 /run: missing" in said[0]
    assert list(pusher.queue.waiting(URL)) == []


def test_a_file_that_cannot_be_read_is_an_error(pusher: Pusher, said: list[str], tmp_path: Path) -> None:
    assert pusher.push(tmp_path / "none.json") == 2
    assert "none.json: cannot be read" in said[0]


@pytest.mark.thorough
def test_the_queue_gives_up_the_oldest(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    for number in range(KEPT_MAX + 3):
        queue.put(str(number).encode(), Target(url=URL, tenant="a1"))
    assert len(list(queue.waiting(URL))) == KEPT_MAX


def test_a_folder_that_cannot_be_written_fails_no_run(
    server: Server, said: list[str], file: Callable[..., Path]
) -> None:
    path = file(body(report()))
    server.problem = UnreachableError("away")
    blocked = Pusher(url=URL, queue=Queue(path / "below"), say=said.append, send=server.take)
    assert blocked.push(path) == 1
    assert "cannot be kept" in said[0]


def test_a_server_that_is_away_is_tried_again_and_then_told() -> None:
    pauses: list[float] = []
    with pytest.raises(UnreachableError):
        send(b"{}", Target(url="http://127.0.0.1:9", tenant="a1"), pauses=(1.0, 2.0), sleep=pauses.append)
    assert pauses == [1.0, 2.0]


@pytest.mark.thorough
def test_a_report_reaches_a_server_and_the_same_one_is_known(tmp_path: Path) -> None:
    content = body(report())
    with serving(tmp_path) as url:
        target = Target(url=url, tenant="alpha")
        first, again = send(content, target), send(content, target)
        assert (first.is_known, again.is_known, again.run_id) == (False, True, first.run_id)
        with pytest.raises(RefusedError, match=r"422 .*schema_version"):
            send(b"{}", target)


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Shop", "shop"), ("a.b_c", "a-b-c"), ("--x-y--", "x-y"), (None, "default"), ("x", "default"), ("ü", "default"),
     ("a" * 70, "a" * 64), ("a" * 63 + "-b", "a" * 63)],
)  # fmt: skip
def test_a_tenant_is_made_of_a_projects_name(name: str | None, slug: str) -> None:
    assert slug_of(name) == slug
