"""One Chromium a test module, and one page in it that each test gets as if it were new."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, ViewportSize, sync_playwright

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
WIDE: ViewportSize = {"width": 1600, "height": 1000}


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


@pytest.fixture(scope="module")
def waiting_pages(browser: Browser) -> Iterator[list[Page]]:
    """The page for the next test, as making a new one costs more than what most tests do in it."""
    pages: list[Page] = []
    yield pages
    for page in pages:
        page.context.close()


@pytest.fixture
def open_report(browser: Browser, waiting_pages: list[Page], tmp_path: Path) -> Iterator[OpenReport]:
    """Open the report of a run; with options that a page cannot change later it has a context of its own."""
    path = tmp_path / "index.html"
    with ExitStack() as until_the_test_ends:

        def opened(
            run: tuple[dict[str, Any], dict[str, Any]],
            fragment: str = "",
            *,
            viewport: ViewportSize = WIDE,
            color_scheme: Literal["light", "dark"] = "light",
            **own_context: Any,
        ) -> Opened:
            page = until_the_test_ends.enter_context(_page(browser, waiting_pages, own_context))
            page.set_viewport_size(viewport)
            page.emulate_media(media="null", color_scheme=color_scheme)
            report = until_the_test_ends.enter_context(_listening(page))
            path.write_text(render_page(*run), encoding="utf-8")
            page.goto(path.as_uri() + fragment)
            return report

        yield opened


@contextmanager
def _page(browser: Browser, waiting: list[Page], own_context: Mapping[str, Any]) -> Iterator[Page]:
    page = waiting.pop() if waiting and not own_context else browser.new_context(**own_context).new_page()
    page.set_default_timeout(10_000)
    yield page
    if not waiting and not own_context and _is_as_new(page):
        waiting.append(page)
    else:
        page.context.close()


def _is_as_new(page: Page) -> bool:
    """Remove what a visit leaves; impossible in a page that crashed, or was forbidden its storage."""
    try:
        page.evaluate("localStorage.clear()")
        page.goto("about:blank")
        page.emulate_media(forced_colors="null")
        page.mouse.move(-1, -1)
        devtools = page.context.new_cdp_session(page)
        devtools.send("Page.resetNavigationHistory")
        devtools.detach()
    except Error:
        return False
    return True


@contextmanager
def _listening(page: Page) -> Iterator[Opened]:
    report = Opened(page)

    def hear(message: ConsoleMessage) -> None:
        report.errors.append(message.text)

    def fail(error: Error) -> None:
        report.errors.append(str(error))

    def ask(request: Request) -> None:
        report.requests.append(request.url)

    page.on("console", hear)
    page.on("pageerror", fail)
    page.on("request", ask)
    yield report
    page.remove_listener("console", hear)
    page.remove_listener("pageerror", fail)
    page.remove_listener("request", ask)
