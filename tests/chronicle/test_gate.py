"""A run beside its base, and what the gate makes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd_chronicle.client.gate import Verdict, as_annotations, as_markdown, judge
from choreo_bdd_chronicle.client.sending import UnreachableError
from choreo_bdd_chronicle.commands import commands
from tests.chronicle.conftest import Chronicle
from tests.chronicle.reports import BEGUN, body, handle, one_test, report, scenario
from tests.support.command_line import CliRunner

TOPICS = ("a", "b", "c", "d", "e")
BASE_WOBBLE = (1.0, 1.02, 0.99, 1.01, 0.98)


def run(
    number: int,
    factor: float = 1.0,
    slow: float = 1.0,
    *,
    outcome: str = "passed",
    branch: str = "main",
    times: int = 1,
) -> bytes:
    """A run in which every topic has the factor, and topic a another one beside, in so many scenarios."""
    handles = [handle(topic, 20.0 * factor * (slow if topic == "a" else 1.0)) for topic in TOPICS]
    test = one_test([scenario(handles)] * times) | {"outcome": outcome}
    return body(report(begun=BEGUN + timedelta(hours=number), tests=[test], git_branch=branch))


def based(chronicle: Chronicle) -> None:
    for number, wobble in enumerate(BASE_WOBBLE):
        chronicle.keep(run(number, wobble))


def judged(chronicle: Chronicle, content: bytes, baseline: str = "main") -> Verdict:
    chronicle.keep(content)

    def ask(path: str, query: Mapping[str, str]) -> Any:
        return chronicle.get(path, tenant="alpha", **query)

    return judge(content, ask, baseline=baseline, max_regression=20)


def test_a_topic_that_became_slower_stops_the_run(chronicle: Chronicle) -> None:
    based(chronicle)
    verdict = judged(chronicle, run(10, slow=2.0, branch="mine"))
    assert verdict.exit_code == 1
    (slower,) = verdict.slower
    assert slower.startswith("a on nats: 20.0 ms -> 40.0 ms, +100 % (at most 20 %)")


def test_what_is_refused_reads_as_more_than_is_allowed(chronicle: Chronicle) -> None:
    based(chronicle)
    (slower,) = judged(chronicle, run(10, slow=1.204, branch="mine")).slower
    assert "+20.4 % (at most 20 %)" in slower


def test_all_topics_slower_together_is_told_once(chronicle: Chronicle) -> None:
    based(chronicle)
    (slower,) = judged(chronicle, run(10, factor=2.0, branch="mine")).slower
    assert slower.startswith("all topics together: +100 %")


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.1])
def test_a_run_within_bounds_may_go_on(chronicle: Chronicle, factor: float) -> None:
    based(chronicle)
    assert judged(chronicle, run(10, factor=factor, branch="mine")).exit_code == 0


def test_one_slow_run_of_a_base_that_varies_is_not_judged_slower(chronicle: Chronicle) -> None:
    for number, slow in enumerate((0.5, 1.6, 0.7, 1.4, 1.0)):
        chronicle.keep(run(number, slow=slow))
    verdict = judged(chronicle, run(10, slow=1.7, branch="mine"))
    assert (verdict.exit_code, len(verdict.notes)) == (0, 1)


def test_a_new_failure_stops_the_run_unless_it_is_muted(chronicle: Chronicle) -> None:
    based(chronicle)
    verdict = judged(chronicle, run(10, outcome="failed", branch="mine"))
    assert (verdict.exit_code, len(verdict.failures)) == (1, 1)
    (flaky,) = chronicle.get("/flaky", tenant="alpha", condition="flaky")["items"]
    said = {"state": "muted", "owner": "ann", "reason": "known"}
    chronicle.http.put(f"/api/v1/flaky/{flaky['id']}/state?tenant=alpha", json=said)
    verdict = judged(chronicle, run(11, outcome="failed", branch="mine"))
    assert (verdict.exit_code, verdict.failures, len(verdict.quarantined)) == (0, (), 1)


def test_without_a_base_every_failure_is_new(chronicle: Chronicle) -> None:
    verdict = judged(chronicle, run(0, outcome="failed"), baseline="nowhere")
    assert (verdict.exit_code, len(verdict.failures)) == (1, 1)
    assert any("no run of nowhere" in note for note in verdict.notes)


def test_two_runs_are_compared_test_by_test(chronicle: Chronicle) -> None:
    old, new = chronicle.keep(run(0, times=5)), chronicle.keep(run(1, slow=3.0, outcome="failed", times=5))
    found = chronicle.get("/compare", tenant="alpha", run=new, base_run=old)
    assert (len(found["new_failures"]), found["base_run_ids"]) == (1, [old])
    (hop,) = found["hops"]
    assert (hop["topic"], hop["change_pct"], hop["old_messages"], hop["new_messages"]) == ("a", 200.0, 5, 5)
    assert chronicle.ask("/compare", tenant="alpha", run=new).status_code == 422
    assert chronicle.ask("/compare", tenant="alpha", base="main").status_code == 422
    chronicle.keep(run(5), tenant="beta")
    assert chronicle.ask("/compare", tenant="beta", run=new, base_run=old).status_code == 404


@pytest.mark.parametrize(("outcome", "code"), [("failed", 1), ("passed", 2)])
def test_without_the_server_nothing_is_quarantined(outcome: str, code: int) -> None:
    def away(_path: str, _query: Mapping[str, str]) -> Any:
        raise UnreachableError("connection refused")

    verdict = judge(run(0, outcome=outcome), away, baseline="main", max_regression=20)
    assert verdict.exit_code == code
    assert "nothing is quarantined" in as_markdown(verdict)


def test_annotations_stay_on_their_lines() -> None:
    told = as_annotations(Verdict(failures=("a\n::error::b 5%",), quarantined=("c",)))
    assert told.splitlines() == [
        "::error title=New failure::a\\n:\\x3aerror::b 5%25",
        "::warning title=Quarantined::c",
    ]


def test_the_command_tells_and_ends_as_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    file = tmp_path / "results.json"
    file.write_bytes(run(0, outcome="failed"))
    gate = ["chronicle", "gate", str(tmp_path), "--url", "http://127.0.0.1:9"]
    done = CliRunner().invoke(commands, [*gate, "--format", "github"])
    assert (done.exit_code, done.output.startswith("::error title=New failure::")) == (1, True)
    assert "Chronicle gate: failed" in (tmp_path / "summary.md").read_text()
    assert CliRunner().invoke(commands, [*gate, "--max-regression", "much"]).exit_code == 2
    file.write_text(json.dumps([]))
    assert CliRunner().invoke(commands, gate).exit_code == 2
