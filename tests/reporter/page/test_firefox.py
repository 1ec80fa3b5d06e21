"""The page in Firefox's extended support release: what it shows there is what Chromium shows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from choreo_bdd_reporter.page import data, render_page
from tests.support.firefox import Firefox, running_firefox
from tests.support.page_sample import FAILING, sample_run

from .conftest import OpenReport

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

_PATIENCE_S = 20.0
TITLE = "return document.querySelector('#hr-scenario-title')?.textContent === arguments[0]"
TEXT = """
  for (const each of [1, 2]) {
    document.querySelectorAll('main details').forEach((node) => { node.open = true; });
    await new Promise((done) => setTimeout(done, 100));
  }
  return document.querySelector('.harness-report').innerText.split(/\\s+/).filter(Boolean)
"""


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with running_firefox(tmp_path_factory.mktemp("firefox")) as running:
        yield running


@pytest.mark.parametrize("is_chunked", [False, True], ids=["whole", "in chunks"])
def test_firefox_shows_what_chromium_shows(
    is_chunked: bool, firefox: Firefox, open_report: OpenReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_chunked:
        monkeypatch.setattr(data, "WHOLE_TESTS_MAX", 0)
    page = tmp_path / "firefox.html"
    page.write_text(render_page(*sample_run()), "utf-8")
    fragment = "#" + urlencode({"test": FAILING, "event": "0-5"})
    firefox.open(page.as_uri() + fragment)
    firefox.wait_for(TITLE, "Parcel leaves on the express lane")
    report = open_report(sample_run(), fragment)
    report.page.locator("#hr-scenario-title").wait_for()
    end = time.monotonic() + _PATIENCE_S  # parts of the page are read when they are first opened
    while (shown := firefox.evaluate(TEXT)) != (wanted := report.page.evaluate(f"async () => {{{TEXT}}}")):
        if time.monotonic() > end:
            break
    assert shown == wanted
    assert firefox.errors() == []


def test_a_search_a_click_and_the_waterfall_work_in_firefox(firefox: Firefox, tmp_path: Path) -> None:
    page = tmp_path / "firefox.html"
    page.write_text(render_page(*sample_run()), "utf-8")
    firefox.open(f"{page.as_uri()}#q=broke:parcels.leaving")
    firefox.wait_for(TITLE, "Parcel leaves on the express lane")
    assert firefox.evaluate("return document.querySelectorAll('[role=treeitem][data-nodeid]').length") == 1
    widths = "return [...document.querySelectorAll('.hr-bar')].map((bar) => bar.getBoundingClientRect().width)"
    assert max(firefox.evaluate(widths)) > 100
    firefox.open(f"{page.as_uri()}#q=Invoice")
    firefox.wait_for("return document.querySelector('[role=treeitem][data-nodeid]')?.click() === undefined")
    firefox.wait_for(TITLE, "Invoice follows in time")
    assert firefox.errors() == []
