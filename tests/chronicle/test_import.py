"""The reports of earlier runs, brought in from a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Client
from typer.testing import Result

from choreo_bdd_chronicle.client.importing import Importer
from choreo_bdd_chronicle.client.sending import Sent, Target, UnreachableError
from choreo_bdd_chronicle.commands import commands
from tests.chronicle import postgres as postgresql
from tests.chronicle.reports import BEGUN, body, report
from tests.chronicle.servers import serving
from tests.support.command_line import CliRunner


@pytest.fixture(params=postgresql.STORES)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    options: tuple[str, ...] = ()
    if request.param == "postgresql":
        found: postgresql.Server = request.getfixturevalue("postgres")
        options = ("--database", found.empty())
    with serving(tmp_path / "data", *options) as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three runs, named so that neither names nor depth tell their order; the oldest lies there twice."""
    put(tmp_path / "in" / "a", report(begun=BEGUN + timedelta(hours=2)))
    put(tmp_path / "in" / "z" / "deep", report(begun=BEGUN))
    put(tmp_path / "in" / "copy of z", report(begun=BEGUN))
    put(tmp_path / "in" / "m", report(begun=BEGUN + timedelta(hours=1)))
    (tmp_path / "in" / "other.json").write_text("{}")
    return tmp_path / "in"


def put(place: Path, document: Any) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    (place / "results.json").write_bytes(document if isinstance(document, bytes) else body(document))
    return place


def bring(folder: Path, url: str) -> Result:
    return CliRunner().invoke(commands, ["chronicle", "import", str(folder), "--url", url])


@pytest.mark.thorough
def test_all_below_a_folder_is_kept_once_however_often_it_is_brought(server: str, folder: Path) -> None:
    first, again = bring(folder, server), bring(folder, server)
    assert (first.exit_code, again.exit_code) == (0, 0), first.output
    assert "4 found, 3 sent, 1 known already, 0 refused" in first.output
    assert "4 found, 0 sent, 4 known already, 0 refused" in again.output
    with Client(base_url=f"{server}/api/v1") as http:
        runs = http.get("/runs", params={"tenant": "shop"}).json()
        events = http.get("/topics", params={"tenant": "shop"}).json()
    assert (runs["total"], events["items"][0]["sample_count"]) == (3, 3)


@pytest.mark.thorough
def test_what_is_refused_is_named_and_the_rest_is_kept(server: str, folder: Path) -> None:
    put(folder / "broken", b"{")
    put(folder / "wrong", report() | {"schema_version": "9"})
    done = bring(folder, server)
    assert done.exit_code == 1
    assert "broken/results.json: refused: 422" in done.output
    assert "/schema_version" in done.output
    assert "6 found, 3 sent, 1 known already, 2 refused" in done.output


def test_the_oldest_run_goes_first_and_what_says_no_moment_last(folder: Path) -> None:
    put(folder / "broken", b"{")
    came: list[bytes] = []

    def send(content: bytes, target: Target) -> Sent:
        assert target.tenant == ("default" if content == b"{" else "shop")
        came.append(content)
        return Sent(run_id="x", is_known=False)

    assert Importer(url="http://x", say=lambda _: None, send=send).bring(folder) == 0
    begun = [body(report(begun=BEGUN + timedelta(hours=hours))) for hours in (0, 0, 1, 2)]
    assert came == [*begun, b"{"]


def test_it_ends_where_the_server_goes_away(folder: Path) -> None:
    said: list[str] = []
    tries: list[bytes] = []

    def send(content: bytes, _target: Target) -> Sent:
        tries.append(content)
        if len(tries) > 1:
            raise UnreachableError("connection refused")
        return Sent(run_id="x", is_known=False)

    assert Importer(url="http://x", say=said.append, send=send).bring(folder) == 2
    assert len(tries) == 2
    assert said == [
        "not sent (connection refused); the same command goes on from here",
        "4 found, 1 sent, 0 known already, 0 refused",
    ]


def test_a_folder_without_reports_is_named(tmp_path: Path) -> None:
    done = bring(tmp_path / "nowhere", "http://127.0.0.1:9")
    assert (done.exit_code, "nowhere: no results.json, history.jsonl or JUnit file below it" in done.output) == (
        2,
        True,
    )


JUNIT = """<?xml version="1.0"?>
<testsuites><testsuite name="shop" timestamp="2026-10-01T12:00:00" hostname="runner">
<testcase classname="tests.test_orders" name="test_paid" time="1.5"/>
<testcase classname="tests.test_orders" name="test_refused"><failure message="no refund">trace</failure></testcase>
<testcase classname="tests.test_orders" name="test_later"><skipped message="not yet"/></testcase>
<testcase classname="tests.test_orders" name="test_broken"><error message="no broker"/></testcase>
</testsuite></testsuites>"""


@pytest.mark.thorough
def test_junit_verdicts_are_kept_as_runs(server: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "junit.xml").write_text(JUNIT)
    (tmp_path / "in" / "coverage.xml").write_text("<coverage/>")
    for told in ("1 found, 1 sent", "1 found, 0 sent, 1 known already"):
        done = bring(tmp_path / "in", server)
        assert (done.exit_code, told in done.output) == (0, True), done.output
    with Client(base_url=f"{server}/api/v1") as http:
        (run,) = http.get("/runs", params={"tenant": "default"}).json()["items"]
        scenarios = http.get(f"/runs/{run['id']}").json()["scenarios"]
    assert run["started_at"] == "2026-10-01T12:00:00.000000Z"
    counted = [run[f"total_{name}"] for name in ("tests", "passed", "failed", "errored", "skipped")]
    assert counted == [4, 1, 1, 1, 1]
    assert [(each["name"], each["outcome"]) for each in scenarios] == [
        ("test_paid", "pass"), ("test_refused", "fail"), ("test_broken", "fail"),
    ]  # fmt: skip


@pytest.mark.thorough
def test_the_history_beside_a_report_brings_the_runs_before_it(server: str, tmp_path: Path) -> None:
    place = put(tmp_path / "in", report(begun=BEGUN + timedelta(days=1)))
    past = [
        {"history": 1, "started_at": (BEGUN + timedelta(days=day)).isoformat(), "git_sha": f"c{day}",
         "git_branch": "main", "ci": True, "tests": {"features/a.feature": {"Paid": letters}}}
        for day, letters in enumerate(("f", "p37"))
    ]  # fmt: skip
    (place / "history.jsonl").write_text("".join(json.dumps(each) + "\n" for each in past))
    done = bring(place, server)
    assert "2 found, 2 sent" in done.output  # the report's own line is the report
    with Client(base_url=f"{server}/api/v1") as http:
        latest, first = http.get("/runs", params={"tenant": "shop"}).json()["items"]
    assert (first["git_sha"], first["branch"], first["environment"]) == ("c0", "main", "ci")
    assert (first["total_tests"], first["total_failed"], latest["total_failed"]) == (1, 1, 0)


@pytest.mark.parametrize("content", ["<testsuite", '<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>'])
def test_a_file_that_cannot_be_read_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text(content)
    done = bring(tmp_path, "http://127.0.0.1:9")
    assert done.exit_code == 1
    assert "junit.xml: cannot be read: no " in done.output
