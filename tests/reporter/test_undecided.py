"""What was not decided, and what failed beside the steps, is passed, skipped or missing in no output."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.outcomes import OUTCOMES, check_outcomes
from tests.support.processes import as_in_the_foreground
from tests.support.project import BARE, LOADER, Project

pytestmark = pytest.mark.process

FORMATTER = """
[tool.behave.formatters]
choreo = "choreo_bdd_reporter.behave_formatter:ChoreoFormatter"
"""
SHORT_AND_LONG = """
@timeout(40s)
Feature: f
  Scenario: short
    When I publish "a"
    Then I expect "a"

  Scenario: long
    When I publish "a"
    Then I expect "never"
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path).file("pyproject.toml", FORMATTER).file("features/steps/choreo.py", LOADER)


def outcomes_of(folder: Path) -> tuple[str, str]:
    """Of the scenarios "short" and "long"; that the other outputs tell the same is looked at after every test."""
    results = json.loads((folder / "results.json").read_text("utf-8"))
    found = {test["name"]: OUTCOMES[test["outcome"]] for test in results["tests"]}
    assert sorted(found) == ["long", "short"]
    return found["short"], found["long"]


def interrupted(project: Project, *command: str) -> float:
    """Run until the long scenario waits, then press Ctrl-C; returns how many seconds the run went on."""
    ready = project.folder / "ready"
    project.file(
        "features/environment.py",
        "import pathlib\ndef before_scenario(context, scenario):\n"
        "    if scenario.name == 'long': pathlib.Path('ready').touch()\n",
    )
    project.file(
        "conftest.py",
        "import pathlib\ndef pytest_bdd_before_scenario(scenario):\n"
        "    if scenario.name == 'long': pathlib.Path('ready').touch()\n",
    )
    with subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=project.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=as_in_the_foreground,  # noqa: PLW1509 - one call, and no thread of ours is about
    ) as run:
        until = time.monotonic() + 90
        while not ready.exists():
            assert time.monotonic() < until, "the long scenario has not begun"
            time.sleep(0.05)
        time.sleep(1)
        began = time.monotonic()
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=50)
        return time.monotonic() - began


COMMANDS = {
    "behave": ("behave", "-f", "choreo", "-o", "report"),
    "pytest": ("pytest", *BARE, "features", "--harness-report=report"),
    "xdist": ("pytest", *BARE, "features", "--harness-report=report", "-n1"),
}


@pytest.mark.parametrize("runner", COMMANDS)
def test_ctrl_c_ends_the_run_at_once_and_what_ran_then_is_not_passed(project: Project, runner: str) -> None:
    project.feature(SHORT_AND_LONG).file("choreo.yaml", "{}")
    lasted = interrupted(project, *COMMANDS[runner])
    assert lasted < 20, "the check's own timeout was waited for"
    assert outcomes_of(project.folder / "report") == ("passed", "failed")


@pytest.mark.parametrize("runner", COMMANDS)
def test_what_an_interrupted_run_did_not_come_to_is_listed_and_not_passed(project: Project, runner: str) -> None:
    more = '\n  Scenario: later\n    When I publish "a"\n    Then I expect "a"\n'
    project.feature(SHORT_AND_LONG + more).file("choreo.yaml", "{}")
    interrupted(project, *COMMANDS[runner])
    results = json.loads((project.folder / "report" / "results.json").read_text("utf-8"))
    found = {test["name"]: test for test in results["tests"]}
    assert {name: test["outcome"] for name, test in found.items()} == {
        "short": "passed",
        "long": "errored",
        "later": "errored",
    }
    assert found["later"]["traceback"] == "not run: the run was broken off before"
    assert [test["name"] for test in results["tests"]] == ["short", "long", "later"]


