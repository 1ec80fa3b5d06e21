"""One Chromium for all tests of a worker: its start costs more than what most tests do in it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass
class Chromium:
    """A running Chromium, and pages in it that are as new and wait for a test."""

    browser: Browser
    waiting: list[Page] = field(default_factory=list)


@pytest.fixture(scope="session")
def running_chromium() -> Iterator[tuple[Chromium, asyncio.AbstractEventLoop]]:
    from playwright.sync_api import sync_playwright  # not in the many runs without a browser

    path = _chromium()
    with ExitStack() as until_the_end:
        playwright = until_the_end.enter_context(sync_playwright())
        loop = asyncio.get_running_loop()
        until_the_end.enter_context(_suspended(loop))
        with _resumed(loop):
            browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield Chromium(browser), loop
        with _resumed(loop):
            browser.close()


@pytest.fixture
def chromium(running_chromium: tuple[Chromium, asyncio.AbstractEventLoop]) -> Iterator[Chromium]:
    """The worker's Chromium, for one test; what the test opens in it, it closes."""
    chromium, loop = running_chromium
    with _resumed(loop):
        yield chromium


@pytest.fixture
def browser(chromium: Chromium) -> Browser:
    """The same for a test that opens a page of its own."""
    return chromium.browser


@contextmanager
def _resumed(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """The sync API's loop stands in the midst of running: to asyncio it is this thread's loop only while it is used."""
    asyncio._set_running_loop(loop)
    try:
        yield
    finally:
        asyncio._set_running_loop(None)


@contextmanager
def _suspended(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Else no test that starts a loop of its own could follow."""
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)


def _chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    hint = "no Chromium: install the package 'chromium' or run 'playwright install chromium' and link it as chromium"
    if os.environ.get("CI"):
        pytest.fail(hint)
    pytest.skip(hint)
