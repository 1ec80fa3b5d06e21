"""A page with its parts in a folder: for servers with a strict policy, and for what is too large for one file."""

from __future__ import annotations

import functools
import http.server
import os
import re
import threading
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from choreo_bdd_reporter import writer
from choreo_bdd_reporter.page import data
from choreo_bdd_reporter.page.chunks import Chunk
from choreo_bdd_reporter.store.directory import ReportDirectoryError, resolve
from choreo_bdd_reporter.writer import write_documents, write_page_file
from tests.support.page_sample import green_run, sample_run

STRICT = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'none'"


class _Strict(http.server.SimpleHTTPRequestHandler):
    """Serves files under the policy of a careful CI server."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", STRICT)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_page_file(tmp_path / "index.html", *sample_run(), folder=True)
    return tmp_path


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Strict, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/index.html"
    server.shutdown()
    server.server_close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[[str], Page]]:
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    context.set_default_timeout(10_000)
    yield lambda url: _visited(context.new_page(), url)
    context.close()


def _visited(page: Page, url: str) -> Page:
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(url)
    return page


def test_the_page_has_no_script_or_style_of_its_own(folder: Path) -> None:
    html = (folder / "index.html").read_text("utf-8")
    assert "<style" not in html
    assert html.count("<script") == 2
    assert '<script src="index_files/app.js" defer></script>' in html
    assert "script-src 'self'; style-src 'self'" in unescape(html)


@pytest.mark.browser
def test_it_works_under_a_strict_policy(address: str, visit: Callable[[str], Page]) -> None:
    page = visit(address)
    expect(page.locator("#hr-scenario-title")).to_have_text("Parcel leaves on the express lane")
    page.get_by_role("treeitem", name="Invoice follows in time").click()
    expect(page.locator("#hr-scenario-title")).to_have_text("Invoice follows in time")
    assert page.locator(".hr-waterfall-row").count() > 0
    assert page.locator(".hr-title").evaluate("node => getComputedStyle(node).fontWeight") == "650"


@pytest.mark.browser
def test_it_works_from_the_disk_and_says_what_belongs_to_it(folder: Path, visit: Callable[[str], Page]) -> None:
    page = visit((folder / "index.html").as_uri())
    expect(page.locator("#hr-scenario-title")).to_have_text("Parcel leaves on the express lane")
    expect(page.locator(".hr-notice")).to_have_text(
        "Its messages stand in the folder index_files: keep it beside this page."
    )


@pytest.mark.browser
def test_a_missing_part_is_named(folder: Path, visit: Callable[[str], Page]) -> None:
    (folder / "index_files/c2.js").unlink()
    page = visit((folder / "index.html").as_uri())
    page.get_by_role("treeitem", name="Invoice follows in time").click()
    expect(page.get_by_role("alert")).to_contain_text("The file c2.js is missing from the folder beside this page")


def test_a_page_above_the_limit_goes_into_a_folder_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(writer, "PAGE_BYTES_MAX", 100_000)
    write_page_file(tmp_path / "index.html", *sample_run())
    assert (tmp_path / "index_files/c0.js").read_text("ascii").startswith('choreoChunk("c0","')
    assert "would be larger than 100000 bytes" in "".join(capsys.readouterr())


def test_a_single_page_takes_the_folder_of_an_older_one_away(folder: Path) -> None:
    write_page_file(folder / "index.html", *sample_run())
    assert not (folder / "index_files").exists()


def test_a_failure_midway_leaves_the_old_page_and_all_of_its_parts(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    full = iter([False, False, True])

    def text(_: Chunk) -> str:
        if next(full):
            raise OSError("disk full")
        return "new"

    monkeypatch.setattr(Chunk, "text", text)
    with pytest.raises(OSError, match="disk full"):
        write_page_file(folder / "index.html", *sample_run(), folder=True)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in folder.iterdir()) == ["index.html", "index_files"]


def test_a_page_that_cannot_be_put_in_place_puts_the_old_parts_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def refused(*_: object) -> None:
        raise PermissionError("held open")

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(PermissionError):
        write_page_file(folder / "index.html", *green_run(), folder=True)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in folder.iterdir()) == ["index.html", "index_files"]


def test_without_old_parts_a_page_that_cannot_be_put_in_place_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError("held open")

    write_page_file(tmp_path / "index.html", *green_run())
    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(PermissionError):
        write_page_file(tmp_path / "index.html", *sample_run(), folder=True)
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_what_a_killed_writer_left_is_no_obstacle(tmp_path: Path) -> None:
    write_documents(*sample_run(), tmp_path / "report")
    for name in (".index_files.new", ".index_files.old"):
        (tmp_path / "report" / name).mkdir()
    assert resolve("report", tmp_path) == tmp_path / "report"
    write_page_file(tmp_path / "report" / "index.html", *sample_run(), folder=True)
    assert not list((tmp_path / "report").glob(".index_files*"))


def test_the_folder_is_no_obstacle_for_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "PAGE_BYTES_MAX", 100_000)
    write_documents(*sample_run(), tmp_path / "report")
    assert (tmp_path / "report/index_files").is_dir()
    assert resolve("report", tmp_path) == tmp_path / "report"


@pytest.mark.browser
def test_beyond_the_ceiling_passed_scenarios_have_no_timeline_and_a_banner_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visit: Callable[[str], Page]
) -> None:
    monkeypatch.setattr(data, "EVENTS_MAX", 3)
    write_page_file(tmp_path / "index.html", *sample_run(), folder=True)
    page = visit((tmp_path / "index.html").as_uri())
    expect(page.locator(".hr-notice").first).to_contain_text("more messages than a page may hold")
    expect(page.locator(".hr-waterfall-row")).to_have_count(5)
    page.get_by_role("treeitem", name="Order 1 is accepted").click()
    expect(page.locator(".hr-article")).to_contain_text("No message timeline is kept here")


def saved_page(page: Path, name: str = "chapter.txt") -> Path:
    """What a browser or a publishing tool has put where the page's parts would go."""
    folder = page.with_name(name if name.startswith(".") else f"{page.stem}_files")
    folder.mkdir(parents=True)
    (folder / "app.js").write_text("theirs")
    (folder / "chapter.txt").write_text("precious")
    return folder


