"""Secrets that become known late: what was written down before shows them no more than what comes after."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd.redaction import Redactor
from choreo_bdd.redaction.afterwards import meet
from choreo_bdd.redaction.masking import forget_declared_secrets
from choreo_bdd_reporter.model.tests import Attempt, Feature, GherkinScenario, RecordedScenario, Run, Step, Test
from choreo_bdd_reporter.writer import ReportWriter

SECRET = "tr0ub4dor-8842"
CARD = "4929123412341234"


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    forget_declared_secrets()


def told_of_it_before() -> Test:
    empty: dict[str, Any] = {"handles": [], "timeline": [], "timeline_dropped": 0, "replies": [], "summary_text": ""}
    of_run = {"correlation_id": None, "outcome": "fail", "duration_ms": 1.0, "completed_normally": True}
    document: Any = {"name": "logs in", **of_run, **empty}
    step = Step(keyword="When", text=f"I log in with {SECRET}", line=3, status="passed")
    return Test(
        nodeid=f"f.feature::logs in with {SECRET}",
        file="f.feature",
        name=f"logs in with {SECRET}",
        outcome="failed",
        traceback=f"expected {SECRET!r}",
        stdout=json.dumps({"note": SECRET, SECRET: int(CARD)}),
        log=base64.b64encode(f"user:{SECRET}".encode()).decode(),
        earlier=(Attempt("failed", f"no answer to {SECRET}"),),
        feature=Feature(uri="f.feature", name="F"),
        scenarios=(RecordedScenario(document=document, recording=json.dumps({"payload": {"as": f"x {SECRET}"}})),),
        gherkin=GherkinScenario(name=f"logs in with {SECRET}", keyword="Scenario", line=2, steps=(step,)),
    )


def everything(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in folder.iterdir()}


def write(run: Run, folder: Path, *tests: Test, plain: tuple[str, ...] = ()) -> dict[str, str]:
    """The files of a report whose tests were added before the secrets became known."""
    writer = ReportWriter(folder, started_at=run.started_at, describe=lambda: run.environment, plain=plain)
    for test in tests:
        writer.add(test)
    Redactor().value({"password": SECRET, "card_password": CARD})
    writer.finish(run)
    return everything(folder)


def test_what_was_written_down_before_is_hidden_in_every_file(
    empty_run: Run, tmp_path: Path, read_report: Callable[[Path], dict[str, Any]]
) -> None:
    files = write(empty_run, tmp_path / "out", told_of_it_before())
    encoded = base64.b64encode(f"user:{SECRET}".encode()).decode()
    for name, text in files.items():
        assert SECRET not in text, name
        assert CARD not in text, name
        assert encoded not in text, name
    (test,) = read_report(tmp_path / "out")["tests"]
    assert test["name"] == "logs in with <redacted>"
    assert "I log in with <redacted>" in files["messages.ndjson"]
    assert json.loads(files["recordings.jsonl"]) == {"payload": {"as": "x <redacted>"}}


def test_what_a_worker_wrote_is_hidden_though_another_had_told_of_the_secret_before_it_came(
    empty_run: Run, tmp_path: Path
) -> None:
    writer = ReportWriter(tmp_path / "out", started_at=empty_run.started_at, describe=lambda: empty_run.environment)
    meet([SECRET])
    writer.add(replace(told_of_it_before(), worker_id="gw0"))
    writer.finish(empty_run)
    assert not [name for name, text in everything(tmp_path / "out").items() if SECRET in text]


def test_what_is_wanted_plain_stays_plain(
    empty_run: Run, tmp_path: Path, read_report: Callable[[Path], dict[str, Any]]
) -> None:
    write(empty_run, tmp_path / "out", told_of_it_before(), plain=("stdout",))
    (test,) = read_report(tmp_path / "out")["tests"]
    assert SECRET in test["stdout"]
    assert SECRET not in test["traceback"]


def test_a_secret_that_is_spelled_like_a_name_of_ours_costs_no_report(
    empty_run: Run, tmp_path: Path, read_report: Callable[[Path], dict[str, Any]]
) -> None:
    writer = ReportWriter(tmp_path / "out", started_at=empty_run.started_at, describe=lambda: empty_run.environment)
    writer.add(told_of_it_before())
    Redactor().value({"password": "duration_ms"})
    writer.finish(empty_run)
    assert len(read_report(tmp_path / "out")["tests"]) == 1


@pytest.mark.process
def test_what_one_worker_has_learned_is_hidden_in_the_part_of_another(suite: Any) -> None:
    suite.pytester.makepyfile(
        f"""
        import pathlib, time
        from choreo_bdd.redaction import Redactor

        def test_first(worker_id):
            if worker_id == "gw0":
                print("the note says {SECRET}")

        def test_second(worker_id):
            if worker_id == "gw0":
                pathlib.Path("over").touch()
                return
            while not pathlib.Path("over").exists():
                time.sleep(0.02)
            Redactor().value({{"password": "{SECRET}"}})
        """
    )
    tests = suite.report("-n2", "--dist=each", in_process=False)["tests"]
    first = {test["worker_id"]: test for test in tests if test["name"] == "test_first"}
    assert first["gw0"]["stdout"] == "the note says <redacted>\n"
    assert not [name for name, text in everything(suite.path / "out").items() if SECRET in text]


@pytest.mark.process
def test_what_a_worker_had_learned_before_it_died_is_hidden_in_what_it_had_told(suite: Any) -> None:
    suite.pytester.makepyfile(
        f"""
        import os
        from choreo_bdd.redaction import Redactor

        def test_first():
            print("the note says {SECRET}")

        def test_second():
            Redactor().value({{"password": "{SECRET}"}})

        def test_third():
            os._exit(1)
        """
    )
    tests = suite.report("-n1", in_process=False)["tests"]
    assert [(test["name"], test["stdout"]) for test in tests[:1]] == [("test_first", "the note says <redacted>\n")]
    assert tests[-1]["outcome"] in ("failed", "errored")
    assert not [name for name, text in everything(suite.path / "out").items() if SECRET in text]
