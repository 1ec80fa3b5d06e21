"""Reports in the formats of other tools: causes, times and verdicts survive the way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from choreo_bdd_reporter.outputs import as_chrome_trace, as_ctrf, as_otlp
from tests.support.page_builders import (
    a_handle,
    a_message,
    a_scope,
    a_span,
    a_test,
    an_event,
    gherkin_of,
    heard,
    results_of,
)
from tests.support.page_sample import FAILING, sample_run, stage_test, told_run

Span = dict[str, Any]


def spans_of(results: Any) -> list[Span]:
    found: list[Span] = as_otlp(results)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    return found


def attributes(of: Any) -> dict[str, Any]:
    return {each["key"]: next(iter(each["value"].values())) for each in of["attributes"]}


def causes(spans: list[Span], name: str) -> list[str]:
    """The span of this name and all that led to it."""
    by_id = {span["spanId"]: span for span in spans}
    place = next(span for span in spans if span["name"] == name)
    chain = [place["name"]]
    while "parentSpanId" in place:
        place = by_id[place["parentSpanId"]]
        chain.append(place["name"])
    return chain


def milliseconds(span: Span) -> float:
    return (int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])) / 1e6


@pytest.fixture
def stage() -> list[Span]:
    test, _, _ = stage_test()
    return spans_of(results_of([test]))


def test_a_chain_over_two_brokers_is_one_trace_from_cause_to_effect(stage: list[Span]) -> None:
    assert causes(stage, "receive orders.paid") == [
        "receive orders.paid", "send orders.paid", "receive payments.done", "send payments.done",
        "receive orders.pay", "send orders.pay", "paid",
    ]  # fmt: skip
    assert len({span["traceId"] for span in stage}) == 1


def test_a_message_is_under_way_from_its_sending_to_its_arrival(stage: list[Span]) -> None:
    took = {span["name"]: milliseconds(span) for span in stage}
    assert took["receive orders.paid"] == pytest.approx(1.1)
    assert took["receive payments.done"] == pytest.approx(1.9)
    assert took["send orders.pay"] == 0
    assert took["paid"] == pytest.approx(500.1)


def test_messages_go_by_the_names_of_open_telemetry(stage: list[Span]) -> None:
    sent, received = (next(span for span in stage if span["name"] == f"{kind} payments.done") for kind in _KINDS)
    assert attributes(sent) == {
        "messaging.system": "kafka", "messaging.destination.name": "payments.done",
        "messaging.operation.name": "send", "messaging.operation.type": "send",
        "messaging.message.conversation_id": "9f2c41", "choreo.transport": "kafka", "choreo.cause_inferred": True,
    }  # fmt: skip
    assert (sent["kind"], received["kind"]) == (4, 5)
    assert attributes(received)["messaging.operation.type"] == "receive"


_KINDS = ("send", "receive")


def test_what_took_no_time_and_the_verdict_stand_with_the_scenario(stage: list[Span]) -> None:
    root = next(span for span in stage if "parentSpanId" not in span)
    assert [event["name"] for event in root["events"]] == ["matched", "correlation_skipped", "deadline"]
    assert root["status"] == {"code": 2, "message": "warehouse.pick: no message arrived"}
    assert attributes(root)["test.case.result.status"] == "fail"


def test_the_answer_of_a_single_harness_is_led_back_to_its_request() -> None:
    timeline = [
        an_event(0.0, "published", "orders.created"),
        an_event(1.0, "received", "orders.created", "reply:orders.settled"),
        an_event(2.0, "replied", "orders.created", "reply=orders.settled"),
        an_event(3.5, "received", "orders.settled", "expect"),
    ]
    scope = a_scope("pass", [a_handle("orders.settled", "pass", 3.5)], timeline, name="answered")
    spans = spans_of(results_of([a_test("x", "passed", [scope])]))
    assert causes(spans, "receive orders.settled") == [
        "receive orders.settled", "send orders.settled", "receive orders.created", "send orders.created", "answered",
    ]  # fmt: skip
    assert next(span for span in spans if span["name"] == "answered")["status"] == {"code": 1}


def test_a_message_that_nobody_here_sent_has_no_cause_and_took_no_time() -> None:
    scope = a_scope("pass", [a_handle("news", "pass", 1.0)], [an_event(4.0, "received", "news", "expect")], name="s")
    spans = spans_of(results_of([a_test("x", "passed", [scope])]))
    assert causes(spans, "receive news") == ["receive news", "s"]
    assert milliseconds(spans[1]) == 0
    assert attributes(spans[1])["choreo.cause_inferred"] is False


def chain(*headers: dict[str, str], spans: Any = ()) -> tuple[Any, Any]:
    """An order that is started here; a payment of 240 ms and a mail of 14 ms come from services."""
    arrivals = ((242.0, "captured"), (256.0, "mail"))
    timeline = [an_event(1.0, "published", "started"), *(an_event(at, "received", topic) for at, topic in arrivals)]
    given = headers or ({}, {}, {})
    topics = ("started", "captured", "mail")
    messages = [a_message(topic, {"n": topic}, headers=each) for topic, each in zip(topics, given, strict=True)]
    test = a_test("chain", scenarios=[a_scope("pass", [], timeline, name="chain")])
    note = {"handles": [], **heard(messages), "spans": list(spans)}
    return results_of([test]), gherkin_of(details={test["nodeid"]: [note]})


def of_chain(*headers: dict[str, str], **told: Any) -> Any:
    """What led to the mail, how long it took from there in milliseconds, and whether that is a guess."""
    results, gherkin = chain(*headers, **told)
    spans: list[Span] = as_otlp(results, gherkin)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    mail = next(span for span in spans if span["name"] == "receive mail")
    return causes(spans, "receive mail"), milliseconds(mail), attributes(mail)["choreo.cause_inferred"]


def test_a_message_from_outside_came_after_the_one_before_it_and_that_is_a_guess() -> None:
    assert of_chain() == (["receive mail", "receive captured", "send started", "chain"], pytest.approx(14), True)


def test_a_header_that_names_its_cause_is_no_guess() -> None:
    told = of_chain({"message-id": "m0"}, {"message-id": "m1", "Causation-Id": "m0"}, {"causation_id": "m0"})
    assert told == (["receive mail", "send started", "chain"], pytest.approx(255), False)


def test_a_traceparent_leads_over_the_work_of_services_to_the_cause() -> None:
    names = [letter * 16 for letter in "abc"]
    headers = [{"traceparent": f"00-{'0' * 32}-{name}-01"} for name in names]
    work = [a_span("mail", 3.0, id=names[2], parent="d" * 16), a_span("mail", 3.0, id="d" * 16, parent=names[0])]
    told = of_chain(*headers, spans=work)
    assert told == (["receive mail", "send started", "chain"], pytest.approx(255), False)
    circle = [a_span("mail", 3.0, id=names[2], parent="d" * 16), a_span("mail", 3.0, id="d" * 16, parent=names[2])]
    assert of_chain(*headers, spans=circle)[2] is True


def test_the_system_of_a_message_is_the_kind_of_its_bus_whatever_its_transport_is_called() -> None:
    test, _, _ = stage_test()
    told = as_otlp(results_of([test]), {"buses": {"nats": "rabbitmq"}})["resourceSpans"][0]["scopeSpans"][0]["spans"]
    systems = {(attributes(span)["choreo.transport"], attributes(span)["messaging.system"]) for span in told[1:]}
    assert systems == {("nats", "rabbitmq"), ("kafka", "kafka")}
    (event,) = [each for each in told[0]["events"] if each["name"] == "matched"]
    assert attributes(event)["messaging.system"] == "rabbitmq"


@pytest.mark.parametrize(
    ("transport", "system"),
    [("RabbitTransport", "rabbitmq"), ("MockTransport", "memory"), ("RedisTransport", "redis"), ("letters", "letters")],
)
def test_without_a_configuration_a_transport_is_named_by_its_kind(transport: str, system: str) -> None:
    scope = a_scope("pass", [], [an_event(0.0, "published", "news")], name="s")
    spans = spans_of(results_of([a_test("x", "passed", [scope])], transport=transport))
    assert attributes(spans[1])["messaging.system"] == system


def test_a_test_that_broke_beside_its_messages_is_an_error_in_its_trace_too() -> None:
    scope = a_scope("pass", [a_handle("news", "pass", 1.0)], [an_event(4.0, "received", "news", "expect")], name="s")
    (root, _) = spans_of(results_of([a_test("x", "failed", [scope], traceback="E   ValueError: no")]))
    assert root["status"]["code"] == 2
    assert "no" in root["status"]["message"]
    assert attributes(root)["test.case.result.status"] == "fail"


def test_a_skipped_test_is_neither_a_pass_nor_a_failure() -> None:
    scope = a_scope("pass", [], [an_event(0.0, "published", "news")], name="s")
    (root, _) = spans_of(results_of([a_test("x", "skipped", [scope])]))
    assert "test.case.result.status" not in attributes(root)
    assert root["status"] == {"code": 1}


def test_ids_are_valid_unlike_each_other_and_the_same_next_time() -> None:
    results, _ = sample_run()
    spans = spans_of(results)
    assert all(len(span["traceId"]) == 32 and len(span["spanId"]) == 16 for span in spans)
    assert len({span["spanId"] for span in spans}) == len(spans)
    scenarios = [scenario for test in results["tests"] for scenario in test["scenarios"]]
    assert len({span["traceId"] for span in spans}) == sum(bool(scenario["timeline"]) for scenario in scenarios)
    assert spans_of(results) == spans


def test_what_services_told_stands_in_the_trace_of_its_scenario_under_their_names() -> None:
    results, gherkin = sample_run()
    (nodeid,) = [test["nodeid"] for test in results["tests"] if test["nodeid"] == FAILING]
    outer = a_span("settlement", 3.0, topic="orders.placed", error="ValueError")
    inner = a_span("stock", 4.0, parent=outer["id"])
    told = {**gherkin, "details": {nodeid: [{"spans": [outer, inner]}]}}
    ours, settlement, stock = as_otlp(results, told)["resourceSpans"]
    assert [settlement["resource"], stock["resource"]] == [
        {"attributes": [{"key": "service.name", "value": {"stringValue": name}}]} for name in ("settlement", "stock")
    ]
    ((failed,), (within,)) = (each["scopeSpans"][0]["spans"] for each in (settlement, stock))
    (root,) = [span for span in ours["scopeSpans"][0]["spans"] if span["spanId"] == failed["parentSpanId"]]
    assert root["traceId"] == failed["traceId"] == within["traceId"]
    assert within["parentSpanId"] == failed["spanId"]
    assert (failed["kind"], failed["status"]["message"], milliseconds(failed)) == (5, "ValueError", 2.0)
    assert int(failed["startTimeUnixNano"]) - int(root["startTimeUnixNano"]) == 3_000_000


def test_a_chrome_trace_has_a_process_a_scenario_and_a_thread_a_transport() -> None:
    test, _, _ = stage_test()
    events = as_chrome_trace(results_of([test]))["traceEvents"]
    threads = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
    assert sorted(threads.values()) == ["kafka", "nats", "scenario"]
    (scenario,) = (event for event in events if event.get("cat") == "scenario")
    assert (scenario["name"], scenario["dur"], threads[scenario["tid"]]) == ("paid", 500_100, "scenario")
    assert scenario["ts"] <= min(event["ts"] for event in events if "ts" in event)
    marks = {event["name"]: threads[event["tid"]] for event in events if event["ph"] in ("i", "X")}
    assert (marks["send payments.done"], marks["matched orders.paid"]) == ("kafka", "nats")
    assert (marks["receive payments.done"], marks["receive orders.paid"]) == ("kafka", "nats")
    assert marks["deadline"] == "scenario"


def test_a_message_on_its_way_may_overtake_others_in_a_chrome_trace() -> None:
    test, _, _ = stage_test()
    events = [event for event in as_chrome_trace(results_of([test]))["traceEvents"] if event["ph"] in "be"]
    ways = {event["id"]: [each for each in events if each["id"] == event["id"]] for event in events}
    took = {began["name"]: ended["ts"] - began["ts"] for began, ended in ways.values()}
    assert took == {"orders.pay": 1400, "payments.done": 1900, "orders.paid": 1100}


def test_arrows_of_a_chrome_trace_lead_from_each_message_to_what_it_caused() -> None:
    test, _, _ = stage_test()
    events = as_chrome_trace(results_of([test]))["traceEvents"]
    slices = [event for event in events if event["ph"] == "X" and event["cat"] == "message"]

    def at(end: Any) -> str:
        """The slice that an arrow's end stands on, without which no reader draws it."""
        (name,) = [each["name"] for each in slices if all(each[key] == end[key] for key in ("pid", "tid", "ts"))]
        return str(name)

    ends = {phase: {event["id"]: event for event in events if event["ph"] == phase} for phase in "sf"}
    assert [(at(ends["s"][key]), at(end)) for key, end in ends["f"].items()] == [
        ("send orders.pay", "receive orders.pay"), ("receive orders.pay", "send payments.done"),
        ("send payments.done", "receive payments.done"), ("receive payments.done", "send orders.paid"),
        ("send orders.paid", "receive orders.paid"),
    ]  # fmt: skip
    assert {(key, end["name"]) for key, end in ends["s"].items()} == {
        (key, end["name"]) for key, end in ends["f"].items()
    }


