"""What stands both in Python and in the page's modules says the same in both."""

from __future__ import annotations

import json
import re
import sys
from functools import partial
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import expect

from choreo_bdd.matchers import words
from choreo_bdd.shared.shares import percent
from choreo_bdd_reporter.outputs.spans import traces
from choreo_bdd_reporter.outputs.summary import as_markdown, as_text
from choreo_bdd_reporter.page import chunks, index, render
from tests.support.page_builders import (
    Json,
    a_handle,
    a_message,
    a_scope,
    a_test,
    an_event,
    gherkin_of,
    heard,
    results_of,
)
from tests.support.page_sample import sample_run

from .conftest import OpenReport


def _module(name: str) -> str:
    return files("choreo_bdd_reporter.page").joinpath(f"js/{name}").read_text("utf-8")


def _words(source: str, name: str) -> tuple[str, ...]:
    found = re.search(rf"^const {name} = \[(.*)\];$", source, re.MULTILINE)
    assert found is not None, name
    return tuple(re.findall(r"'([^']*)'", found[1]))


def test_the_columns_of_a_chunk_are_those_that_are_read() -> None:
    read = re.findall(r"(\w+): text\(columns\.(\w+), index\)", _module("store/chunk.js"))
    assert read == [(name, name) for name in chunks._COLUMNS]


def test_the_numbers_of_a_hop_mean_the_same_to_who_writes_and_who_reads_them() -> None:
    source = _module("core/model.js")
    assert _words(source, "HOP_OUTCOMES") == index.HOP_OUTCOMES
    handle: Any = a_handle("t", "pass", 1.0)
    hop = index._hop(handle, index._Totals(None))
    assert f"const HOP_NUMBERS = {len(hop)};" in source


def test_the_same_characters_are_spelt_out() -> None:
    found = re.search(r"^const HIDDEN = /(.*)/gu;$", _module("core/dom.js"), re.MULTILINE)
    assert found is not None
    in_script = re.sub(r"\\u\{(\w+)\}", lambda long: f"\\U{long[1]:0>8}", found[1])
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    assert re.findall(in_script, everything) == render._HIDDEN.findall(everything)


def _table(source: str, name: str) -> dict[str, str]:
    found = re.search(
        rf"^const {name} = new Map\(Object.entries\(\{{\n(.*?)\n\}}\)\);$", source, re.MULTILINE | re.DOTALL
    )
    assert found is not None, name
    return dict(re.findall(r"^  (\w+): '([^']*)',$", found[1], re.MULTILINE))


def test_conditions_have_the_same_words() -> None:
    source = _module("message/conditions.js")
    assert _table(source, "OPERATOR_WORDS") == words.OPERATOR_WORDS
    assert _table(source, "TYPE_WORDS") == words.TYPE_WORDS


OPERANDS: tuple[Any, ...] = (True, 3, "x/{}", [1, 2], [{"gt": 1}], [], {"length": {"ge": 3}})
SHAPES: tuple[Any, ...] = (
    *({name: operand} for name in (*words.OPERATOR_WORDS, "exists", "even", "constructor") for operand in OPERANDS),
    *({"type": kind} for kind in (*words.TYPE_WORDS, "card")),
    {"ne": 1, "gt": 2},
    {"all_of": [{"gt": 1}, {"not": {"in": ["A", {"matches": "^x"}]}}]},
    {},
    [{"gt": 1}],
    None,
)


@pytest.mark.browser
def test_a_condition_is_said_alike_in_the_terminal_and_in_the_page(open_report: OpenReport) -> None:
    differing = [{"kind": "predicate", "path": "f", "expected": shape, "actual": 0} for shape in SHAPES]
    handle = a_handle("t", "fail", 5.0, failure=differing[0], failures=[differing[0]])
    test = a_test("x", "failed", [a_scope("fail", [handle], [an_event(1.0, "published", "t")])])
    note = {"handles": [{"differences": differing}], "timeline": [-1]}
    report = open_report((results_of([test]), gherkin_of(details={test["nodeid"]: [note]})))
    shown = report.page.locator(".hr-finding .hr-diff-expected .hr-value").all_inner_texts()
    compact = partial(json.dumps, separators=(",", ":"))
    assert shown == [words.in_words(shape, compact) for shape in SHAPES]


TOOK: dict[float, str] = {
    0.0: "0 %",
    0.3: "< 1 %",
    0.5: "1 %",
    49.6: "50 %",
    99.4: "99 %",
    99.75: "> 99 %",
    100.0: "100 %",
}
"""Of a budget of 100 ms, and how much of it that is."""


def test_a_share_is_never_rounded_to_nothing_or_all_in_a_summary() -> None:
    scopes = [a_scope("pass", [a_handle(f"t.{took}", "pass", took, 100.0)]) for took in TOOK]
    scopes.append(a_scope("slow", [a_handle("t.100.3", "slow", 100.3, 100.0)]))
    run = results_of([a_test(str(place), scenarios=[scope]) for place, scope in enumerate(scopes)])
    told = ["> 100 %", "100 %", "> 99 %", "99 %", "50 %"]  # the five closest to their budgets
    assert re.findall(r"ms \((.*?)\)", as_text(run, {})) == told
    assert re.findall(r"\| (\S* ?\d+ %) \|", as_markdown(run, {})) == told
    assert [percent(-share, 100) for share in (0.3, 20, 100)] == ["> −1 %", "−20 %", "−100 %"]  # noqa: RUF001
    assert percent(1, 0) == "–"  # noqa: RUF001


