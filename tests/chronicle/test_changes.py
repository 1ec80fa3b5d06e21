"""Changes are found behind the answers, told once, and over when they are; removed runs leave no trace in a sum."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect

from choreo_bdd_chronicle import watcher
from choreo_bdd_chronicle.commands import commands
from choreo_bdd_chronicle.settings import Settings
from choreo_bdd_chronicle.store import events, open_store
from tests.chronicle.conftest import BASE, Chronicle, started
from tests.chronicle.reports import BEGUN, handle, one_test, report, scenario, timed_out
from tests.support.command_line import CliRunner

HOUR = timedelta(hours=1)


@pytest.fixture
def chronicle(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chronicle]:
    """A server that looks at every report at once, and does not rest in between."""
    monkeypatch.setattr(watcher, "_RESTS", 0)
    with started(Settings(database=database, pause=0)) as found:
        yield found


def until(holds: Callable[[], Any], tries: int = 400) -> Any:
    """What is true at last; detection comes after the answers."""
    import time

    for _ in range(tries):
        if found := holds():
            return found
        time.sleep(0.025)
    return holds()


class Runs:
    """Runs of one suite, an hour apart, each with a commit of its own."""

    def __init__(self, chronicle: Chronicle) -> None:
        self.chronicle, self.count, self.draw = chronicle, 0, random.Random(5)
        self.ids: list[str] = []

    def add(self, count: int, *, factor: float = 1.0, **changes: Any) -> None:
        for _ in range(count):
            handles = [
                handle(f"t{topic}", 20.0 * (factor if topic == 0 else 1.0) * self.draw.lognormvariate(0, 0.05))
                for topic in range(5)
                for _ in range(6)
            ]
            if changes:
                handles = [timed_out("t0")] * 6 + handles[6:]
            moment = BEGUN + self.count * HOUR
            self.ids.append(self.chronicle.keep(report(handles, begun=moment, git_sha=f"commit{self.count:02}")))
            self.count += 1

    def anomalies(self, **query: Any) -> list[Any]:
        return list(self.chronicle.get("/anomalies", tenant="alpha", **query)["items"])


@pytest.mark.thorough
def test_a_shift_is_opened_once_placed_at_its_commit_and_resolved(chronicle: Chronicle) -> None:
    runs = Runs(chronicle)
    runs.add(20)
    runs.add(12, factor=2.0)

    def only_shift() -> Any:
        """What is open, once it is a change of the level alone: its first run was taken for a spike."""
        open_ones = runs.anomalies(topic="t0", resolved="false")
        return open_ones if [each["detection_method"] for each in open_ones] == ["change_point"] else None

    (found,) = until(only_shift)
    assert (found["detection_method"], found["state"], found["resolved"]) == ("change_point", "open", False)
    assert (found["commit_from"], found["commit_to"]) == ("commit19", "commit20")
    assert found["changed_at_run_id"] == runs.ids[20]
    assert (found["environment"], found["branch"]) == ("ci", "main")
    assert until(lambda: runs.anomalies(branch="main") == runs.anomalies())  # later looks bring its numbers up to date
    assert runs.anomalies(branch="feature") == []
    assert found["change_pct"] == pytest.approx(100, abs=25)
    runs.add(3, factor=2.0)
    assert [each["id"] for each in runs.anomalies(topic="t0", resolved="false")] == [found["id"]]
    runs.add(12)

    def first() -> Any:
        return next(each for each in runs.anomalies(topic="t0") if each["id"] == found["id"])

    assert until(lambda: first()["resolved"])
    assert first()["resolved_at"] is not None
    assert chronicle.get("/anomalies/topics/t0", tenant="alpha")["total"] == len(runs.anomalies(topic="t0"))
    store = open_store(chronicle.settings.database)
    with store.reading() as connection:
        told = [json.loads(each.data) for each in events.since(connection, 0) if each.kind == "anomaly.detected"]
    store.close()
    assert "t0" in [each["topic"] for each in told if each["change_pct"] > 0]


@pytest.mark.thorough
def test_stable_runs_raise_nothing(chronicle: Chronicle) -> None:
    runs = Runs(chronicle)
    runs.add(25)
    assert until(runs.anomalies, tries=40) == []


def test_a_topic_that_is_not_answered_any_more_is_found(chronicle: Chronicle) -> None:
    runs = Runs(chronicle)
    runs.add(12)
    runs.add(4, timed_out=True)
    found = until(lambda: runs.anomalies(topic="t0", resolved="false"))
    assert "outcome" in {each["detection_method"] for each in found}

    def listed() -> int:
        return sum(run["anomaly_count"] for run in chronicle.get("/runs", tenant="alpha")["items"])

    assert until(lambda: listed() == len(runs.anomalies()))


@pytest.mark.thorough
def test_a_removed_run_leaves_every_sum(chronicle: Chronicle) -> None:
    kept = [chronicle.keep(report([handle(latency=10.0), handle("a/b", 5.0)], begun=BEGUN + n * HOUR)) for n in (0, 30)]
    before = _everything(chronicle)
    gone = [
        chronicle.keep(report([handle(latency=900.0), handle("only here")], begun=BEGUN + 2 * HOUR)),
        chronicle.keep(report([handle(latency=1.0, transport="kafka")], begun=BEGUN + 90 * HOUR, environment="prod")),
    ]
    assert _everything(chronicle) != before
    for run in gone:
        assert chronicle.http.delete(f"/api/v1/runs/{run}").status_code == 204
        assert chronicle.http.delete(f"/api/v1/runs/{run}").status_code == 404
        assert chronicle.ask(f"/runs/{run}/raw").status_code == 404
    assert _everything(chronicle) == before
    assert {run["id"] for run in chronicle.get("/runs", tenant="alpha")["items"]} == set(kept)


def _everything(chronicle: Chronicle) -> list[Any]:
    span = {"from_": (BEGUN - HOUR).isoformat(), "to": (BEGUN + 200 * HOUR).isoformat()}
    asked = [("/topics", {}), ("/topics", {"environment": "prod"}), ("/topics", {"branch": "main"})]
    series = [
        (f"/topics/{topic}/latency", {"resolution": resolution, **span})
        for topic in ("orders.placed", "a/b", "only here")
        for resolution in ("raw", "daily")
    ]
    return [chronicle.get(path, tenant="alpha", **query) for path, query in [*asked, *series]]


def test_a_report_is_shown_as_its_page_apart_from_the_dashboard(chronicle: Chronicle) -> None:
    document = report()
    document["tests"][0]["name"] = "<script>alert(1)</script>"
    run = chronicle.keep(document)
    answer = chronicle.ask(f"/runs/{run}/report")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "harness-results" in answer.text
    assert "<script>alert(1)" not in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "allow-same-origin" not in policy


@pytest.mark.thorough
def test_the_file_shrinks_when_a_run_is_removed(tmp_path: Path) -> None:
    file = tmp_path / "chronicle.db"
    with started(Settings(database=f"sqlite:///{file}")) as chronicle:
        chronicle.keep(report())
        large = report()
        large["tests"][0]["stdout"] = "".join(random.Random(1).choices("0123456789abcdef", k=4_000_000))
        run = chronicle.keep(large)
        assert chronicle.http.delete(f"/api/v1/runs/{run}").status_code == 204
    assert file.stat().st_size < 1_000_000


def _scenarios(*outcomes: str) -> list[Any]:
    return [
        one_test([scenario([handle()], name, outcome=outcome)], f"a.feature::{name}")
        for name, outcome in zip("ABCDE", outcomes, strict=True)
    ]


def test_scenarios_are_told_flaky_broken_and_fixed(chronicle: Chronicle) -> None:
    fates = ["pfpfp", "ppfff", "fffpp", "ppppp", "ppppp"]
    names = {"p": "pass", "f": "timeout"}
    for run in range(5):
        outcomes = [names[fate[run]] for fate in fates]
        for twin in range(2):  # each commit runs twice; only A differs between the two
            if twin and run == 1:
                outcomes[0] = "pass"
            moment = BEGUN + run * HOUR + twin * HOUR / 2
            chronicle.keep(report(tests=_scenarios(*outcomes), begun=moment, git_sha=f"commit{run}"))

    def names_of(**query: Any) -> list[str]:
        return [each["name"] for each in chronicle.get("/flaky", tenant="alpha", **query)["items"]]

    assert (names_of(), names_of(condition="broken"), names_of(condition="fixed")) == (["A"], ["B"], ["C"])
    (flaky,) = chronicle.get("/flaky", tenant="alpha")["items"]
    assert [each["commit"] for each in flaky["evidence"]] == ["commit1"]
    assert flaky["test_nodeid"] == "a.feature::A"
    empty = chronicle.get("/flaky", tenant="alpha", environment="nowhere")
    assert (empty["items"], empty["total"]) == ([], 0)
    assert empty["reason"]


def test_a_run_in_which_all_failed_counts_for_no_scenario(chronicle: Chronicle) -> None:
    for number, outcome in enumerate(("pass", "fail", "pass")):
        chronicle.keep(report(tests=_scenarios(*[outcome] * 5), begun=BEGUN + number * HOUR))
    found = chronicle.get("/flaky", tenant="alpha")
    assert (found["items"], len(found["infrastructure_run_ids"])) == ([], 1)


def test_failures_are_grouped_by_their_cause(chronicle: Chronicle) -> None:
    wrong = {"kind": "mismatch", "path": "items[3].price", "expected": 1, "actual": 2}
    near_miss = {"kind": "near_miss", "attempts": 1, "deadline_ms": 2000.0}
    mismatch = handle("orders.paid", outcome="fail", failure=wrong, failures=[wrong], diagnosis=near_miss)
    ids = []
    for number in range(3):
        handles = [mismatch, handle()] if number < 2 else [timed_out(), handle("orders.paid")]
        begun = BEGUN + number * HOUR
        answer = chronicle.post(report([*handles], begun=begun))
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["run_id"])
    found = chronicle.get("/failures", tenant="alpha")
    assert found["total"] == 2
    fields = ("topic", "kind", "path", "count", "run_count")
    assert [tuple(each[field] for field in fields) for each in found["items"]] == [
        ("orders.placed", "silent_timeout", None, 1, 1), ("orders.paid", "mismatch", "items[*].price", 2, 2),
    ]  # fmt: skip
    old = found["items"][1]
    assert (old["first_run_id"], old["last_run_id"], old["last_seen_at"]) == (
        ids[0], ids[1], "2026-10-01T13:00:00.000000Z",
    )  # fmt: skip
    assert old["scenarios"] == [
        {"name": "An order is paid", "test_nodeid": "features/orders.feature::An order is paid"}
    ]


@pytest.mark.thorough
def test_retention_removes_what_is_old_and_of_other_branches_earlier(chronicle: Chronicle) -> None:
    def aged(days: int, branch: str | None) -> str:
        return chronicle.keep(report(begun=datetime.now(UTC) - timedelta(days=days, hours=1), git_branch=branch))

    kept = [aged(0, "fix"), aged(20, "main"), aged(20, None)]
    gone = [aged(40, "main"), aged(20, "fix"), aged(40, None)]
    options = ["--days", "30", "--branch-days", "10", "--database", chronicle.settings.database]
    done = CliRunner().invoke(commands, ["chronicle", "retention", *options])
    assert (done.exit_code, done.output) == (0, f"{len(gone)} runs removed\n")
    assert {run["id"] for run in chronicle.get("/runs", tenant="alpha")["items"]} == set(kept)
    (topic,) = chronicle.get("/topics", tenant="alpha")["items"]
    assert topic["sample_count"] == len(kept)


@pytest.mark.thorough
def test_months_that_are_over_are_let_go_of_whole(chronicle: Chronicle) -> None:
    today = datetime.now(UTC).replace(day=15, hour=12)
    months = [today.replace(year=today.year - 1, month=month) for month in (2, 3, 4)]
    old = [chronicle.keep(report(begun=day + timedelta(hours=hour))) for day in months for hour in range(3)]
    kept = chronicle.keep(report(begun=datetime.now(UTC) - timedelta(days=20)))
    pinned = old[4]
    assert chronicle.http.put(f"{BASE}/runs/{pinned}/pin").status_code == 204
    partitions = {f"run_topics_{day.year}_{day.month:02}" for day in months}
    is_postgres = chronicle.settings.database.startswith("postgresql")

    def held() -> set[str]:
        engine = create_engine(chronicle.settings.database.replace("postgresql:", "postgresql+psycopg:"))
        found = set(inspect(engine).get_table_names())
        engine.dispose()
        return found & partitions

    assert held() == (partitions if is_postgres else set())
    done = CliRunner().invoke(
        commands, ["chronicle", "retention", "--days", "30", "--database", chronicle.settings.database]
    )
    assert (done.exit_code, done.output) == (0, "8 runs removed\n")
    assert {run["id"] for run in chronicle.get("/runs", tenant="alpha")["items"]} == {kept, pinned}
    assert held() == ({f"run_topics_{today.year - 1}_03"} if is_postgres else set())
    (topic,) = chronicle.get("/topics", tenant="alpha")["items"]
    assert topic["sample_count"] == 2
    again = chronicle.keep(report(begun=months[0]))
    assert {run["run_id"] for run in chronicle.get("/topics/orders.placed/runs", tenant="alpha")["items"]} == {
        kept, pinned, again,
    }  # fmt: skip
    (topic,) = chronicle.get("/topics", tenant="alpha")["items"]
    assert topic["sample_count"] == 3


@pytest.mark.thorough
def test_newer_numbers_leave_an_anomaly_at_the_run_that_it_was_seen_in(chronicle: Chronicle) -> None:
    runs = Runs(chronicle)
    runs.add(20)
    runs.add(6, factor=2.0)

    def shift() -> Any:
        """The change of the level, once it is found."""
        open_ones = runs.anomalies(topic="t0", resolved="false")
        return next((each for each in open_ones if each["detection_method"] == "change_point"), None)

    seen = until(shift)
    runs.add(4, factor=2.0)
    newer = until(lambda: shift() if shift()["current_value"] != seen["current_value"] else None)
    assert (newer["id"], newer["run_id"]) == (seen["id"], seen["run_id"])
