"""Messages that met no expectation, as a report keeps them: with their bodies, masked, on the axis of the timeline."""

from __future__ import annotations

import json
from typing import Any

from choreo_bdd import Scenario
from choreo_bdd.matchers import contains_fields
from choreo_bdd.redaction import redact_correlation_id
from tests.support.stage_doubles import Bus, make_stage


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


async def test_an_id_of_another_scope_is_shown_in_a_stage_as_its_own_are(recorded: Any) -> None:
    """The timeline has its hash already; in clear beside that it would not be hidden at all."""
    left, right = Bus(), Bus()
    stage = make_stage(left, right)
    await stage.connect()
    async with stage.scenario("settled") as scope:
        scope.expect("settled", contains_fields({"amount": 12}), on="left")
        left.publish("settled", json.dumps({"amount": 3, "correlation_id": "L-somebody-else"}).encode())
        result = await scope.await_all(timeout_ms=30)
    await stage.disconnect()
    scenario = recorded(result)
    (stray,) = scenario.details["strays"]
    body = json.loads(scenario.details["payloads"][scenario.details["messages"][stray["message"]]["payload"]])
    assert (stray["why"], body["correlation_id"]) == ("foreign", redact_correlation_id("L-somebody-else"))
    assert "somebody-else" not in json.dumps([scenario.details, scenario.document])
