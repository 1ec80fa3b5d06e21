"""Failing scenarios keep their traffic, and are judged anew on it as their feature files are now."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd.brokers import Broker
from choreo_bdd.exceptions import ChoreoError
from choreo_bdd_steps.recorded_file import RecordingError, read_recordings
from choreo_bdd_steps.replaying.report import replay_report, watch_report
from tests.support.project import LOADER, Finished, Project
from tests.support.replays import differing_replays
from tests.support.runs import ROOT
from tests.support.started import python_m

pytestmark = pytest.mark.process

_FEATURE = """\
Feature: Orders

  Scenario: Paid
    Given order_id is a unique id
    And a service that answers "placed" with "paid":
      | field | value               |
      | id    | {{ trigger.id }}    |
      | total | {{ trigger.total }} |
    When I publish "placed":
      | field | value          |
      | id    | {{ order_id }} |
      | total | 12             |
    Then I expect "paid" where total is 13 and id is "{{ order_id }}"

  Scenario: Sound
    When I publish "placed"
    Then I expect no "paid" for 20ms
"""
_HELD = """\
import asyncio, os
from pathlib import Path
import nats
from tests.support.proxy import proxy_to

async def main():
    server = os.environ["SERVER"]
    client = await nats.connect(server)
    async with proxy_to(int(server.rpartition(":")[2])) as proxy:

        async def answer(message):
            await asyncio.sleep(0.02)
            proxy.stall()
            await client.publish("told", message.data)
            await asyncio.sleep(0.25)
            proxy.resume()

        await client.subscribe("go", cb=answer)
        await client.flush()
        Path("port").write_text(str(proxy.port))
        print("ready", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""
_CONFIGURATION = """\
timeout: 150ms
profiles: {memory: {bus: {type: memory, correlation: {field: correlation_id}}}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path).file("choreo.yaml", _CONFIGURATION).feature(_FEATURE)


def _recordings(project: Project) -> list[dict[str, Any]]:
    file = project.folder / "report" / "recordings.jsonl"
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []


def test_an_expectation_is_edited_until_it_is_right(project: Project) -> None:
    project.pytest("features", "--harness-report=report")
    file = Path("report/recordings.jsonl")
    told, failed = replay_report(file, None)
    assert failed == 1
    assert "x 13: Then I expect" in told
    assert "total: expected 13, got 12" in told
    project.feature(_FEATURE.replace("total is 13", "total is 12"))
    told, failed = replay_report(file, "features/a.feature:3")
    assert failed == 0, told
    project.feature(_FEATURE.replace("total is 13", "total is 12 ").replace('"{{ order_id }}"', '"another"'))
    assert replay_report(file, "features/a.feature")[1] == 1


def test_rows_of_examples_that_look_alike_are_found_again(project: Project) -> None:
    rows = "    Examples:\n      | total |\n      | 12    |\n      | 13    |\n      | 13    |\n"
    outline = _FEATURE.replace("Scenario: Paid", "Scenario Outline: Paid").replace("total is 13", "total is <total>")
    project.feature(outline.replace("\n\n  Scenario: Sound", f"\n\n{rows}\n  Scenario: Sound"))
    project.pytest("features", "--harness-report=report")
    told, failed = replay_report(Path("report/recordings.jsonl"), None)
    assert failed == 2, told
    assert told.count("total: expected 13, got 12") == 2


_STUBBED = """\
Feature: Orders
  Background:
    Given a service that answers "placed" with "paid":
      | field | value |
      | total | 12    |

  Scenario Outline: Sum of <total> and <more>
    When I publish "placed"
    Then I expect "paid" where total is <total>

    Examples: of two
      | total | more |
      | 13    | a    |
      | 14    | b    |
      | 14    | b    |

  Rule: Of one
    Scenario: Paid
      When I publish "placed"
      Then I expect "paid" where total is 15
"""
_STUB = """\
from pytest_bdd import scenario, scenarios

scenarios("../features")


@scenario("../features/story.gherkin", "Paid")
def test_a_file_of_another_name():
    pass
"""


def test_scenarios_that_are_functions_of_python_are_found_again(project: Project) -> None:
    """A background's step stands in one line for all of them, a row's for all rows: their names tell them apart."""
    project.feature(_STUBBED).file("features/story.gherkin", _FEATURE).file("tests/test_stub.py", _STUB)
    project.pytest("tests", "--harness-report=report")
    told, failed = replay_report(Path("report/recordings.jsonl"), None)
    assert failed == 5, told
    for asked, times in ((13, 2), (14, 2), (15, 1)):  # once more in the story
        assert told.count(f"total: expected {asked}, got 12") == times, told
    project.feature("# a line more\n" + _STUBBED.replace("total is 15", "total is 12"))
    assert replay_report(Path("report/recordings.jsonl"), "features/a.feature:19")[1] == 0
    assert replay_report(Path("report/recordings.jsonl"), "features/story.gherkin")[1] == 1


@pytest.mark.parametrize("text", ["root:canary:0:0\n", "Feature: canary\n", None])
def test_of_a_file_that_is_no_feature_nothing_is_shown(project: Project, text: str | None) -> None:
    project.pytest("features", "--harness-report=report")
    file = project.folder / "report" / "recordings.jsonl"
    if text is not None:
        project.file("passwords", text)
    file.write_text(file.read_text("utf-8").replace("features/a.feature", "passwords"))
    with pytest.raises(RecordingError, match="passwords: expected the feature file of the recording") as refused:
        replay_report(file, None)
    assert "canary" not in str(refused.value)


def test_only_what_fails_is_recorded_unless_all_is_wanted(project: Project) -> None:
    project.pytest("features", "--harness-report=report")
    assert [each["nodeid"] for each in _recordings(project)] == ["features/a.feature::Paid"]
    project.environment["CHOREO_RECORD"] = "all"
    project.pytest("features", "--harness-report=report")
    outcomes = {each["nodeid"].partition("::")[2]: each["outcome"] for each in _recordings(project)}
    assert outcomes == {"Paid": "failed", "Sound": "passed"}
    del project.environment["CHOREO_RECORD"]
    project.feature(_FEATURE.replace("total is 13", "total is 12"))
    project.pytest("features", "--harness-report=report")
    assert _recordings(project) == [], "those of the run before are gone"


def test_what_the_broker_did_not_say_or_confirm_passes_in_no_replay(project: Project) -> None:
    project.environment["CHOREO_RECORD"] = "all"
    project.pytest("features", "--harness-report=report", "-kSound")
    [sound] = _recordings(project)
    [link] = sound["links"].values()
    untold = {"at": 5.1, "reason": "no answer within 5 s", "topic": "paid", "untold": True}
    link["lost"].append(untold)
    file = project.file("silent.jsonl", json.dumps(sound)).folder / "silent.jsonl"
    told, failed = replay_report(file, None)
    assert failed == 1
    assert "transport failed" in told
    assert "no answer within 5 s" in told
    link["lost"].clear()
    link["sent"][0].update(failed="not confirmed", failed_at=link["sent"][0]["at"] + 10.5)
    project.file("silent.jsonl", json.dumps(sound))
    told, failed = replay_report(file, None)
    assert failed == 1
    assert "did not confirm the message within 10 s" in told


def test_what_came_before_the_broker_had_said_that_all_had_is_counted_again(project: Project) -> None:
    """A wire that was held up hands over after the window what was sent within it: that fails, in a replay, too."""
    project.environment["CHOREO_RECORD"] = "all"
    project.pytest("features", "--harness-report=report", "-kSound")
    [sound] = _recordings(project)
    [link] = sound["links"].values()
    correlation_id = json.loads(link["sent"][0]["text"])["correlation_id"]
    paid = {"topic": "paid", "text": json.dumps({"correlation_id": correlation_id}), "on": ["paid"]}
    sent_at = link["sent"][0]["at"]
    link["heard"].append({**paid, "at": sent_at + 0.2})
    file = project.file("held.jsonl", json.dumps(sound)).folder / "held.jsonl"
    assert replay_report(file, None)[1] == 0, "after the window"
    link["fenced"] = [{"at": sent_at + 0.03, "until": sent_at + 0.21, "on": ["paid"]}]
    project.file("held.jsonl", json.dumps(sound))
    told, failed = replay_report(file, None)
    assert failed == 1
    assert "unexpected" in told
    link["fenced"] = [{"at": sent_at + 5, "until": sent_at + 5.2, "on": ["paid"]}]
    project.file("held.jsonl", json.dumps(sound))
    assert replay_report(file, None)[1] == 0, "asked much later"


@pytest.mark.broker
def test_the_same_of_a_wire_that_is_held_up(nats_broker: Broker, project: Project) -> None:
    """Under a stalled proxy the message comes after the window; the report's verdict is the replay's."""
    project.file("held.py", _HELD)
    project.file(
        "choreo.yaml",
        "timeout: 300ms\n"
        "profiles: {x: {bus: {type: nats, servers: ['${URL}'], correlation: {field: correlation_id}}}}\n",
    )
    project.feature(
        """
        Feature: Held up

          Scenario: A message that must not come
            When I publish "go"
            Then I expect no "told" for 100ms
        """
    )
    project.environment |= {"SERVER": nats_broker.url, "PYTHONPATH": str(ROOT)}
    with project.running("held.py"):
        port = (project.folder / "port").read_text()
        project.environment["URL"] = f"nats://127.0.0.1:{port}"
        ran = project.pytest("features", "--harness-report=report")
    assert "unexpected" in ran, ran.text
    told, failed = replay_report(Path("report/recordings.jsonl"), None)
    assert failed == 1, told
    assert "unexpected" in told


def ran_on_a_bus_that(told: str, project: Project, check: str) -> Finished:
    """A run of behave that publishes and checks, on a bus that has something to say of itself."""
    project.file("features/steps/choreo.py", LOADER).file(
        "features/environment.py",
        f"""\
        from choreo_bdd_steps.adapters.behave import start_choreo


        def before_all(context):
            bus = start_choreo(context).transport("bus")
            bus.{told}
        """,
    ).feature(f'Feature: F\n  Scenario: S\n    When I publish "placed"\n    Then I expect {check}\n')
    return project.behave(
        *("-f", "choreo_bdd_reporter.behave_formatter:ChoreoFormatter", "-o", "report"), *("-f", "plain", "features")
    )


def test_what_a_transport_had_to_say_of_a_topic_is_said_again(project: Project) -> None:
    ran = ran_on_a_bus_that('remark = "another consumer takes from {}".format', project, '"paid"')
    for topic in ("paid", "placed"):
        said = f"note: another consumer takes from {topic}"
        assert said in ran
        assert said in replay_report(Path("report/recordings.jsonl"), None)[0]


def test_an_absence_over_what_was_not_heard_fails_again(project: Project) -> None:
    told = 'overlooks = "what goes into the queue under {} is not heard".format'
    ran = ran_on_a_bus_that(told, project, 'no "paid.*" for 50ms')
    said = "what goes into the queue under paid.* is not heard"
    assert said in ran
    told, failed = replay_report(Path("report/recordings.jsonl"), None)
    assert failed == 1, told
    assert "transport failed" in told
    assert said in told


def test_what_a_blocked_loop_found_behind_the_end_of_a_window_counts_again(project: Project) -> None:
    project.file("features/steps/choreo.py", LOADER).file(
        "features/environment.py",
        """\
        import asyncio
        import time

        from choreo_bdd_steps.adapters.behave import start_choreo


        def before_all(context):
            session = start_choreo(context)
            bus = session.transport("bus")

            def answer(topic, payload):
                bus.publish("paid", payload)
                asyncio.get_running_loop().call_later(0.2, again, payload)

            def again(payload):
                time.sleep(0.4)  # across the end of the window, with room on both sides for a busy machine
                bus.publish("paid", payload)

            async def serve():
                bus.subscribe("placed", answer)

            session.run(serve())
        """,
    ).feature(
        "Feature: F\n  Scenario: S\n"
        '    When I publish "placed"\n    Then I expect exactly 1 "paid" message within 400ms\n'
    )
    ran = project.behave(
        *("-f", "choreo_bdd_reporter.behave_formatter:ChoreoFormatter", "-o", "report"), *("-f", "plain", "features")
    )
    assert "unexpected: 2 matching" in ran
    told, failed = replay_report(Path("report/recordings.jsonl"), None)
    assert failed == 1, told
    assert "unexpected: 2 matching" in told


def test_each_process_of_a_parallel_run_records(project: Project) -> None:
    for name in ("b", "c", "d"):
        project.feature(_FEATURE, name)
    project.pytest("features", "--harness-report=report", "-n2", "-pxdist")
    assert len(_recordings(project)) == 4
    assert replay_report(Path("report/recordings.jsonl"), None)[1] == 4


def test_two_runs_in_one_directory_keep_their_recordings_apart(project: Project) -> None:
    other = (
        "behave",
        "-f",
        "choreo_bdd_reporter.behave_formatter:ChoreoFormatter",
        "-o",
        "report",
        "features/b.feature",
    )
    project.file("features/steps/choreo.py", LOADER).feature(_FEATURE, "b")
    project.file(
        "conftest.py",
        f"""\
        import shutil
        import subprocess
        import sys

        import pytest


        @pytest.hookimpl(tryfirst=True)
        def pytest_sessionfinish(session):
            if not hasattr(session.config, "workerinput"):
                subprocess.run([sys.executable, "-m", *{other}])
                shutil.copy("report/recordings.jsonl", "between.jsonl")
        """,
    )
    project.pytest("features/a.feature", "--harness-report=report", "-n2", "-pxdist")
    assert [each["nodeid"] for each in _recordings(project)] == ["features/a.feature::Paid"]
    [between] = read_recordings(project.folder / "between.jsonl")
    assert between.nodeid == "features/b.feature::Paid"
    for shard in ("one", "two"):
        project.file(f"{shard}/results.json", (project.folder / "report/results.json").read_text("utf-8"))
    project.file("one/recordings.jsonl", (project.folder / "report/recordings.jsonl").read_text("utf-8"))
    project.file("two/recordings.jsonl", (project.folder / "between.jsonl").read_text("utf-8"))
    assert project._run("choreo_bdd", "report", "merge", "one", "two", "-o", "all").code == 0
    assert replay_report(Path("all/recordings.jsonl"), None)[1] == 2


def test_a_run_that_was_killed_has_recordings_in_its_journal(project: Project) -> None:
    kill = "import os\n\n\ndef pytest_sessionfinish():\n    os.kill(os.getpid(), 9)\n"
    project.file("conftest.py", kill).pytest("features", "--harness-report=report")
    journal = project.folder / "report" / ".partial.jsonl"
    told, failed = replay_report(journal, None)
    assert failed == 1
    assert "total: expected 13, got 12" in told
    with journal.open("ab") as file:
        file.write(b'{"test": {"nod')
    assert replay_report(journal, None)[1] == 1


def test_an_act_of_the_users_own_counts_from_when_it_did(project: Project) -> None:
    steps = (
        f"{LOADER}\nimport time\nfrom behave import when\nfrom choreo_bdd_steps import act\n"
        "\n\n@when('the shop is called')\n@act\ndef called(context):\n    time.sleep(0.2)\n"
    )
    project.file("features/steps/choreo.py", steps).feature(
        'Feature: F\n  Scenario: S\n    When the shop is called\n    Then I expect "paid" within 50ms\n'
    )
    project.behave("-f", "choreo_bdd_reporter.behave_formatter:ChoreoFormatter", "-o", "report", "features")
    recorded = _recordings(project)
    assert len(recorded) == 1, "a scenario that hears nothing is recorded, too"
    assert recorded[0]["acts"]["0"] > 0.1
    told, failed = replay_report(Path("report/recordings.jsonl"), None)
    assert failed == 1
    assert "[TIMEOUT]" in told
    assert ". 3: When the shop is called" in told


def test_what_came_before_an_act_of_ones_own_comes_before_it_again(project: Project) -> None:
    steps = (
        f"{LOADER}\nimport asyncio\nfrom behave import when\nfrom choreo_bdd_steps import act\n"
        "from choreo_bdd_steps.adapters.behave import start_choreo\n"
        "\n\n@when('a while passes')\ndef passes(context):\n    start_choreo(context).run(asyncio.sleep(0.05))\n"
        "\n\n@when('the shop is called')\n@act\ndef called(context):\n    pass\n"
    )
    project.file("features/steps/choreo.py", steps).feature(
        """\
        Feature: F
          Scenario: S
            Given a service that answers "placed" with "paid" after 20ms
            When I publish "placed"
            Then I expect no "other" for 1ms
            When a while passes
            And the shop is called
            Then I expect "paid"
        """
    )
    project.behave("-f", "choreo_bdd_reporter.behave_formatter:ChoreoFormatter", "-o", "report", "features")
    assert differing_replays(project.folder / "report") == {}
    assert replay_report(Path("report/recordings.jsonl"), None)[1] == 1


@pytest.mark.parametrize("was_owed", [False, True])
def test_an_id_of_a_scenario_before_is_told_as_in_the_run(project: Project, *, was_owed: bool) -> None:
    project.file("features/steps/choreo.py", LOADER).file(
        "features/environment.py",
        """\
        import json

        from choreo_bdd_steps.adapters.behave import start_choreo


        def before_all(context):
            bus, ids = start_choreo(context).transport("bus"), []

            def answer(topic, payload):
                ids.append(json.loads(payload)["correlation_id"])
                bus.publish(topic.replace("placed", "paid"), json.dumps({"correlation_id": ids[0]}).encode())

            bus.subscribe("placed", answer)
        """,
    ).feature(
        f"""\
        Feature: F
          Scenario: Before
            When I publish "placed"
            Then I expect "paid"{" where total is 12" if was_owed else ""}

          Scenario: Stale
            When I publish "placed"
            Then I expect "paid"
        """
    )
    ran = project.behave(
        *("-f", "choreo_bdd_reporter.behave_formatter:ChoreoFormatter", "-o", "report"), *("-f", "plain", "features")
    )
    said = "nothing arrived" if was_owed else "of a scenario before, not this scenario's"
    assert said in ran
    assert said in replay_report(Path("report/recordings.jsonl"), None)[0]


def test_an_act_goes_on_where_the_publish_before_it_was_taken_out(project: Project) -> None:
    steps = f"{LOADER}\nfrom behave import when\nfrom choreo_bdd_steps import act\n\n\n@when('all is done')\n@act\n"
    publish, act = '    When I publish "placed"\n', '    When all is done\n    Then I expect "paid"\n'
    scenario = "Feature: F\n  Scenario: S\n"
    project.file("features/steps/choreo.py", f"{steps}def done(context):\n    pass\n")
    project.feature(scenario + publish + act)
    project.behave("-f", "choreo_bdd_reporter.behave_formatter:ChoreoFormatter", "-o", "report", "features")
    project.feature(scenario + act)
    replays = python_m("choreo_bdd", "replay", "report/recordings.jsonl")
    ended = subprocess.run(replays, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "nothing arrived" in ended.stdout


def test_a_publish_that_was_not_recorded_fails_and_proves_no_absence(project: Project) -> None:
    quiet = (
        'Feature: F\n  Scenario: S\n    When I publish "a"\n    Then I expect "b"\n'
        '    When I publish "c"\n    Then I expect no "d" for 20ms\n'
    )
    project.feature(quiet)
    project.pytest("features", "--harness-report=report")
    project.feature(quiet.replace('    Then I expect "b"\n', "").replace('publish "a"', 'publish "a2"'))
    told, failed = replay_report(Path("report/recordings.jsonl"), None)
    assert failed == 1
    assert "published nothing more on 'a2'" in told


def test_why_nothing_was_published_is_said_where_the_connection_was_lost(project: Project) -> None:
    project.feature('Feature: F\n  Scenario: S\n    When I publish "a"\n    Then I expect "b"\n')
    project.pytest("features", "--harness-report=report")
    [told] = _recordings(project)
    told["links"]["bus"].update(sent=[], lost=[{"at": 0.0, "reason": "the server went away"}])
    file = project.folder / "report" / "recordings.jsonl"
    file.write_text(json.dumps(told), "utf-8")
    assert "published nothing more on 'a' (the server went away)" in replay_report(file, None)[0]


def test_what_stood_before_a_publish_and_was_taken_out_keeps_nothing_waiting(project: Project) -> None:
    both = (
        'Feature: F\n  Scenario: S\n    Given a service that answers "c" with "d"\n    When I publish "a"\n'
        '    And I publish "c"\n    Then I expect no "d" for 50ms\n'
    )
    project.feature(both)
    project.pytest("features", "--harness-report=report")
    project.feature(both.replace('    When I publish "a"\n', "").replace("And I publish", "When I publish"))
    told, failed = replay_report(Path("report/recordings.jsonl"), None)
    assert failed == 1, told
    assert "unexpected: 1 matching on 'd'" in told


def test_what_is_secret_is_not_recorded(project: Project) -> None:
    canary = "hunter2-canary-55"
    project.feature(
        f"""\
        Feature: F
          Scenario: S
            Given token is "{canary}"
            When I publish "login" as an envelope:
              '''
              headers: {{authorization: "Bearer {canary}"}}
              payload: {{user: ada, password: {canary}, note: "uses {canary}"}}
              '''
            Then I expect "welcome"
        """.replace("'''", '"""')
    )
    project.pytest("features", "--harness-report=report")
    text = (project.folder / "report" / "recordings.jsonl").read_text("utf-8")
    assert canary not in text
    assert '"user' in text.replace("\\", "")
    told, _ = replay_report(Path("report/recordings.jsonl"), None)
    assert "of the recording are masked" in told


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_what_is_secret_is_not_recorded_in_another_encoding(project: Project, encoding: str) -> None:
    """The JSON codec reads all of these; with a mark at their beginning they are no UTF-8, without one they are."""
    said = json.dumps({"user": "ada", "password": "hunter2-canary-56"}).encode(encoding)
    project.feature(
        f"""\
        Feature: F
          Scenario: S
            When I publish "login" as raw bytes:
              \"\"\"
              hex: {said.hex()}
              \"\"\"
            Then I expect "welcome"
        """
    )
    project.pytest("features", "--harness-report=report")
    [recording] = _recordings(project)
    [sent] = recording["links"]["bus"]["sent"]
    assert sent["text"] == ""
    assert recording["masked"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "this line is damaged, it is no JSON"),
        ("[]", "expected a recording of format 2, found no recording"),
        ('{"choreo_recording": 1}', "expected a recording of format 2, found a recording of format 1"),
        ('{"choreo_recording": 2}', "the recording is damaged: 'nodeid' is missing"),
        ('{"choreo_recording": true}', "expected a recording of format 2, found a recording of format True"),
        ('{"choreo_recording": 1.0}', "expected a recording of format 2, found a recording of format 1.0"),
        ('{"choreo_recording": "canary"}', "expected a recording of format 2, found no recording"),
        ('{"journal": 1, "recordings": 5}', "this line is damaged, it is none of a journal"),
        ('{"journal": 1, "recordings": [5]}', "expected a recording of format 2, found no recording"),
    ],
)
def test_a_damaged_recording_is_refused_with_its_place(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "recordings.jsonl"
    file.write_text(f"\n{line}\n")
    with pytest.raises(RecordingError, match=r"recordings\.jsonl:2") as refused:
        list(read_recordings(file))
    assert says in str(refused.value)


_OF_BUS = ("links", "bus")
_IMPOSSIBLE: tuple[tuple[tuple[str | int, ...], object, str], ...] = (
    (("outcome",), "flaky", "expected the outcome 'passed' or 'failed'"),
    (("outcome",), "PASSED", "expected the outcome"),
    (("line",), 0, "expected a number from 1 on"),
    (("masked",), -1, "expected a number from 0 on"),
    (("acts",), {"-1": 0.1}, "expected the position of a step"),
    (("acts",), {"1_0": 0.1}, "expected the position of a step"),
    (("acts",), {"1": -0.1}, "expected a time from 0 to 10,000,000 seconds, found -0.1"),
    ((*_OF_BUS, "dropped"), -5, "expected a number from 0 on"),
    ((*_OF_BUS, "capabilities", "canary"), True, "expected the capabilities of a transport, which are"),
    ((*_OF_BUS, "heard", 0, "at"), -1, "expected a time from 0 to 10,000,000 seconds, found -1"),
    ((*_OF_BUS, "heard", 0, "at"), 1e300, "found 1e+300"),
    ((*_OF_BUS, "heard", 0, "at"), 9_000_000, "found one that is earlier than the one before it"),
    ((*_OF_BUS, "heard", 0, "offset"), -1, "expected a number from 0 on"),
    ((*_OF_BUS, "heard", 0, "leftover"), 1, "expected bool, found int"),
    ((*_OF_BUS, "heard", 0, "none"), True, "expected one payload: text, base64 or none"),
    ((*_OF_BUS, "heard", 0, "base64"), "AA==", "expected one payload: text, base64 or none"),
    ((*_OF_BUS, "sent", 0, "at"), -0.5, "found -0.5"),
    ((*_OF_BUS, "sent", 0, "failed_at"), 0, "found one that failed before"),
    ((*_OF_BUS, "lost"), [{"at": -1, "reason": "canary"}], "found -1"),
    ((*_OF_BUS, "fenced"), [{"at": 2, "until": 1, "on": []}], "found an answer before"),
    ((*_OF_BUS, "listened"), {"canary": -1}, "found -1"),
)


def test_what_no_run_can_have_recorded_is_refused(project: Project) -> None:
    project.pytest("features", "--harness-report=report")
    file = project.folder / "report" / "recordings.jsonl"
    sound = file.read_text("utf-8")
    for place, value, says in _IMPOSSIBLE:
        damaged = json.loads(sound)
        holder: Any = damaged
        for part in place[:-1]:
            holder = holder[part]
        holder[place[-1]] = value
        file.write_text(json.dumps(damaged) + "\n")
        with pytest.raises(RecordingError, match=r"recordings\.jsonl:1: the recording is damaged") as refused:
            list(read_recordings(file))
        assert says in str(refused.value)
        assert "canary" not in str(refused.value)


def test_every_damage_to_a_recording_is_an_error_of_ours(project: Project) -> None:
    project.pytest("features", "--harness-report=report")
    file = project.folder / "report" / "recordings.jsonl"
    [sound] = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    for place in _places(sound):
        values: list[Any] = [None, 7, "x", [], {}, True, -1, 1e300, 10**400, float("inf"), "\ud800", "\0"]
        for value in values:
            damaged = json.loads(json.dumps(sound))
            holder = damaged
            for part in place[:-1]:
                holder = holder[part]
            holder[place[-1]] = value
            file.write_text(json.dumps(damaged) + "\n")
            with contextlib.suppress(ChoreoError):
                list(read_recordings(file))
                if len(place) == 1:
                    replay_report(file, None)


def _places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [here for key, value in inner for here in ((*path, key), *_places(value, (*path, key)))]


def test_a_scenario_without_steps_passes_in_no_replay(project: Project) -> None:
    """A typing error in its keyword makes a step a part of the scenario's description."""
    project.pytest("features", "--harness-report=report")
    project.feature("Feature: F\n\n  Scenario: Paid\n    Thn it is expected\n")
    for place in (None, "features/a.feature:3"):
        with pytest.raises(RecordingError, match=r"a\.feature:3: the scenario has no steps any more"):
            replay_report(Path("report/recordings.jsonl"), place)


def test_a_misspelt_check_is_not_passed_over(project: Project) -> None:
    project.pytest("features", "--harness-report=report")
    project.feature(_FEATURE.replace("I expect", "I expct"))
    told, failed = replay_report(Path("report/recordings.jsonl"), None)
    assert failed == 1
    assert "a.feature:13: no step is defined as 'I expct" in told
    assert "did you mean: I expect" in told


def test_a_step_that_nobody_defines_is_said_to_be_undefined(project: Project) -> None:
    """Steps of an installed package are not seen, so it is no failure of the replay."""
    project.pytest("features", "--harness-report=report")
    edited = _FEATURE.replace("total is 13", "total is 12").replace(
        "    When", "    And the mill is running\n    When", 1
    )
    project.feature(edited)
    told, failed = replay_report(Path("report/recordings.jsonl"), None)
    assert failed == 0
    assert "a.feature:9: no step of the project" in told
    (project.folder / "features" / "conftest.py").write_text(
        'from pytest_bdd import given\n\n\n@given("the mill is running")\ndef mill() -> None: ...\n', "utf-8"
    )
    assert "is defined so" not in replay_report(Path("report/recordings.jsonl"), None)[0]


_DAWDLING = """\
Feature: Orders
  Background:
    Given a service that answers "placed" with "paid" after 120ms
    When I publish "placed"
    And I dawdle

  Scenario: Watched from its step
    Then I expect no "paid" for 60ms
"""


@pytest.mark.parametrize("edited", [_DAWDLING, _DAWDLING.replace("60ms", "70ms")])
def test_what_came_before_a_step_was_reached_comes_before_it_again(project: Project, edited: str) -> None:
    """A step of the user's own takes no time in a replay, and a publish that a broker confirms late takes less."""
    dawdle = "import time\nfrom pytest_bdd import step\n\n\n@step('I dawdle')\ndef dawdle():\n    time.sleep(0.2)\n"
    project.feature(_DAWDLING).file("features/conftest.py", dawdle)
    project.pytest("features", "--harness-report=report")
    project.feature(edited)
    recordings = project.folder / "report" / "recordings.jsonl"
    recording = json.loads(recordings.read_text("utf-8"))
    for link in recording["links"].values():
        del link["fenced"]  # a broker that was not asked, as one message too many was there before
    recordings.write_text(json.dumps(recording), "utf-8")
    told, failed = replay_report(Path("report/recordings.jsonl"), None)
    assert failed == 1, told
    assert "unexpected: 1 matching on 'paid', wanted none" in told


def test_watching_goes_on_whatever_is_being_written(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.pytest("features", "--harness-report=report")
    recordings = project.folder / "report" / "recordings.jsonl"
    kept = recordings.read_text("utf-8")
    edits: list[Callable[[], object]] = [
        lambda: project.feature("Feature: F\n  Scenario: Paid\n    Given what\n      | a |\n      | b | c |\n"),
        recordings.unlink,
        lambda: (recordings.write_text(kept, "utf-8"), project.feature(_FEATURE.replace("total is 13", "total is 12"))),
    ]
    said: list[str] = []

    def edit(_: float) -> None:
        if not edits:
            raise KeyboardInterrupt
        edits.pop(0)()

    monkeypatch.setattr("choreo_bdd_steps.replaying.report.time.sleep", edit)
    with pytest.raises(KeyboardInterrupt):
        watch_report(Path("report/recordings.jsonl"), "features/a.feature:3", said.append)
    assert ["1 fail" in said[0], "is not a feature file" in said[1]] == [True, True], said
    assert "cannot be read" in said[2]
    assert "1 pass, 0 fail" in said[3]


def test_a_scenario_that_is_gone_is_said(project: Project) -> None:
    project.pytest("features", "--harness-report=report")
    project.feature('Feature: F\n  Scenario: Another\n    When I publish "a"\n')
    with pytest.raises(RecordingError, match="there is no scenario 'Paid' any more"):
        replay_report(Path("report/recordings.jsonl"), None)


@pytest.mark.parametrize("text", ["", "\n\n", '{"journal": 1}\n'])
def test_a_file_without_a_recording_is_an_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "recordings.jsonl"
    file.write_text(text)
    with pytest.raises(RecordingError, match=r"recordings\.jsonl holds no recording.* CHOREO_RECORD=all"):
        replay_report(file, None)
