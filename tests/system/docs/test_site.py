"""The documentation as a site: built strictly, from the pages that other tests carry out, and whole without a net."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser

from choreo_bdd_steps.vocabulary import PHRASES

ROOT = Path(__file__).parents[3]
LOADED = {("link", "href"), ("script", "src"), ("img", "src")}

pytestmark = [pytest.mark.build, pytest.mark.timeout(180)]  # the build of the site, on a busy machine


class _Page(HTMLParser):
    """What a page leads to, what it loads, and the places in it that others may lead to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.targets: list[tuple[str, str]] = []
        self.places: set[str] = {""}
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.places.add(value)
            elif name in ("href", "src") and value:
                self.targets.append((f"{tag} {name}", value))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = ["-m", "sphinx", "-c", "docs/site", "-d", str(folder / "trees"), "--fail-on-warning", "--quiet", "."]
    done = subprocess.run(
        [sys.executable, *command, str(folder / "html")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "html"


def test_every_page_is_in_the_menu_and_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    pages = {path: _Page(path) for path in site.rglob("*.html")}
    broken, reached = [], set()
    for page in pages.values():
        for _, target in page.targets:
            parts = urlsplit(target)
            if parts.scheme:
                continue
            path = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
            reached.add(path)
            if not path.exists() or (path in pages and unquote(parts.fragment) not in pages[path].places):
                broken.append(f"{page.path.relative_to(site)}: {target}")
    assert broken == []
    menu = {target.split("#")[0] for _, target in _Page(site / "docs" / "index.html").targets}
    guides = {f"{path.stem}.html" for path in (ROOT / "docs").glob("*.md")} - {"index.html"}
    assert guides <= menu
    assert {"../README.html", "../SECURITY.html", "../examples/shop/README.html"} <= menu
    assert site / "docs" / "index.html" in reached


def test_a_page_loads_nothing_from_another_host(site: Path) -> None:
    loaded = {
        target for path in site.rglob("*.html") for what, target in _Page(path).targets if tuple(what.split()) in LOADED
    }
    assert any(urlsplit(target).path.endswith(".css") for target in loaded)
    assert [target for target in loaded if urlsplit(target).scheme or target.startswith("//")] == []


@pytest.mark.browser
def test_the_search_works_from_a_disk_without_a_server(site: Path, browser: Browser) -> None:
    with browser.new_page() as page:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(f"{(site / 'search.html').as_uri()}?q=tombstone")
        page.locator("#search-results li a").first.wait_for()
        found = page.locator("#search-results li a").all_inner_texts()
    assert any("tombstone" in each for each in found), found
    assert complaints == []


def test_the_references_are_generated_into_the_site(site: Path) -> None:
    book = (site / "docs" / "steps.html").read_text("utf-8")
    assert book.count("<h3>") == len(PHRASES)
    settings = (site / "docs" / "settings.html").read_text("utf-8")
    assert "default_transport" in settings
    api = _Page(site / "docs" / "python-api.html").places
    assert {"choreo_bdd_steps.run.scenario_run.ScenarioRun.set_variable", "choreo_bdd.Harness.connect"} <= api
