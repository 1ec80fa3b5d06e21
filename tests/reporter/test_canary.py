"""A secret of its own in every place a test has: none of them may appear anywhere under the report directory."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.support.started import python_m


def canary(place: str) -> str:
    return f"tr0ub4dor-{place.replace(' ', '-')}-8842"


class _Canaries(dict[str, str]):
    def __missing__(self, place: str) -> str:
        return canary(place)


# `at <place>` is written beside each secret, to show that the place is one that reports tell of
PLAYING = """
import asyncio, logging, sys
from choreo_bdd import Harness, ScopeOptions
from choreo_bdd.matchers import contains_fields
from choreo_bdd.transports import MockTransport

def canary(place): return f"tr0ub4dor-{place.replace(' ', '-')}-8842"

async def scenario():
    harness = Harness(MockTransport())
    await harness.connect()
    try:
        name = f"at scenario token={canary('scenario')}"
        async with harness.scenario(name, options=ScopeOptions(keep_timeline=True)) as s:
            expected = {"amount": 6, "at expected": 1, "password": canary("expected"), "user": {"apiKey": canary("nested")}}
            s.expect("paid", contains_fields(expected))
            s.expect("list", contains_fields({"at": 2, "secrets": [canary("list")]}))
            s.publish(
                "paid",
                {
                    "amount": 5, "password": canary("payload"), "note": "at payload",
                    "link": f"amqp://guest:{canary('url')}@broker/at url",
                    "json": f'{{"token": "{canary("json text")}", "note": "at json text"}}',
                },
                headers={"Authorization": f"Bearer {canary('header')}", "x-api-key": canary("key header"), "n": "at header"},
            )
            return await s.await_all(timeout_ms=20)
    finally:
        await harness.disconnect()

def play():
    print(f"at stdout password={canary('stdout')}")
    sys.stderr.write(f"at stderr https://u:{canary('stderr')}@host/path?token={canary('query')}\\n")
    logging.getLogger("shop").warning("at log Authorization: Bearer %s", canary("log"))
    result = asyncio.run(scenario())
    password = canary("local")
    raise AssertionError(
        f"{result.failure_summary()} at assertion secret={canary('assertion')} in {{'password': '{canary('repr')}'}}"
    )
"""  # noqa: E501

PYTEST = """
import pytest
from playing import canary, play

@pytest.fixture(params=[canary("fixture")])
def password(request):
    return request.param

@pytest.mark.choreo(tags=["at tag", "token=" + canary("tag")])
def test_logs_in(password):
    play()

@pytest.mark.parametrize("login", ["at parameter token=" + canary("parameter")])
def test_with_parameter(login):
    assert not login

@pytest.fixture
def broken(): raise OSError("at setup password=" + canary("setup"))
def test_setup(broken): pass

@pytest.fixture
def leaving():
    yield
    raise OSError("at teardown password=" + canary("teardown"))
def test_teardown(leaving): pass

def test_attaches(choreo_attach):
    choreo_attach(f"at attachment password={canary('attachment')}", name=f"at label token={canary('label')}")
    choreo_attach(f"at disguise token={canary('disguise')}".encode(), "application/x-own")

def test_skipped(): pytest.skip("at skip token=" + canary("skip"))

@pytest.mark.xfail(reason="at xfail token=" + canary("xfail"))
def test_xfail(): assert 0

def test_cause():
    try:
        raise KeyError("at cause token=" + canary("cause"))
    except KeyError as error:
        raise ValueError("outer") from error
"""
NOT_COLLECTED = """
from playing import canary
raise OSError("at collection password=" + canary("collection"))
"""

FEATURE = """
# at comment: password={comment}
Feature: at feature, logging in with token={feature}
  at description: the password is "{description}"

  Background:
    Given a shop at background with password "{background}"

  @token={gherkin-tag}
  Scenario Outline: at name as <user> with password <password>
    Given a login at table
      | user     | <user>     |
      | password | {table}    |
    And the document
      \"\"\"
      at docstring
      password: {docstring}
      url: nats://u:{docstring-url}@h
      \"\"\"
    When I log in at step as "<password>" with api key "{step}"
    Examples:
      | user | password |
      | bob  | {example} |
"""

BEHAVE = """
from behave import given, when
from playing import play

