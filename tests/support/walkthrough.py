"""Carries out a page of documentation block by block, as its reader would.

A fence's info string says what a block is: ``python file=x.py`` is written to a file, ``diff file=x.py`` changes one,
``shell exit=1`` is run, ``output`` is what the command before it prints among other things.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import FOREIGN
from tests.support.started import python_m

FENCE = re.compile(r"^```(?P<info>\S[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of a page."""

    language: str
    options: Mapping[str, str]
    text: str

    @property
    def is_carried_out(self) -> bool:
        return self.language in ("shell", "output") or "file" in self.options


def blocks(page: Path) -> list[Block]:
    found = []
    for fence in FENCE.finditer(page.read_text("utf-8")):
        language, *options = fence["info"].split()
        found.append(Block(language, dict(option.split("=", 1) for option in options), fence["text"]))
    return found


def carry_out(page: Sequence[Block], folder: Path, environment: Mapping[str, str]) -> None:
    """Do what the blocks say, in a folder."""
    printed = ""
    for block in page:
        if block.language == "shell":
            for command in block.text.splitlines():
                if not command.startswith("pip install"):
                    printed = run(command, folder, environment, int(block.options.get("exit", "0")))
        elif block.language == "output":
            assert_printed(block.text, printed)
        elif block.language == "diff":
            change(folder / block.options["file"], block.text)
        elif "file" in block.options:
            path = folder / block.options["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, "utf-8")


def run(command: str, folder: Path, environment: Mapping[str, str], expected_exit: int) -> str:
    """What a command prints; it runs as a user would run it, away from the checkout."""
    program, *arguments = shlex.split(command, comments=True)
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    told = {"NO_COLOR": "1", "PYTEST_ADDOPTS": " ".join(FOREIGN)}
    done = subprocess.run(
        [sys.executable, *arguments] if program == "python" else python_m(program.replace("-", "_"), *arguments),
        cwd=folder, env={**kept, **told, **environment}, text=True,
        encoding="utf-8", check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
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