def test_ids_in_a_chrome_trace_are_numbers_because_perfetto_drops_arrows_with_others() -> None:
    test, _, _ = stage_test()
    events = as_chrome_trace(results_of([test, {**test, "nodeid": "another"}]))["traceEvents"]
    begun = [event["id"] for event in events if event["ph"] == "s"]
    assert len(set(begun)) == len(begun) == 10
    assert all(type(each) is int for each in begun)


def test_processes_of_a_chrome_trace_are_told_apart() -> None:
    events = as_chrome_trace(sample_run()[0])["traceEvents"]
    names = [event["args"]["name"] for event in events if event["name"] == "process_name"]
    assert len(names) == len({event["pid"] for event in events}) > 1
    assert FAILING in names


def test_ctrf_counts_as_its_readers_do_and_keeps_our_own_words() -> None:
    results, gherkin = told_run()
    found = as_ctrf(results, gherkin)["results"]
    tests = {test["name"]: test for test in found["tests"]}
    by_status = [test["status"] for test in found["tests"]]
    for status in ("passed", "failed", "skipped"):
        assert found["summary"][status] == by_status.count(status) > 0
    assert found["summary"]["tests"] == len(by_status)
    assert found["summary"]["flaky"] == sum("flaky" in test for test in found["tests"]) > 0
    broken = tests["Parcel leaves on the express lane"]
    assert broken["message"] == "2 messages arrived on parcels.leaving, none with shipment.lane 4 and an eta."
    assert (broken["status"], broken["retries"], "flaky" in broken) == ("failed", 1, False)
    assert (tests["Order 1 is accepted"]["flaky"], tests["Order 1 is accepted"]["retries"]) == (True, 1)
    assert (tests["Order is archived"]["status"], tests["Order is archived"]["rawStatus"]) == ("failed", "errored")


