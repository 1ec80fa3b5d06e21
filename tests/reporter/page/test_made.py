"""The script as a release ships it, tightened by esbuild: the page does with it what it does with the joined one."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from playwright.sync_api import expect

from choreo_bdd_reporter.page import render
from choreo_bdd_reporter.page.assets import Assets, joined
from tests.support.page_sample import FAILING, sample_run

from .conftest import OpenReport

BUILD = Path(__file__).parents[3] / "reporter" / "build_page.py"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = spec_from_file_location("build_page", BUILD)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    if not module.ESBUILD.exists():
        pytest.skip("esbuild is not installed: 'python3 dev.py check' installs it with the page's other tools")
    return module


def test_the_tightened_page_lists_filters_opens_and_compares(
    build: ModuleType, open_report: OpenReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = joined()
    made = Assets(style=plain.style, script=build.tightened(plain.script))
    assert len(made.script) < len(plain.script)
    monkeypatch.setattr(render, "assets", lambda: made)
    report = open_report(sample_run())
    page = report.page
    expect(page.locator("[data-field=title]")).to_contain_text("failed")
    page.fill("[data-filter=search]", "parcel leaves")
    page.locator(f'[role="treeitem"][data-nodeid="{FAILING}"]').click()
    expect(page.locator(".hr-waterfall-row").first).to_be_visible()
    page.locator(".hr-waterfall-row").first.click()
    page.get_by_role("button", name="Hops").click()
    expect(page.locator("[data-slot=detail]")).to_contain_text("Hops and their budgets")
    assert report.errors == []
    for name in ("renderStageBreadcrumb", "replyOneLineSummary"):
        assert f"function {name}(" in made.script
