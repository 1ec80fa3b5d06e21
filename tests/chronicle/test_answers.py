"""What is read back: runs, topics, series, timelines, and the form of every answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd_chronicle.settings import Settings
from tests.chronicle.conftest import Chronicle, started
from tests.chronicle.reports import BEGUN, event, handle, late, one_test, report, scenario, timed_out

DAY = timedelta(days=1)
NOBODY = "00000000-0000-4000-8000-000000000000"


def test_a_run_in_the_list_is_filled(chronicle: Chronicle) -> None:
    chronicle.keep(report([handle(latency=float(each)) for each in range(1, 101)] + [handle("orders.paid", 5.0)]))
    (run,) = chronicle.get("/runs", tenant="alpha")["items"]
    assert (run["topic_count"], run["anomaly_count"], run["pass_rate"]) == (2, 0, 1.0)
    assert run["p50_ms"] == pytest.approx(50, rel=0.03)
    assert run["p99_ms"] == pytest.approx(99, rel=0.03)
    assert (run["started_at"], run["environment"], run["branch"]) == ("2026-10-01T12:00:00.000000Z", "ci", "main")


def test_runs_are_listed_by_begin_and_then_by_arrival(chronicle: Chronicle) -> None:
    middle, twin = chronicle.keep(report()), chronicle.keep(report())
    newest, oldest = chronicle.keep(report(begun=BEGUN + DAY)), chronicle.keep(report(begun=BEGUN - DAY))
    found = chronicle.get("/runs", tenant="alpha")
    assert [run["id"] for run in found["items"]] == [newest, twin, middle, oldest]
    second = chronicle.get("/runs", tenant="alpha", limit=1, offset=1)
    assert [run["id"] for run in second["items"]] == [twin]
    assert (second["total"], second["limit"], second["offset"]) == (4, 1, 1)


def test_runs_are_filtered(chronicle: Chronicle) -> None:
    plain = chronicle.keep(report())
    staged = chronicle.keep(
        report(transport=None, transports=["kafka", "redis_x"], environment="prod", git_branch="x/y")
    )
    old = chronicle.keep(report(begun=BEGUN - 9 * DAY))

    def ids(**filters: Any) -> set[str]:
        return {run["id"] for run in chronicle.get("/runs", tenant="alpha", **filters)["items"]}

    assert (
        ids(environment="prod") == ids(branch="x/y") == ids(transport="kafka") == ids(transport="redis_x") == {staged}
    )
    assert ids(transport="redis%x") == set()
    assert ids(transport="nats") == {plain, old}
    assert ids(from_=(BEGUN - DAY).isoformat(), to=BEGUN.isoformat()) == {plain, staged}
    assert ids(to="2026-09-25T00:00:00Z") == {old}


def test_scenarios_of_one_name_in_two_tests_stay_apart(chronicle: Chronicle) -> None:
    tests = [
        one_test([scenario([handle(), handle()]), scenario([], "Later")], "a.feature::One"),
        one_test([scenario([handle()])], "b.feature::One"),
    ]
    run = chronicle.get(f"/runs/{chronicle.keep(report(tests=tests))}")
    assert [(each["test_nodeid"], each["name"], each["handle_count"]) for each in run["scenarios"]] == [
        ("a.feature::One", "An order is paid", 2),
        ("a.feature::One", "Later", 0),
        ("b.feature::One", "An order is paid", 1),
    ]
    assert len({each["id"] for each in run["scenarios"]}) == 3


def test_the_timeline_is_paged_filtered_and_in_order(chronicle: Chronicle) -> None:
    first = scenario([handle()], timeline=[event(0.5), event(3.0, "matched", source="expect", transport="nats")])
    second = scenario([handle()], timeline=[event(0.5, "received"), event(1.0, "deadline", topic="x")])
    run = chronicle.keep(report(tests=[one_test([first, second])]))
    ids = [each["id"] for each in chronicle.get(f"/runs/{run}")["scenarios"]]
    found = chronicle.get(f"/runs/{run}/timeline")
    assert [(each["scenario_id"], each["action"]) for each in found["items"]] == [
        (ids[0], "published"), (ids[1], "received"), (ids[1], "deadline"), (ids[0], "matched"),
    ]  # fmt: skip
    assert found["items"][0]["source"] is None
    assert chronicle.get(f"/runs/{run}/timeline", source="expect", transport="nats")["total"] == 1
    page = chronicle.get(f"/runs/{run}/timeline", limit=1, offset=2)
    assert ([each["action"] for each in page["items"]], page["total"]) == (["deadline"], 4)


def test_a_latency_is_a_message_that_arrived(chronicle: Chronicle) -> None:
    chronicle.keep(report([
        handle(latency=10.0), handle(latency=10.0), late(latency=300.0, budget=200.0), timed_out(budget_ms=500.0),
        handle(latency=500.0, actual=None), handle(latency=900.0, outcome="fail"),
        handle(latency=None, outcome="pending", actual=None, diagnosis={"kind": "pending"}),
    ]))  # fmt: skip
    (topic,) = chronicle.get("/topics", tenant="alpha")["items"]
    assert (topic["sample_count"], topic["slow_count"], topic["timeout_count"], topic["fail_count"]) == (7, 1, 1, 1)
    assert topic["budget_violation_count"] == 2
    assert topic["latest_p50_ms"] == pytest.approx(10, rel=0.01)
    assert topic["latest_p99_ms"] < 310
    span = {"from_": "2026-10-01T00:00:00Z", "to": "2026-10-02T00:00:00Z"}
    (bucket,) = chronicle.get("/topics/orders.placed/latency", tenant="alpha", **span)["buckets"]
    assert (bucket["arrived_count"], bucket["min_ms"], bucket["max_ms"]) == (3, 10.0, 300.0)
    assert bucket["avg_ms"] == pytest.approx(320 / 3, abs=0.001)
    assert bucket["budget_ms"] == 500.0


def test_every_resolution_counts_every_handle_once(chronicle: Chronicle) -> None:
    places = [("ci", "main", "nats"), ("prod", "main", "nats"), ("ci", "x", "kafka")]
    for number in range(12):
        environment, branch, via = places[number % 3]
        moment = BEGUN + number * timedelta(hours=7)
        chronicle.keep(report([handle(transport=via)] * 2, begun=moment, environment=environment, git_branch=branch))
    span = {"from_": (BEGUN + timedelta(hours=1)).isoformat(), "to": (BEGUN + timedelta(hours=70)).isoformat()}

    def counts(**filters: Any) -> list[int]:
        found = chronicle.get("/topics/orders.placed/latency", tenant="alpha", **span, **filters)
        assert found["resolution"] == filters["resolution"]
        starts = [each["bucket"] for each in found["buckets"]]
        assert starts == sorted(set(starts))
        return [each["sample_count"] for each in found["buckets"]]

    for each in ("raw", "hourly", "daily"):
        counted = partial(counts, resolution=each)
        assert sum(counted()) == 20
        assert sum(counted(environment="ci")) == 14 - 2 + 2 - 2
        assert sum(counted(branch="x", transport="kafka")) == sum(counted(transport="kafka")) == 6
        assert counted(environment="nowhere") == []
    assert len(counts(resolution="daily")) == 4


def test_a_series_chooses_its_resolution_by_its_span(chronicle: Chronicle) -> None:
    chronicle.keep(report(begun=datetime.now(UTC) - timedelta(minutes=1)))

    def chosen(span: timedelta) -> str:
        found = chronicle.get(
            "/topics/orders.placed/latency", tenant="alpha", from_=(datetime.now(UTC) - span).isoformat()
        )
        assert sum(each["sample_count"] for each in found["buckets"]) == 1
        return str(found["resolution"])

    assert [chosen(timedelta(days=days)) for days in (0.9, 29, 60)] == ["raw", "hourly", "daily"]
    assert chronicle.get("/topics/orders.placed/latency", tenant="alpha")["resolution"] == "hourly"


def test_a_series_of_more_than_a_year_is_refused_and_one_of_nothing_is_empty(chronicle: Chronicle) -> None:
    chronicle.keep(report())
    path = "/topics/orders.placed/latency"
    answer = chronicle.ask(path, tenant="alpha", from_="2025-01-01T00:00:00Z", to="2026-02-01T00:00:00Z")
    assert answer.status_code == 422
    assert "365" in answer.json()["detail"]
    backwards = {"from_": "2026-10-03T00:00:00Z", "to": "2026-10-01T00:00:00Z"}
    assert chronicle.get(path, tenant="alpha", **backwards)["buckets"] == []
    assert chronicle.get("/topics/nothing/latency", tenant="alpha")["buckets"] == []


def test_a_topic_may_hold_any_character(chronicle: Chronicle) -> None:
    from urllib.parse import quote

    topics = ["a/b/latency", "/lead", "a b?c#d%", "ünï/✓", "a//b", "runs", "x/runs", ">"]
    for topic in topics:
        chronicle.keep(report([handle(topic)], begun=datetime.now(UTC) - timedelta(hours=1)))
    for topic, quoted in ((each, quote(each, safe=safe)) for each in topics for safe in ("", "/")):
        series = chronicle.get(f"/topics/{quoted}/latency", tenant="alpha")
        assert (series["topic"], len(series["buckets"])) == (topic, 1)
        assert chronicle.get(f"/topics/{quoted}/runs", tenant="alpha")["total"] == 1
        assert chronicle.get(f"/anomalies/topics/{quoted}", tenant="alpha")["total"] == 0


def test_a_late_report_moves_no_latest_run_back(chronicle: Chronicle) -> None:
    chronicle.keep(report([handle(latency=10.0)]))
    chronicle.keep(report([handle(latency=20.0)], begun=BEGUN - 3 * DAY))
    (topic,) = chronicle.get("/topics", tenant="alpha")["items"]
    assert topic["latest_run_at"] == "2026-10-01T12:00:00.000000Z"
    assert topic["sample_count"] == 2


def test_topics_are_filtered_with_their_total(chronicle: Chronicle) -> None:
    chronicle.keep(report([handle("a"), handle("b", transport="kafka")]))
    chronicle.keep(report([handle("c")], environment="prod", git_branch="x", begun=BEGUN + DAY))

    def names(**filters: Any) -> list[str]:
        found = chronicle.get("/topics", tenant="alpha", **filters)
        assert found["total"] == len(found["items"])
        assert all(each["sample_count"] == 1 for each in found["items"])
        return [each["topic"] for each in found["items"]]

    assert names() == ["c", "a", "b"]
    assert names(environment="ci") == ["a", "b"]
    assert names(environment="prod") == names(branch="x") == names(from_=(BEGUN + DAY).isoformat()) == ["c"]
    assert names(transport="kafka") == names(branch="main", transport="kafka") == ["b"]
    assert names(to=BEGUN.isoformat(), transport="nats") == ["a"]


def test_the_runs_of_a_topic(chronicle: Chronicle) -> None:
    first = chronicle.keep(report([handle(), handle(transport="kafka"), timed_out()]))
    second = chronicle.keep(report([handle()], begun=BEGUN + DAY, environment="prod"))
    found = chronicle.get("/topics/orders.placed/runs", tenant="alpha")
    assert [(each["run_id"], each["handle_count"]) for each in found["items"]] == [(second, 1), (first, 3)]
    assert found["limit"] == 20
    assert found["items"][1]["timeout_count"] == 1
    only = chronicle.get("/topics/orders.placed/runs", tenant="alpha", transport="kafka")
    assert [(each["run_id"], each["handle_count"]) for each in only["items"]] == [(first, 1)]


def test_tenants_are_listed_with_their_runs(chronicle: Chronicle) -> None:
    for tenant in ("alpha", "beta", "alpha"):
        chronicle.keep(report(), tenant)
    found = chronicle.get("/tenants")["items"]
    assert [(each["slug"], each["run_count"]) for each in found] == [("beta", 1), ("alpha", 2)]


BAD_QUERIES = [
    ("/runs", {}, "tenant"),
    ("/runs", {"tenant": "Alpha"}, "tenant"),
    ("/runs", {"tenant": "alpha", "limit": "0"}, "limit"),
    ("/runs", {"tenant": "alpha", "limit": "501"}, "limit"),
    ("/runs", {"tenant": "alpha", "limit": "ten"}, "limit"),
    ("/runs", {"tenant": "alpha", "limit": "9" * 5000}, "limit"),
    ("/runs", {"tenant": "alpha", "offset": "-1"}, "offset"),
    ("/runs", {"tenant": "alpha", "offset": "10001"}, "offset"),
    ("/runs", {"tenant": "alpha", "environment": "x" * 65}, "environment"),
    ("/runs", {"tenant": "alpha", "from": "2026-01-01T00:00:00"}, "from"),
    ("/runs", {"tenant": "alpha", "to": "1767225600"}, "to"),
    ("/topics/x/latency", {"tenant": "alpha", "resolution": "weekly"}, "resolution"),
    ("/topics/x/latency", {"tenant": "alpha", "from": "0000-01-01T00:00:00Z"}, "from"),
    ("/anomalies", {"tenant": "alpha", "severity": "bad"}, "severity"),
    ("/anomalies", {"tenant": "alpha", "resolved": "perhaps"}, "resolved"),
    ("/topics/" + "x" * 257 + "/runs", {"tenant": "alpha"}, "topic"),
    ("/runs/7", {}, "run_id"),
]


@pytest.mark.parametrize(("path", "query", "name"), BAD_QUERIES)
def test_a_question_that_is_wrong_is_told_so(shared: Chronicle, path: str, query: Any, name: str) -> None:
    shared.keep(report())
    answer = shared.ask(path, **query)
    assert (answer.status_code, answer.json()["error"]) == (422, "validation_error")
    assert answer.json()["detail"].startswith(name)


@pytest.mark.parametrize(
    "path", ["/runs", "/topics", "/topics/x/runs", "/anomalies", f"/runs/{NOBODY}", f"/runs/{NOBODY}/raw", "/nothing"]
)
def test_what_is_not_there_is_not_found(shared: Chronicle, path: str) -> None:
    answer = shared.ask(path, tenant="nobody")
    assert (answer.status_code, answer.json()["error"]) == (404, "http_error")


def test_other_verbs_are_not_allowed(shared: Chronicle) -> None:
    answer = shared.http.put("/api/v1/topics")
    assert (answer.status_code, answer.json()["error"]) == (405, "http_error")


@pytest.mark.thorough
def test_openapi_names_the_verbs_and_answers_that_there_are(chronicle: Chronicle) -> None:
    run = chronicle.keep(report())
    for path, verbs in chronicle.get("/openapi.json")["paths"].items():
        place = path.format(run_id=run, topic="orders.placed", issue_id="x") + "?tenant=alpha"
        allowed = chronicle.http.options(place).headers["Allow"].split(", ")
        assert {each.lower() for each in allowed} - {"head"} == set(verbs), path
        if "get" in verbs and not path.endswith("/stream"):
            answer = chronicle.http.get(f"{place}&run={run}&base=main")
            content = verbs["get"]["responses"][str(answer.status_code)]["content"]
            assert answer.headers["Content-Type"].partition(";")[0] in content, path
    pin = chronicle.get("/openapi.json")["paths"]["/api/v1/runs/{run_id}/pin"]
    assert str(chronicle.http.put(f"/api/v1/runs/{run}/pin").status_code) in pin["put"]["responses"]


def test_asking_for_the_stream_without_its_content_comes_to_an_end(chronicle: Chronicle) -> None:
    chronicle.keep(report())
    answer = chronicle.http.head("/api/v1/stream?tenant=alpha")
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, "text/event-stream")


@pytest.mark.parametrize("root", ["", "/chronicle"])
def test_a_path_with_a_slash_too_many_leads_to_the_right_one_behind_a_proxy_too(tmp_path: Path, root: str) -> None:
    with started(Settings(database=f"sqlite:///{tmp_path / 'chronicle.db'}", root=root)) as chronicle:
        answer = chronicle.http.get("/api/v1/runs/?tenant=alpha", follow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (307, f"{root}/api/v1/runs?tenant=alpha")


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_report_that_a_client_has_is_not_sent_again(chronicle: Chronicle, encoding: str) -> None:
    path = f"/api/v1/runs/{chronicle.keep(report())}/raw"
    other = f"/api/v1/runs/{chronicle.keep(report(hostname='other'))}/raw"
    tag = chronicle.http.get(path, headers={"Accept-Encoding": encoding}).headers["ETag"]
    again = chronicle.http.get(path, headers={"If-None-Match": f'"x", {tag}', "Accept-Encoding": encoding})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert chronicle.http.get(other, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize(("takes", "encoding"), [("gzip", "gzip"), ("gzip;q=0", None), ("deflate, gzip;q=0.0", None)])
def test_a_long_answer_is_gzipped_for_who_takes_that(shared: Chronicle, takes: str, encoding: str | None) -> None:
    answer = shared.http.get("/api/v1/openapi.json", headers={"Accept-Encoding": takes})
    assert answer.headers.get("Content-Encoding") == encoding


@pytest.mark.parametrize("path", ["/health", "/runs", "/nothing", "/openapi.json"])
def test_every_answer_has_its_id_and_the_security_headers(shared: Chronicle, path: str) -> None:
    answer = shared.http.get("/api/v1" + path, headers={"X-Request-ID": "abc.1"})
    assert answer.headers["X-Request-ID"] == "abc.1"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    other = shared.http.get("/api/v1" + path, headers={"X-Request-ID": "no good\x01"})
    assert len(other.headers["X-Request-ID"]) == 36


def test_a_failure_within_is_told_without_its_cause(chronicle: Chronicle, monkeypatch: pytest.MonkeyPatch) -> None:
    from choreo_bdd_chronicle.answer.views import runs

    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(runs, "list_runs", fail)
    answer = chronicle.ask("/runs", tenant="alpha")
    assert (answer.status_code, answer.json()["error"]) == (500, "internal_error")
    assert "secret" not in answer.text
    assert "X-Request-ID" in answer.headers
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_health_tells_of_the_database(shared: Chronicle) -> None:
    assert shared.get("/health") == {"status": "ok", "database": "connected"}
    assert shared.get("/health", deep="true") == {"status": "ok", "database": "connected", "tables": "current"}


def test_openapi_describes_every_path_and_parameter(chronicle: Chronicle) -> None:
    found = chronicle.get("/openapi.json")
    assert {
        "/api/v1/runs", "/api/v1/runs/{run_id}", "/api/v1/runs/{run_id}/raw", "/api/v1/runs/{run_id}/timeline",
        "/api/v1/topics", "/api/v1/topics/{topic}/latency", "/api/v1/topics/{topic}/runs", "/api/v1/anomalies",
        "/api/v1/anomalies/topics/{topic}", "/api/v1/tenants", "/api/v1/health",
    } <= set(found["paths"])  # fmt: skip
    assert "post" in found["paths"]["/api/v1/runs"]
    names = [each["name"] for each in found["paths"]["/api/v1/topics/{topic}/latency"]["get"]["parameters"]]
    assert {"topic", "tenant", "from", "to", "resolution", "environment", "branch", "transport"} == set(names)
    assert {"/api/v1/flaky", "/api/v1/failures", "/api/v1/runs/{run_id}/report"} <= set(found["paths"])
    assert "delete" in found["paths"]["/api/v1/runs/{run_id}"]
    for path, verbs in found["paths"].items():
        allowed = (200, 404, 422) if "get" in verbs else (405,)
        assert chronicle.ask(path.removeprefix("/api/v1"), tenant="alpha").status_code in allowed


def test_the_api_can_be_read_about_without_a_script(shared: Chronicle) -> None:
    answer = shared.ask("/docs")
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, "text/html")
    assert "<script" not in answer.text
    for path, verbs in shared.get("/openapi.json")["paths"].items():
        for verb, operation in verbs.items():
            told = unescape(answer.text.partition(f"{verb.upper()} {path}<")[2].partition("<h2>")[0])
            named = [operation["summary"], *(f">{each['name']}<" for each in operation["parameters"])]
            assert [each for each in named if each not in told] == [], f"{verb} {path}"
    assert "latest_p95_ms" in answer.text


@pytest.mark.parametrize("told", ["", "x", "-1", "0", "501", "1.5", "٣", "9" * 400, "\0"])
def test_a_number_that_is_none_is_refused_by_its_name(shared: Chronicle, told: str) -> None:
    shared.keep(report())
    for path in ("/runs", "/topics", "/anomalies", "/flaky", "/failures", "/budgets", "/known-issues"):
        answer = shared.ask(path, tenant="alpha", limit=told)
        assert (answer.status_code, answer.json()["faults"][0]["pointer"]) == (422, "/query/limit"), path
