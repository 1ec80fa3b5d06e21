"""The repository's own features under both frameworks, run as a user runs them, with a report each."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.outcomes import check_outcomes
from tests.support.started import python_m

ROOT = Path(__file__).parents[2]
EVERYTHING = {
    "behave": ("--tags=@deliberate or not @deliberate",),
    "pytest": ("-o", "choreo_tags="),
}
DELIBERATE = {"behave": ("--tags=@deliberate",), "pytest": ("-o", "choreo_tags=@deliberate")}
DEFAULT: Mapping[str, Sequence[str]] = {"behave": (), "pytest": ()}


def plain(topic: str) -> str:
    """A topic, the inbox of a request under one name: each has its own."""
    return re.sub(r"^(_INBOX|(queue:)?choreo\.reply)\..+", "(inbox)", topic)


@dataclass(frozen=True, slots=True)
class Run:
    """How a run ended, what it printed, its results.json and the folder that is in."""

    code: int
    text: str
    report: dict[str, Any]
    folder: Path

    @property
    def tests(self) -> dict[str, dict[str, Any]]:
        """Tests by node id."""
        return {test["nodeid"]: test for test in self.report["tests"]}


def run_features(
    framework: str,
    selection: Mapping[str, Sequence[str]],
    profile: Profile,
    report: Path,
    *,
    features: str = "features",
) -> Run:
    command = {
        "behave": (
            "behave",
            features,
            f"-Dchoreo.profile={profile.name}",
            "-f",
            "choreo",
            "-o",
            str(report),
            "-f",
            "plain",
        ),
        "pytest": (
            "pytest",
            features,
            f"--choreo-profile={profile.name}",
            f"--harness-report={report}",
            "-pno:cacheprovider",
        ),
    }[framework]
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "HARNESS_", "CHOREO_"))
    }
    ran = subprocess.run(
        python_m(*command, *selection[framework]),
        cwd=ROOT,
        env={**kept, **profile.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    text = ran.stdout + ran.stderr
    results = report / "results.json"
    assert results.is_file(), text
    check_outcomes(report)
    return Run(ran.returncode, text, json.loads(results.read_text("utf-8")), report)


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of choreo.yaml, and what it takes from the environment."""

    name: str
    environment: Mapping[str, str]
