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
from pathlib import Path

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


def main() -> int:
    """Print a table; 1 when collecting takes more than the bar allows."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_many.py").write_text("".join(f"def test_{n}(): pass\n" for n in range(1000)), "utf-8")
        pairs = [(measured(folder, *OURS), measured(folder)) for _ in range(rounds)]
    without, with_it = (statistics.median(each[side][0] for each in pairs) for side in (0, 1))
    started, started_with = (statistics.median(each[side][1] for each in pairs) for side in (0, 1))
    print(
        f"collecting 1,000 plain tests, median of {rounds}: {without:.3f} s without, {with_it:.3f} s with the plug-ins"
    )
    more = with_it / without - 1
    print(f"that is {more:+.1%}, bar {BAR - 1:+.0%}; the whole process {started:.2f} s, {started_with:.2f} s")
    return int(with_it > BAR * without)


if __name__ == "__main__":
    sys.exit(main())
