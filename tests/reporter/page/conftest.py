"""A page of a report in Chromium, that each test gets as if it were new."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import ConsoleMessage, Error, Page, Request, ViewportSize

from choreo_bdd_reporter.page import render_page
from tests.support.browsers import Chromium


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


@pytest.fixture
def open_report(chromium: Chromium, tmp_path: Path) -> Iterator[OpenReport]:
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
            page = until_the_test_ends.enter_context(_page(chromium, own_context))
            page.set_viewport_size(viewport)
            page.emulate_media(media="null", color_scheme=color_scheme)
            report = until_the_test_ends.enter_context(_listening(page))
            path.write_text(render_page(*run), encoding="utf-8")
            page.goto(path.as_uri() + fragment)
            return report

        yield opened


@contextmanager
def _page(chromium: Chromium, own_context: Mapping[str, Any]) -> Iterator[Page]:
    """The page that the test before left as new, if there is one: making one costs more than most tests do in it."""
    waiting = chromium.waiting
    page = waiting.pop() if waiting and not own_context else chromium.browser.new_context(**own_context).new_page()
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
