"""A server starts without what only some answers need."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.thorough
def test_a_start_loads_no_numpy_and_no_migrations() -> None:
    asked = "import choreo_bdd_chronicle.server, json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(json.loads(done.stdout))
    assert "choreo_bdd_chronicle.answer.app" in loaded
    assert not loaded & {"numpy", "alembic", "duckdb", "pyarrow", "psycopg"}
