"""A report sent is kept whole, or refused with the place that is wrong, and nothing between."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from choreo_bdd_chronicle.settings import Settings
from tests.chronicle.conftest import Chronicle, started
from tests.chronicle.reports import body, event, handle, one_test, report, scenario, timed_out


def test_a_report_is_kept_and_counted(chronicle: Chronicle) -> None:
    answer = chronicle.post(report([handle(), handle("orders.paid")]))
    assert answer.status_code == 201
    found = answer.json()
    assert (found["duplicate"], found["handles_ingested"], found["scenarios_ingested"]) == (False, 2, 1)
    assert found["warnings"] == []
    (run,) = chronicle.get("/runs", tenant="alpha")["items"]
    assert run["id"] == found["run_id"]


@pytest.mark.parametrize(
    ("takes", "encoding"),
    [("identity", "identity"), ("gzip", "gzip"), ("br, gzip;q=0.5", "gzip"), ("br, GZIP; q=0.000, *", "identity")],
)
def test_the_raw_report_comes_back_byte_for_byte(chronicle: Chronicle, takes: str, encoding: str) -> None:
    sent = b'  {"a\\u0000": 1.50, "a\\u0000": 2,' + body(report())[1:] + b"\n\n"
    run = chronicle.keep(sent)
    answer = chronicle.http.get(f"/api/v1/runs/{run}/raw", headers={"Accept-Encoding": takes})
    assert answer.content == sent
    assert answer.headers.get("Content-Encoding", "identity") == encoding


def test_a_gzipped_report_is_the_same_report(chronicle: Chronicle) -> None:
    sent = body(report())
    run = chronicle.keep(gzip.compress(sent), Content_Encoding="gzip")
    assert chronicle.ask(f"/runs/{run}/raw").content == sent


def test_gzip_may_be_made_of_parts(chronicle: Chronicle) -> None:
    sent = body(report())
    run = chronicle.keep(
        gzip.compress(sent[:99]) + gzip.compress(b"") + gzip.compress(sent[99:]), Content_Encoding="gzip"
    )
    assert chronicle.ask(f"/runs/{run}/raw").content == sent


def test_one_key_is_one_run_for_its_tenant(chronicle: Chronicle) -> None:
    first = chronicle.keep(report(), Idempotency_Key="build 7")
    again = chronicle.post(report(), Idempotency_Key="build 7").json()
    assert again == {
        "run_id": first, "duplicate": True, "handles_ingested": 0, "scenarios_ingested": 0, "warning": None,
        "warnings": [],
    }  # fmt: skip
    other = chronicle.post(report(), "beta", Idempotency_Key="build 7").json()
    assert other["duplicate"] is False
    assert other["run_id"] != first
    assert chronicle.get("/runs", tenant="alpha")["total"] == 1


def test_a_key_used_for_another_report_is_told(chronicle: Chronicle) -> None:
    first = chronicle.keep(report(), Idempotency_Key="7")
    answer = chronicle.post(report(project_name="other"), Idempotency_Key="7").json()
    assert answer["run_id"] == first
    assert "another report" in answer["warnings"][0]


def test_without_a_key_alike_reports_are_separate_runs(chronicle: Chronicle) -> None:
    assert chronicle.keep(report()) != chronicle.keep(report())
    assert chronicle.get("/runs", tenant="alpha")["total"] == 2


def test_a_report_of_long_ago_is_told_to_be_late(chronicle: Chronicle) -> None:
    now = datetime.now(UTC)
    assert chronicle.post(report(begun=now - timedelta(hours=23))).json()["warning"] is None
    assert "2d 1h" in chronicle.post(report(begun=now - timedelta(days=2, hours=1, minutes=1))).json()["warning"]
    assert chronicle.post(report(begun=now + timedelta(days=2))).json()["warning"] is None


@pytest.mark.parametrize("version", ["1", "1.0", "1.1", "1.2", "1.3"])
def test_every_version_is_taken(chronicle: Chronicle, version: str) -> None:
    document = report()
    document["schema_version"] = version
    document["tests"][0]["scenarios"][0]["handles"][0].pop("transport")
    answer = chronicle.post(document)
    assert answer.status_code == 201, answer.text
    assert answer.json()["warnings"] == []


@pytest.mark.parametrize("version", ["1.4", "1.9"])
def test_a_newer_version_is_taken_with_a_word_about_what_is_new(chronicle: Chronicle, version: str) -> None:
    document = report(weather="fine")
    document["schema_version"] = version
    document["tests"][0]["scenarios"][0]["timeline"][0]["action"] = "vanished"
    answer = chronicle.post(document).json()
    newer, *new = answer["warnings"]
    assert newer.startswith("/schema_version: the report's schema is newer than 1.3, the latest that this server knows")
    assert newer.endswith("update choreo-bdd where the server runs")
    assert any("weather" in warning and warning.startswith("/run") for warning in new)
    assert any(warning.startswith("/tests/0/scenarios/0/timeline/0/action") for warning in answer["warnings"])


def test_a_newer_version_is_told_of_also_where_nothing_or_too_much_is_new_in_it(chronicle: Chronicle) -> None:
    document = report() | {"schema_version": "1.4"}
    (newer,) = chronicle.post(document).json()["warnings"]
    assert newer.startswith("/schema_version: the report's schema is newer than 1.3")
    document["run"]["totals"]["passed"] = "all"
    refused = chronicle.post(document)
    assert refused.status_code == 422
    told = (
        "newer than 1.3, the latest that this server knows, which may be why; update choreo-bdd where the server runs"
    )
    assert told in refused.json()["detail"]
    beyond = chronicle.post(report() | {"schema_version": "2"}).json()["detail"]
    assert beyond.endswith("for a later one, update choreo-bdd where the server runs")


def test_unknown_keys_of_a_known_version_are_told_and_kept(chronicle: Chronicle) -> None:
    document = report([handle(colour="red")])
    answer = chronicle.post(document)
    assert answer.status_code == 201
    (warning,) = answer.json()["warnings"]
    assert warning.startswith("/tests/0/scenarios/0/handles/0: ")
    assert "colour" in warning


def _changed(*path: Any, to: Any) -> bytes:
    document: Any = report()
    place = document
    for part in path[:-1]:
        place = place[part]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return body(document)


def _with_events(*moments: str) -> bytes:
    timeline = [event() | {"wall_clock": moment} for moment in moments]
    return body(report(tests=[one_test([scenario([handle()], timeline=timeline)])]))


def _first(*path: Any, to: Any) -> bytes:
    """A report of version 1, which knows no transport of a handle."""
    return body(json.loads(_changed(*path, to=to)) | {"schema_version": "1"})


def _newer(**changes: Any) -> bytes:
    document = report(tests=[one_test([scenario([handle()], timeline=[event() | changes])])])
    return body(document | {"schema_version": "1.4"})


HANDLE = ("tests", 0, "scenarios", 0, "handles", 0)
EVENT = ("tests", 0, "scenarios", 0, "timeline", 0)
REFUSED = {
    "version 2": (_changed("schema_version", to="2"), "/schema_version"),
    "version 10": (_changed("schema_version", to="10"), "/schema_version"),
    "version 1abc": (_changed("schema_version", to="1abc"), "/schema_version"),
    "version 1.10": (_changed("schema_version", to="1.10"), "/schema_version"),
    "a number as version": (_changed("schema_version", to=1.3), "/schema_version"),
    "no version": (_changed("schema_version", to=None), "/schema_version"),
    "no run": (_changed("run", to=None), ""),
    "tests no array": (_changed("tests", to={}), "/tests"),
    "no totals": (_changed("run", "totals", to=None), "/run"),
    "a total below zero": (_changed("run", "totals", "passed", to=-1), "/run/totals/passed"),
    "a total beyond 64 bits": (_changed("run", "totals", "passed", to=2**63), "/run/totals/passed"),
    "a text as a total": (_changed("run", "totals", "passed", to="1"), "/run/totals/passed"),
    "begun without offset": (_changed("run", "started_at", to="2026-01-01T00:00:00"), "/run/started_at"),
    "begun on no day": (_changed("run", "started_at", to="2026-02-30T00:00:00Z"), "/run/started_at"),
    "begun in a leap second": (_changed("run", "started_at", to="2026-02-03T23:59:60Z"), "/run/started_at"),
    "begun in the year 0": (_changed("run", "started_at", to="0000-02-03T23:59:50Z"), "/run/started_at"),
    "no moment at all": (_changed("run", "finished_at", to="yesterday"), "/run/finished_at"),
    "a negative latency": (_changed(*HANDLE, "latency_ms", to=-0.1), "/tests/0/scenarios/0/handles/0/latency_ms"),
    "a latency in words": (_changed(*HANDLE, "latency_ms", to="10"), "/tests/0/scenarios/0/handles/0/latency_ms"),
    "a latency beyond 64 bits": (
        _changed(*HANDLE, "latency_ms", to=10**30), "/tests/0/scenarios/0/handles/0/latency_ms",
    ),
    "attempts beyond 64 bits": (_changed(*HANDLE, "attempts", to=2**70), "/tests/0/scenarios/0/handles/0/attempts"),
    "an unknown outcome": (_changed(*HANDLE, "outcome", to="ok"), "/tests/0/scenarios/0/handles/0/outcome"),
    "no topic": (_changed(*HANDLE, "topic", to=None), "/tests/0/scenarios/0/handles/0"),
    "an event without its moment": (_changed(*EVENT, "wall_clock", to=None), "/tests/0/scenarios/0/timeline/0"),
    "an event in a leap second": (
        _changed(*EVENT, "wall_clock", to="2026-02-03T23:59:60Z"), "/tests/0/scenarios/0/timeline/0/wall_clock",
    ),
    "an event in a leap second of a day that exists": (
        _with_events("2026-02-03T00:00:00Z", "2026-02-03T23:59:60Z"), "/tests/0/scenarios/0/timeline/1/wall_clock",
    ),
    "an event at the end of time, after one at the begin of its day": (
        _with_events("9999-12-30T00:00:00Z", "9999-12-30T00:00:01Z"), "/tests/0/scenarios/0/timeline/1/wall_clock",
    ),
    "a list for what only later versions know": (
        _first(*HANDLE, "transport", to=[]), "/tests/0/scenarios/0/handles/0/transport",
    ),
    "a number for what only later versions know": (_first("run", "transports", to=1), "/run/transports"),
    "a list for a word that newer versions may add to": (
        _newer(action=["published"]), "/tests/0/scenarios/0/timeline/0/action",
    ),
    "a stage's handle without transport": (
        body(report(tests=[one_test([scenario(
            [handle(), handle(transport=None)],
            stage={"bridge_class": "B", "transports": ["nats"], "correlation_ids": {}},
        )])])), "/tests/0/scenarios/0/handles/1/transport",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_names_the_place_and_keeps_nothing(shared: Chronicle, case: str) -> None:
    sent, pointer = REFUSED[case]
    answer = shared.post(sent)
    assert answer.status_code == 422
    found = answer.json()
    assert found["error"] == "report_validation_error"
    assert pointer in [fault["pointer"] for fault in found["faults"]]
    assert found["detail"]
    assert shared.get("/tenants")["total"] == 0


NO_JSON = {
    "nothing": b"",
    "no JSON": b"{nonsense",
    "more after it": body(report()) + b"x",
    "NaN": body(report()).replace(b"12.5", b"NaN"),
    "Infinity": body(report()).replace(b"12.5", b"-Infinity"),
    "a number beyond every double": body(report()).replace(b"12.5", b"1e999"),
    "bytes that are no text": body(report()).replace(b"runner", b"\xff\xfe"),
    "nested too deep": b"[" * 5000 + b"]" * 5000,
    "nested a little too deep": body(report()).replace(b'{"id": 1}', b"[" * 201 + b"]" * 201),
}


@pytest.mark.parametrize("case", NO_JSON)
def test_what_is_no_json_is_refused(shared: Chronicle, case: str) -> None:
    answer = shared.post(NO_JSON[case])
    assert (answer.status_code, answer.json()["error"]) == (422, "validation_error")
    assert shared.get("/tenants")["total"] == 0


def test_what_was_sent_is_not_echoed(shared: Chronicle) -> None:
    answer = shared.post(report(duration_ms="hunter2"))
    assert answer.status_code == 422
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("text", ["a\x00b", "half a pair: \ud800", "the other half: \udfff\\", "whole: \U0001f600"])
def test_odd_characters_lose_no_report(chronicle: Chronicle, text: str) -> None:
    document = report([handle("topic " + text)], project_name=text, environment=text)
    document["tests"][0]["stdout"] = text
    sent = body(document)
    run = chronicle.keep(sent)
    assert chronicle.ask(f"/runs/{run}/raw").content == sent
    (topic,) = chronicle.get("/topics", tenant="alpha")["items"]
    assert topic["topic"].startswith("topic ")
    assert chronicle.get(f"/runs/{run}/timeline")["total"] == 1


LONG = "".join(hashlib.sha512(str(number).encode()).hexdigest() for number in range(80))
"""No database makes it much shorter."""


@pytest.mark.parametrize(
    ("name", "most"), [("environment", 64), ("git_branch", 256), ("transport", 64), ("topic", 256), ("hostname", None)]
)
def test_a_name_too_long_to_be_asked_for_loses_no_report(chronicle: Chronicle, name: str, most: int | None) -> None:
    for text in (LONG, LONG + "x"):
        one = timed_out(text if name == "topic" else "orders.placed", transport=None)
        document = report([one])
        if name != "topic":
            document["run"][name] = text
        chronicle.keep(document)
    if most is None:
        return
    parameter = {"git_branch": "branch"}.get(name, name)
    items = chronicle.get("/topics" if name == "topic" else "/runs", tenant="alpha")["items"]
    shown = {each[parameter] for each in items}
    assert len(shown) == 2
    assert {len(each) for each in shown} == {most}
    assert all(each.startswith(LONG[:40]) for each in shown)
    for each in shown:
        path = f"/topics/{each}/runs" if name == "topic" else "/runs"
        assert chronicle.get(path, tenant="alpha", **({} if name == "topic" else {parameter: each}))["total"] == 1
    causes = {each["topic"] for each in chronicle.get("/failures", tenant="alpha")["items"]}
    assert causes == (shown if name == "topic" else {"orders.placed"})


def test_a_key_may_be_of_any_length(chronicle: Chronicle) -> None:
    first, second = (chronicle.keep(report(), Idempotency_Key=LONG + end) for end in "ab")
    assert first != second
    assert chronicle.keep(report(), Idempotency_Key=LONG + "a") == first


def test_half_a_pair_in_plain_bytes_loses_no_report(chronicle: Chronicle) -> None:
    sent = body(report()).replace(b"runner", "run\ud800ner".encode("utf-8", "surrogatepass"))
    assert chronicle.ask(f"/runs/{chronicle.keep(sent)}/raw").content == sent


@pytest.mark.parametrize("tenant", ["", "a", "-ab", "ab-", "a_b", "a b", "x" * 65, "ä" * 3])
def test_a_tenant_needs_a_sound_name(shared: Chronicle, tenant: str) -> None:
    answer = shared.http.post("/api/v1/runs", content=body(report()), headers={b"X-Chronicle-Tenant": tenant.encode()})
    assert answer.status_code == 422
    assert "X-Chronicle-Tenant" in answer.json()["detail"]
    assert shared.get("/tenants")["total"] == 0


def test_a_tenant_is_read_in_lower_case(chronicle: Chronicle) -> None:
    chronicle.keep(report(), "Alpha-1")
    assert chronicle.get("/runs", tenant="alpha-1")["total"] == 1


BAD_ENCODINGS = {
    "no gzip": (b"{}", "gzip", 400),
    "cut off": (gzip.compress(body(report()))[:-9], "gzip", 400),
    "goes on": (gzip.compress(body(report())) + b"more", "gzip", 400),
    "damaged": (gzip.compress(b"x" * 500)[:-6] + b"123456", "gzip", 400),
    "second cut off": (gzip.compress(b"{") + gzip.compress(b"}")[:-1], "gzip", 400),
    "unknown": (body(report()), "br", 415),
}


@pytest.mark.parametrize("case", BAD_ENCODINGS)
def test_a_body_that_cannot_be_decoded_is_refused(shared: Chronicle, case: str) -> None:
    content, encoding, status = BAD_ENCODINGS[case]
    answer = shared.post(content, Content_Encoding=encoding)
    assert (answer.status_code, answer.json()["error"]) == (status, "http_error")
    assert shared.get("/tenants")["total"] == 0


def test_a_report_larger_than_allowed_is_refused_however_small_it_is_packed(database: str) -> None:
    sent = body(report())
    with started(Settings(database=database, body_max=len(sent))) as chronicle:
        assert chronicle.post(sent).status_code == 201
        assert chronicle.post(sent + b" ").status_code == 413
        bomb = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        packed = b"".join([*(bomb.compress(b" " * 1_000_000) for _ in range(30)), bomb.flush()])
        answer = chronicle.post(packed, Content_Encoding="gzip")
        assert answer.status_code == 413
        assert str(len(sent)) in answer.json()["detail"]


def test_nesting_up_to_the_bound_is_taken_whatever_stands_in_texts(chronicle: Chronicle) -> None:
    deep = b"[" * 150 + b'"]]}\\"[[[[{{\\\\"' + b"]" * 150
    chronicle.keep(body(report([handle(reason='[[{"\\')])).replace(b'{"id": 1}', deep))
