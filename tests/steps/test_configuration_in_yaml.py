"""What is wrong with a configuration is said in the words of its file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from choreo_bdd_project.config import ConfigError, load_config

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "schemas" / "choreo_bdd_schemas" / "choreo-config.json").read_text("utf-8")
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("timeout: 1s\ntimeout: 2s\n", r"choreo.yaml:2: timeout is written twice, here and in line 1"),
        ("profiles:\n  m:\n    a: {type: memory}\n  m:\n    b: {type: memory}\n", r"yaml:4: profiles.m is"),
        ("profiles:\n  no:\n    bus: {type: memory}\n", r"choreo.yaml:2: YAML reads the name no as no text; quote"),
        ("vacuity: off\n", r"choreo.yaml:1: vacuity: YAML reads on, off"),
        ("timeoutt: 2s\n", r"choreo.yaml:1: timeoutt: there is no such key; did you mean timeout\?"),
        ("timeout: 2\n", r"choreo.yaml:1: timeout: 2 is a number without a unit; write 2s"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_write(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "choreo.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=said):
        load_config(path, schema=SCHEMA)