@given('a shop at background with password "{password}"')
def _(context, password): pass
@given("a login at table")
def _(context): pass
@given("the document")
def _(context): pass
@when('I log in at step as "{user}" with api key "{key}"')
def _(context, user, key): play()
"""


def with_pytest(directory: Path, *options: str) -> int:
    (directory / "test_login.py").write_text(PYTEST)
    (directory / "test_not_collected.py").write_text(NOT_COLLECTED)
    (directory / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    options = ("-pno:choreo_bdd_steps", "--continue-on-collection-errors", "--showlocals", *options)
    return run(directory, "pytest", "--harness-report=out", *options)


def with_workers(directory: Path) -> int:
    return with_pytest(directory, "-n2")


def with_pytest_bdd(directory: Path) -> int:
    (directory / "login.feature").write_text(FEATURE.format_map(_Canaries()))
    steps = BEHAVE.replace("from behave import", "from pytest_bdd import parsers, scenarios,")
    for name in ("given", "when"):
        steps = steps.replace(f"@{name}('", f"@{name}(parsers.parse('").replace("\"')", "\"'))")
    steps = steps.replace("\"')))", "\"'))").replace("(context, ", "(").replace("(context)", "()")
    (directory / "test_login.py").write_text(steps + '\nscenarios("login.feature")\n')
    (directory / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    return run(directory, "pytest", "-pno:choreo_bdd_steps", "--harness-report=out")


def with_behave(directory: Path) -> int:
    (directory / "features" / "steps").mkdir(parents=True)
    (directory / "features" / "login.feature").write_text(FEATURE.format_map(_Canaries()))
    (directory / "features" / "steps" / "login.py").write_text(BEHAVE)
    (directory / "behave.ini").write_text(
        "[behave.formatters]\nchoreo = choreo_bdd_reporter.behave_formatter:ChoreoFormatter\n"
    )
    return run(directory, "behave", "-f", "choreo", "-o", "out")


def run(directory: Path, *command: str) -> int:
    (directory / "playing.py").write_text(PLAYING)
    done = subprocess.run(python_m(*command), cwd=directory, capture_output=True, text=True, check=False, timeout=150)
    return done.returncode


PLAYED = ("scenario", "expected", "nested", "list", "payload", "url", "json text", "header", "key header", "stdout",
          "stderr", "query", "log", "assertion", "repr")  # fmt: skip
OF_PYTEST = ("local", "fixture", "tag", "parameter", "setup", "teardown", "skip", "xfail", "cause", "collection",
             "attachment", "label", "disguise")  # fmt: skip
OF_GHERKIN = ("comment", "feature", "description", "background", "gherkin-tag", "table", "docstring", "docstring-url",
              "step", "example")  # fmt: skip
PLACES: dict[Callable[[Path], int], tuple[str, ...]] = {
    with_pytest: (*PLAYED, *OF_PYTEST),
    with_workers: (*PLAYED, *OF_PYTEST),
    with_pytest_bdd: (*PLAYED, *OF_GHERKIN),
    with_behave: (*PLAYED, *OF_GHERKIN),
}
# what stands beside the secret says nothing of itself: a key, or a place that shares its witness with another
WITHOUT_WITNESS = {"nested", "list", "key header", "query", "repr", "local", "fixture", "gherkin-tag", "docstring-url",
                   "example"}  # fmt: skip

Framework = Callable[[Path], int]
Files = dict[str, str]


@pytest.fixture(scope="module")
def files_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Framework], Files]:
    """The files of one report of each framework that is asked for."""

    @cache
    def written(framework: Framework) -> Files:
        directory = tmp_path_factory.mktemp(framework.__name__)
        assert framework(directory) == 1
        return {path.name: path.read_text("utf-8") for path in (directory / "out").iterdir()}

    return written


@pytest.mark.parametrize(
    ("framework", "place"),
    [pytest.param(each, place, id=f"{each.__name__}-{place}") for each, places in PLACES.items() for place in places],
)
def test_a_secret_is_nowhere_in_the_report(
    files_of: Callable[[Framework], Files], framework: Framework, place: str
) -> None:
    files, secret = files_of(framework), canary(place)
    for name, text in files.items():
        assert secret not in text, f"{name}: …{text[max(0, text.index(secret) - 200) :][:260]}…"
    if place not in WITHOUT_WITNESS:
        assert any(f"at {place}" in text for text in files.values())


@pytest.mark.parametrize("framework", PLACES, ids=lambda each: str(each.__name__))
def test_no_part_of_a_secret_is_left_over(files_of: Callable[[Framework], Files], framework: Framework) -> None:
    for name, text in files_of(framework).items():
        assert "tr0ub4dor" not in text, name
        assert "-8842" not in text, name
    assert files_of(framework)["results.json"].count("<redacted>") > 10
