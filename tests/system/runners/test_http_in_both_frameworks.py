"""A scenario that calls a service over HTTP: alike under behave and pytest-bdd, and its secrets in no output."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.http_service import http_service
from tests.support.project import Project
from tests.support.replays import differing_replays

FORMATTER = "choreo_bdd_reporter.behave_formatter:ChoreoFormatter"
HIDDEN = ("hidden-query", "hidden-body", "hidden-bearer", "hidden-login", "0123456789abcdef")
FEATURE = """
    Feature: The front door

      Scenario: An order is taken
        When I call POST "/orders?status=201&token=hidden-query":
          | field                  | value                |
          | order.id               | 7                    |
          | password               | hidden-body          |
          | @headers.Authorization | Bearer hidden-bearer |
        Then the response has status 201 within 5s:
          | field  | value      |
          | method | POST       |
          | body   | contains 7 |
        When I publish "orders.placed":
          | field | value |
          | id    | 7     |
        Then I expect "orders.placed" where id is 7

      Scenario: An order is refused
        When I call POST "/orders?status=409"
        Then the response has status 201
    """


@pytest.fixture(scope="module")
def door() -> Iterator[str]:
    with http_service() as url:
        yield url


@pytest.mark.thorough
def test_both_frameworks_tell_the_same_of_a_call_and_no_secret(door: str, tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.file("choreo.yaml", f"profiles: {{p: {{bus: {{type: memory}}, api: {{type: http, url: '{door}', "
                 "auth: {user: app, password: hidden-login}}}}")  # fmt: skip
    project.feature(FEATURE)
    behave = project.behave("-f", FORMATTER, "-o", "behave-report", "-f", "plain")
    pytest_bdd = project.pytest("features", "--harness-report=pytest-report")
    told = [_told(tmp_path / folder / "results.json") for folder in ("behave-report", "pytest-report")]
    assert told[0] == told[1]
    taken, refused = told[0]
    assert taken["outcomes"] == ["pass", "pass"]
    assert taken["timeline"][:2] == [
        ("published", "POST /orders?status=201&token=<redacted>", "api"),
        ("received", "POST /orders?status=201&token=<redacted>", "api"),
    ]
    assert refused["outcomes"] == ["fail"]
    for ran in (behave, pytest_bdd):
        assert "@status: expected 201, got 409" in ran
    written = [path for path in tmp_path.glob("*-report/**/*") if path.is_file()]
    texts = [pytest_bdd.text, *(path.read_text("utf-8") for path in written if path.suffix != ".html")]
    # behave's own plain formatter prints the steps as they stand in the feature
    assert len(written) >= 6
    assert not [secret for secret in HIDDEN for text in texts if secret in text]
    project.file("choreo.yaml", (tmp_path / "choreo.yaml").read_text("utf-8").replace(door, "http://127.0.0.1:1"))
    replayed = project._run("choreo_bdd", "replay", "pytest-report/recordings.jsonl")
    assert "@status: expected 201, got 409" in replayed  # without the service
    assert "valid, schema 1.3" in project._run("choreo_bdd", "report", "validate", "pytest-report")


@pytest.mark.thorough
def test_what_was_no_json_and_what_did_not_get_through_is_replayed_as_it_was(
    door: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text that reads as JSON, a call whose answer broke off, a service that is not there."""
    monkeypatch.chdir(tmp_path)
    configuration = f"""\
        timeout: 300ms
        default_transport: bus
        profiles:
          p:
            bus: {{type: memory}}
            api: {{type: http, url: '{door}'}}
            gone: {{type: http, url: 'http://127.0.0.1:1'}}
        """
    project = Project(tmp_path).file("choreo.yaml", configuration)
    project.feature(
        '''
        Feature: F

          Scenario: A text
            When I call GET "/?kind=text/plain&says=12" on api
            Then the response has status 200:
              """
              13
              """

          Scenario: An answer that broke off
            When I call GET "/?cut=1" on api
            Then the response has status 200

          Scenario: A service that is not there
            When I call GET "/" on gone
            Then the response has status 200

          Scenario: A message besides
            When I publish "orders.placed"
            And I call GET "/" on gone
            Then I expect "orders.paid"
        '''
    )
    ran = project.pytest("features", "--harness-report=report")
    assert "4 failed" in ran
    assert differing_replays(tmp_path / "report") == {}


def _told(path: Path) -> list[dict[str, Any]]:
    document = json.loads(path.read_text("utf-8"))
    scenarios = [scenario for test in document["tests"] for scenario in test["scenarios"]]
    return [
        {
            "name": each["name"],
            "outcomes": [handle["outcome"] for handle in each["handles"]],
            "timeline": [(entry["action"], entry["topic"], entry.get("transport")) for entry in each["timeline"]],
        }
        for each in scenarios
    ]
