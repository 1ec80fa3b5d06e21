"""Peak memory of a page's renderer that nobody looks into: a debugger on the page keeps copies of its own.

The copy of the report that is measured brings its reader along, a script that opens scenarios, types and scrolls, and
says so in the title when it is done.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

_DONE = "peak reached"
_PATIENCE_S = 900
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def unobserved_peak_mb(page: Path, actions: str) -> float:
    """Peak of the renderer while it loads ``page`` and carries out ``actions``, the body of an async function."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        copy = Path(directory) / page.name
        copy.write_text(_with_reader(page.read_text("utf-8"), actions), "utf-8")
        browser = _browser(Path(directory) / "profile", copy.as_uri())
        try:
            _wait(Path(directory) / "profile")
            return _peak_mb(directory)
        finally:
            browser.send_signal(signal.SIGTERM)
            browser.wait()


def _with_reader(text: str, actions: str) -> str:
    script = f"(async () => {{ {actions} }})().finally(() => {{ document.title = {json.dumps(_DONE)}; }});"
    reader = f"<script>addEventListener('load', () => {{ {script} }});</script>"
    return _POLICY.sub("", text, count=1).replace("</body>", f"{reader}</body>")


def _browser(profile: Path, address: str) -> subprocess.Popen[bytes]:
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--window-size=1600,1000", "--remote-debugging-port=0")
    command = [str(shutil.which("chromium")), *flags, f"--user-data-dir={profile}", address]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _wait(profile: Path) -> None:
    """Until the page's title says that it is done; the list of pages is read without attaching to any."""
    ends = time.monotonic() + _PATIENCE_S
    while time.monotonic() < ends:
        time.sleep(0.3)
        if any(page.get("title") == _DONE for page in _pages(profile / "DevToolsActivePort")):
            return
    raise TimeoutError(f"the page was not done after {_PATIENCE_S} s")


def _pages(port_file: Path) -> list[dict[str, Any]]:
    if not port_file.exists():
        return []
    port = int(port_file.read_text().split()[0])
    with urlopen(f"http://127.0.0.1:{port}/json/list", timeout=5) as answer:
        pages: list[dict[str, Any]] = json.load(answer)
    return pages


def _peak_mb(directory: str) -> float:
    """Of the profile's renderers the one that holds the report: the others are smaller."""
    return max(_peaks(directory)) / 1024


def _peaks(directory: str) -> Iterable[int]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text()
            if "--type=renderer" in command and directory in command:
                yield _high_water(process / "status")
        except (OSError, UnicodeDecodeError):
            continue  # gone, or not ours


def _high_water(status: Path) -> int:
    return next((int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")), 0)
