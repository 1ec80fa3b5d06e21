"""The demonstration: the order pipeline and its features, copied to a folder and run there.

In a checkout the suite is the project's own ``features/`` and ``examples/orders``; a wheel carries a copy of both.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from choreo_bdd_steps.starting.scaffold import ScaffoldError, template, write_missing

SHIPPED = Path(__file__).parent / "order_pipeline"
CHECKOUT = Path(__file__).parents[3]
SUITE = ("features", "examples/orders", "choreo.yaml")
REPORT = "test-report"
PURPOSELY_FAILING = "@deliberate"

_SETTINGS: Mapping[str, str] = MappingProxyType({"behave.ini": "demo_behave.ini", "pytest.ini": "demo_pytest.ini"})
_SUFFIXES = frozenset({".py", ".feature", ".yaml", ".json", ".md"})


def copy_demo(folder: Path) -> list[str]:
    """Write what the folder does not have yet, so that changes made there stay; returns the paths written."""
    suite = {path: (_source() / path).read_text(encoding="utf-8") for path in _suite_files(_source())}
    settings = {path: template(name) for path, name in _SETTINGS.items()}
    return write_missing(folder, suite | settings)


def run_demo(folder: Path, *, failures: bool) -> int:
    """Run the suite with behave; ``failures`` picks the scenarios that fail on purpose. Returns behave's exit code."""
    tags = PURPOSELY_FAILING if failures else f"not {PURPOSELY_FAILING}"
    command = [sys.executable, "-m", "behave", "--tags", tags, "-f", "choreo", "-o", REPORT, "-f", "progress"]
    return subprocess.run(command, cwd=folder, check=False).returncode


def report_page(folder: Path) -> Path:
    """Where the run's report is."""
    return folder / REPORT / "index.html"


def _source() -> Path:
    for place in (SHIPPED, CHECKOUT):
        if (place / "examples" / "orders").is_dir():
            return place
    raise ScaffoldError("this installation of choreo-bdd lacks the demonstration; install it again from a wheel")


def _suite_files(source: Path) -> Iterator[str]:
    for part in SUITE:
        top = source / part
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.suffix in _SUFFIXES and "__pycache__" not in path.parts:
                yield path.relative_to(source).as_posix()
