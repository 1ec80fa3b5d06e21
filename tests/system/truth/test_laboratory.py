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
@pytest.mark.timeout(150)
def test_both_frameworks_tell_defects_as_what_they_are() -> None:
    chosen = [word for name in QUICK for word in ("--defect", name)]
    command = [sys.executable, "-m", "bench.truth.laboratory", "--broker", "memory", *chosen]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=140)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{len(QUICK)} defects: {2 * len(QUICK)} of {2 * len(QUICK)} cells green" in ran.stdout
    (control,) = (line for line in ran.stdout.splitlines() if line.startswith(f"{CONTROL.name} (control)"))
    assert control.count("RED timeout: nothing arrived") == 2


def test_every_defect_has_its_feature_and_every_feature_its_defect() -> None:
    features = DEFECTS[0].feature.parent
    assert {defect.feature for defect in DEFECTS} == set(features.glob("*.feature"))
    assert len(DEFECTS) >= 30
    for defect in DEFECTS:
        assert f"\n  Scenario: {defect.name}\n" in defect.feature.read_text("utf-8")
