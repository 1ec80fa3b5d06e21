"""What a test starts as a fork is, for all that can be seen of it, what ``python -m`` would have been."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.project import BARE, Project
from tests.support.started import python_m

pytestmark = pytest.mark.process

FEATURE = """
Feature: F
  Scenario: passed
    When I publish "a":
      | n |
      | 1 |
    Then I expect "a" where n is 1

  Scenario: failed
    Given it tells of itself
    Then I expect "b" within 10ms
"""
TELLS = """
import atexit, locale, logging, os, signal, sys, threading, time

atexit.register(lambda: print("told at exit", file=sys.__stderr__))

def tell(*more):
    print("told of", sys.argv, sys.path, os.getcwd(), os.environ["TOLD"], time.tzname, sys.flags)
    print("told of", sys.modules["__main__"].__spec__.name, sys.stdout.encoding, sys.stdout.errors, *more)
    print("told of", *(each.name for each in threading.enumerate()), logging.root.handlers)
    print("told of", locale.getlocale(), os.umask(0o22), os.listdir("/proc/self/fd"))
    print("told of", [signal.getsignal(each) for each in signal.valid_signals()])
"""
BEHAVE = """
import sys
from behave import given
from choreo_bdd_steps.adapters.behave import use_choreo
from tells import tell
use_choreo()

@given("it tells of itself")
def _(context):
    tell(sys.stdin.read())
"""
PYTEST = """
from pytest_bdd import given
from tells import tell

@given("it tells of itself")
def _():
    tell()
"""
FORMATTER = "choreo_bdd_reporter.behave_formatter:ChoreoFormatter"
RUNS = [
    ("behave", "--no-color", "-f", "plain"),
    ("behave", "--no-color", "-f", FORMATTER, "-o", "out", "-D", "choreo.profile=memory"),
    ("behave", "--no-color", "-f", "nowhere"),
    ("pytest", *BARE, "features", "-rA", "-s", "--harness-report=out"),
    ("pytest", *BARE, "features", "-k", "passed", "-Werror"),
    ("pytest", "features", "--nonsense"),
    ("choreo_bdd", "lint", "features"),
    ("choreo_bdd", "explian"),
]


@pytest.fixture
def told(tmp_path: Path) -> Project:
    made = Project(tmp_path).feature(FEATURE).file("features/steps/choreo.py", BEHAVE).file("conftest.py", PYTEST)
    return made.file("tells.py", TELLS).file("pytest.ini", "[pytest]\npythonpath = .\n").file("choreo.yaml", "{}")


def ended(project: Project, command: list[str]) -> tuple[int, list[str], list[str]]:
    """How a run ends and what it says, without what differs between any two runs."""
    done = subprocess.run(
        command, cwd=project.folder, input="sent", capture_output=True, text=True, check=False, timeout=50,
        env={**os.environ, "TOLD": "\N{SNOWMAN}", "TZ": "Asia/Tokyo"},
    )  # fmt: skip
    return done.returncode, _without_times(done.stdout), _without_times(done.stderr)


def _without_times(text: str) -> list[str]:
    return re.sub(r"\d+min|[\d.]+ ?m?s\b|0x[0-9a-f]+", "", text).splitlines()


@pytest.mark.parametrize("command", RUNS, ids=lambda command: " ".join(command[:1] + command[-1:]))
def test_it_says_and_ends_what_the_interpreter_would(told: Project, command: tuple[str, ...]) -> None:
    module, *arguments = command
    forked = ended(told, python_m(module, *arguments))
    assert forked == ended(told, [sys.executable, "-m", module, *arguments])
    assert forked[0] in (0, 1, 2, 4)
    assert forked[1] or forked[2]


def _dying(project: Project, end: str) -> Project:
    return project.file("features/environment.py", f"import os, signal, sys\ndef before_all(context):\n    {end}\n")


@pytest.mark.parametrize(
    "end",
    ["os.kill(os.getpid(), signal.SIGKILL)", "os.kill(os.getpid(), signal.SIGTERM)", "os._exit(7)", "os.abort()",
     "signal.signal(2, signal.SIG_DFL); signal.raise_signal(2)", "sys.exit('why')"],
)  # fmt: skip
def test_it_ends_as_the_interpreter_would(told: Project, end: str) -> None:
    _dying(told, end)
    assert ended(told, python_m("behave")) == ended(told, [sys.executable, "-m", "behave"])


def test_who_is_killed_ends_its_run(told: Project) -> None:
    _dying(told, "open('pid', 'w').write(f'{os.getpid()}\\n'); signal.pause()")
    with subprocess.Popen(python_m("behave"), cwd=told.folder, stdout=subprocess.PIPE) as run:
        until, pid = time.monotonic() + 50, told.folder / "pid"
        while not (pid.exists() and pid.read_text("utf-8").endswith("\n")):
            assert time.monotonic() < until
            time.sleep(0.05)
        assert os.path.exists(f"/proc/{int(pid.read_text('utf-8'))}")
        run.kill()
        run.communicate(timeout=50)  # ends when nobody holds the other end of its output
    assert run.returncode == -signal.SIGKILL


def test_an_environment_that_only_a_new_interpreter_reads_gets_one(told: Project) -> None:
    _dying(told, "print('parent', os.getppid()); sys.exit()")

    def parent(**environment: str) -> int:
        command = python_m("behave")
        done = subprocess.run(
            command, cwd=told.folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
        found = re.search(r"^parent (\d+)", done.stdout, re.MULTILINE)
        assert found, done.stdout + done.stderr
        return int(found[1])

    assert parent(TOLD="this") == parent(TOLD="that")  # the server
    assert parent(PYTHONPATH=str(told.folder)) == os.getpid()
