"""Which part may import which, and what importing the engine costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_rooms_import_each_other_only_as_the_contracts_in_pyproject_say() -> None:
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    "package", ["behave", "pytest", "nats", "aiokafka", "aio_pika", "redis", "choreo_bdd_steps", "choreo_bdd_reporter"]
)
def test_importing_the_engine_imports_no_framework_and_no_client(package: str) -> None:
    code = f"import sys, choreo_bdd, choreo_bdd.transports; sys.exit({package!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
