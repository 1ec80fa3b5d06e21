from __future__ import annotations

import json
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from choreo_bdd import DictFieldPolicy, Harness, MappedBridge, Scenario, Stage
from choreo_bdd.matchers import all_of, any_of, contains_fields, eq, every, field_equals, gt, not_
from choreo_bdd.redaction import Redactor
from choreo_bdd.transports import MockTransport
from choreo_bdd_reporter import register_redactor, unregister_redactor
from choreo_bdd_reporter.model.tests import RecordedScenario
from choreo_bdd_reporter.record.recorder import Recorder
from choreo_bdd_reporter.record.serialise import serialise

Recorded = Callable[..., RecordedScenario]
Reported = Callable[..., dict[str, Any]]


def matched(scenario: Scenario) -> None:
    scenario.expect("order.paid", contains_fields({"amount": gt(5)})).within_ms(5000)
    scenario.publish("order.paid", {"amount": 7, "card": {"token": "tok-98765"}})


def near_miss(scenario: Scenario) -> None:
    scenario.expect("order.paid", contains_fields({"user": {"password": "hunter22"}, "amount": 5}))
    scenario.publish("order.paid", {"user": {"password": "letmein99"}, "amount": 5})


def silent(scenario: Scenario) -> None:
    scenario.expect("order.paid", field_equals("amount", 5))
    scenario.publish("order.created", {})


def replied(scenario: Scenario) -> None:
    scenario.on("order.created", field_equals("id", "ACME-123")).publish("order.paid", {"amount": 5})
    scenario.expect("order.paid", field_equals("amount", 5))
    scenario.publish("order.created", {"id": "ACME-123"})


def differing(scenario: Scenario) -> None:
    wanted = {"amount": 5, "user": {"name": "Ada", "password": "hunter22"}, "fine": True}
    scenario.expect("order.paid", contains_fields(wanted))
    scenario.publish("order.paid", {"amount": 7, "user": {"password": "letmein99"}, "fine": True})


async def test_every_field_that_differs_is_kept_with_its_values_masked(run_scenario: Any, recorded: Recorded) -> None:
    (note,) = recorded(await run_scenario(differing)).details["handles"]
    assert [(each["path"], each["expected"], each["actual"]) for each in note["differences"]] == [
        ("amount", 5, 7),
        ("user.name", "Ada", None),
        ("user.password", "<redacted>", "<redacted>"),
    ]
    assert note["differences_dropped"] == 0


async def test_of_very_many_fields_that_differ_the_number_is_kept(run_scenario: Any, recorded: Recorded) -> None:
    def many(scenario: Scenario) -> None:
        scenario.expect("order.paid", contains_fields({f"field{number}": number for number in range(130)}))
        scenario.publish("order.paid", {})

    (note,) = recorded(await run_scenario(many)).details["handles"]
    assert (len(note["differences"]), note["differences_dropped"]) == (100, 30)


async def test_how_many_expectations_are_left_out_is_kept(run_scenario: Any, recorded: Recorded) -> None:
    def many(scenario: Scenario) -> None:
        for _ in range(120):
            scenario.expect("order.paid", eq(1))
        scenario.publish("order.paid", 1)

    found = recorded(await run_scenario(many))
    assert (len(found.document["handles"]), found.details["left_out"]["handles"]) == (100, 20)


async def test_a_match_is_reported_with_latency_budget_and_payload(run_scenario: Any, recorded: Recorded) -> None:
    scenario: Any = recorded(await run_scenario(matched)).document
    (handle,) = scenario["handles"]
    assert (scenario["name"], scenario["outcome"], scenario["completed_normally"]) == ("orders", "pass", True)
    assert scenario["duration_ms"] > 0
    assert handle["outcome"] == "pass"
    assert handle["diagnosis"] == {"kind": "matched"}
    assert handle["budget_ms"] == 5000
    assert 0 <= handle["latency_ms"] < 5000
    assert handle["expected"] == {"amount": {"gt": 5}}
    assert handle["actual"]["amount"] == 7
    assert handle["actual"]["card"] == {"token": "<redacted>"}
    assert handle["failures"] == []
    assert [entry["action"] for entry in scenario["timeline"]] == ["published", "received", "matched"]
    assert "stage" not in scenario
    assert "transport" not in handle


