"""The dashboard in a browser, over a server with a month of runs; what no run can bring about is answered for it."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route

from tests.chronicle.reports import body, handle, late, one_test, report, scenario, timed_out
from tests.chronicle.servers import serving

RUNS = 24
CHANGED_AT = 14
API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Filled:
    """A server with runs in it, by their ids, the oldest first."""

    url: str
    runs: list[str]


def a_run(number: int) -> dict[str, Any]:
    """Every run has three scenarios; one of them becomes slower, one fails in the last run."""
    chance = random.Random(number)
    is_last = number == RUNS - 1

    def latency(usual: float) -> float:
        return round(math.exp(chance.gauss(math.log(usual), 0.3)), 3)

    placed = [handle("orders.placed", latency(20 if number < CHANGED_AT else 31), budget_ms=200.0) for _ in range(20)]
    paid = [
        *(handle("orders.paid", latency(40)) for _ in range(12)),
        *([late("orders.paid")] if number % 6 == 0 else []),
    ]
    shipped = [timed_out("ship/eu+1 ü")] if is_last else [handle("ship/eu+1 ü", latency(90)) for _ in range(8)]
    outcome = "timeout" if is_last else "pass"
    tests = [
        one_test([scenario(placed, "An order is placed")], "features/orders.feature::An order is placed"),
        one_test([scenario(paid, "An order is paid")], "features/orders.feature::An order is paid"),
        one_test([scenario(shipped, "It is shipped", outcome=outcome)], "features/ship.feature::It is shipped")
        | {"outcome": "failed" if is_last else "passed"},
    ]
    totals = {"passed": 3 - is_last, "failed": int(is_last), "errored": 0, "skipped": 0, "slow": 0, "total": 3}
    begun = datetime.now(UTC) - timedelta(days=RUNS - number, minutes=3)
    return report(tests=tests, begun=begun, git_sha=f"{number:02}c0ffee{number:032}", totals=totals)


def send(url: str, document: dict[str, Any], tenant: str = "alpha") -> str:
    headers = {"X-Chronicle-Tenant": tenant, "Content-Type": "application/json"}
    with urlopen(Request(f"{url}{API}/runs", body(document), headers), timeout=30) as answer:
        return str(json.load(answer)["run_id"])


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with serving(tmp_path_factory.mktemp("chronicle")) as url:
        yield Filled(url, [send(url, a_run(number)) for number in range(RUNS)])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server for tests that send reports themselves, each as a tenant of its own."""
    with serving(tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server without a report."""
    with serving(tmp_path_factory.mktemp("empty")) as url:
        yield url


def anomaly(filled: Filled, **changes: Any) -> dict[str, Any]:
    found = {
        "id": "a1", "tenant_id": "t", "run_id": filled.runs[CHANGED_AT + 3],
        "changed_at_run_id": filled.runs[CHANGED_AT], "commit_from": "13c0ffee", "commit_to": "14c0ffee",
        "detected_at": (datetime.now(UTC) - timedelta(hours=3)).isoformat(), "topic": "orders.placed",
        "transport": "nats", "environment": "ci", "branch": "main", "detection_method": "change_point",
        "metric": "mean_ms",
        "current_value": 31.2, "baseline_value": 20.1, "baseline_stddev": 0.5, "change_pct": 55.2,
        "severity": "critical", "resolved": False, "resolved_at": None, "state": "open", "owner": None,
        "reason": None, "muted_until": None,
    }  # fmt: skip
    return found | changes


def page_of(*items: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"items": list(items), "total": len(items), "limit": 50, "offset": 0, **more}


@dataclass
class Shown:
    """A page of the dashboard, with everything that the browser complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def texts(self, selector: str) -> list[str]:
        return self.page.locator(selector).all_inner_texts()

    @property
    def heading(self) -> str:
        return self.page.locator("h1").inner_text()

    def hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def settle(self) -> None:
        """Wait until what was asked for is there."""
        self.page.wait_for_selector("main:not([aria-busy]) *")


Open = Callable[..., Shown]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open an address; ``answers`` stand in for the server's, by path below the API."""
    contexts: list[BrowserContext] = []

    def opened(
        url: str,
        *,
        answers: Mapping[str, Any] | None = None,
        width: int = 1600,
        height: int = 1000,
        color_scheme: Literal["light", "dark"] = "light",
        is_live: bool = False,
    ) -> Shown:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=color_scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        shown = Shown(page)
        page.on("pageerror", lambda error: shown.complaints.append(str(error)))
        page.on("console", shown.hear)
        if not is_live:
            page.route(
                f"**{API}/stream*", lambda route: route.fulfill(content_type="text/event-stream", body=": quiet\n\n")
            )
        for path, answer in (answers or {}).items():
            page.route(f"**{API}{path}?*", _answering(answer))
        page.goto(url)
        shown.settle()
        return shown

    yield opened
    for context in contexts:
        context.close()


def _answering(answer: Any) -> Callable[[Route], None]:
    status = 200 if isinstance(answer, Mapping) and "error" not in answer else 503
    return lambda route: route.fulfill(status=status, content_type="application/json", body=json.dumps(answer))
