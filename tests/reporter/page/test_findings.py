"""What went wrong, in words: outcome, cause and sentence of each kind of failure, also without the engine's own."""

from __future__ import annotations

from typing import Any

import pytest

from choreo_bdd_reporter.page.index import build_index
from choreo_bdd_reporter.read.entries import Entry, group_entries
from choreo_bdd_reporter.read.findings import SHOWN_FINDINGS, findings_of, is_failing, is_unchecked, outcome_of
from tests.support.page_builders import (
    Json,
    a_description,
    a_feature,
    a_handle,
    a_scope,
    a_step,
    a_test,
    an_event,
    gherkin_of,
    results_of,
)
from tests.support.page_sample import WRONG_LANE, failing_test, sample_run

CHECKED = [{"scenario": 0, "handle": 0}]


def _entry(test: Any, steps: list[Json] | None = None, notes: list[Json] | None = None) -> Entry:
    scenario = None if steps is None else a_description(test["nodeid"], test["name"], steps)
    return Entry(row=test["nodeid"], test=test, position=0, scenario=scenario, notes=tuple(notes or ()))


def _slow(outcome: str = "failed", **fields: Any) -> Json:
    return a_test("x", outcome, [a_scope("slow", [a_handle("t", "slow", 67.2, 50.0)])], **fields)


def _silent(**scope: Any) -> Json:
    return a_test("x", "failed", [a_scope("timeout", [a_handle("t", "timeout", 300.0)], **scope)])


def test_the_engines_own_words_come_first() -> None:
    test: Any
    test, described, notes = failing_test()
    entry = Entry(row=test["nodeid"], test=test, position=0, scenario=described, notes=tuple(notes[test["nodeid"]]))
    (finding,) = findings_of(entry)
    assert (finding["status"], finding["cause"], finding["topic"]) == ("fail", "wrong shape", "parcels.leaving")
    assert finding["sentence"].startswith("2 messages arrived on parcels.leaving, none with")
    assert (finding["part"], finding["handle"]) == (0, 1)


@pytest.mark.parametrize(
    ("handle", "cause", "sentence"),
    [
        (a_handle("t", "timeout", 300.0), "nothing arrived", "no message arrived on 't' within 300 ms"),
        (
            a_handle("t", "slow", 67.2, 50.0),
            "over budget",
            "the message on 't' took 67.2 ms, 17.2 ms over the budget of 50 ms",
        ),
        (
            a_handle("t", "fail", 9.0, attempts=2, reason="lane was 3", failure=WRONG_LANE, failures=[WRONG_LANE]),
            "wrong shape",
            "2 messages arrived on 't', none matched: lane was 3",
        ),
        (a_handle("t", "fail", 9.0, reason="one too many"), "wrong shape", "one too many"),
    ],
)
def test_a_report_without_the_engines_words_is_explained_from_its_numbers(
    handle: Json, cause: str, sentence: str
) -> None:
    outcome = "slow" if handle["outcome"] == "slow" else "failed"
    (finding,) = findings_of(_entry(a_test("x", outcome, [a_scope(handle["outcome"], [handle])])))
    assert (finding["cause"], finding["sentence"]) == (cause, sentence)


def test_a_scope_that_broke_off_was_not_silent() -> None:
    assert findings_of(_entry(_silent(completed_normally=False)))[0]["cause"] == "aborted"


def test_what_a_broken_step_kept_from_being_awaited_is_no_silence_though_its_cause_is_the_transport() -> None:
    reason = "aborted: the scenario ended; transport failed: MyTransport could not publish to 'x': denied"
    handle = a_handle("t", "timeout", 0.0, reason=reason)
    test = a_test("x", "failed", [a_scope("timeout", [handle], completed_normally=False)])
    said = "'t' could not be served: MyTransport could not publish to 'x': denied"
    notes = [{"handles": [{"cause": "transport failed", "sentence": said}]}]
    entry = _entry(test, [a_step("When", 'I publish "x"', "failed", message="denied")], notes)
    assert outcome_of(entry) == "failed"
    assert [(each["cause"], each["sentence"]) for each in findings_of(entry)] == [("transport failed", said)]


