"""Numbers of a page beside those of the results it was made of: at least a thousand, none of them another."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd_reporter.documents.results import row_ids
from choreo_bdd_reporter.model.limits import json_safe
from choreo_bdd_reporter.model.tests import RecordedScenario, Run, Test
from choreo_bdd_reporter.page import data
from choreo_bdd_reporter.read.report import read_report
from choreo_bdd_reporter.writer import ReportWriter
from tests.support.page_builders import (
    Json,
    a_handle,
    a_message,
    a_scope,
    a_stray,
    a_test,
    an_event,
    gherkin_of,
    heard,
    results_of,
)

from .conftest import Opened, OpenReport

pytestmark = pytest.mark.browser

SCENARIOS = 28
TRANSPORTS = ("kafka", "nats")
_UNITS = {"µs": 0.001, "ms": 1.0, "s": 1000.0}
_SHOWN = re.compile(r"(?:[<>] )?(\d+(?:\.(\d+))?) (µs|ms|s|%)")
_READ = """async (views) => {
  const shown = [];
  for (const view of views) {
    const changed = new Promise((done) => addEventListener('hashchange', done, { once: true }));
    const id = view.test;
    location.hash = new URLSearchParams(view);
    await changed;
    while (document.querySelector('.hr-nodeid')?.textContent !== id) await new Promise((done) => setTimeout(done, 5));
    const all = (selector) => [...document.querySelectorAll(selector)];
    const texts = (selector) => all(selector).map((node) => node.innerText.replace('\\n', ' '));
    const [title, budgets] = [texts('.hr-scenario-time'), texts('.hr-budget-text')];
    shown.push({ title, budgets, events: texts('.hr-waterfall-row > :nth-child(3)') });
  }
  return shown;
}"""


def _scenario(number: int, rng: random.Random, *, on_stage: bool) -> Json:
    """Six hops, each with its budget and three events, of times without a pattern."""
    timeline, handles, at = [], [], 0.0
    for hop in range(6):
        where = {"transport": TRANSPORTS[hop % 2]} if on_stage else {}
        latency, topic = rng.choice((rng.uniform(0.002, 0.9), rng.uniform(1, 90), rng.uniform(100, 4000))), f"t{hop}"
        budget = latency * rng.uniform(0.3, 4)
        timeline += [
            an_event(at, "published", topic, **where),
            an_event(at + latency * 0.99, "received", topic, **where),
            an_event(at + latency, "matched", topic, **where),
        ]
        at += latency
        handles.append(a_handle(topic, "pass" if latency <= budget else "slow", latency, budget, **where))
    stage = {"bridge_class": "Bridge", "transports": list(TRANSPORTS), "correlation_ids": {}}
    scope = a_scope("pass", handles, timeline, **({"stage": stage} if on_stage else {}))
    return a_test(f"scenario {number}", "slow", [scope], duration_ms=at + rng.uniform(0.1, 9))


@pytest.mark.parametrize("kind", ["ordinary", "stage", "huge"])
def test_every_number_is_that_of_the_results(
    kind: str, open_report: OpenReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "huge":
        monkeypatch.setattr(data, "WHOLE_TESTS_MAX", 0)
    rng = random.Random(kind)
    results: Any = results_of([_scenario(number, rng, on_stage=kind == "stage") for number in range(SCENARIOS)])
    report = open_report((results, {}))
    assert _compared(report, [({"test": test["nodeid"]}, test) for test in results["tests"]]) >= 1000


@pytest.mark.parametrize("kind", ["xdist", "rerun", "crashed"])
def test_every_number_is_that_of_the_results_however_the_run_went(
    kind: str, open_report: OpenReport, empty_run: Run, tmp_path: Path
) -> None:
    rng = random.Random(kind)
    writer = ReportWriter(tmp_path / "out", started_at=empty_run.started_at, describe=lambda: empty_run.environment)
    times = 1 if kind == "crashed" else 2
    for number in range(SCENARIOS // times):
        for again in range(times):
            test = _recorded(_scenario(number, rng, on_stage=False), f"gw{again}" if kind == "xdist" else None)
            writer.add(replace(test, earlier=writer.attempts(test.nodeid, test.worker_id) if kind == "rerun" else ()))
    if kind == "crashed":
        read = read_report(tmp_path / "out")
        writer.abandon()
    else:
        writer.finish(empty_run)
        read = read_report(tmp_path / "out")
    tests, attempts = read.results["tests"], read.gherkin.get("attempts") or {}
    views: list[tuple[Json, Any]] = [({"test": row}, test) for row, test in zip(row_ids(tests), tests, strict=True)]
    views += [({"test": row, "attempt": "1"}, first["test"]) for row, (first,) in attempts.items()]
    assert len(views) == SCENARIOS
    assert _compared(open_report((read.results, read.gherkin)), views) >= 1000


@pytest.fixture(params=["whole", "chunked"])
def _whole_or_chunked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that has its report whole, and one that fetches it in chunks."""
    if request.param == "chunked":
        monkeypatch.setattr(data, "WHOLE_TESTS_MAX", 0)