@pytest.mark.parametrize("options", [(), ("-n1",)], ids=["serial", "xdist"])
@pytest.mark.parametrize("place", ["step", "fixture"])
def test_a_test_that_pytest_exit_ends_is_not_passed(project: Project, place: str, options: tuple[str, ...]) -> None:
    project.file(
        "conftest.py",
        f"""
        import pytest
        from pytest_bdd import when

        @pytest.fixture(autouse=True)
        def stop(request):
            if {place!r} == "fixture" and "long" in request.node.name:
                pytest.exit("enough")

        @when("I stop")
        def stop_here():
            pytest.exit("enough")
        """,
    ).feature(SHORT_AND_LONG.replace('When I publish "a"\n    Then I expect "never"', "When I stop"))
    project.pytest("features", "--harness-report=report", *options)
    assert outcomes_of(project.folder / "report") == ("passed", "failed")


@pytest.mark.parametrize("options", [(), ("-n1",)], ids=["serial", "xdist"])
def test_tests_that_pytest_exit_left_undone_are_errored(project: Project, options: tuple[str, ...]) -> None:
    tests = "import pytest\n\ndef test_0():\n    pytest.exit('enough')\n"
    project.file("test_a.py", tests + "".join(f"\ndef test_{number}(): pass\n" for number in range(1, 20)))
    project.pytest("test_a.py", "--harness-report=report", *options)
    found = {test["name"]: test for test in project.results("report")["tests"]}
    assert len(found) == 20
    assert found["test_0"]["outcome"] == "errored"
    assert found["test_19"]["outcome"] == "errored"
    assert found["test_19"]["traceback"] == "not run: the run was broken off before"


ASKED = {
    "x": ("-x",),
    "maxfail": ("--maxfail=1",),
    "stepwise": ("--sw",),
    "xdist": ("-x", "-n1"),
}


@pytest.mark.parametrize("options", ASKED.values(), ids=ASKED)
def test_tests_that_pytest_was_asked_to_leave_are_skipped_in_its_words(
    project: Project, options: tuple[str, ...]
) -> None:
    later = "".join(f"\ndef test_{number}(): pass\n" for number in range(1, 20))
    project.file("test_a.py", f"def test_0():\n    assert 0\n{later}")
    project.pytest("test_a.py", "--harness-report=report", *options, bare=False)
    found = {test["name"]: test for test in project.results("report")["tests"]}
    assert len(found) == 20
    assert (found["test_0"]["outcome"], found["test_19"]["outcome"]) == ("failed", "skipped")
    words = "Test failed, continuing from this test next run." if "--sw" in options else "stopping after 1 failures"
    assert found["test_19"]["skip_reason"] == f"not run: {words}"


def test_tests_beside_a_file_that_cannot_be_collected_are_not_missing(project: Project) -> None:
    project.file("test_a.py", "def test_a(): pass\n").file("test_b.py", "import nowhere\n")
    project.pytest("test_a.py", "test_b.py", "--harness-report=report")
    found = {test["nodeid"]: test for test in project.results("report")["tests"]}
    assert {nodeid: test["outcome"] for nodeid, test in found.items()} == {
        "test_b.py": "errored",
        "test_a.py::test_a": "skipped",
    }
    assert found["test_a.py::test_a"]["skip_reason"] == "not run: 1 error during collection"


@pytest.mark.parametrize("exits", ["sys.exit()", "sys.exit(0)", "raise SystemExit(3)"])
@pytest.mark.parametrize("runner", ["behave", "pytest"])
def test_a_step_that_exits_fails_its_scenario_and_ends_no_run(project: Project, runner: str, exits: str) -> None:
    step = f"def leave(*_):\n    {exits}\n"
    project.file("features/steps/own.py", f"import sys\nfrom behave import when\n\n@when('I leave')\n{step}")
    project.file("conftest.py", f"import sys\nfrom pytest_bdd import when\n\n@when('I leave')\n{step}")
    project.feature(
        """
        Feature: f
          Scenario: long
            When I publish "a"
            And I leave

          Scenario: short
            When I publish "a"
            Then I expect "a"
        """
    )
    ran = getattr(project, runner)(*COMMANDS[runner][1 if runner == "behave" else 1 + len(BARE) :])
    assert ran.code == 1, ran.text
    assert outcomes_of(project.folder / "report") == ("passed", "failed")


