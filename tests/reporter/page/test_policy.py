"""The page's own policy: nothing is fetched, and no text becomes script, in one file and in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from choreo_bdd_reporter.writer import write_page_file
from tests.support.page_sample import sample_run


@pytest.mark.thorough
@pytest.mark.parametrize("folder", [False, True], ids=["one file", "folder"])
def test_no_text_becomes_script(browser: Browser, tmp_path: Path, folder: bool) -> None:
    write_page_file(tmp_path / "index.html", *sample_run(), folder=folder)
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto((tmp_path / "index.html").as_uri())
    page.wait_for_selector(".hr-row, [data-row], main")
    assert errors == []
    told = page.evaluate(
        """() => [
            () => { document.body.innerHTML = '<b>x</b>'; },
            () => { document.createElement('script').text = 'x()'; },
            () => { document.createElement('script').src = 'https://example.org/x.js'; },
            () => { trustedTypes.createPolicy('other', { createHTML: (text) => text }); },
        ].map((attempt) => { try { attempt(); return 'done'; } catch (error) { return error.name; } })"""
    )
    assert told == ["TypeError"] * 4
    page.close()