async def test_a_near_miss_is_reported_with_its_failure(run_scenario: Any, recorded: Recorded) -> None:
    scenario = recorded(await run_scenario(near_miss)).document
    (handle,) = scenario["handles"]
    assert (scenario["outcome"], handle["outcome"]) == ("fail", "fail")
    assert handle["diagnosis"]["kind"] == "near_miss"
    assert handle["failure"] == handle["failures"][-1]
    assert handle["failure"]["path"] == "user.password"


async def test_a_secret_that_mismatched_appears_nowhere(run_scenario: Any, recorded: Recorded) -> None:
    redactor = Redactor()
    scenario = serialise(await run_scenario(near_miss), completed_normally=True, redactor=redactor)
    text = json.dumps([scenario.document, scenario.details])
    assert "hunter22" not in text
    assert "letmein99" not in text
    (handle,) = scenario.document["handles"]
    assert handle["failure"] is not None
    assert handle["failure"]["expected"] == "<redacted>"
    assert redactor.fields > 0
    assert redactor.text("assert 'hunter22' == 'letmein99'") == "assert '<redacted>' == '<redacted>'"


async def test_silence_is_reported_as_a_timeout_with_the_topic(run_scenario: Any, recorded: Recorded) -> None:
    scenario: Any = recorded(await run_scenario(silent)).document
    (handle,) = scenario["handles"]
    assert scenario["outcome"] == "timeout"
    assert handle["diagnosis"]["kind"] == "silent_timeout"
    assert handle["diagnosis"]["topic"] == "order.paid"
    assert handle["diagnosis"]["deadline_ms"] == handle["latency_ms"] > 0
    assert "order.paid" in scenario["summary_text"]


async def test_a_reply_is_reported_without_the_literals_of_its_matcher(run_scenario: Any, recorded: Recorded) -> None:
    (reply,) = recorded(await run_scenario(replied)).document["replies"]
    assert (reply["trigger_topic"], reply["reply_topic"], reply["state"]) == ("order.created", "order.paid", "replied")
    assert "ACME-123" not in reply["matcher_description"]
    assert "trigger_transport" not in reply


async def test_details_carry_what_the_schema_has_no_room_for(run_scenario: Any, recorded: Recorded) -> None:
    scenario = recorded(await run_scenario(matched))
    (handle,) = scenario.details["handles"]
    assert handle["since_publish_ms"] is not None
    assert handle["since_registration_ms"] is not None
    heard = scenario.details["messages"][handle["messages"][0]]
    assert json.loads(scenario.details["payloads"][heard["payload"]])["card"] == {"token": "<redacted>"}
    assert len(scenario.details["timeline"]) == len(scenario.document["timeline"])
    assert scenario.details["messages"][scenario.details["timeline"][1]]["topic"] == "order.paid"


async def with_blob(run_scenario: Any, recorded: Recorded, size: int) -> tuple[Any, Any, Any]:
    """A payload as it was sent, masked; as ``results.json`` has it; as the page has it with its message."""
    payload = {"amount": 5, "blob": "x" * size, "password": "hunter22"}

    def play(scenario: Scenario) -> None:
        scenario.expect("order.paid", contains_fields({"amount": 5}))
        scenario.publish("order.paid", payload)

    scenario = recorded(await run_scenario(play))
    sent = {**payload, "password": "<redacted>", "correlation_id": scenario.document["correlation_id"]}
    details = scenario.details
    body = details["payloads"][details["messages"][details["timeline"][0]]["payload"]]
    return sent, scenario.document["handles"][0]["actual"], json.loads(body)


async def test_a_message_keeps_a_payload_that_results_have_no_room_for(run_scenario: Any, recorded: Recorded) -> None:
    sent, actual, body = await with_blob(run_scenario, recorded, 10_000)
    assert actual["blob"] == {"_truncated": True, "_original_bytes": 10_000, "_head": "x" * 2048}
    assert body == sent