HOOKS = {
    "step": "def after_step(context, step):\n    if context.scenario.name == 'long': assert 0\n",
    "before": "def before_scenario(context, scenario):\n    if scenario.name == 'long': assert 0\n",
    "after": "def after_scenario(context, scenario):\n    if scenario.name == 'long': assert 0\n",
    "cleanup": "def before_scenario(context, scenario):\n"
    "    if scenario.name == 'long': context.add_cleanup(lambda: 1 / 0)\n",
}
FIXTURES = {
    "before": "assert 'long' not in request.node.name\n    yield",
    "after": "yield\n    assert 'long' not in request.node.name",
}


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_of_behave_that_fails_is_seen_in_every_output(project: Project, hook: str) -> None:
    project.feature(SHORT_AND_LONG.replace('"never"', '"a"')).file("features/environment.py", HOOKS[hook])
    assert project.behave("-f", "choreo", "-o", "report").code == 1
    assert outcomes_of(project.folder / "report") == ("passed", "failed")
    assert re.search(r"AssertionError|ZeroDivisionError", project.results("report")["tests"][1]["traceback"])


def test_a_hook_of_behave_that_fails_uncaptured_is_told_as_one(project: Project) -> None:
    project.feature(SHORT_AND_LONG.replace('"never"', '"a"')).file("features/environment.py", HOOKS["cleanup"])
    project.behave("-f", "choreo", "-o", "report", "--no-capture")
    assert project.results("report")["tests"][1]["traceback"] == "a hook or a clean-up function raised"


@pytest.mark.parametrize("fixture", FIXTURES)
def test_a_fixture_of_pytest_that_fails_is_seen_in_every_output(project: Project, fixture: str) -> None:
    project.feature(SHORT_AND_LONG.replace('"never"', '"a"')).file(
        "conftest.py", f"import pytest\n\n@pytest.fixture(autouse=True)\ndef f(request):\n    {FIXTURES[fixture]}\n"
    )
    assert project.pytest("features", "--harness-report=report").code == 1
    assert outcomes_of(project.folder / "report") == ("passed", "failed")


def test_parameters_of_a_fixture_are_tests_of_their_own(project: Project) -> None:
    project.feature("""
        Feature: f
          Scenario Outline: row <x>
            When I publish "t":
              | a             |
              | {{ version }} |
            Then I expect "t" where a is <x>

            Examples:
              | x |
              | 2 |

          Scenario: plain
            When I publish "t":
              | a             |
              | {{ version }} |
            Then I expect "t" where a is 2
    """).file(
        "conftest.py",
        """
        import pytest

        @pytest.fixture(params=[1, 2], autouse=True)
        def version(request):
            return request.param

        def pytest_bdd_before_step(request, step):
            request.getfixturevalue("choreo").set_variable("version", request.getfixturevalue("version"))
        """,
    )
    project.pytest("features", "--harness-report=report")
    tests = project.results("report")["tests"]
    assert {test["nodeid"].partition("::")[2]: test["outcome"] for test in tests} == {
        "row 2 -- @1.1[1]": "failed",
        "row 2 -- @1.1[2]": "passed",
        "plain[1]": "failed",
        "plain[2]": "passed",
    }


@pytest.mark.parametrize("file", ["results.json", "index.html", "messages.ndjson"])
def test_an_output_that_tells_another_outcome_is_noticed(project: Project, file: str) -> None:
    project.feature(SHORT_AND_LONG.replace('"never"', '"a"')).behave("-f", "choreo", "-o", "report")
    path = project.folder / "report" / file
    kept = path.read_text("utf-8")
    check_outcomes(path.parent)
    path.write_text(re.sub(r'(: ?")passed"', r'\1failed"', kept).replace("PASSED", "FAILED"), "utf-8")
    with pytest.raises(AssertionError):
        check_outcomes(path.parent)
    path.write_text(kept, "utf-8")
