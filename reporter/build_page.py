"""Make the page's script and style when a wheel is built, so that no report has to join them again.

Hatchling runs it, in a checkout or an unpacked source distribution. Where the page's tools are installed, which
``python3 dev.py check`` does, esbuild tightens the script further; a wheel that is built without them holds the same
script, some kilobytes longer.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = Path(__file__).parent / "choreo_bdd_reporter"
ESBUILD = Path(__file__).parent / "page-tools" / "node_modules" / ".bin" / "esbuild"


class PageBuildHook(BuildHookInterface[Any]):
    """Adds ``page/made/`` to the wheel; an editable install goes on reading the modules."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write both texts beside the checkout and have them taken along."""
        if version == "editable":
            return
        # kept until the build ends: what is left of it goes with the hook
        self._folder = tempfile.TemporaryDirectory(prefix="choreo-page-")
        assets = _assets_module()
        shell = assets.joined()
        for name, text in zip(assets.NAMES, (tightened(shell.script), shell.style), strict=True):
            path = Path(self._folder.name, name)
            path.write_text(text, "utf-8", newline="\n")
            build_data["force_include"][str(path)] = f"choreo_bdd_reporter/page/{assets.MADE}/{name}"


def tightened(script: str) -> str:
    """The script as esbuild writes it, where it is installed; names at its top level stay as they are."""
    if not ESBUILD.exists():
        return script
    command = [str(ESBUILD), "--minify", "--charset=utf8", "--target=es2022", "--log-level=warning"]
    return subprocess.run(command, input=script, capture_output=True, text=True, encoding="utf-8", check=True).stdout


def _assets_module() -> Any:
    """The module that joins, without its packages: what they import is not there while a wheel is built."""
    for name, folder in (("choreo_bdd_reporter", PACKAGE), ("choreo_bdd_reporter.page", PACKAGE / "page")):
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    from choreo_bdd_reporter.page import assets  # noqa: PLC0415

    return assets