def test_ctrf_has_durations_in_whole_milliseconds_and_ours_beside_them() -> None:
    (test,) = as_ctrf(results_of([a_test("x", duration_ms=1.6)]), {})["results"]["tests"]
    assert (test["duration"], type(test["duration"])) == (2, int)
    assert test["extra"] == {"nodeid": "features/orders.feature::x", "duration_ms": 1.6}


def test_ctrf_carries_what_its_readers_group_and_filter_by() -> None:
    results, gherkin = told_run()
    gherkin["features"][0]["tags"] = ["@team-a"]
    scenario = next(each for each in gherkin["features"][0]["scenarios"] if each["nodeid"] == FAILING)
    scenario |= {"rule": "By weight", "started": 1_700_000_000.5}
    tests = as_ctrf(results, gherkin)["results"]["tests"]
    broken = next(test for test in tests if test["extra"]["nodeid"] == FAILING)
    assert broken["suite"] == [gherkin["features"][0]["name"], "By weight"]
    assert broken["tags"][0] == "team-a"
    assert set(scenario["tags"]) <= set(broken["tags"])
    assert (broken["start"], broken["stop"] - broken["start"]) == (1_700_000_000_500, broken["duration"])
    assert broken["line"] == scenario["line"]
    assert (broken["extra"]["topic"], broken["extra"]["cause"]) == ("parcels.leaving", "wrong shape")


def test_facts_that_are_not_known_are_left_out() -> None:
    told = as_ctrf(results_of([a_test("x")], git_sha=None, git_branch=None, environment=None), {})
    assert set(told["results"]["environment"]) == {"appName"}
    assert not {None, ""} & {
        value for value in told["results"]["tests"][0].values() if not isinstance(value, list | dict)
    }


@pytest.mark.parametrize("text", ["\ud83d", "a\x00b", "\u202e", "<script>", "x" * 100_000], ids=range(5))
def test_hostile_names_are_written_as_json(text: str) -> None:
    scope = a_scope("fail", [a_handle(text, "fail", 1.0)], [an_event(0.0, "published", text, text)], name=text)
    results = results_of([a_test("x", "failed", [scope], nodeid=text, file=text)])
    for document in (as_otlp(results), as_chrome_trace(results), as_ctrf(results, {})):
        assert json.loads(json.dumps(document, allow_nan=False)) == document
