"""Values that break reports: each is written, valid, and what was cut is said."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from choreo_bdd import DictFieldPolicy, Harness
from choreo_bdd.matchers import contains_fields
from choreo_bdd.transports import MockTransport
from choreo_bdd_reporter.model.tests import RecordedScenario, Run, Test
from choreo_bdd_reporter.writer import write_report

Recorded = Callable[..., RecordedScenario]
Reported = Callable[..., dict[str, Any]]


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {"bottom": True}
    for _ in range(depth):
        value = {"in": value}
    return value


class Unshowable:
    def __repr__(self) -> str:
        raise RecursionError


class Talkative:
    def __repr__(self) -> str:
        return "Client(url='amqp://guest:opensesame@h/', password='opensesame')"


def circle() -> list[Any]:
    ring: list[Any] = []
    ring.append(ring)
    return ring


HOSTILE: dict[str, Any] = {
    "deep": nested(10_000),
    "not a number": {"price": math.nan, "limit": -math.inf},
    "surrogate": {"\ud800": "\udfff half"},
    "nul": {"a\0b": "c\0d"},
    "long text": {"text": "x" * 1_000_000},
    "wide": {f"key {number}": number for number in range(50_000)},
    "huge number": {"n": 10**5000},
    "no json": {"when": Unshowable(), 5: {1, 2}, "raw": b"\xff\x00"},
    "secret repr": {"client": Talkative()},
    "itself": {"ring": circle()},
    "markup": {"</script><script>alert(1)</script>": "<!-- \u2028 \u202e -->"},
}


@pytest.fixture
def hostile(stage_result: SimpleNamespace) -> Callable[[Any], SimpleNamespace]:
    """A result that has a value everywhere a value can be."""

    def result(value: Any) -> SimpleNamespace:
        handle = stage_result.handles[0]
        failure = SimpleNamespace(kind="mismatch", path="a", expected=value, actual=value, children=())
        handle.matcher_expected, handle.last_mismatch_payload, handle.failures = value, value, (failure,)
        stage_result.timeline[0].message = SimpleNamespace(
            topic="t", transport="mqtt", payload=value, headers={}, key=None,
            partition=None, offset=None, size=1, broker_time=None,
        )  # fmt: skip
        return stage_result

    return result


@pytest.mark.thorough
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_value_is_written_and_the_report_is_valid(
    hostile: Callable[[Any], SimpleNamespace], recorded: Recorded, reported: Reported, tmp_path: Path, name: str
) -> None:
    reported(recorded(hostile(HOSTILE[name])))
    for path in (tmp_path / "out").iterdir():
        text = path.read_text("utf-8")
        assert "opensesame" not in text
        assert "\0" not in text
    assert "<script>alert(1)" not in (tmp_path / "out" / "index.html").read_text()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("deep", "<nested deeper than 64 levels>"),
        ("not a number", '"_unserialisable": true'),
        ("long text", '"_original_bytes": 1000000'),
        ("wide", '"_truncated": true'),
        ("huge number", "<int of 16610 bits>"),
        ("no json", "whose repr raised RecursionError"),
        ("itself", "<contains itself>"),
        ("secret repr", "<redacted>"),
    ],
)
def test_what_was_cut_or_replaced_is_said(
    hostile: Callable[[Any], SimpleNamespace], recorded: Recorded, reported: Reported, name: str, said: str
) -> None:
    results = reported(recorded(hostile(HOSTILE[name])))
    assert said in json.dumps(results["tests"][0]["scenarios"][0]["handles"][0]["actual"])


@pytest.mark.thorough
async def test_a_payload_of_50_megabytes_through_the_engine_is_reported_in_short(
    recorded: Recorded, reported: Reported, tmp_path: Path
) -> None:
    harness = Harness(MockTransport(), correlation=DictFieldPolicy("correlation_id"))
    await harness.connect()
    try:
        async with harness.scenario("big") as scenario:
            scenario.expect("files", contains_fields({"kind": "image"}))
            scenario.publish("files", {"kind": "video", "body": "x" * 50_000_000})
            result = await scenario.await_all(timeout_ms=5000)
    finally:
        await harness.disconnect()
    handle = reported(recorded(result))["tests"][0]["scenarios"][0]["handles"][0]
    assert handle["outcome"] == "fail"
    assert handle["actual"]["body"]["_original_bytes"] == 50_000_000
    assert sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) < 1_000_000


@pytest.mark.thorough
def test_a_report_of_more_than_ten_megabytes_is_written_in_full(
    empty_run: Run, tmp_path: Path, read_report: Callable[[Path], dict[str, Any]]
) -> None:
    noise = "line of output\n" * 4000
    tests = [
        Test(nodeid=f"t.py::{n}", file="t.py", name=str(n), outcome="passed", stdout=noise, stderr=noise)
        for n in range(100)
    ]  # fmt: skip
    write_report(empty_run, tests, tmp_path / "out")
    assert (tmp_path / "out" / "results.json").stat().st_size > 10_485_760
    assert len(read_report(tmp_path / "out")["tests"]) == 100


async def test_the_failure_shown_is_the_latest_and_agrees_with_what_arrived(
    run_scenario: Any, recorded: Recorded, reported: Reported
) -> None:
    def many_near_misses(scenario: Any) -> None:
        scenario.expect("t", contains_fields({"n": -1}))
        for number in range(30):
            scenario.publish("t", {"n": number})

    handle = reported(recorded(await run_scenario(many_near_misses)))["tests"][0]["scenarios"][0]["handles"][0]
    assert (len(handle["failures"]), handle["failures_dropped"], handle["attempts"]) == (20, 10, 30)
    assert handle["failure"] == handle["failures"][-1]
    assert handle["failure"]["actual"] == handle["actual"]["n"] == 29


def test_failed_transports_and_surprising_messages_reach_the_page(
    stage_result: SimpleNamespace, recorded: Recorded
) -> None:
    failure = SimpleNamespace(transport="queue", topic="gate.opened", reason="refused: amqp://u:opensesame@h/")
    surprise = SimpleNamespace(topic="scan", correlation_id="c", classification="unknown_scope", size=17)
    stage_result.transport_failures = (failure,) * 50
    stage_result.surprises = (surprise,) * 3
    details = recorded(stage_result).details
    assert len(details["transport_failures"]) == 20
    assert details["transport_failures"][0] == {
        "transport": "queue", "topic": "gate.opened", "reason": "refused: amqp://<redacted>@h/",
    }  # fmt: skip
    assert details["surprises"] == [{"topic": "scan", "classification": "unknown_scope", "size": 17, "count": 3}]
