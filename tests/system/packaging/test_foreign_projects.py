"""Installing the library changes nothing in a project that does not use it: same outcomes, counts and warnings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.collection import BAR, INSTALLED, plain_tests, taken
from tests.support.processes import FOREIGN

pytestmark = pytest.mark.process

OURS = ("-pno:choreo_bdd", "-pno:choreo_bdd_steps")
FEATURE = """\
Feature: Baskets
  Scenario: One apple
    Given a basket with 1 apple
    When I publish "apples"
    Then it holds 1 apple
  @wip
  Scenario: Two apples
    Given a basket with 2 apples
    Then it holds 3 apples
  Scenario Outline: Many
    Given a basket with <n> apples
    Then I expect "apples"
    Examples:
      | n |
      | 3 |
      | 4 |
"""
STEPS = """\
BASKET = {}
@given(%(one)s)
@given(%(some)s)
def basket(%(context)sn): BASKET['n'] = int(n)
@when('I publish "apples"')
def publish(%(only)s): pass
@then('I expect "apples"')
def expect(%(only)s): assert BASKET['n'] > 3
@then(%(holds_one)s)
@then(%(holds)s)
def holds(%(context)sn): assert BASKET['n'] == int(n)
"""
PLAIN = """\
import logging, warnings
import pytest

def test_a(): pass
def test_b(): assert 1 == 2
@pytest.mark.skip(reason="later")
def test_c(): pass
@pytest.mark.xfail(strict=True)
def test_d(): assert 0
@pytest.mark.parametrize("n", range(3))
def test_e(n, capsys):
    print(n)
    assert capsys.readouterr().out == f"{n}\\n"
def test_f(caplog):
    logging.getLogger("a").warning("w")
    assert caplog.messages == ["w"]
def test_g(recwarn):
    warnings.warn("w")
    assert len(recwarn) == 1
class TestH:
    def test_i(self, tmp_path, monkeypatch): monkeypatch.chdir(tmp_path)
async def nothing(): pass
"""

TAGGED = """\
@bus(nats,kafka)
Feature: Rides
  @timeout(5s)
  Scenario: One ride
    Given a bus
    When I ride
  @slow(very)
  Scenario Outline: Some rides
    Given a bus
    When I ride
    Examples:
      | n |
      | 1 |
      | 2 |
  Scenario: A coroutine
    Given a bus of tomorrow
    When I ride
  Scenario: A step that is nearly one of ours
    Given a bus
    When I publish "x" to the moon
"""
RIDES = """\
import logging, threading
import pytest
from pytest_bdd import given, when, scenarios
scenarios("features")

@given("a bus", target_fixture="tags")
def tags(request): return {mark.name for mark in request.node.iter_markers()}
@given("a bus of tomorrow")
async def tomorrow(): pass
@when("I ride")
def ride(request):
    logging.getLogger("redis").info("heard")
    print(sorted(mark.name for mark in request.node.iter_markers()), threading.active_count())
@pytest.mark.choreo("waltz", pair=2)
def test_dance(): pass
"""
RIDES_CONFTEST = """\
import pytest

def pytest_addoption(parser):
    parser.addoption("--chronicle", action="store_true")
def pytest_bdd_apply_tag(tag, function):
    getattr(pytest.mark, tag.partition("(")[0])(tag)(function)
    return True