def test_only_silence_makes_a_timeout() -> None:
    assert outcome_of(_entry(_silent())) == "timeout"
    both = [a_handle("t", "timeout", 9.0), a_handle("u", "fail", 9.0, attempts=1)]
    assert outcome_of(_entry(a_test("x", "failed", [a_scope("fail", both)]))) == "failed"


def test_a_step_that_failed_by_its_budget_alone_is_slow_and_still_counts_as_failing() -> None:
    entry = _entry(_slow(), [a_step("Then", 'I expect "t" within 50ms', "failed", checks=CHECKED)])
    assert outcome_of(entry) == "slow"
    assert is_failing(entry)
    assert [finding["cause"] for finding in findings_of(entry)] == ["over budget"]


def test_another_broken_step_is_not_hidden_behind_a_slow_one() -> None:
    steps = [
        a_step("Then", "I expect", "slow", checks=CHECKED),
        a_step("And", "the cellar is dry", "failed", message="it is wet"),
    ]
    entry = _entry(_slow(), steps)
    assert outcome_of(entry) == "failed"
    assert findings_of(entry)[0]["sentence"] == "it is wet"
    assert findings_of(entry)[0]["step"] == 1


def test_without_steps_a_slow_failure_is_known_by_its_traceback() -> None:
    assert outcome_of(_entry(_slow(traceback="AssertionError: [SLOW] t took 67 ms"))) == "slow"
    assert outcome_of(_entry(_slow(traceback="AssertionError: 1 != 2"))) == "failed"


def test_a_slow_test_that_passed_is_not_failing() -> None:
    entry = _entry(_slow("slow"))
    assert (outcome_of(entry), is_failing(entry)) == ("slow", False)


def test_an_expectation_nobody_asked_about_is_unchecked() -> None:
    test = {**_silent(), "outcome": "passed"}
    assert is_unchecked(_entry(test))
    assert not is_unchecked(_entry(_silent()))


@pytest.mark.parametrize(
    ("traceback", "said"),
    [
        (
            "    def test_a():\n>       assert 1 == 2\nE       assert 1 == 2\n\ntest_e.py:2: AssertionError",
            "assert 1 == 2",
        ),
        (
            "E       AssertionError: stock was not reserved\nE       assert 1 == 2\n\ntest_e.py:1: AssertionError",
            "AssertionError: stock was not reserved",
        ),
        (
            "E   KeyError: 'id'\n\na.py:1: KeyError\n\nE   ConnectionError: db refused\n\ntest_e.py:3: ConnectionError",
            "ConnectionError: db refused",
        ),
    ],
    ids=["assertion", "message", "chain"],
)
def test_a_failed_test_is_named_by_its_exception_and_not_by_its_place(traceback: str, said: str) -> None:
    (finding,) = findings_of(_entry(a_test("x", "failed", traceback=traceback)))
    assert finding["sentence"] == said


def test_a_traceback_stands_in_where_nothing_else_explains() -> None:
    (finding,) = findings_of(_entry(a_test("x", "failed", traceback="Traceback\nValueError: no luck")))
    assert finding["sentence"] == "ValueError: no luck"
    (finding,) = findings_of(_entry(a_test("x", "errored")))
    assert finding["sentence"] == "it failed without a message"


def test_a_failed_reply_is_a_finding_of_its_own() -> None:
    reply = {"trigger_topic": "ask", "reply_topic": "answer", "state": "reply_failed", "builder_error": "KeyError"}
    scope = a_scope("timeout", [a_handle("answer", "timeout", 9.0)], replies=[reply])
    first, second = findings_of(_entry(a_test("x", "failed", [scope])))
    assert first["sentence"] == "the reply to 'ask' failed with KeyError; nothing was published on 'answer'"
    assert second["cause"] == "nothing arrived"


def test_many_findings_are_cut_worst_first() -> None:
    handles = [a_handle(f"t{n}", "slow", 60.0, 50.0) for n in range(40)] + [a_handle("t", "timeout", 9.0)]
    found = findings_of(_entry(a_test("x", "failed", [a_scope("timeout", handles)])))
    assert len(found) == SHOWN_FINDINGS
    assert found[0]["status"] == "timeout"


