"""Runs to draw: a realistic one with every verdict, and small ones for the page's edges."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from tests.support.page_builders import (
    Json,
    a_description,
    a_feature,
    a_handle,
    a_message,
    a_scope,
    a_step,
    a_test,
    an_event,
    gherkin_of,
    heard,
    results_of,
)

_HASH = {"kafka": "sha256:5b1f0c9e77aa0142", "nats": "sha256:00112233aabbccdd"}


def _with_bodies(timeline: Sequence[Json], bodies: Sequence[Any]) -> Json:
    paired = zip(timeline, bodies, strict=True)
    return heard([a_message(event["topic"], body) if body else None for event, body in paired])


ORDER = {"order": "A-17", "lines": [{"sku": "PEN-3", "qty": 2}], "customer": {"id": 42, "vip": False}}
WRONG_LANE: Json = {"kind": "mismatch", "path": "shipment.lane", "expected": 4, "actual": 3}
MISSING_ETA: Json = {"kind": "missing", "path": "shipment.eta", "expected": {"exists": True}, "actual": None}
FAILING = "features/orders.feature::Parcel leaves on the express lane"


def failing_test() -> tuple[Json, Json, Json]:
    """Two near-misses, the latest of them with two differing fields."""
    composed: Json = {
        "kind": "composed",
        "path": "all_of",
        "expected": {"all_of": ["shipment"]},
        "actual": None,
        "children": [WRONG_LANE, MISSING_ETA],
    }
    first, second = {"shipment": {"lane": 9}}, {"shipment": {"lane": 3, "carrier": "post"}}
    handles = [
        a_handle("orders.accepted", "pass", 2.31, 50.0),
        a_handle(
            "parcels.leaving",
            "fail",
            200.4,
            100.0,
            attempts=2,
            matcher_description="shipment.lane = 4 and shipment.eta exists",
            expected={"shipment": {"lane": 4}},
            actual=second,
            reason="shipment.lane was 3",
            failure=composed,
            failures=[{**WRONG_LANE, "actual": 9}, composed],
        ),
    ]
    timeline = [
        an_event(0.21, "published", "orders.created"),
        an_event(1.9, "received", "orders.accepted", "expect"),
        an_event(2.52, "matched", "orders.accepted", "status was accepted"),
        an_event(2.9, "received", "parcels.leaving", "expect"),
        an_event(3.0, "mismatched", "parcels.leaving", "shipment.lane was 9"),
        an_event(7.4, "received", "parcels.leaving", "expect"),
        an_event(7.52, "mismatched", "parcels.leaving", "shipment.lane was 3"),
        an_event(200.6, "deadline", "parcels.leaving", "2 near-miss(es)"),
    ]
    bodies = [ORDER, {"status": "accepted"}, {"status": "accepted"}, first, first, second, second, None]
    note = {
        "handles": [
            {"origin": "planned", "step_text": 'Then "orders.accepted" is received within 50 ms'},
            {
                "origin": "planned",
                "step_text": 'Then "parcels.leaving" is received with lane 4',
                "cause": "wrong shape",
                "sentence": "2 messages arrived on parcels.leaving, none with shipment.lane 4 and an eta.",
                "text": "closest near-miss: 1 of 3 fields right\n  shipment.lane  expected 4, was 3",
                "asserted": True,
                "since_publish_ms": 200.39,
                "since_registration_ms": 200.6,
                "messages": [],
            },
        ],
        **_with_bodies(timeline, bodies),
    }
    test = a_test(
        "Parcel leaves on the express lane",
        "failed",
        [a_scope("fail", handles, timeline, summary_text="1 of 2 expectations failed")],
        duration_ms=214.8,
        traceback="Traceback (most recent call last):\n  ...\nAssertionError: parcels.leaving: wrong shape",
        log="INFO connected to memory bus",
    )
    steps = [
        a_step("Given", "the message bus is connected", background=True),
        a_step("When", '"orders.created" is published with', docstring='order: "A-17"\nlines:\n  - sku: PEN-3'),
        a_step("Then", '"orders.accepted" is received within 50 ms', ms=2.6, checks=[{"scenario": 0, "handle": 0}]),
        a_step(
            "And",
            '"parcels.leaving" is received with',
            "failed",
            200.9,
            table=[["field", "value"], ["shipment.lane", "4"], ["shipment.eta", "exists"]],
            message="2 messages arrived, none matched\nclosest: shipment.lane was 3, expected 4",
            checks=[{"scenario": 0, "handle": 1}],
        ),
        a_step("And", 'nothing arrives on "orders.rejected"', "skipped", 0),
    ]
    described = a_description(
        test["nodeid"], test["name"], steps, tags=["orders", "express"], rule="Express orders skip the queue"
    )
    return test, described, {test["nodeid"]: [note]}


def stage_test(nodeid_name: str = "Paid order reaches the warehouse") -> tuple[Json, Json, Json]:
    """A chain over two transports whose last hop stays silent."""
    handles = [
        a_handle("orders.paid", "pass", 6.2, None, transport="nats", correlation_id=_HASH["nats"]),
        a_handle(
            "warehouse.pick",
            "timeout",
            500.0,
            None,
            transport="kafka",
            correlation_id=_HASH["kafka"],
            reason="no message arrived",
        ),
    ]
    nats, kafka = {"transport": "nats"}, {"transport": "kafka"}
    timeline = [
        an_event(0.0, "published", "orders.pay", source="publish", **nats),
        an_event(1.4, "received", "orders.pay", source="reply", **nats),
        an_event(2.2, "replied", "payments.done", "trigger=orders.pay", source="reply", **kafka),
        an_event(4.1, "received", "payments.done", source="reply", **kafka),
        an_event(4.9, "replied", "orders.paid", "trigger=payments.done", source="reply", **nats),
        an_event(6.0, "received", "orders.paid", source="expect", **nats),
        an_event(6.2, "matched", "orders.paid", source="expect", **nats),
        an_event(6.5, "correlation_skipped", "warehouse.pick", "sha256:77aa", source="expect", **kafka),
        an_event(500.1, "deadline", None, "timeout_ms=500", source="scope"),
    ]
    replies = [
        _reply("orders.pay", "nats", "payments.done", "kafka"),
        _reply("payments.done", "kafka", "orders.paid", "nats"),
        _reply("stock.check", "kafka", "stock.level", "kafka", state="armed_no_match"),
    ]
    stage = {"bridge_class": "MappedBridge", "transports": ["kafka", "nats"], "correlation_ids": _HASH}
    scope = a_scope("timeout", handles, timeline, replies=replies, stage=stage, name="paid")
    test = a_test(nodeid_name, "failed", [scope], duration_ms=504.0, traceback="AssertionError")
    steps = [
        a_step("When", '"orders.pay" is published on nats'),
        a_step("Then", '"orders.paid" is received on nats', ms=6.4, checks=[{"scenario": 0, "handle": 0}]),
        a_step(
            "Then",
            '"warehouse.pick" is received on kafka within 500 ms',
            "failed",
            501.0,
            message="Nothing arrived",
            checks=[{"scenario": 0, "handle": 1}],
        ),
    ]
    accepted = {"status": "accepted"}
    bodies = [ORDER, ORDER, {"paid": True}, {"paid": True}, accepted, accepted, accepted, None, None]
    note: Json = {
        "handles": [{}, {"cause": "nothing arrived", "sentence": ""}],
        **_with_bodies(timeline, bodies),
    }
    return test, a_description(test["nodeid"], test["name"], steps, tags=["payments"]), {test["nodeid"]: [note]}


def _reply(trigger: str, source: str, response: str, target: str, state: str = "replied") -> Json:
    fired = state == "replied"
    return {
        "trigger_topic": trigger,
        "reply_topic": response,
        "state": state,
        "matcher_description": "(any)",
        "candidate_count": int(fired),
        "match_count": int(fired),
        "reply_published": fired,
        "builder_error": "KeyError" if state == "reply_failed" else None,
        "correlation_overridden": False,
        "trigger_transport": source,
        "response_transport": target,
    }


def slow_test() -> tuple[Json, Json, Json]:
    handle = a_handle("invoices.created", "slow", 67.2, 50.0, reason="matched, 17.2 ms over budget")
    timeline = [
        an_event(0.3, "published", "orders.closed"),
        an_event(67.1, "received", "invoices.created", "expect"),
        an_event(67.5, "matched", "invoices.created", "status was accepted [SLOW 67ms>50ms]"),
    ]
    test = a_test("Invoice follows in time", "slow", [a_scope("slow", [handle], timeline)], duration_ms=69.9)
    steps = [
        a_step("When", '"orders.closed" is published'),
        a_step("Then", '"invoices.created" is received within 50 ms', "slow", 67.9),
    ]
    return test, a_description(test["nodeid"], test["name"], steps, tags=["billing"]), {}


def passing_test(name: str, latency: float = 0.42) -> tuple[Json, Json, Json]:
    handle = a_handle("orders.accepted", "pass", latency, 50.0, reason="status was accepted")
    timeline = [
        an_event(0.08, "published", "orders.created"),
        an_event(0.08 + latency * 0.9, "received", "orders.accepted", "expect"),
        an_event(0.08 + latency, "matched", "orders.accepted", "status was accepted"),
    ]
    test = a_test(name, "passed", [a_scope("pass", [handle], timeline)], duration_ms=latency + 1.1)
    steps = [
        a_step("When", '"orders.created" is published'),
        a_step("Then", '"orders.accepted" is received within 50 ms', ms=latency),
    ]
    return test, a_description(test["nodeid"], test["name"], steps), {}


def skipped_test() -> tuple[Json, Json, Json]:
    test = a_test(
        "Refund by post", "skipped", duration_ms=0.0, skip_reason="Skipped: the postal gateway is not built yet"
    )
    steps = [a_step("When", '"refunds.asked" is published', "skipped", 0)]
    return test, a_description(test["nodeid"], test["name"], steps), {}


def errored_test() -> tuple[Json, Json, Json]:
    test = a_test("Order is archived", "errored", duration_ms=1.2, traceback="KeyError: 'archive'")
    steps = [a_step("Given", "an archive is mounted", "undefined", 0), a_step("When", "a day passes", "untested", 0)]
    return test, a_description(test["nodeid"], test["name"], steps), {}


def sample_run() -> tuple[Json, Json]:
    """A red run: three features, every verdict."""
    orders = [
        failing_test(),
        *[passing_test(f"Order {n} is accepted", 0.31 + n / 7) for n in range(1, 7)],
        skipped_test(),
    ]
    payments = [stage_test(), stage_test("Paid gift order reaches the warehouse"), passing_test("Card is charged")]
    billing = [slow_test(), errored_test(), passing_test("Invoice carries the tax number", 12.4)]
    named = [
        ("Ordering", "orders", orders),
        ("Payments across brokers", "payments", payments),
        ("Billing", "billing", billing),
    ]
    features = [
        a_feature(name, [described for _, described, _ in group], f"features/{file}.feature")
        for name, file, group in named
    ]
    everything = [*orders, *payments, *billing]
    details = {nodeid: note for _, _, notes in everything for nodeid, note in notes.items()}
    return results_of([test for test, _, _ in everything]), gherkin_of(features, details)


def green_run() -> tuple[Json, Json]:
    passing = [passing_test(f"Order {n} is accepted") for n in range(1, 4)]
    features = [a_feature("Ordering", [described for _, described, _ in passing])]
    return results_of([test for test, _, _ in passing]), gherkin_of(features, exit={"status": 0, "interrupted": False})


def long_run(count: int) -> tuple[Json, Json]:
    """Plain tests without Gherkin, enough to need a windowed tree."""
    model = a_test("x", "passed", [])
    tests = [
        {
            **deepcopy(model),
            "nodeid": f"tests/test_many.py::test_{n}",
            "file": "tests/test_many.py",
            "name": f"test_{n}",
        }
        for n in range(count)
    ]
    return results_of(tests), {}


def told_run() -> tuple[Json, Json]:
    """The red run with everything that is told beside its results."""
    results, gherkin = deepcopy(sample_run())
    attachments = [
        {"name": "run.log", "media_type": "text/plain", "text": "\x1b[31mred\x1b[32mgreen", "size": 9, "cut": True},
        {"name": "order", "media_type": "application/json", "text": '{"qty": 2}', "size": 10, "cut": False},
    ]
    gherkin["details"][FAILING][0].update(
        surprises=[{"topic": "orders.lost", "classification": "unknown_scope", "size": 512, "count": 3}],
        transport_failures=[{"transport": "nats", "topic": "orders.created", "reason": "connection lost"}],
    )
    failed = {"outcome": "failed", "reason": "no message arrived"}
    return results, {
        **gherkin,
        "attachments": {gherkin["features"][0]["scenarios"][0]["nodeid"]: attachments},
        "attempts": {FAILING: [failed], results["tests"][1]["nodeid"]: [failed]},
        "vacuity": [{"nodeid": FAILING, "place": "features/orders.feature:7", "reason": "nothing checks it"}],
        "channels": {"spec": "shop.yaml", "touched": ["orders.created"], "untouched": ["refunds.asked"]},
        "history": {
            "runs": [[f"2027-03-0{day}T08:00:00+00:00", None, True] for day in range(1, 7)],
            "ci": True,
            "tests": {FAILING: ["psfek.", "H4  @"]},
        },
    }
