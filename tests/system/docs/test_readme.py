"""README.md promises nothing that does not work: its tutorial is carried out block by block."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import choreo_bdd
from choreo_bdd.brokers import Broker
from tests.support.walkthrough import blocks, carry_out

ROOT = Path(__file__).parents[3]
README = ROOT / "README.md"
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"]


def test_the_tutorial_works_as_written(tmp_path: Path, nats_broker: Broker) -> None:
    carry_out(blocks(README), tmp_path, {"NATS_URL": nats_broker.url})
    assert (tmp_path / "test-report" / "index.html").is_file()


def test_every_block_is_of_a_kind_the_tutorial_carries_out() -> None:
    kinds = [block.language for block in blocks(README)]
    assert {"shell", "output", "diff", "gherkin"} <= set(kinds)
    assert [block.text for block in blocks(README) if not block.is_carried_out] == []


def test_the_install_line_names_this_project_and_extras_it_has() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [block.text.strip() for block in blocks(README) if block.text.startswith("pip install")]
    assert len(lines) == 1
    found = re.fullmatch(r'pip install "\.\./(?P<name>[\w-]+)\[(?P<extras>[\w,]+)\]"', lines[0])
    assert found is not None, lines[0]
    assert found["name"] == project["name"]
    assert set(found["extras"].split(",")) <= set(project["optional-dependencies"])


def test_the_two_commands_exist() -> None:
    commands = re.findall(r"^    python3 dev\.py (\w+)", README.read_text("utf-8"), re.MULTILINE)
    assert commands == ["demo", "test"]
    usage = subprocess.run([sys.executable, "dev.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert all(f"python3 dev.py {command} " in usage.stdout for command in commands)


@pytest.mark.parametrize("page", [*PAGES, *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in target]
    assert [target for target in targets if not ((ROOT / page).parent / target).exists()] == []


def test_the_changelog_has_this_version() -> None:
    assert f"## [{choreo_bdd.__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")