async def test_of_a_huge_payload_a_message_keeps_both_ends(run_scenario: Any, recorded: Recorded) -> None:
    sent, actual, body = await with_blob(run_scenario, recorded, 100_000)
    assert actual["blob"]["_original_bytes"] == 100_000
    assert body["_original_bytes"] == len(json.dumps(sent))
    assert (body["_head"] + body["_tail"]).startswith('{"amount": 5, "blob": "xxx')
    assert '"password": "<redacted>"' in body["_tail"]


async def test_results_of_the_engine_make_a_valid_report(
    run_scenario: Any, recorded: Recorded, reported: Reported
) -> None:
    scenarios = [recorded(await run_scenario(play)) for play in (matched, near_miss, silent, replied)]
    results = reported(*scenarios)
    assert results["run"]["transport"] == "MockTransport"
    assert "transports" not in results["run"]


def test_a_stage_is_reported_with_hashed_ids_and_its_own_event_keys(
    stage_result: SimpleNamespace, recorded: Recorded, reported: Reported
) -> None:
    results = reported(recorded(stage_result))
    scenario = results["tests"][0]["scenarios"][0]
    assert scenario["name"] == "stage"
    assert scenario["correlation_id"] == "order-1"
    assert scenario["summary_text"] == ""
    hashed = scenario["stage"]["correlation_ids"]["queue"]
    assert scenario["stage"] == {
        "bridge_class": "MappedBridge",
        "transports": ["mqtt", "queue"],
        "correlation_ids": {"queue": hashed},
    }
    assert scenario["handles"][0]["correlation_id"] == hashed != "wire-1"
    assert scenario["timeline"][0]["source"] == "publish"
    assert "topic" not in scenario["timeline"][1]
    assert scenario["replies"][0]["state"] == "replied"
    assert scenario["replies"][0]["matcher_description"] == "qty > <value>"
    assert results["run"]["transport"] is None
    assert results["run"]["transports"] == ["mqtt", "queue"]
    assert results["run"]["redactions"]["redaction_version"] == "v1"


@pytest.mark.parametrize(
    ("stage", "report"),
    [
        ("fired", "replied"),
        ("fired_builder_error", "reply_failed"),
        ("armed_no_match", "armed_no_match"),
        ("armed_matcher_mismatched", "armed_matcher_mismatched"),
    ],
)
def test_states_of_stage_replies_have_their_report_names(
    stage_result: SimpleNamespace, recorded: Recorded, stage: str, report: str
) -> None:
    stage_result.replies[0].state = stage
    assert recorded(stage_result).document["replies"][0]["state"] == report


@pytest.mark.parametrize(("state", "error"), [("armed", AssertionError), ("odd", ValueError)])
def test_a_reply_state_no_report_can_hold_is_an_error(
    stage_result: SimpleNamespace, recorded: Recorded, state: str, error: type[Exception]
) -> None:
    stage_result.replies[0].state = state
    with pytest.raises(error):
        recorded(stage_result)


def test_the_worst_expectation_decides_the_scenario(stage_result: SimpleNamespace, recorded: Recorded) -> None:
    handle = stage_result.handles[0]
    seen = {}
    for outcomes in (("pass", "slow"), ("slow", "fail"), ("fail", "timeout"), ("pass", "pending"), ()):
        stage_result.handles = tuple(SimpleNamespace(**{**vars(handle), "outcome": each}) for each in outcomes)
        seen[outcomes] = recorded(stage_result).document["outcome"]
    assert list(seen.values()) == ["slow", "fail", "timeout", "fail", "pass"]


def test_an_aborted_expectation_with_near_misses_is_no_silence(
    stage_result: SimpleNamespace, recorded: Recorded
) -> None:
    stage_result.handles[0].outcome = "timeout"
    assert recorded(stage_result).document["handles"][0]["diagnosis"]["kind"] == "near_miss"


def test_too_many_expectations_are_cut_visibly_and_the_failing_ones_stay(
    stage_result: SimpleNamespace, recorded: Recorded
) -> None:
    failing = stage_result.handles[0]
    passing = SimpleNamespace(**{**vars(failing), "outcome": "pass", "topic": "fine", "message": {}})
    stage_result.handles = (*[passing] * 120, failing)
    scenario = recorded(stage_result)
    assert len(scenario.document["handles"]) == 100
    assert scenario.document["handles"][-1]["topic"] == "gate.opened"
    assert scenario.document["outcome"] == "fail"
    assert scenario.document["summary_text"] == "[21 more expectations not shown: limit 100]"
    assert scenario.truncated


