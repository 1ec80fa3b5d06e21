"""Aliases that multiply a small text are refused by every reader of YAML, and before they are followed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from choreo_bdd.asyncapi.contract import load_asyncapi
from choreo_bdd.environment import load_allowlist
from choreo_bdd_project.config import load_config, memory_config
from choreo_bdd_schemas import config_schema
from choreo_bdd_steps.drafting.features import drafts
from choreo_bdd_steps.language import parse_expectation, parse_payload
from choreo_bdd_steps.language.doc_strings.files import read_file

NAMES = "abcdefghijkl"
BOMB = "".join(
    f"{name}: &{name} [{','.join(['x' if name == 'a' else f'*{before}'] * 10)}]\n"
    for before, name in zip("a" + NAMES, NAMES, strict=False)
)
IN_A_CELL = "{" + ", ".join(BOMB.splitlines()) + "}"


def _file(read: Callable[[Path], object], folder: Path) -> None:
    path = folder / "bomb.yaml"
    path.write_text(BOMB)
    read(path)


@pytest.mark.parametrize(
    "read",
    [
        lambda folder: _file(lambda path: load_config(path, schema=config_schema()), folder),
        lambda folder: _file(load_allowlist, folder),
        lambda folder: _file(lambda path: load_asyncapi([path]), folder),
        lambda folder: _file(lambda path: drafts(path, memory_config()), folder),
        lambda folder: _file(lambda path: read_file(path.name, folder), folder),
        lambda folder: parse_payload(BOMB, None, base_dir=folder),
        lambda folder: parse_expectation(BOMB, None, None, base_dir=folder),
        lambda folder: parse_payload(None, [["field", "value"], ["a", IN_A_CELL]], base_dir=folder),
    ],
    ids=["configuration", "allowlist", "contract", "draft", "file", "body", "expectation", "cell"],
)
def test_aliases_that_multiply_are_refused(read: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(Exception, match="its aliases repeat too much; write out what is meant"):
        read(tmp_path)
