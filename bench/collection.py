"""What the installed plug-ins add to the collection of tests that do not use them: ``python -m bench.collection``.

1,000 plain tests are collected by pytest alone and with all plug-ins that installing brings. The calls that this
takes, of Python's functions and of C's, are the same each time (nothing is kept from one time to the next), so they
are what the 3 % are held against; the processor time, which scatters by more than that, is told beside them.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.rows import Row, show

BAR = 1.03
INSTALLED = ("-ppytest-bdd", "-pchoreo_bdd", "-pchoreo_bdd_steps")
IN_PROCESS = """
import sys, time, pytest
class Counter:
    calls = 0
    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session):
        self.began = time.process_time()
        if counts: sys.setprofile(self.count)
    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session):
        sys.setprofile(None)
        print(f"\\ntook {self.calls if counts else time.process_time() - self.began}")
    def count(self, _frame, event, _argument): self.calls += event in ("call", "c_call")
counts = sys.argv[1] == "calls"
pytest.main(["-q", "--collect-only", "-pno:cacheprovider", "--assert=plain", *sys.argv[2:]], plugins=[Counter()])
"""


def taken(what: str, folder: Path, options: Sequence[str] = ()) -> float:
    """Seconds of processor time for the collection, or for ``calls`` their number."""
    done = subprocess.run(
        [sys.executable, "-B", "-c", IN_PROCESS, what, *options],
        cwd=folder, capture_output=True, text=True, check=True, timeout=100,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    found = re.search(r"^took (\S+)$", done.stdout, re.MULTILINE)
    assert found is not None, done.stdout
    return float(found[1])


def plain_tests(folder: Path) -> None:
    """Write 1,000 of them."""
    (folder / "test_many.py").write_text("".join(f"def test_{n}(): pass\n" for n in range(1000)), "utf-8")


def rows(rounds: int = 15) -> Iterator[Row]:
    """What collecting takes with the plug-ins."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain_tests(folder)
        without, with_it = taken("calls", folder), taken("calls", folder, INSTALLED)
        beside = f"pytest alone: {without:,.0f}"
        yield Row("calls to collect 1,000 plain tests", with_it / without, bar=BAR, beside=beside)
        pairs = [(taken("time", folder), taken("time", folder, INSTALLED)) for _ in range(rounds)]
    without, with_it = map(statistics.median, zip(*pairs, strict=True))
    yield Row("their processor time", with_it / without, beside=f"pytest alone: {without:.2f} s")


if __name__ == "__main__":
    raise SystemExit(show(rows(int(sys.argv[1]) if len(sys.argv) > 1 else 15)))