def test_numbers_no_json_can_hold_do_not_reach_the_report(stage_result: SimpleNamespace, recorded: Recorded) -> None:
    handle = stage_result.handles[0]
    handle.latency_ms, handle.last_mismatch_payload = math.nan, {"price": math.inf}
    document = recorded(stage_result).document
    json.dumps(document, allow_nan=False)
    assert document["handles"][0]["latency_ms"] is None
    assert document["handles"][0]["actual"]["price"] == {"_unserialisable": True, "_repr": "inf"}


def test_a_redactor_of_the_project_sees_values_after_the_builtin_one(
    stage_result: SimpleNamespace, recorded: Recorded
) -> None:
    seen = []

    def hide_lane(value: Any) -> Any:
        seen.append(value)
        return {**value, "lane": "hidden"} if isinstance(value, dict) else value

    register_redactor(hide_lane)
    register_redactor(hide_lane)
    try:
        handle = recorded(stage_result).document["handles"][0]
    finally:
        unregister_redactor(hide_lane)
    assert handle["actual"] == {"lane": "hidden", "token": "<redacted>"}
    assert seen.count({"lane": 3, "token": "<redacted>"}) == 1


def test_a_redactor_that_raises_hides_its_value_and_is_named(stage_result: SimpleNamespace, recorded: Recorded) -> None:
    def broken(value: Any) -> Any:
        raise KeyError("lane")

    register_redactor(broken)
    try:
        with pytest.warns(RuntimeWarning, match=r"choreo-bdd report: the redactor .*broken raised KeyError"):
            handle = recorded(stage_result).document["handles"][0]
    finally:
        unregister_redactor(broken)
    assert handle["actual"] == "<redactor failed>"


def test_a_result_that_cannot_be_read_is_reported_as_such(stage_result: SimpleNamespace) -> None:
    stage_result.replies[0].state = "odd"
    recorder = Recorder()
    with pytest.warns(RuntimeWarning, match="could not be read"):
        recorder(stage_result, "t", True)
    (scenario,) = recorder.take("t").scenarios
    assert scenario.document["outcome"] == "fail"
    assert "ValueError" in scenario.document["summary_text"]


def test_results_are_kept_by_node_id_and_handed_over_once(stage_result: SimpleNamespace) -> None:
    recorder = Recorder(lambda: "current")
    recorder(stage_result, "a", True)
    recorder(stage_result, None, False)
    assert len(recorder.take("a").scenarios) == 1
    assert recorder.take("a").scenarios == ()
    assert recorder.rest()["current"].scenarios[0].document["completed_normally"] is False
    assert recorder.rest() == {}


def test_secrets_of_a_test_stay_hidden_behind_its_last_phase(stage_result: SimpleNamespace) -> None:
    recorder = Recorder()
    recorder(stage_result, "a", True)
    first = recorder.take("a", last=False)
    last = recorder.take("a", last=True)
    assert (first.redacted_fields, last.redacted_fields) == (1, 0)
    assert last.redactor.text("got s3cr3t-9") == "got <redacted>"
    assert recorder.take("a").redactor.text("got s3cr3t-9") == "got <redacted>", "another test may print it, too"


def a_stage() -> Stage:
    links = {name: Harness(MockTransport(), correlation=DictFieldPolicy("id")) for name in ("queue", "mqtt")}
    return Stage(links, MappedBridge({"queue": lambda logical: f"q-{logical}", "mqtt": lambda logical: f"m-{logical}"}))


