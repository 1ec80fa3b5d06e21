"""What the installed plug-ins add to the collection of tests that do not use them: ``python -m bench.collection``.

1,000 plain tests are collected with and without the plug-ins in turn; the medians of the time that pytest itself
tells for it may differ by 3 %. The start of the process, with the import of the plug-ins, is told beside it.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.rows import Row, show

BAR = 1.03
OURS = ("-pno:choreo_bdd", "-pno:choreo_bdd_steps")
IN_PROCESS = """
import sys, time, pytest
class Timer:
    def pytest_collection(self, session): self.began = time.process_time()
    def pytest_collection_finish(self, session): print(f"\\ntook {time.process_time() - self.began}")
pytest.main(["-q", "--collect-only", "-pno:cacheprovider", *sys.argv[1:]], plugins=[Timer()])
"""


def measured(folder: Path, *options: str) -> tuple[float, float]:
    """Seconds of processor time for the collection, and of the clock for the whole process."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", IN_PROCESS, *options], cwd=folder, capture_output=True, text=True, check=True
    )
    whole = time.perf_counter() - began
    found = re.search(r"^took (\S+)$", done.stdout, re.MULTILINE)
    assert found is not None, done.stdout
    return float(found[1]), whole


def rows(rounds: int = 15) -> Iterator[Row]:
    """What collecting takes with the plug-ins."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_many.py").write_text("".join(f"def test_{n}(): pass\n" for n in range(1000)), "utf-8")
        pairs = [(measured(folder, *OURS), measured(folder)) for _ in range(rounds)]
    for side, what, bar in (
        (0, "collecting 1,000 plain tests", BAR),
        (1, "the same with pytest's own start", None),
    ):
        without, with_it = (statistics.median(pair[ours][side] for pair in pairs) for ours in (0, 1))
        yield Row(what, with_it / without, bar=bar, beside=f"without the plug-ins: {without:.2f} s")


if __name__ == "__main__":
    raise SystemExit(show(rows(int(sys.argv[1]) if len(sys.argv) > 1 else 15)))
