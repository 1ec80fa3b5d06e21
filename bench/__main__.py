"""Every ratio beside its reference, its bar and what the last release took: ``python3 dev.py bench``.

    python -m bench [--save] [engine brokers steps reporter imports collection …]

Each group is a program of its own, ended when it takes longer than its time. Exit code 1 when a row is over its bar or
a group gave none. ``--save`` writes ``bench/last_release.json``, with the version and what machine it was.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.rows import Row, head, shown

LIMITS_S: Mapping[str, float] = {
    "engine": 120,
    "brokers": 240,
    "steps": 240,
    "reporter": 120,
    "imports": 120,
    "collection": 120,
}
ROOT = Path(__file__).resolve().parents[1]
LAST_RELEASE = Path(__file__).with_name("last_release.json")


def main(arguments: Sequence[str]) -> int:
    """Print the table as it is measured."""
    parser = argparse.ArgumentParser(prog="python3 dev.py bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(LIMITS_S)}; all, unless named")
    parser.add_argument("--save", action="store_true", help=f"write what was measured to {LAST_RELEASE.name}")
    parser.add_argument("--rows", action="store_true", help="a group's rows as JSON lines, without a table")
    asked = parser.parse_args(arguments)
    groups = asked.groups or list(LIMITS_S)
    if unknown := [each for each in groups if each not in LIMITS_S]:
        parser.error(f"there is no group {', '.join(unknown)}; there are {', '.join(LIMITS_S)}")
    if asked.rows:
        return _tell_rows(groups)
    before = read_release(LAST_RELEASE)
    print(head())
    measured: list[Row] = []
    missed = False
    for group in groups:
        found = 0
        for row in measure(group, LIMITS_S[group]):
            print(shown(row, before), flush=True)
            measured.append(row)
            missed |= row.is_over
            found += 1
        missed |= not found
    if asked.save:
        save(measured, LAST_RELEASE)
    return int(missed)


def _tell_rows(groups: Sequence[str]) -> int:
    for group in groups:
        for row in importlib.import_module(f"bench.{group}").rows():
            print(json.dumps(row.document()), flush=True)
    return 0


def measure(group: str, limit_s: float) -> Iterator[Row]:
    """The rows of one group; a line on standard error says why there are no more of them."""
    command = (sys.executable, "-m", "bench", "--rows", group)
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit_s, check=False)
        out, why = done.stdout, f"ended with {done.returncode}: {done.stderr[-500:]}" if done.returncode else None
    except subprocess.TimeoutExpired as late:
        out, why = _text(late.stdout), f"was ended after {limit_s:g} s"
    for line in out.splitlines():
        if line.startswith("{"):
            yield Row(**json.loads(line))
    if why is not None:
        print(f"{group} {why}", file=sys.stderr, flush=True)


def _text(out: Any) -> str:
    return out.decode("utf-8", "replace") if isinstance(out, bytes) else out or ""


def read_release(path: Path) -> dict[str, Row]:
    """The rows of the last release by their names; none where there is no such file."""
    if not path.exists():
        return {}
    return {each["name"]: Row(**each) for each in json.loads(path.read_text("utf-8"))["rows"]}


def save(measured: Sequence[Row], path: Path) -> None:
    """Put the rows measured in place of those of their names, and keep the others."""
    kept = read_release(path) | {row.name: row for row in measured}
    document = {
        "release": version("choreo-bdd"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "rows": [row.document() for row in kept.values()],
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