async def test_a_stage_of_the_engine_makes_a_valid_report(recorded: Recorded, reported: Reported) -> None:
    stage = a_stage()
    await stage.connect()
    try:
        async with stage.scenario("across") as scope:
            scope.on("scan", on="mqtt").publish("gate.opened", on="queue", build=lambda trigger: {"lane": 3})
            scope.expect("gate.opened", contains_fields({"lane": 4}), on="queue")
            scope.publish("scan", {"parcel": 1}, on="mqtt")
            result = await scope.await_all(timeout_ms=30)
    finally:
        await stage.disconnect()
    results = reported(recorded(result))
    scenario = results["tests"][0]["scenarios"][0]
    assert scenario["stage"]["transports"] == ["mqtt", "queue"]
    assert list(scenario["stage"]["correlation_ids"]) == ["queue"]
    assert scenario["handles"][0]["transport"] == "queue"
    assert scenario["handles"][0]["failure"]["path"] == "lane"
    assert scenario["replies"][0]["trigger_transport"] == "mqtt"
    assert {entry.get("source") for entry in scenario["timeline"]} == {"publish", "reply", "expect", "scope"}


async def test_wire_ids_of_a_stage_are_hashed_wherever_they_stand(recorded: Recorded) -> None:
    stage = a_stage()
    await stage.connect()
    try:
        async with stage.scenario("across") as scope:
            own = f"q-{scope.correlation_id}"
            scope.expect("gate.opened", contains_fields({"lane": 4, "note": f"for {own}"}), on="queue")
            message = {"lane": 3, "note": f"for {own}, truly"}
            scope.publish("gate.opened", message, on="queue", headers={"reply-to": own})
            result = await scope.await_all(timeout_ms=30)
    finally:
        await stage.disconnect()
    scenario = recorded(result)
    hashed = scenario.document["stage"]["correlation_ids"]["queue"]
    assert scenario.document["handles"][0]["actual"] == {"lane": 3, "note": f"for {hashed}, truly", "id": hashed}
    assert scenario.document["handles"][0]["expected"]["note"] == f"for {hashed}"
    assert own not in json.dumps([scenario.document, scenario.details])


async def test_an_expectation_of_a_stage_has_its_shape_its_budget_and_its_failures(recorded: Recorded) -> None:
    stage = a_stage()
    await stage.connect()
    try:
        async with stage.scenario("across") as scope:
            scope.expect("gate.opened", contains_fields({"lane": 4}), on="queue").within_ms(5000)
            scope.publish("gate.opened", {"lane": 3}, on="queue")
            result = await scope.await_all(timeout_ms=30)
    finally:
        await stage.disconnect()
    (handle,) = recorded(result).document["handles"]
    assert (handle["expected"], handle["budget_ms"], handle["attempts"]) == ({"lane": 4}, 5000.0, 1)
    assert handle["failures"] == [{"kind": "mismatch", "path": "lane", "expected": 4, "actual": 3}]


async def test_a_scenario_has_its_duration_without_a_timeline_too(run_scenario: Any, recorded: Recorded) -> None:
    def pass_at_once(scenario: Scenario) -> None:
        scenario.expect("t", contains_fields({"n": 1}))
        scenario.publish("t", {"n": 1})

    document = recorded(await run_scenario(pass_at_once, keep=False)).document
    assert (document["outcome"], document["timeline"]) == ("pass", [])
    assert document["duration_ms"] > 0


async def test_nested_matchers_are_reported_by_their_shape_and_not_by_their_objects(
    run_scenario: Any, recorded: Recorded
) -> None:
    def nested(scenario: Scenario) -> None:
        matcher = all_of(
            contains_fields({"items": every(contains_fields({"qty": gt(0)})), "total": any_of(eq(5), gt(9))}),
            not_(contains_fields({"state": "void"})),
        )
        scenario.expect("t", matcher)
        scenario.publish("t", {"items": [{"qty": 0}], "total": 3, "state": "void"})

    document = recorded(await run_scenario(nested)).document
    told = json.dumps(document)
    for private in (" object at 0x", "_Predicate", "parts=", "_repr", "dataclass"):
        assert private not in told, private
    assert json.dumps(document["handles"][0]["expected"]).count("gt") >= 2


def test_too_many_replies_are_cut_visibly(stage_result: SimpleNamespace, recorded: Recorded) -> None:
    stage_result.replies = stage_result.replies * 130
    scenario = recorded(stage_result)
    assert len(scenario.document["replies"]) == 100
    assert scenario.truncated
    assert scenario.document["summary_text"] == "[30 more replies not shown: limit 100]"