@pytest.mark.browser
def test_a_share_is_said_alike_in_the_terminal_and_in_the_page(open_report: OpenReport) -> None:
    handles = [a_handle("t", "pass", took, 100.0) for took in TOOK]
    report = open_report(
        (results_of([a_test("x", scenarios=[a_scope("pass", handles, [an_event(1.0, "published", "t")])])]), {})
    )
    shown = [re.sub(r".*\((.*)\)", r"\1", text) for text in report.page.locator(".hr-budget-rest").all_text_contents()]
    assert shown == [percent(100 - took, 100) for took in TOOK]


def _replied(*, is_stage: bool) -> Json:
    """An order that is answered, the answer expected, and the order expected as well."""
    at = {"transport": "nats"} if is_stage else {}

    def by(source: str) -> dict[str, str]:
        return {"source": source} if is_stage else {}

    filed, told = ("paid", "trigger=order") if is_stage else ("order", "reply=paid")
    timeline = [
        an_event(0.0, "published", "order", **at, **by("publish")),
        an_event(0.4, "received", "order", "" if is_stage else "reply: order", **at, **by("reply")),
        an_event(0.5, "received", "order", **at, **by("expect")),
        an_event(0.6, "matched", "order", **at, **by("expect")),
        an_event(0.9, "replied", filed, told, **at, **by("reply")),
        an_event(1.2, "received", "paid", **at, **by("expect")),
        an_event(1.3, "matched", "paid", **at, **by("expect")),
        an_event(2.0, "published", "order", **at, **by("publish")),
        an_event(2.2, "received", "order", **at, **by("expect")),
        an_event(2.3, "mismatched", "order", **at, **by("expect")),
    ]
    scope = a_scope("pass", [a_handle("order", "pass", 0.5), a_handle("paid", "pass", 1.2)], timeline)
    return a_test("staged" if is_stage else "replied", scenarios=[scope])


def _chained() -> tuple[Json, Json]:
    """Messages of services: two name their cause, one was sent in its trace, one says nothing, and comes twice."""
    traced = f"00-{'0' * 32}-{'a' * 16}-01"
    sent = a_message("started", {"n": 0}, headers={"message-id": "m0", "traceparent": traced})
    given = {
        "paid": {"causation-id": "m0"},
        "billed": {"X-Came-Of": "m0"},
        "packed": {"traceparent": traced},
        "mailed": {},
    }
    came = [(topic, a_message(topic, {"n": topic}, headers=headers)) for topic, headers in given.items()]
    timeline = [an_event(0.0, "published", "started")]
    timeline += [an_event(9.0 * place, "received", topic) for place, (topic, _) in enumerate(came, start=1)]
    note = {"handles": [], **heard([sent, *(message for _, message in came)])}
    timeline.append(an_event(37.0, "received", "mailed"))
    note["timeline"].append(note["timeline"][-1])
    test = a_test("chained", scenarios=[a_scope("pass", [], timeline)])
    return results_of([test]), gherkin_of(details={test["nodeid"]: [note]}, causation="x-came-of")


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["single", "stage", "sample", "chain"])
def test_a_message_has_one_cause_in_the_page_and_in_traces(open_report: OpenReport, kind: str) -> None:
    whole = {"sample": sample_run, "chain": _chained}
    run = whole[kind]() if kind in whole else (results_of([_replied(is_stage=kind == "stage")]), {})
    report = open_report(run)
    seen = 0
    for test in run[0]["tests"]:
        report.page.evaluate("id => { location.hash = `#test=${encodeURIComponent(id)}` }", test["nodeid"])
        expect(report.page.locator("#hr-scenario-title")).to_have_text(test["name"])
        for place, trace in enumerate(found for found in traces(*run) if found.test is test):
            drawn = _drawn(report.page, place)
            told = {(span.kind, span.topic, _cause(trace.spans, span)) for span in trace.spans}
            assert told == drawn
            seen += len(told)
    assert seen > 3


def _cause(spans: Any, span: Any) -> tuple[str, str] | None:
    return None if span.parent is None else (spans[span.parent].kind, spans[span.parent].topic)


def _drawn(page: Any, place: int) -> set[Any]:
    datasets = "[...document.querySelectorAll('.hr-waterfall-row')].map((row) => ({ ...row.dataset }))"
    rows = [
        (row["nodeId"], row.get("parentId") or row.get("after"), row["kind"], row.get("topic"))
        for row in page.evaluate(datasets)
        if row["nodeId"].startswith(f"{place}-")
    ]
    kinds = {"publish": "send", "reply": "send", "delivery": "receive", "arrival": "receive"}
    known = {node: (kinds[kind], topic) for node, _, kind, topic in rows if kind in kinds}
    return {(*known[node], known.get(parent)) for node, parent, _, _ in rows if node in known}
