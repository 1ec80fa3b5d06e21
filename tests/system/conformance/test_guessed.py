"""Features in the words of somebody who has read the vocabulary's description and nothing else, run unchanged.

They hold every phrase with each of its variants, every form of body, and scenarios as the documentation of other
messaging tools tells them.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from choreo_bdd_steps.lint import Severity, feature_files, lint
from tests.support.project import LOADER, Project

GUESSED = Path(__file__).parent / "guessed"
SCENARIOS = 109
pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def guessed(tmp_path: Path) -> Project:
    shutil.copytree(GUESSED, tmp_path, dirs_exist_ok=True)
    project = Project(tmp_path, {"GUESSED_NAME": "guessed", "PYTHONPATH": str(tmp_path)})
    return project.file("features/steps/choreo.py", LOADER)


def test_they_pass_under_behave_without_a_word_of_warning(guessed: Project) -> None:
    ran = guessed.behave("-f", "progress")
    assert f"{SCENARIOS} scenarios passed, 0 failed, 0 skipped" in ran, ran.text
    assert "warning" not in ran.text.lower()


def test_they_pass_under_pytest_with_warnings_as_errors(guessed: Project) -> None:
    ran = guessed.pytest("features", "--strict-markers", "-W", "error")
    assert f"{SCENARIOS} passed" in ran, ran.text


def test_lint_finds_no_fault_in_them(guessed: Project) -> None:
    findings = lint(feature_files([guessed.folder / "features"]))
    assert [each for each in findings if each.severity is Severity.ERROR] == []
