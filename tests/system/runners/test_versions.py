"""Asking a test framework for its version tells nothing of ours, and wakes nothing of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BEHAVE_INI = "[behave.formatters]\nharness = choreo_bdd_reporter.behave_formatter:HarnessFormatter\n"


def told(folder: Path, *command: str, **environment: str) -> str:
    run = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout + run.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "choreo.yaml").write_text("profiles:\n  memory:\n    bus: {type: memory}\n", encoding="utf-8")
    steps = tmp_path / "features/steps"
    steps.mkdir(parents=True)
    (steps / "choreo.py").write_text("from choreo_bdd_steps.adapters.behave import use_choreo\n\nuse_choreo()\n")
    return tmp_path


@pytest.mark.process
def test_the_version_of_pytest_is_told_as_without_the_plug_ins(folder: Path) -> None:
    with_plug_ins = told(folder, "-m", "pytest", "--version")
    assert with_plug_ins == told(folder, "-m", "pytest", "--version", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")


@pytest.mark.process
def test_the_version_of_behave_is_told_as_without_the_formatter(folder: Path) -> None:
    bare = told(folder, "-m", "behave", "--version")
    (folder / "behave.ini").write_text(BEHAVE_INI, encoding="utf-8")
    assert told(folder, "-m", "behave", "--version") == bare
