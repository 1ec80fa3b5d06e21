"""Messages that met no expectation, as a report keeps them: with their bodies, masked, on the axis of the timeline."""

from __future__ import annotations

import json
from typing import Any

from choreo_bdd import Scenario
from choreo_bdd.matchers import contains_fields


def _send(scenario: Scenario, payload: Any) -> None:
    harness: Any = scenario.scope.links[None].harness
    harness.send("settled", json.dumps(payload).encode(), on_sent=lambda: None, headers={}, key=None)


def _disturbed(scenario: Scenario) -> None:
    scenario.expect("audited", contains_fields({"by": "me"}))
    scenario.expect("settled", contains_fields({"amount": 12}))
    scenario.publish("start", {})
    _send(scenario, {"amount": 3, "password": "hunter22", "correlation_id": "elsewhere"})


async def test_they_stand_beside_the_timeline_and_not_in_the_results(run_scenario: Any, recorded: Any) -> None:
    scenario = recorded(await run_scenario(_disturbed))
    details = scenario.details
    (stray,) = details["strays"]
    message = details["messages"][stray["message"]]
    assert (stray["why"], stray["handle"], message["topic"]) == ("foreign", 1, "settled")
    assert [failure["path"] for failure in stray["differences"]] == ["amount"]
    assert json.loads(details["payloads"][message["payload"]])["amount"] == 3
    assert 0 <= stray["offset_ms"] <= scenario.document["timeline"][-1]["offset_ms"]
    assert "strays" not in scenario.document


async def test_what_is_secret_in_them_is_masked(run_scenario: Any, recorded: Any) -> None:
    scenario = recorded(await run_scenario(_disturbed))
    assert "hunter22" not in json.dumps([scenario.details, scenario.document])


async def test_without_any_nothing_is_said(run_scenario: Any, recorded: Any) -> None:
    def calm(scenario: Scenario) -> None:
        scenario.expect("settled", contains_fields({}))
        scenario.publish("settled", {"amount": 12})

    assert "strays" not in recorded(await run_scenario(calm)).details
