"""examples/shop: choreo.yaml alone brings up seven services on four brokers, and planted faults have their causes.

All faults one by one, and many runs under each runner: ``bench/shop.py``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.written import report_files

SHOP = Path(__file__).parents[3] / "examples" / "shop"
PLANTED = {
    "web-status": "wrong shape",
    "web-lets-through": "unexpected",
    "stock-twice": "unexpected",
    "till-id": "no correlation id",
    "dispatch-wrong-id": "wrong correlation",
    "dispatch-books-heavy": "unexpected",
    "audit-garbage": "undecodable",
}


@pytest.mark.broker
@pytest.mark.process
@pytest.mark.timeout(240)
def test_the_shop_runs_by_one_command_and_tells_its_faults_apart(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "behave", "-f", "plain", "-f", "choreo", "-o", "-", "-o", str(tmp_path / "report")],
        cwd=SHOP,
        env={**os.environ, "SHOP_FAULTS": ",".join(PLANTED)},
        capture_output=True,
        text=True,
        check=False,
        timeout=220,
    )
    text = ran.stdout + ran.stderr
    assert "18 scenarios passed, 7 failed" in text, text
    causes = re.findall(r"\[(?:FAIL|TIMEOUT|SLOW)\][^\n]*\n([a-z ]+):", text)
    assert sorted(causes) == sorted(PLANTED.values())
    assert "what the services wrote while this scenario ran" in text
    shown = {"terminal": text, **report_files(tmp_path / "report")}
    assert [name for name, each in shown.items() if "redacted" in each] == []  # it has no secrets