@pytest.fixture
def choreo(): return "a dance"
@pytest.fixture(autouse=True)
def choreo_session(choreo): assert choreo == "a dance"
"""


def steps_of(framework: str) -> str:
    words = {"one": "a basket with {n} apple", "some": "a basket with {n} apples",
             "holds_one": "it holds {n} apple", "holds": "it holds {n} apples"}  # fmt: skip
    quoted = {name: repr(text) for name, text in words.items()}
    if framework == "behave":
        head = "from behave import given, when, then\n"
        return head + STEPS % {**quoted, "context": "context, ", "only": "context"}
    head = "from pytest_bdd import given, when, then, parsers, scenarios\nscenarios('features')\n"
    parsed = {name: f"parsers.parse({text})" for name, text in quoted.items()}
    return head + STEPS % {**parsed, "context": "", "only": ""}


def behave_project(folder: Path) -> tuple[str, ...]:
    (folder / "features" / "steps").mkdir(parents=True)
    (folder / "features" / "a.feature").write_text(FEATURE, "utf-8")
    (folder / "features" / "steps" / "a.py").write_text(steps_of("behave"), "utf-8")
    return ("behave", "--no-color", "--no-timings", "-f", "plain")


def bdd_project(folder: Path) -> tuple[str, ...]:
    (folder / "features").mkdir()
    (folder / "features" / "a.feature").write_text(FEATURE, "utf-8")
    (folder / "test_a.py").write_text(steps_of("pytest-bdd"), "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = wip\n", "utf-8")
    return ("pytest", "-v", "--strict-markers", "-Werror", "-pno:cacheprovider", *FOREIGN)


def tagged_project(folder: Path) -> tuple[str, ...]:
    (folder / "features").mkdir()
    (folder / "features" / "a.feature").write_text(TAGGED, "utf-8")
    (folder / "conftest.py").write_text(RIDES_CONFTEST, "utf-8")
    (folder / "test_a.py").write_text(RIDES, "utf-8")
    (folder / "pytest.ini").write_text(
        "[pytest]\nmarkers = bus\n  timeout\n  slow\n  choreo\nlog_level = INFO\n", "utf-8"
    )
    return ("pytest", "-v", "-rA", "--strict-markers", "--chronicle", "-pno:cacheprovider", *FOREIGN)


def plain_project(folder: Path) -> tuple[str, ...]:
    (folder / "test_a.py").write_text(PLAIN, "utf-8")
    return ("pytest", "-v", "--strict-markers", "--strict-config", "-Werror", "-pno:cacheprovider", *FOREIGN)


def said(folder: Path, *command: str) -> tuple[int, str]:
    """How a program ends and what it prints, without times and addresses."""
    environment = {**os.environ, "PYTHONWARNINGS": "error", "PYTEST_ADDOPTS": ""}  # what this run is told is not theirs
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    text = re.sub(r"\d+\.\d+s|0x[0-9a-f]+|^plugins: .*$", "", done.stdout + done.stderr, flags=re.MULTILINE)
    return done.returncode, re.sub(r"=+", "=", text)


@pytest.mark.parametrize("made", [bdd_project, tagged_project, plain_project])
def test_a_foreign_project_of_pytest_runs_as_if_nothing_were_installed(
    made: Callable[[Path], tuple[str, ...]], tmp_path: Path
) -> None:
    command = made(tmp_path)
    before = sorted(path.name for path in tmp_path.rglob("*") if "__pycache__" not in path.parts)
    without, with_it = said(tmp_path, *command, *OURS), said(tmp_path, *command)
    assert with_it == without
    assert "passed" in without[1]
    assert "failed" in without[1]
    assert sorted(path.name for path in tmp_path.rglob("*") if "__pycache__" not in path.parts) == before


def test_a_foreign_project_of_behave_runs_as_if_nothing_were_installed(tmp_path: Path) -> None:
    command = behave_project(tmp_path)
    code, text = said(tmp_path, *command)
    assert code == 1
    assert "2 scenarios passed, 2 failed" in text
    assert "choreo" not in text
    imported = (
        "import sys; from behave.__main__ import main; main([]); print([n for n in sys.modules if 'choreo' in n])"
    )
    done = subprocess.run([sys.executable, "-c", imported], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "[]"


def test_collecting_plain_tests_takes_at_most_three_percent_more(tmp_path: Path) -> None:
    # the number of calls is the same each time; what the clock tells scatters by more than the bar
    plain_tests(tmp_path)
    alone, installed = taken("calls", tmp_path), taken("calls", tmp_path, INSTALLED)
    assert alone < installed <= BAR * alone
