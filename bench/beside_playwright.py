"""Our page beside Playwright's HTML report on suites of the same size: bytes, first row, memory, axe findings.

    python -m bench.beside_playwright PLAYWRIGHT_REPORT SCENARIOS

PLAYWRIGHT_REPORT is a directory that ``npx playwright test --reporter=html`` has written (npm: @playwright/test, no
browser needed) for SCENARIOS tests of 50 steps, in files of 50 tests. Ours is the suite of ``report.py`` with as many
scenarios of 50 events; they carry payloads, headers and times where the other has names of steps only.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships no types
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from bench.report import FLAGS, renderer_mb, suite
from choreo_bdd_reporter.page import write_page

LOADS = 3
SETTLED_MS = 1_500
ROWS = {"Playwright": ".test-file-test, .chip", "ours": "[role=treeitem][data-nodeid]"}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FIRST_ROW = """
new MutationObserver((_, observer) => {
  if (!document.querySelector('SELECTOR')) return;
  observer.disconnect();
  requestAnimationFrame(() => { window.firstRow = performance.now(); });
}).observe(document, { childList: true, subtree: true });
"""


def main(arguments: list[str]) -> int:
    theirs, scenarios = Path(arguments[0]), int(arguments[1])
    print("report      size MB  first row ms  nodes  peak memory MB  axe light, dark: rules (places)")
    with tempfile.TemporaryDirectory() as directory:
        ours = Path(directory)
        with (ours / "index.html").open("w", encoding="utf-8") as stream:
            write_page(*suite(scenarios // 50, 50, 50), stream)
        measure("Playwright", theirs)
        measure("ours", ours)
    return 0


def measure(name: str, folder: Path) -> None:
    """Print one line of the table."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    with sync_playwright() as playwright:
        loads = [load(playwright, name, folder) for _ in range(LOADS)]
        findings = [axe(playwright, name, folder, scheme) for scheme in ("light", "dark")]
    first, nodes, memory = zip(*loads, strict=True)
    print(
        f"{name:<10} {size:8.1f}  {min(first):5.0f} - {max(first):<5.0f} {nodes[0]:5}  {max(memory):14.0f}"
        f"  {', '.join(findings)}",
        flush=True,
    )


def load(playwright: Playwright, name: str, folder: Path) -> tuple[float, int, float]:
    """Time of the first row, nodes in the document and peak memory, each in a browser of its own."""
    chromium, page = opened(playwright, name, folder)
    first, nodes = page.evaluate("[window.firstRow, document.querySelectorAll('*').length]")
    memory = renderer_mb(chromium)
    chromium.close()
    return first, nodes, memory


def axe(playwright: Playwright, name: str, folder: Path, scheme: Literal["light", "dark"]) -> str:
    """Rules of WCAG 2 A and AA that are broken, and in how many places."""
    chromium, page = opened(playwright, name, folder, scheme)
    broken: Any = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    chromium.close()
    return f"{len(broken)} ({sum(len(each['nodes']) for each in broken)})"


def opened(
    playwright: Playwright, name: str, folder: Path, scheme: Literal["light", "dark"] = "light"
) -> tuple[Browser, Page]:
    """A report in a new browser, at rest."""
    chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
    page = chromium.new_page(viewport={"width": 1600, "height": 1000}, color_scheme=scheme)
    page.add_init_script(FIRST_ROW.replace("SELECTOR", ROWS[name]))
    page.goto((folder / "index.html").as_uri(), wait_until="load")
    page.wait_for_function("window.firstRow", timeout=120_000)
    page.wait_for_timeout(SETTLED_MS)
    return chromium, page


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
