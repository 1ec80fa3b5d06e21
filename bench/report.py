"""The report at full size: 200 features of 50 scenarios of 50 events, written and opened in headless Chromium.

    python -m bench.report                       the reference suite
    python -m bench.report FEATURES SCENARIOS EVENTS

Prints each target with its limit; exits with 1 when one is missed. Absolute times depend on the machine.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from bench.renderer import unobserved_peak_mb
from choreo_bdd_reporter.page import write_page

Json = dict[str, Any]
START = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
FLAGS = ("--no-sandbox", "--disable-gpu", "--enable-precise-memory-info")
BROKEN_SHARE = 0.1


def main(arguments: list[str]) -> int:
    features, scenarios, events = (int(each) for each in arguments) if arguments else (200, 50, 50)
    results, gherkin = suite(features, scenarios, events)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "index.html"
        tests = results["tests"]
        missed = [*measure_writing(path, results, gherkin), *measure_page(path, tests), *measure_memory(path, tests)]
        with path.open("w", encoding="utf-8") as stream:
            write_page(results, gherkin, stream, all_bodies=True)
        missed.append(row("size with every message body", path.stat().st_size / 1e6, 60, "MB"))
        long = suite(2, 10, 10_000)
        with path.open("w", encoding="utf-8") as stream:
            write_page(*long, stream)
        missed += measure_timeline(path, long[0]["tests"])
    return int(any(missed))


def row(name: str, value: float, limit: float, unit: str) -> bool:
    """Print one target; true when it is missed."""
    missed = value > limit
    print(f"{name:<52} {value:9.1f} {unit:<4} limit {limit:6.0f} {'MISSED' if missed else ''}", flush=True)
    return missed


def measure_writing(path: Path, results: Json, gherkin: Json) -> Iterator[bool]:
    before, began = _peak_mb(), time.process_time()
    with path.open("w", encoding="utf-8") as stream:
        write_page(results, gherkin, stream)
    yield row("page written, CPU", time.process_time() - began, 20, "s")
    yield row("memory on top of the run itself", _peak_mb() - before, 100, "MB")
    yield row("size of the page", path.stat().st_size / 1e6, 15, "MB")


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_page(path: Path, tests: list[Json]) -> Iterator[bool]:
    with sync_playwright() as playwright:
        chromium, page = _opened(playwright, path)
        yield row("first scenario rows", page.evaluate("window.firstRow"), 1000, "ms")
        yield row("heap after load", _heap_mb(page), 20, "MB")
        yield row("open a scenario, p95", p95(page.evaluate(OPEN, _spread(tests, 40))), 150, "ms")
        yield row("heap after opening 40 scenarios", _heap_mb(page), 80, "MB")
        yield row("keystroke to filtered list, p95", p95(page.evaluate(TYPE, list("s:failed c:orders"))), 50, "ms")
        yield row("frame while scrolling the tree, p95", p95(page.evaluate(SCROLL, '[role="tree"]')), 50, "ms")
        yield row("nodes in the document", page.evaluate(NODES), 5000, "")
        print(f"{'peak memory of the renderer under this debugger':<52} {renderer_mb(chromium):9.1f} MB", flush=True)
        chromium.close()


def measure_memory(path: Path, tests: list[Json]) -> Iterator[bool]:
    """Of a renderer that is left alone; the last of these opens, types and scrolls without a pause."""
    opening = [f"await ({OPEN})({json.dumps(_spread(tests, count))});" for count in (20, 40)]
    hurry = f"{opening[1]} await ({TYPE})([...'s:failed c:orders']); await ({SCROLL})('[role=\"tree\"]');"
    steps = (("loaded", SETTLE), ("20 scenarios opened", opening[0]), ("40, typed, scrolled", hurry))
    for name, actions in steps:
        yield row(f"peak memory of the renderer: {name}", unobserved_peak_mb(path, actions), 300, "MB")


def measure_timeline(path: Path, tests: list[Json]) -> Iterator[bool]:
    with sync_playwright() as playwright:
        chromium, page = _opened(playwright, path)
        yield row("open a scenario of 10,000 events, p95", p95(page.evaluate(OPEN, _spread(tests, 20))), 150, "ms")
        yield row(
            "frame while scrolling 10,000 events, p95", p95(page.evaluate(SCROLL, ".hr-waterfall-rows")), 50, "ms"
        )
        yield row("nodes with 10,000 events", page.evaluate(NODES), 5000, "")
        chromium.close()


def _opened(playwright: Playwright, path: Path) -> tuple[Browser, Page]:
    chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
    page = chromium.new_page(viewport={"width": 1600, "height": 1000})
    page.set_default_timeout(300_000)  # a slow machine is to miss a limit, not to end the measurement
    page.add_init_script(FIRST_ROW)
    page.goto(path.as_uri(), wait_until="load")
    page.locator("#hr-scenario-title").wait_for()
    return chromium, page


def renderer_mb(chromium: Browser) -> float:
    """Peak memory of the largest renderer process."""
    found = chromium.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    sizes = [
        int(line.split()[1])
        for process in found
        if process["type"] == "renderer"
        for line in Path(f"/proc/{process['id']}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    return max(sizes) / 1024


def _spread(tests: list[Json], count: int) -> list[str]:
    return [tests[(number * 7919) % len(tests)]["nodeid"] for number in range(count)]


def _heap_mb(page: Page) -> float:
    client = page.context.new_cdp_session(page)
    client.send("HeapProfiler.collectGarbage")
    return float(client.send("Runtime.getHeapUsage")["usedSize"]) / 1e6


def p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


SETTLE = "await new Promise((resolve) => setTimeout(resolve, 1500));"
NODES = "document.querySelectorAll('*').length"
FIRST_ROW = """
new MutationObserver((_, observer) => {
  if (!document.querySelector('[role=treeitem][data-nodeid]')) return;
  observer.disconnect();
  requestAnimationFrame(() => { window.firstRow = performance.now(); });
}).observe(document, { childList: true, subtree: true });
"""
OPEN = """async (ids) => {
  const times = [];
  for (const id of ids) {
    const before = performance.now();
    const wanted = new URLSearchParams({ test: id });
    location.hash = wanted;
    while (document.querySelector('.hr-nodeid')?.textContent !== id) await new Promise(requestAnimationFrame);
    times.push(performance.now() - before);
  }
  return times;
}"""
TYPE = """async (keys) => {
  const box = document.querySelector('[data-filter=search]');
  const times = [];
  for (const key of keys) {
    const before = performance.now();
    box.value += key;
    box.dispatchEvent(new Event('input', { bubbles: true }));
    times.push(performance.now() - before);
    await new Promise(requestAnimationFrame);
  }
  box.value = '';
  box.dispatchEvent(new Event('input', { bubbles: true }));
  return times;
}"""
SCROLL = """async (selector) => {
  const host = document.querySelector(selector);
  const frames = [];
  let last = await new Promise(requestAnimationFrame);
  for (let step = 0; step < 60; step += 1) {
    host.scrollTop += 900;
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - last);
    last = now;
  }
  return frames;
}"""


def suite(features: int, scenarios: int, events: int) -> tuple[Json, Json]:
    """A run with random ids and values in every payload, a tenth of its scenarios failed or slow."""
    chance = Random(42)
    tests: list[Json] = []
    described: list[Json] = []
    details: Json = {}
    for feature in range(features):
        uri = f"features/area_{feature % 12}/feature_{feature}.feature"
        found = []
        for number in range(scenarios):
            test, scenario, note = _scenario(chance, uri, number, events)
            tests.append(test)
            found.append(scenario)
            details[test["nodeid"]] = [note]
        described.append(
            {
                "uri": uri,
                "name": f"Feature {feature}",
                "description": "",
                "keyword": "Feature",
                "tags": [],
                "line": 1,
                "scenarios": found,
            }
        )
    gherkin = {"features": described, "details": details, "exit": {"status": 1, "interrupted": False}}
    return _document(tests), gherkin


def _scenario(chance: Random, uri: str, number: int, events: int) -> tuple[Json, Json, Json]:
    outcome = chance.choice(("fail", "timeout", "slow")) if chance.random() < BROKEN_SHARE else "pass"
    name = f"Order {number} of {chance.randrange(10_000)} is settled"
    timeline, heard, offset = [], [], 0.0
    messages, payloads = [], []
    handles, notes, steps = [], [], []
    for hop in range(events // 2):
        topic = f"orders.stage_{hop % 9}"
        payload = _payload(chance)
        payloads.append(json.dumps(payload, separators=(",", ":")))
        messages.append(_message(chance, topic, hop))
        for action, detail in (("received", "expect"), ("matched", "matched status = accepted")):
            offset += chance.random() * 4
            timeline.append(_event(offset, action, topic, detail))
            heard.append(hop)
        if hop % 5 == 0:
            state = outcome if hop == 0 else "pass"
            handles.append(_handle(chance, topic, state, payload))
            notes.append({"sentence": f"{state} on '{topic}'", "cause": None, "origin": f"{uri}:{hop + 3}"})
            steps.append(_step(f'I expect "{topic}" within 50ms', state, hop + 3, hop // 5))
    failed = outcome in ("fail", "timeout")
    nodeid = f"{uri}::{name}"
    part = {
        "name": name,
        "correlation_id": f"{chance.getrandbits(128):032x}",
        "outcome": outcome,
        "duration_ms": offset,
        "completed_normally": True,
        "handles": handles,
        "timeline": timeline,
        "timeline_dropped": 0,
        "replies": [],
        "summary_text": "",
    }
    test = {
        "nodeid": nodeid,
        "file": uri,
        "name": name,
        "class": None,
        "markers": [],
        "choreo_meta": None,
        "outcome": "failed" if failed else "slow" if outcome == "slow" else "passed",
        "duration_ms": offset + 2,
        "traceback": "AssertionError: orders.stage_0" if failed else None,
        "stdout": "",
        "stderr": "",
        "log": "",
        "skip_reason": None,
        "worker_id": None,
        "scenarios": [part],
    }
    scenario = {
        "nodeid": nodeid,
        "name": name,
        "keyword": "Scenario",
        "line": number * 9 + 3,
        "tags": ["orders", f"area{number % 7}"],
        "rule": None,
        "description": "",
        "steps": steps,
    }
    return test, scenario, {"handles": notes, "timeline": heard, "messages": messages, "payloads": payloads}


def _payload(chance: Random) -> Json:
    return {
        "order": {"id": f"{chance.getrandbits(64):016x}", "lines": [{"sku": "TEA-7", "quantity": chance.randrange(9)}]},
        "customer": {"id": chance.randrange(10**6), "country": chance.choice(("DE", "FR", "PL", "ES"))},
        "status": "accepted",
        "amount": round(chance.random() * 1000, 2),
        "created_at": _at(chance.random() * 1e6),
        "trace": f"{chance.getrandbits(64):016x}",
        "note": "left at the front door of the customer, to be signed by hand",
    }


def _message(chance: Random, topic: str, payload: int) -> Json:
    headers = {"correlation-id": f"{chance.getrandbits(64):016x}"}
    return {"topic": topic, "payload": payload, "headers": headers, "size": 300}


def _event(offset: float, action: str, topic: str, detail: str) -> Json:
    return {"offset_ms": offset, "wall_clock": _at(offset), "action": action, "detail": detail, "topic": topic}


def _at(offset_ms: float) -> str:
    return (START + timedelta(milliseconds=offset_ms)).isoformat()


def _handle(chance: Random, topic: str, outcome: str, payload: Json) -> Json:
    latency = chance.random() * 40 + (60 if outcome == "slow" else 0)
    failure = {"kind": "mismatch", "path": "status", "expected": "settled", "actual": "accepted"}
    near = [failure] if outcome == "fail" else []
    kinds = {"pass": "matched", "slow": "over_budget", "fail": "near_miss", "timeout": "silent_timeout"}
    return {
        "topic": topic,
        "outcome": outcome,
        "latency_ms": latency,
        "budget_ms": 50.0,
        "matcher_description": "status = accepted",
        "expected": {"status": "accepted"},
        "actual": None if outcome == "timeout" else payload,
        "attempts": len(near),
        "reason": "",
        "truncated": False,
        "failure": near[0] if near else None,
        "failures": near,
        "failures_dropped": 0,
        "diagnosis": {"kind": kinds[outcome]},
    }


def _step(text: str, outcome: str, line: int, handle: int) -> Json:
    status = "passed" if outcome == "pass" else "slow" if outcome == "slow" else "failed"
    return {
        "keyword": "Then",
        "text": text,
        "line": line,
        "status": status,
        "duration_ms": 1.5,
        "docstring": None,
        "table": None,
        "background": False,
        "message": None,
        "checks": [{"scenario": 0, "handle": handle}],
    }


def _document(tests: list[Json]) -> Json:
    totals = dict.fromkeys(("passed", "failed", "errored", "skipped", "slow"), 0)
    for test in tests:
        totals[test["outcome"]] += 1
    run = {
        "started_at": _at(0),
        "finished_at": _at(60_000),
        "duration_ms": 60_000.0,
        "totals": {**totals, "total": len(tests)},
        "project_name": "reference suite",
        "transport": "kafka",
        "allowlist_path": None,
        "python_version": "3.12.4",
        "harness_version": "0.1.0",
        "reporter_version": "0.1.0",
        "git_sha": None,
        "git_branch": None,
        "environment": None,
        "hostname": "bench",
        "xdist": None,
        "truncated": False,
        "redactions": {"fields": 0, "stream_matches": 0},
    }
    return {"schema_version": "1.3", "run": run, "tests": tests}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