BEYOND = {"a": 2**53 + 1, "b": -(2**64) - 1, "c": [10**30 + 1, 7], "d": 2**53 - 1, "e": "9007199254740993"}


@pytest.mark.usefixtures("_whole_or_chunked")
def test_integers_that_a_script_has_no_number_for_are_shown_and_copied_as_they_came(
    open_report: OpenReport,
) -> None:
    test = a_test("beyond", "failed", [a_scope("fail", [], [an_event(1.0, "published", "t")])])
    run = results_of([test]), gherkin_of(details={test["nodeid"]: [heard([a_message("t", BEYOND)])]})
    page = open_report(run, "#event=0-0").page
    shown = page.get_by_role("complementary", name="Message").locator("pre.hr-json").first.inner_text()
    assert json.loads(shown) == BEYOND


SPELT = {
    "whole": 2**53 + 1, "negative": -(2**60) - 1, "huge": 10**30 + 1, "point": 1.0, "minus": -0.0, "small": 1e-07,
    "large": 1e22, "list": [2.0, {"deep": 2**53 + 3}], "digits": Decimal("0.1000000000000000055511151231257827"),
    "beyond": Decimal("1E+400"), "plain": 12.5, "text": "1.0",
}  # fmt: skip
AS_WRITTEN = {
    "whole": "9007199254740993", "negative": "-1152921504606846977", "huge": "1000000000000000000000000000001",
    "point": "1.0", "minus": "-0.0", "small": "1e-7", "large": "1e22", "list": '[2.0,{"deep":9007199254740995}]',
    "digits": "0.1000000000000000055511151231257827", "beyond": "1E+400", "plain": "12.5", "text": '"1.0"',
}  # fmt: skip
WHOLE = "{" + ",".join(f'"{name}":{text}' for name, text in AS_WRITTEN.items()) + "}"


def _spelt_run() -> tuple[Any, Any]:
    """A near-miss whose every field differs, and a message that came late."""
    values = json_safe(SPELT)
    differences: list[Json] = [
        {"kind": "mismatch", "path": name, "expected": value, "actual": 2**53 + 5} for name, value in values.items()
    ]
    failed = {"failure": differences[0], "failures": differences, "expected": values, "actual": values}
    handles = [a_handle("t", "fail", 5.0, 9.0, **failed), a_handle("u", "timeout", 5.0, expected=values)]
    late: Json = {"kind": "type_mismatch", "path": "stray", "expected": {"gt": 4.0}, "actual": 2**53 + 7}
    note = {
        **heard([a_message("t", values)]),
        "handles": [{"differences": differences}, {}],
        "strays": [a_stray("late", 2.0, handle=1, differences=[late])],
    }
    test = a_test("spelt", "failed", [a_scope("fail", handles, [an_event(1.0, "published", "t")])])
    return results_of([test]), gherkin_of(details={test["nodeid"]: [note]})


