"""What the user's own Python adds is read from a project's files, and from no one else's."""

from __future__ import annotations

import ast
import warnings
from pathlib import Path

import pytest

from choreo_bdd_project.gherkin.places import files_below, project_of
from choreo_bdd_project.own_steps import defining, read_own_steps


def _write(path: Path, sentence: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"from behave import given\n\n@given('{sentence}')\ndef step(context): pass\n")


@pytest.mark.parametrize(
    "folder", [".venv/lib/site-packages/other", "any name/lib", "node_modules/other", ".tox/py", "build/lib"]
)
def test_steps_of_installed_packages_are_not_the_projects(tmp_path: Path, folder: str) -> None:
    (tmp_path / "any name").mkdir()
    (tmp_path / "any name" / "pyvenv.cfg").touch()
    _write(tmp_path / folder / "steps.py", "theirs")
    _write(tmp_path / "steps" / "steps.py", "ours")
    found = read_own_steps(tmp_path)
    assert found.define("ours")
    assert not found.define("theirs")


def test_features_of_installed_packages_are_not_looked_for(tmp_path: Path) -> None:
    for folder in ("a", "node_modules/b", ".venv/c"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "x.feature").touch()
    assert files_below(tmp_path, ".feature") == [tmp_path / "a" / "x.feature"]
    assert files_below(tmp_path / "node_modules" / "b", ".feature") != []
    assert files_below(tmp_path / "gone", ".feature") == []


def test_only_files_that_have_changed_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, real = list[str](), ast.parse

    def parse(text: str) -> ast.AST:
        read.append(text)
        return real(text)

    monkeypatch.setattr(ast, "parse", parse)
    _write(tmp_path / "a.py", "first")
    _write(tmp_path / "b.py", "second")
    read_own_steps(tmp_path)
    _write(tmp_path / "b.py", "a third")
    assert read_own_steps(tmp_path).define("a third")
    assert not read_own_steps(tmp_path).define("second")
    assert len(read) == 3
    assert defining(tmp_path, "a third") == [(tmp_path / "b.py", 4)]


def test_a_backslash_that_python_warns_of_is_read(tmp_path: Path) -> None:
    _write(tmp_path / "a.py", r"it costs (\d+) euros")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_own_steps(tmp_path).define("it costs 7 euros")


@pytest.mark.parametrize("sign", ["choreo.yaml", "choreo.yml", "conftest.py", "steps/own.py"])
def test_the_project_of_a_feature_is_found_by_what_stands_in_it(tmp_path: Path, sign: str) -> None:
    (tmp_path / sign).parent.mkdir(exist_ok=True)
    (tmp_path / sign).touch()
    assert project_of(tmp_path / "features" / "orders" / "x.feature") == tmp_path


@pytest.mark.parametrize(
    ("settings", "is_ours"),
    [("[tool.choreo]\n", True), ("[a]\n[tool.choreo.profiles.p]\n", True), ("[tool.ruff]\nx = 'tool.choreo'\n", False)],
)
def test_settings_in_pyproject_are_a_sign_of_a_project_as_choreo_yaml_is(
    tmp_path: Path, settings: str, is_ours: bool
) -> None:
    (tmp_path / "pyproject.toml").write_text(settings)
    features = tmp_path / "features" / "orders"
    assert project_of(features / "x.feature") == (tmp_path if is_ours else features)
