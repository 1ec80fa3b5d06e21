"""Events as they happen, to whoever listens, each tenant its own."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from httpx2 import Client

from tests.chronicle import postgres as postgresql
from tests.chronicle.reports import body, report
from tests.chronicle.servers import serving, start

Told = tuple[int, str, Any]
UNUSED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Else every client reads this machine's certificates, which takes longer than what it asks for."""


@pytest.fixture(scope="module", params=postgresql.STORES)
def options(request: pytest.FixtureRequest) -> tuple[str, ...]:
    if request.param == "sqlite":
        return ()
    server: postgresql.Server = request.getfixturevalue("postgres")
    return ("--database", server.empty())


@pytest.fixture(scope="module")
def url(options: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for several tests, each of which has tenants of its own."""
    with serving(tmp_path_factory.mktemp("server"), *options) as found:
        yield found


@contextmanager
def listening(url: str, tenant: str = "alpha", seen: int | None = None) -> Iterator[Iterator[Told]]:
    """What a listener is told."""
    headers = {} if seen is None else {"Last-Event-ID": str(seen)}
    with (
        Client(base_url=url, timeout=30, verify=UNUSED) as http,
        http.stream("GET", f"/api/v1/stream?tenant={tenant}", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        next(lines)
        yield _told(lines)


def _told(lines: Iterator[str]) -> Iterator[Told]:
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if name:
            fields[name] = value
        elif "data" in fields:
            yield int(fields.get("id", "0")), fields["event"], json.loads(fields["data"])
            fields = {}


def send(url: str, tenant: str = "alpha") -> str:
    request = Request(f"{url}/api/v1/runs", body(report()), {"X-Chronicle-Tenant": tenant})
    with urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["run_id"])


@pytest.mark.thorough
def test_a_run_is_told_to_its_tenants_listeners_only(url: str) -> None:
    send(url), send(url, "beta")
    with listening(url) as alpha, listening(url, "beta") as beta:
        first, second = send(url, "beta"), send(url)
        number, kind, data = next(alpha)
        assert (kind, data["run_id"], data["environment"]) == ("run.completed", second, "ci")
        assert data["totals"] == {"passed": 1, "failed": 0, "slow": 0, "total": 1}
        assert next(beta)[2]["run_id"] == first
    with listening(url, seen=number) as alpha:
        third = send(url)
        assert next(alpha)[2]["run_id"] == third


@pytest.mark.thorough
def test_what_was_missed_is_told_first_even_after_a_restart(options: tuple[str, ...], tmp_path: Path) -> None:
    with serving(tmp_path, *options) as url:
        send(url)
        with listening(url) as alpha:
            run = send(url)
            number, _, data = next(alpha)
            assert data["run_id"] == run
        missed = [send(url) for _ in range(110)]
    with serving(tmp_path, *options) as url, listening(url, seen=number) as alpha:
        latest = send(url)
        told = [next(alpha) for _ in range(111)]
        assert [data["run_id"] for _, _, data in told] == [*missed, latest]
        assert [each for each, _, _ in told] == sorted({each for each, _, _ in told})


@pytest.mark.thorough
def test_many_listeners_hold_no_connection(url: str) -> None:
    send(url, "many")
    with Client(base_url=url, timeout=30) as http:
        streams = [listening(url, "many") for _ in range(40)]
        told = [stream.__enter__() for stream in streams]
        try:
            assert http.get("/api/v1/health").status_code == 200
            run = send(url, "many")
            assert {next(each)[2]["run_id"] for each in told} == {run}
            assert http.get("/api/v1/runs?tenant=many").status_code == 200
        finally:
            for stream in streams:
                stream.__exit__(None, None, None)


@pytest.mark.thorough
def test_two_servers_on_one_database_tell_of_each_others_runs(postgres: postgresql.Server, tmp_path: Path) -> None:
    database = ("--database", postgres.empty())
    with serving(tmp_path, *database) as one, serving(tmp_path, *database) as other:
        before = send(one)
        with listening(other) as alpha:
            run = send(one)
            heard = next(alpha)[2]["run_id"]
            if heard == before:  # the other server may hear of it only now
                heard = next(alpha)[2]["run_id"]
            assert heard == run


@pytest.mark.thorough
def test_a_listener_too_many_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHRONICLE_MAX_SSE_CONNECTIONS", "1")
    with serving(tmp_path) as url:
        send(url)
        with listening(url), Client(base_url=url, timeout=30) as http:
            refused = http.get("/api/v1/stream?tenant=alpha")
            assert "event: error" in refused.text
            assert http.get("/api/v1/stream?tenant=nobody").status_code == 404
            assert http.get("/api/v1/stream").status_code == 422


@pytest.mark.thorough
def test_a_server_that_ends_lets_its_listeners_go_without_a_word(tmp_path: Path) -> None:
    process, url = start(tmp_path, stderr=subprocess.PIPE)
    send(url)
    with listening(url) as one, listening(url) as other:
        process.terminate()
        assert [*one, *other] == []
    _, complaints = process.communicate(timeout=30)
    assert complaints == ""
