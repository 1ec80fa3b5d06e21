"""A user's project in a folder of its own, run by the frameworks as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.processes import FOREIGN
from tests.support.started import python_m

LOADER = "from choreo_bdd_steps.adapters.behave import use_choreo\n\nuse_choreo()\n"
BARE = (*FOREIGN, "-pno:cacheprovider")


@dataclass(frozen=True, slots=True)
class Finished:
    """What a framework said, and how it ended."""

    code: int
    text: str

    def __contains__(self, part: str) -> bool:
        return part in self.text

    def count(self, part: str) -> int:
        return self.text.count(part)


@dataclass(slots=True)
class Project:
    """Files, and the commands to run them with."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def file(self, path: str, text: str) -> Project:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return self

    @contextmanager
    def running(self, program: str, *arguments: str) -> Iterator[None]:
        """While a Python program of the project runs, which says ``ready`` first."""
        command = [sys.executable, program, *arguments]
        environment = {**os.environ, **self.environment}
        with subprocess.Popen(command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            try:
                yield
            finally:
                process.kill()

    def feature(self, text: str, name: str = "a") -> Project:
        return self.file(f"features/{name}.feature", text)

    def behave(self, *arguments: str) -> Finished:
        if not any((self.folder / place).exists() for place in ("features/steps", "steps")):
            self.file("features/steps/choreo.py", LOADER)
        return self._run("behave", "--no-color", *arguments)

    def pytest(self, *arguments: str, bare: bool = True) -> Finished:
        if not self._asks_for_choreo():
            self.file("choreo.yaml", "{}")  # else its feature files are left alone
        return self._run("pytest", *(BARE if bare else ()), *arguments)

    def _asks_for_choreo(self) -> bool:
        settings = [self.folder / name for name in ("pyproject.toml", "pytest.ini", "tox.ini")]
        texts = [path.read_text("utf-8") for path in settings if path.exists()]
        return (self.folder / "choreo.yaml").exists() or any(
            word in text for text in texts for word in ("tool.choreo", "choreo_features")
        )

    def run(self, framework: str, *arguments: str) -> Finished:
        """The features under one of the two frameworks."""
        return self.behave("-f", "plain", *arguments) if framework == "behave" else self.pytest("features", *arguments)

    def results(self, folder: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / folder / "results.json").read_text("utf-8"))
        return document

    def _run(self, module: str, *arguments: str) -> Finished:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "HARNESS", "CHOREO"))
        }
        ran = subprocess.run(
            python_m(module, *arguments),
            cwd=self.folder,
            env={**kept, "COLUMNS": "400", **self.environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        return Finished(ran.returncode, ran.stdout + ran.stderr)