@pytest.mark.parametrize("place", ["report_files", ".report_files.new", ".report_files.old"])
@pytest.mark.parametrize("in_folder", [False, True], ids=["one file", "folder"])
def test_a_folder_of_somebody_else_stays_and_the_page_is_refused(tmp_path: Path, place: str, in_folder: bool) -> None:
    page = tmp_path / "report.html"
    page.write_text("old")
    folder = saved_page(page, place)
    with pytest.raises(writer.ForeignFolderError, match=f"{re.escape(str(folder))} holds files that no page has made"):
        write_page_file(page, *sample_run(), folder=in_folder)
    assert (folder / "chapter.txt").read_text() == "precious"
    assert page.read_text() == "old"


@pytest.mark.parametrize("kind", ["file", "link", "link inside", "folder inside"])
def test_what_only_looks_like_the_folder_of_a_page_stays(tmp_path: Path, kind: str) -> None:
    page, theirs, folder = tmp_path / "report.html", tmp_path / "theirs", tmp_path / "report_files"
    theirs.mkdir()
    (theirs / "app.js").write_text("theirs")
    if kind == "file":
        folder.write_text("theirs")
    elif kind == "link":
        folder.symlink_to(theirs)
    elif kind == "link inside":
        folder.mkdir()
        (folder / "app.js").symlink_to(theirs / "app.js")
    else:
        (folder / "app.js").mkdir(parents=True)
    with pytest.raises(writer.ForeignFolderError):
        write_page_file(page, *sample_run(), folder=True)
    assert (theirs / "app.js").read_text() == "theirs"
    assert os.path.lexists(folder)


def test_a_run_is_not_written_beside_a_folder_of_somebody_else(tmp_path: Path) -> None:
    write_documents(*sample_run(), tmp_path / "out")
    folder = saved_page(tmp_path / "out" / "index.html")
    with pytest.raises(ReportDirectoryError, match="more than the known set of report files"):
        resolve("out", tmp_path)
    assert (folder / "chapter.txt").read_text() == "precious"


@pytest.mark.parametrize("leads_to", ["a file", "nothing"])
def test_a_page_is_not_written_through_a_link(tmp_path: Path, leads_to: str) -> None:
    mine, page = tmp_path / "mine.txt", tmp_path / "index.html"
    if leads_to == "a file":
        mine.write_text("mine")
    for name in (".index.html.tmp", "index.html"):
        (tmp_path / name).symlink_to(mine)
    write_page_file(page, *sample_run())
    assert "<html" in page.read_text("utf-8")
    assert not page.is_symlink()
    assert not mine.exists() if leads_to == "nothing" else mine.read_text() == "mine"