def test_every_test_is_listed_once_described_or_not() -> None:
    results: Any
    results, gherkin = sample_run()
    results["tests"].append(a_test("plain", nodeid="tests/test_a.py::plain", file="tests/test_a.py"))
    groups = group_entries(results, gherkin)
    listed = [entry.test["nodeid"] for group in groups for entry in group.entries]
    assert sorted(listed) == sorted(test["nodeid"] for test in results["tests"])
    assert groups[-1].head["name"] == "tests/test_a.py"


def test_a_scenario_that_never_started_is_listed_from_its_steps() -> None:
    described = a_description("f::never", "never", [a_step("Given", "x", "skipped"), a_step("When", "y", "untested")])
    groups = group_entries(results_of([]), gherkin_of([a_feature("F", [described])]))
    (row,) = build_index(groups, results_of([]), {})["groups"][0]["rows"]
    assert row["outcome"] == "skipped"
    assert row["test"]["nodeid"] == "f::never"


def _index(test: Json, **run: Any) -> Json:
    results = results_of([test], **run)
    index = build_index(group_entries(results, {}), results, {})
    return {**index, "row": index["groups"][0]["rows"][0]}


def test_hops_are_numbers_that_name_topic_transport_and_times() -> None:
    handles = [
        a_handle("a", "pass", 2.5, 50.0, transport="kafka"),
        a_handle("b", "timeout", 300.0),
        a_handle("a", "fail", 9.0, attempts=3),
    ]
    index = _index(a_test("x", "failed", [a_scope("fail", handles)]))
    assert index["names"] == ["a", "kafka", "b"]
    assert index["row"]["hops"] == [
        0,
        1,
        0,
        2500,
        50_000,
        0,
        -1,
        2,
        -1,
        3,
        300_000,
        -1,
        0,
        -1,
        0,
        -1,
        2,
        9000,
        -1,
        3,
        -1,
    ]


def test_a_hop_added_what_passed_since_the_message_before_it() -> None:
    timeline = [an_event(1.0, "published", "started")]
    for at, topic in ((3.0, "started"), (243.0, "captured"), (257.0, "mail")):
        timeline += [an_event(at, "received", topic), an_event(at + 0.2, "matched", topic)]
    handles = [
        a_handle("mail", "slow", 256.0, 100.0),
        a_handle("captured", "pass", 242.0),
        a_handle("x", "timeout", 400.0),
    ]
    index = _index(a_test("x", "passed", [a_scope("slow", handles, timeline)]))
    assert index["row"]["hops"][6::7] == [14_000, 240_000, -1]


def test_a_match_whose_arrival_is_not_known_added_nothing_that_can_be_told() -> None:
    timeline = [an_event(5.0, "received", "a"), an_event(5.1, "matched", "a"), an_event(6.0, "matched", "b")]
    handles = [a_handle("a", "pass", 5.0), a_handle("b", "pass", 6.0)]
    assert _index(a_test("x", "passed", [a_scope("pass", handles, timeline)]))["row"]["hops"][6::7] == [-1, -1]


def test_the_runs_own_transport_stands_in_for_a_missing_one() -> None:
    index = _index(a_test("x", "passed", [a_scope("pass", [a_handle("a", "pass", 1.0)])]), transport="nats")
    assert index["names"][index["row"]["hops"][1]] == "nats"


def test_silence_that_was_expected_has_no_latency() -> None:
    index = _index(a_test("x", "passed", [a_scope("pass", [a_handle("a", "pass", 150.0, actual=None)])]))
    assert index["row"]["hops"][3] == -1


def test_traffic_counts_what_was_sent_and_what_came_reply_topics_included() -> None:
    events = [
        an_event(0.0, "published", "ask"),
        an_event(0.1, "received", "ask", "reply:answer"),
        an_event(0.2, "replied", "ask", "reply=answer"),
        an_event(0.3, "received", "answer", "expect"),
        an_event(0.4, "matched", "answer"),
    ]
    index = _index(a_test("x", "passed", [a_scope("pass", [], events)]))
    counted = {(index["names"][topic], bool(sent)): count for topic, _, count, sent in index["traffic"]}
    assert counted == {("ask", True): 1, ("ask", False): 1, ("answer", True): 1, ("answer", False): 1}
