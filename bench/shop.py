"""How steady the shop is: examples/shop under each runner, again and again, and each of its faults by itself.

    python -m bench.shop [--runs 20] [--runner behave] [--faults]

Prints a table, one row a runner or fault; exit code 1 when a run was not as it should be.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHOP = Path(__file__).parents[1] / "examples" / "shop"
RUNNERS = {
    "behave": ["-m", "behave", "-f", "plain"],
    "pytest -n 2": ["-m", "pytest", "features", "-n", "2", "-q", "-p", "no:cacheprovider"],
    "behavex": ["-m", "behavex", "features", "--parallel-processes", "2", "--parallel-scheme", "feature"],
}
FAULTS = {
    "web-status": "wrong shape",
    "web-total": "wrong shape",
    "web-slow": "over budget",
    "web-lets-through": "unexpected",
    "stock-silent": "nothing arrived",
    "stock-reason": "wrong shape",
    "stock-twice": "unexpected",
    "till-topic": "wrong topic?",
    "till-approves": "nothing arrived",
    "till-id": "no correlation id",
    "dispatch-wrong-id": "wrong correlation",
    "dispatch-books-heavy": "unexpected",
    "quote-shape": "wrong shape",
    "audit-garbage": "undecodable",
    "mail-silent": "nothing arrived",
    "mail-subject": "wrong shape",
    "bridge-drops": "nothing arrived",
}
_TOLD = re.compile(r"\[(?:FAIL|TIMEOUT|SLOW)\][^\n]*\n([a-z? ]+):")


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--runner", choices=RUNNERS, action="append")
    parser.add_argument("--faults", action="store_true", help="each fault by itself, under behave, instead")
    asked = parser.parse_args()
    if asked.faults:
        return sum(not _shows(fault, cause) for fault, cause in FAULTS.items()) and 1
    return sum(not _steady(runner, asked.runs) for runner in asked.runner or RUNNERS) and 1


def _steady(runner: str, runs: int) -> bool:
    took, red = [], []
    for number in range(runs):
        begun = time.perf_counter()
        code, text = _run(RUNNERS[runner])
        took.append(time.perf_counter() - begun)
        if code:
            red.append(number)
            print(text[-4000:], file=sys.stderr)
    print(f"{runner:12} {runs} runs, {len(red)} red, median {statistics.median(took):.1f} s, longest {max(took):.1f} s")
    return not red


def _shows(fault: str, cause: str) -> bool:
    code, text = _run(RUNNERS["behave"], SHOP_FAULTS=fault)
    told = _TOLD.findall(text)
    is_right = code == 1 and told == [cause]
    print(f"{fault:22} {', '.join(told) or 'not found'}{'' if is_right else f'   EXPECTED {cause}'}", flush=True)
    return is_right


def _run(command: list[str], **environment: str) -> tuple[int, str]:
    with tempfile.TemporaryDirectory() as folder:
        output = ["-o", folder] if "behavex" in command else []
        ran = subprocess.run(
            [sys.executable, *command, *output],
            cwd=SHOP,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    return ran.returncode, ran.stdout + ran.stderr


if __name__ == "__main__":
    sys.exit(main())
