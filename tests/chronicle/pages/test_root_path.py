"""Everything below a path of a reverse proxy, whether the proxy takes the path away or not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from choreo_bdd_chronicle.settings import Settings, SettingsError, read_settings
from tests.chronicle.conftest import BASE, Chronicle, started
from tests.chronicle.pages.conftest import Open, send
from tests.chronicle.reports import report
from tests.chronicle.servers import serving

ROOT = "/tools/chronicle"


@pytest.fixture
def below(tmp_path: Path) -> Iterator[Chronicle]:
    with started(Settings(database=f"sqlite:///{tmp_path / 'chronicle.db'}", root=ROOT)) as found:
        found.keep(report())
        yield found


@pytest.mark.parametrize("prefix", ["", ROOT])
def test_api_pages_and_files_are_found_with_the_path_and_without(below: Chronicle, prefix: str) -> None:
    runs = below.http.get(f"{prefix}{BASE}/runs", params={"tenant": "alpha"})
    assert (runs.status_code, runs.json()["total"]) == (200, 1)
    assert below.http.get(f"{prefix}/metrics").text.startswith("#")
    shell = below.http.get(f"{prefix}/topics/a/b").text
    assert f'data-api="{ROOT}{BASE}" data-root="{ROOT}"' in shell
    addresses = re.findall(r'(?:src|href)="(/[^"]+)"', shell)
    assert len(addresses) == 4
    assert all(address.startswith(f"{ROOT}/assets/") for address in addresses)
    assert {below.http.get(address).status_code for address in addresses} == {200}
    assert below.http.get(f"{prefix}/api/v1/no-such-thing").status_code == 404


def test_the_description_names_it(below: Chronicle) -> None:
    assert below.get("/openapi.json")["servers"] == [{"url": ROOT}]


@pytest.mark.browser
@pytest.mark.process
@pytest.mark.timeout(180)
def test_the_dashboard_stays_below_it(open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHRONICLE_ROOT_PATH", ROOT)
    with serving(tmp_path) as url:
        run = send(f"{url}{ROOT}", report(), "alpha")
        shown = open_page(f"{url}{ROOT}/runs?tenant=alpha")
        shown.page.locator("main table a").first.click()
        expect(shown.page).to_have_url(re.compile(f"{ROOT}/runs/{run}"))
        shown.settle()
        shown.page.get_by_role("link", name="Topics", exact=True).click()
        expect(shown.page).to_have_url(re.compile(f"{ROOT}/topics"))
        expect(shown.page.get_by_role("link", name="orders.placed")).to_be_visible()
        assert shown.complaints == []


def test_a_path_that_only_begins_alike_is_another(below: Chronicle) -> None:
    assert (
        below.http.get(f"{ROOT}s{BASE}/runs", params={"tenant": "alpha"})
        .headers["content-type"]
        .startswith("text/html")
    )


@pytest.mark.parametrize(("told", "root"), [("", ""), ("/", ""), ("/a", "/a"), ("/a/b/", "/a/b")])
def test_the_environment_names_it(told: str, root: str) -> None:
    found = read_settings(environment={"CHRONICLE_DATABASE_URL": "sqlite://", "CHRONICLE_ROOT_PATH": told})
    assert found.root == root


@pytest.mark.parametrize("told", ["a", "//a", "/a b", "/<a>", "/../a", "https://a/b"])
def test_what_is_no_path_is_refused(told: str) -> None:
    with pytest.raises(SettingsError, match="CHRONICLE_ROOT_PATH: expected a path such as /chronicle"):
        read_settings(environment={"CHRONICLE_DATABASE_URL": "sqlite://", "CHRONICLE_ROOT_PATH": told})
