"""One secret put into every place a test has: it must appear nowhere under the report directory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CANARY = "tr0ub4dor-canary-8842"

PLAYING = f'''
import asyncio, logging, sys
from choreo_bdd import Harness, ScopeOptions
from choreo_bdd.matchers import contains_fields
from choreo_bdd.transports import MockTransport

CANARY = "{CANARY}"

async def scenario():
    harness = Harness(MockTransport())
    await harness.connect()
    try:
        async with harness.scenario(f"as token={{CANARY}}", options=ScopeOptions(keep_timeline=True)) as s:
            s.expect("paid", contains_fields({{"amount": 6, "password": CANARY, "user": {{"apiKey": CANARY}}}}))
            s.publish(
                "paid",
                {{"amount": 5, "password": CANARY, "note": f"amqp://guest:{{CANARY}}@broker/", "json": f'{{{{"token": "{{CANARY}}"}}}}'}},
                headers={{"Authorization": f"Bearer {{CANARY}}", "x-api-key": CANARY}},
            )
            return await s.await_all(timeout_ms=20)
    finally:
        await harness.disconnect()

def play(password):
    print(f"password={{password}} and then {{password}}")
    sys.stderr.write(f"connecting to https://u:{{password}}@host/path?token={{password}}\\n")
    logging.getLogger("shop").warning("Authorization: Bearer %s", password)
    result = asyncio.run(scenario())
    raise AssertionError(f"{{result.failure_summary()}} with secret={{password}} in {{{{'password': '{{password}}'}}}}")
'''  # noqa: E501

PYTEST = """
import pytest
from playing import CANARY, play

@pytest.fixture(params=[CANARY])
def password(request):
    return request.param

@pytest.mark.choreo(tags=["gate"])
def test_logs_in(password):
    play(password)

@pytest.mark.parametrize("login", ["token=" + CANARY])
def test_with_parameter(login):
    play(CANARY)

@pytest.fixture
def broken(): raise OSError("no access with password=" + CANARY)
def test_setup(broken): pass

def test_skipped(): pytest.skip("no token=" + CANARY)
"""

FEATURE = f"""
Feature: logging in with token={CANARY}
  The password is "{CANARY}"

  Scenario Outline: as <user>
    Given a login
      | user     | <user>     |
      | password | <password> |
    And the document
      \"\"\"
      password: {CANARY}
      url: nats://u:{CANARY}@h
      \"\"\"
    When I log in as "{CANARY}"
    Examples:
      | user | password |
      | bob  | {CANARY} |
"""

BEHAVE = """
from behave import given, when
from playing import play

@given("a login")
def _(context): pass
@given("the document")
def _(context): pass
@when('I log in as "{password}"')
def _(context, password): play(password)
"""


def with_pytest(directory: Path, *options: str) -> int:
    (directory / "test_login.py").write_text(PYTEST)
    (directory / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    return run(directory, "pytest", "-pno:choreo_bdd_steps", "--harness-report=out", "--showlocals", *options)


def with_workers(directory: Path) -> int:
    return with_pytest(directory, "-n2")


def with_pytest_bdd(directory: Path) -> int:
    (directory / "login.feature").write_text(FEATURE)
    steps = BEHAVE.replace("from behave import", "from pytest_bdd import parsers, scenarios,")
    steps = steps.replace("@when('I log in as \"{password}\"')", "@when(parsers.parse('I log in as \"{password}\"'))")
    (directory / "test_login.py").write_text(steps.replace("(context, ", "(").replace("(context)", "()"))
    with (directory / "test_login.py").open("a") as file:
        file.write('\nscenarios("login.feature")\n')
    (directory / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    return run(directory, "pytest", "-pno:choreo_bdd_steps", "--harness-report=out")


def with_behave(directory: Path) -> int:
    (directory / "features" / "steps").mkdir(parents=True)
    (directory / "features" / "login.feature").write_text(FEATURE)
    (directory / "features" / "steps" / "login.py").write_text(BEHAVE)
    (directory / "behave.ini").write_text(
        "[behave.formatters]\nchoreo = choreo_bdd_reporter.behave_formatter:ChoreoFormatter\n"
    )
    return run(directory, "behave", "-f", "choreo", "-o", "out")


def run(directory: Path, *command: str) -> int:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=directory, capture_output=True, text=True, check=False, timeout=50
    )
    return done.returncode


@pytest.mark.parametrize("framework", [with_pytest, with_workers, with_pytest_bdd, with_behave])
def test_a_secret_is_nowhere_in_the_report(framework: Callable[[Path], int], tmp_path: Path) -> None:
    (tmp_path / "playing.py").write_text(PLAYING)
    assert framework(tmp_path) == 1
    written = {path.name: path.read_text("utf-8") for path in (tmp_path / "out").iterdir()}
    assert written["results.json"].count("<redacted>") > 10
    for name, text in written.items():
        assert CANARY not in text, f"{name}: …{text[max(0, text.index(CANARY) - 200) :][:260]}…"
        # no part of it either, as a cut in the wrong place would leave one
        assert "tr0ub4dor" not in text, name
        assert "canary" not in text, name
