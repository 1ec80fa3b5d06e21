"""The files of the dashboard: few bytes, kept by browsers for ever, nothing that a policy could not forbid."""

from __future__ import annotations

import gzip
import hashlib
import re
from importlib.resources import files

import pytest
from playwright.sync_api import Browser

from choreo_bdd_chronicle.pages import Pages
from tests.chronicle.conftest import Chronicle


def test_all_of_it_is_at_most_60_kilobytes_on_the_wire() -> None:
    pages = Pages("/api/v1")
    whole = [pages.shell.encode(), *pages.assets.values()]
    assert sum(len(gzip.compress(content, 9)) for content in whole) <= 60 * 1024


def test_vendored_files_are_those_that_were_published() -> None:
    vendor = files("choreo_bdd_chronicle.pages") / "vendor"
    told = dict(re.findall(r"\| (uPlot\.\S+) \|.*\| ([0-9a-f]{64}) \|", (vendor / "README.md").read_text("utf-8")))
    found = {name: hashlib.sha256((vendor / name).read_bytes()).hexdigest() for name in told}
    assert found == told
    assert {file.name for file in vendor.iterdir()} == {*told, "README.md"}


@pytest.mark.parametrize("path", ["/", "/runs", "/runs/some-id", "/topics/a%2Fb", "/topics/a/b/c", "/no-such-page"])
def test_every_deep_link_answers_with_the_shell(chronicle: Chronicle, path: str) -> None:
    answer = chronicle.http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert '<div id="chronicle" data-api="/api/v1" data-root="">' in answer.text


@pytest.mark.parametrize("path", ["/api", "/api/v1/no-such-thing", "/api/v2/runs"])
def test_an_unknown_path_of_the_api_is_no_page(chronicle: Chronicle, path: str) -> None:
    answer = chronicle.http.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"] == "http_error"


def test_nothing_in_the_shell_needs_to_be_allowed_inline(chronicle: Chronicle) -> None:
    answer = chronicle.http.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", answer.text) == []


def test_files_are_kept_for_ever_at_addresses_that_change_with_them(chronicle: Chronicle) -> None:
    shell = chronicle.http.get("/")
    assert shell.headers["cache-control"] == "no-cache"
    addresses = re.findall(r'(?:src|href)="(/assets/[^"]+)"', shell.text)
    assert len(addresses) == 4
    for address in addresses:
        answer = chronicle.http.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-type"].split(";")[0] in ("text/javascript", "text/css")
        assert chronicle.http.get(re.sub(r"/assets/[^/]+/", "/assets/0123456789abcdef/", address)).status_code == 404


@pytest.mark.parametrize("path", ["js/../shell.html.j2", "shell.html.j2", "vendor/README.md", "../../server.py", "js/"])
def test_only_files_of_the_dashboard_can_be_fetched(chronicle: Chronicle, path: str) -> None:
    version = re.findall(r"/assets/(\w+)/", chronicle.http.get("/").text)[0]
    answer = chronicle.http.get(f"/assets/{version}/{path.replace('..', '%2e%2e')}")
    assert answer.status_code == 404


@pytest.mark.browser
def test_numbers_are_rounded_to_all_to_nothing_and_to_sixty_seconds_only_where_they_are(browser: Browser) -> None:
    script = files("choreo_bdd_chronicle.pages").joinpath("js/format.js").read_text("utf-8")
    page = browser.new_page()
    told = page.evaluate(
        """async (script) => {
          const { percent, duration } = await import(`data:text/javascript,${encodeURIComponent(script)}`);
          const shares = [[399 / 400, 0], [9999 / 10_000, 1], [1, 0], [0.9949, 0], [0.0004, 1], [0, 1], [0.5, 2]];
          return [shares.map((share) => percent(...share)), [999.7, 59_970, 119_700, 61_000].map(duration)];
        }""",
        script,
    )
    page.close()
    assert told == [
        ["> 99 %", "> 99.9 %", "100 %", "99 %", "< 0.1 %", "0.0 %", "50.00 %"],
        ["1.0 s", "1 min 0 s", "2 min 0 s", "1 min 1 s"],
    ]
