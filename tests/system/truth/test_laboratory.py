"""The truth laboratory in small: defects of each sort on memory are told as what they are. The whole is in bench/."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.truth.table import CONTROL, DEFECTS

ROOT = Path(__file__).parents[3]
QUICK = (
    "healthy",
    "too early",
    "charged in spite of risk",
    "duplicated",
    "burst",
    "delayed past budget",
    "poison payload",
    "one message for two expectations",
)


@pytest.mark.process
def test_each_framework_tells_defects_as_what_they_are() -> None:
    command = [sys.executable, "-m", "bench.truth.laboratory", "--broker", "memory"]
    chosen = [word for name in QUICK for word in ("--defect", name)]
    running = [
        subprocess.Popen([*command, "--framework", framework, *chosen], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for framework in ("behave", "pytest-bdd")
    ]
    for process in running:
        said, _ = process.communicate(timeout=50)
        assert process.returncode == 0, said
        assert f"{len(QUICK)} defects: {len(QUICK)} of {len(QUICK)} cells green" in said
        (control,) = (line for line in said.splitlines() if line.startswith(f"{CONTROL.name} (control)"))
        assert "RED timeout: nothing arrived" in control


def test_every_defect_has_its_feature_and_every_feature_its_defect() -> None:
    features = DEFECTS[0].feature.parent
    assert {defect.feature for defect in DEFECTS} == set(features.glob("*.feature"))
    assert len(DEFECTS) >= 30
    for defect in DEFECTS:
        assert f"\n  Scenario: {defect.name}\n" in defect.feature.read_text("utf-8")