@pytest.mark.usefixtures("_whole_or_chunked")
def test_what_was_expected_and_what_arrived_are_shown_and_copied_in_their_own_digits(
    open_report: OpenReport,
) -> None:
    report = open_report(_spelt_run(), "#event=0-0")
    page = report.page
    page.locator(".hr-finding .hr-diff-line").first.wait_for()
    lines = [line.locator(".hr-value").all_text_contents() for line in page.locator(".hr-finding .hr-diff-line").all()]
    told = [[_exponents(text) for text in line] for line in lines[: len(AS_WRITTEN)]]
    assert told == [[text, "9007199254740997"] for text in AS_WRITTEN.values()]
    assert lines[len(AS_WRITTEN) :] == [["> 4.0", "9007199254740999"]]
    assert "a number" in (page.locator(".hr-diff-actual").last.text_content() or "")
    values = [page.get_by_role("complementary", name="Message").locator("pre.hr-json").first.inner_text()]
    page.locator(".hr-handle > summary").first.click()
    inside = page.locator(".hr-handle-body pre.hr-json")
    inside.nth(1).wait_for()  # what is opened is drawn a little later
    values += inside.all_inner_texts()
    assert [_exponents(re.sub(r"\s", "", text)) for text in values] == [WHOLE] * 3
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.taken = text; }")
    for button in ("copy as text", "copy as LLM prompt"):
        page.get_by_role("button", name=button).first.click()
        page.wait_for_function("window.taken")
        taken = _exponents(page.evaluate("[window.taken, window.taken = ''][0]"))
        assert WHOLE in taken
        assert all(f"expected {text}, arrived 9007199254740997" in taken for text in AS_WRITTEN.values())
    assert report.errors == []


def _exponents(text: str) -> str:
    """The text with exponents as short as they can be: writers of JSON differ in their zeros and signs."""
    return re.sub(r"e\+?(-?)0*(?=\d)", r"e\1", text)


def _compared(report: Opened, views: Sequence[tuple[Json, Any]]) -> int:
    """How many numbers of the scenarios at these places of the page were compared with their tests."""
    shown = report.page.evaluate(_READ, [view for view, _ in views])
    compared = 0
    for (view, test), found in zip(views, shown, strict=True):
        for text, real in _pairs(test, found):
            compared += 1
            assert _is_shown(text, real), f"{view}: {text!r} is not {real!r}"
    assert report.errors == []
    return compared


def _recorded(test: Json, worker: str | None) -> Test:
    """A test as a runner hands it over."""
    return Test(
        nodeid=test["nodeid"], file=test["file"], name=test["name"], outcome=test["outcome"], worker_id=worker,
        duration_ms=test["duration_ms"], scenarios=tuple(RecordedScenario(document=part) for part in test["scenarios"]),
    )  # fmt: skip


def _pairs(test: Json, shown: Json) -> Iterator[tuple[str, float]]:
    """Each number of a scenario as text, and what it must be."""
    (part,) = test["scenarios"]
    yield shown["title"][0], test["duration_ms"]
    for text, handle in zip(shown["budgets"], part["handles"], strict=True):
        latency, budget = handle["latency_ms"], handle["budget_ms"]
        took, limit, left, *share = [found[0] for found in _SHOWN.finditer(text)]
        yield from ((took, latency), (limit, budget), (left, abs(budget - latency)))
        yield from ((each, (budget - latency) / budget * 100) for each in share)
    for text, event in zip(shown["events"], _events_in_rows(part), strict=True):
        yield text, event["offset_ms"]


def _events_in_rows(part: Json) -> list[Json]:
    """The events whose times the rows show, lane by lane: what was sent, and what came when it was judged."""
    told = [event for event in part["timeline"] if event["action"] != "received"]
    return sorted(told, key=lambda event: event.get("transport", ""))


def _value(text: str) -> float:
    found = _SHOWN.search(text)
    assert found is not None, text
    return float(found[1]) * _UNITS.get(found[3], 1.0)


def _is_shown(text: str, real: float) -> bool:
    """Whether a text is a number rounded as far as it says itself, or a bound that rounding would have reached."""
    if text[:1] in "<>":
        return 0 < real <= 0.5 if text == "< 1 %" else text == "> 99 %" and 99.5 <= real < 100
    found = _SHOWN.search(text)
    assert found is not None, text
    step = 10.0 ** -len(found[2] or "") * _UNITS.get(found[3], 1.0)
    return abs(_value(text) - real) <= step / 2 * 1.001 + 1e-9
