"""One Chromium a test module; each test opens its own page from a file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from choreo_bdd_reporter.page import render_page

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass
class Opened:
    """A report in the browser, with everything it complained about or asked the network for."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def texts(self, selector: str) -> list[str]:
        return self.page.locator(selector).all_inner_texts()

    @property
    def selected(self) -> str | None:
        return self.page.locator('[role="treeitem"][aria-selected="true"]').get_attribute("data-nodeid")


OpenReport = Callable[..., Opened]


def _chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    hint = "no Chromium: install the package 'chromium' or run 'playwright install chromium' and link it as chromium"
    if os.environ.get("CI"):
        pytest.fail(hint)
    pytest.skip(hint)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # not longer than the module: the sync API keeps a loop running, in which no async test could start
    path = _chromium()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[OpenReport]:
    contexts: list[BrowserContext] = []

    def opened(run: tuple[dict[str, Any], dict[str, Any]], fragment: str = "", **options: Any) -> Opened:
        options.setdefault("viewport", {"width": 1600, "height": 1000})
        context = browser.new_context(**options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        return _open(context.new_page(), tmp_path / "index.html", run, fragment)

    yield opened
    for context in contexts:
        context.close()


def _open(page: Page, path: Path, run: tuple[dict[str, Any], dict[str, Any]], fragment: str) -> Opened:
    path.write_text(render_page(*run), encoding="utf-8")
    report = Opened(page)
    page.on("console", lambda message: report.errors.append(message.text))
    page.on("pageerror", lambda error: report.errors.append(str(error)))
    page.on("request", lambda request: report.requests.append(request.url))
    page.goto(path.as_uri() + fragment)
    return report
