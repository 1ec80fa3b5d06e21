"""What the benches of Chronicle share: a line of the table with its bar, and a server in a process of its own."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.chronicle.servers import start

BASE = "/api/v1"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; ``is_met`` says whether the bar was reached, and nothing where there is no bar."""

    what: str
    seen: str
    wanted: str = ""
    is_met: bool | None = None


def at_most(what: str, value: float, most: float, unit: str, note: str = "") -> Row:
    """A number that must not be larger than its bar."""
    return Row(what, _told(value, unit, note), f"<= {most:g}{unit}", value <= most)


def at_least(what: str, value: float, least: float, note: str) -> Row:
    """A number that must not be smaller than its bar."""
    return Row(what, _told(value, "", note), f">= {least:g}", value >= least)


def exactly(what: str, found: object, wanted: object, note: str = "") -> Row:
    """Something that must be just so."""
    return Row(what, f"{found}{note and f' ({note})'}", str(wanted), found == wanted)


def _told(value: float, unit: str, note: str) -> str:
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f}{unit}{note and f' ({note})'}"


@contextmanager
def served(folder: Path, options: Sequence[str]) -> Iterator[tuple[subprocess.Popen[str], str, float]]:
    """A server in a process of its own, its address, and the seconds until it answered."""
    begun = time.perf_counter()
    process, url = start(folder, *options)
    try:
        with closing(http.client.HTTPConnection(urlsplit(url).netloc)) as connection:
            connection.request("GET", f"{BASE}/health")
            json.load(connection.getresponse())
        yield process, url, time.perf_counter() - begun
    finally:
        process.terminate()
        process.communicate(timeout=60)


def memory_mb(process: subprocess.Popen[str], field: str) -> float:
    """``VmRSS`` is what a process holds now, ``VmHWM`` the most it ever did."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc tells no {field}")
