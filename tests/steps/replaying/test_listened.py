"""In a replay a check hears what it heard then: what went past it under its very name goes past it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd.brokers import Broker
from choreo_bdd_steps.replaying.report import replay_report
from tests.support.project import Project
from tests.support.replays import differing_replays

pytestmark = pytest.mark.process

_PAID = """\
Feature: Orders

  Scenario: Paid
    Given a service that answers "placed" with "paid"
    When I publish "placed"
    Then I expect "paid" where total is 5
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path).file(
        "choreo.yaml",
        "timeout: 150ms\nprofiles: {memory: {bus: {type: memory, correlation: {field: correlation_id}}}}\n",
    )


def _recorded(project: Project) -> tuple[dict[str, Any], dict[str, Any]]:
    """The recording of the one scenario that has failed, and its transport's part of it."""
    recording = json.loads((project.folder / "report" / "recordings.jsonl").read_text("utf-8"))
    [link] = recording["links"].values()
    return recording, link


def _judged(project: Project, recording: dict[str, Any]) -> tuple[str, int]:
    project.file("edited.jsonl", json.dumps(recording))
    return replay_report(Path("edited.jsonl"), None)


def test_what_only_a_pattern_heard_reaches_no_check_of_its_name(project: Project) -> None:
    project.feature(_PAID).pytest("features", "--harness-report=report")
    project.feature(_PAID.replace(" where total is 5", ""))
    recording, link = _recorded(project)
    assert "paid" in link["listened"]
    assert _judged(project, recording)[1] == 0
    for heard in link["heard"]:
        heard["on"] = ["*"]
    told, failed = _judged(project, recording)
    assert failed == 1
    assert "nothing arrived" in told


def test_before_it_was_listened_to_it_counts_by_its_name(project: Project) -> None:
    """The check may stand earlier in the feature now, and would hear it live."""
    project.feature(_PAID).pytest("features", "--harness-report=report")
    project.feature(_PAID.replace(" where total is 5", ""))
    recording, link = _recorded(project)
    for heard in link["heard"]:
        heard["on"] = ["*"]
    link["listened"]["paid"] = link["heard"][-1]["at"] + 1
    assert _judged(project, recording)[1] == 0


_PATTERN = """\
Feature: One message

  Scenario: Heard by its name, by its pattern and beside them
    When I publish "out.a"
    Then I expect "out.a"
    And I expect {check}
"""


@pytest.mark.parametrize(
    ("check", "passes"), [('another "out.*"', False), ('exactly 1 "out.*" message within 50ms', True)]
)
def test_what_is_heard_by_a_check_and_beside_it_on_one_pattern_comes_once(
    project: Project, check: str, *, passes: bool
) -> None:
    project.environment["CHOREO_RECORD"] = "all"
    ran = project.feature(_PATTERN.format(check=check)).pytest("features", "--harness-report=report")
    assert ("1 passed" in ran) is passes
    told, failed = replay_report(Path("report/recordings.jsonl"), None)
    assert failed == (not passes), told


@pytest.mark.broker
@pytest.mark.parametrize(
    "check",
    ['"jobs"', 'exactly 1 "jobs" message within 100ms', "in order:\n      | topic |\n      | jobs |"],
)
def test_a_channel_of_a_lists_name_is_no_list_in_a_replay(redis_broker: Broker, project: Project, check: str) -> None:
    project.file(
        "choreo.yaml",
        f"""\
        timeout: 200ms
        default_transport: bus
        profiles:
          x:
            bus: {{type: redis, url: "{redis_broker.url}", correlation: none, topics: {{jobs: {{list: true}}}}}}
            channels: {{type: redis, url: "{redis_broker.url}", correlation: none}}
        """,
    )
    project.feature(
        f"""\
Feature: Jobs
  Scenario: Queued
    When I publish "jobs" on channels
    Then I expect {check}
"""
    )
    ran = project.pytest("features", "--harness-report=report")
    assert "1 failed" in ran
    recordings = (project.folder / "report" / "recordings.jsonl").read_text("utf-8")
    assert '"on":["*"]' in recordings, "otherwise this shows nothing"
    assert differing_replays(project.folder / "report") == {}


def test_what_came_after_a_broker_took_its_time_to_answer_is_too_late_again(project: Project) -> None:
    """A live run looks for late messages from the broker's answer on, which may be long after the time ran out."""
    project.file(
        "features/environment.py",
        """\
        import asyncio

        from choreo_bdd_steps.adapters.behave import start_choreo


        async def fence(topics):
            await asyncio.sleep(0.5)


        def before_all(context):
            start_choreo(context).transport("bus").fence = fence
        """,
    )
    project.feature(_PAID.replace('with "paid"', 'with "paid" after 750ms').replace(" where total is 5", ""))
    ran = project.behave(
        *("-f", "choreo_bdd_reporter.behave_formatter:ChoreoFormatter", "-o", "report"), *("-f", "plain", "features")
    )
    assert "too late" in ran
    assert differing_replays(project.folder / "report") == {}
