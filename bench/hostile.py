"""What hostile report folders cost every report command: seconds, and megabytes of memory at most.

    python -m bench.hostile [WORD …]

Prints what is above the bars, and the worst of all; exit code 1 when one is above, or ends by an exception or a signal.
With words, only folders with one of them in their names.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.support.hostile_reports import (
    LEFT_OUT,
    NODEID,
    OUT_OF_RANGE,
    REFUSED,
    Damage,
    journal,
    messages,
    past,
    results,
    side,
    told,
    write_whole,
)
from tests.support.reports import HANDLE, edited, sound

BAR_S = 8.0
BAR_MB = 1000.0
_CAP_S = 60
COMMANDS = (
    ("merge", "report", "-o", "merged"),
    ("diff", "report", "sound"),
    ("summary", "report"),
    ("summary", "report", "--format", "junit"),
    ("export", "report", "--format", "ctrf"),
    ("export", "report", "--format", "otlp"),
    ("export", "report", "--format", "chrome-trace"),
    ("validate", "report"),
    ("render", "report"),
)


def _payload(text: str) -> Damage:
    """A text of JSON in the place of what a handle received."""
    return results(json.dumps(edited(sound("1.3"), HANDLE, "actual", "@@")).replace('"@@"', text))


def _tests(count: int, **changes: Any) -> Damage:
    """So many tests, each as small as may be."""
    report = sound("1.3")
    small = json.dumps({**report["tests"][0], "scenarios": [], **changes})
    names = (small.replace(NODEID, f"t.py::{number}") for number in range(count))
    return results(json.dumps({**report, "tests": "@@"}).replace('"@@"', f"[{','.join(names)}]"))


def _scenarios(count: int) -> Damage:
    report = sound("1.3")
    small = json.dumps({**report["tests"][0]["scenarios"][0], "handles": [], "timeline": []})
    test = json.dumps({**report["tests"][0], "scenarios": "@@"})
    made = test.replace('"@@"', f"[{','.join([small] * count)}]")
    return results(json.dumps({**report, "tests": "@@"}).replace('"@@"', f"[{made}]"))


def _events(count: int) -> Damage:
    report = sound("1.3")
    scenario = report["tests"][0]["scenarios"][0]
    made = f"[{','.join([json.dumps(scenario['timeline'][0])] * count)}]"
    scenario["timeline"] = "@@"
    return results(json.dumps(report).replace('"@@"', made))


_OWN: dict[str, Callable[[], Damage]] = {
    "blanks of 190 MB": lambda: results(b" " * 190_000_000),
    "blanks of 300 MB": lambda: results(b" " * 300_000_000),
    "lists of 60 MB": lambda: results("[" + "[]," * 20_000_000 + "[]]"),
    "lists of 190 MB": lambda: results("[" + "[]," * 63_000_000 + "[]]"),
    "numbers of 100 MB in a payload": lambda: _payload("[" + "1," * 50_000_000 + "1]"),
    "lists of 30 MB in a payload": lambda: _payload("[" + "[]," * 10_000_000 + "1]"),
    "keys of 60 MB in a payload": lambda: _payload(
        "{" + ",".join(f'"{number}":{{}}' for number in range(4_000_000)) + "}"
    ),
    "text of 150 MB in a payload": lambda: _payload('"' + "x" * 150_000_000 + '"'),
    "wide text of 100 MB in a payload": lambda: _payload('"\\ud83d\\ude00' + "x" * 100_000_000 + '"'),
    "escapes of 120 MB in a payload": lambda: _payload('"' + "\\u00e9" * 20_000_000 + '"'),
    "the same key over and over": lambda: _payload("{" + '"a":1,' * 10_000_000 + '"a":1}'),
    "100,000 tests": lambda: _tests(100_000),
    "300,000 tests": lambda: _tests(300_000),
    "20,000 tests with a log": lambda: _tests(20_000, log="cookie: a=" * 500),
    "a log of 100 MB": lambda: _tests(1, log="cookie: a=" * 10_000_000),
    "200,000 scenarios": lambda: _scenarios(200_000),
    "500,000 events": lambda: _events(500_000),
    "page of 190 MB": lambda: side("index.html", b"<" * 190_000_000),
    "page of many lines": lambda: side("index.html", b"\n" * 100_000_000),
    "page that tells 100 MB": lambda: told(features="x" * 100_000_000),
    "page that tells a million features": lambda: told(features=[{"scenarios": []}] * 1_000_000),
    "page that tells a million numbers": lambda: told(details={str(number): 1 for number in range(1_000_000)}),
    "messages of 2 million": lambda: messages(*['{"a":1}'] * 2_000_000),
    "messages of lists": lambda: messages("[" + "[]," * 20_000_000 + "[]]"),
    "messages of one line of 150 MB": lambda: messages("x" * 150_000_000),
    "history of 200,000 runs": lambda: side("history.jsonl", (past() + "\n") * 200_000),
    "history of one line of 150 MB": lambda: side("history.jsonl", b"x" * 150_000_000),
    "history of lists": lambda: side("history.jsonl", "[" + "[]," * 20_000_000 + "[]]\n"),
    "journal of 150 MB": lambda: journal("x" * 150_000_000),
    "journal of lists": lambda: journal("[" + "[]," * 20_000_000 + "[]]"),
    "journal of a million lines": lambda: journal(
        {"journal": 1, "started_at": "2027-01-01T00:00:00+00:00"}, *["{}"] * 1_000_000
    ),
    "journal of many tests": lambda: journal(
        {"journal": 1, "started_at": "2027-01-01T00:00:00+00:00", "environment": {}},
        *[{"test": sound("1.3")["tests"][0]}] * 20_000,
    ),
}


def _folders() -> Iterator[tuple[str, Callable[[], Damage]]]:
    for name, damage in {**REFUSED, **OUT_OF_RANGE, **LEFT_OUT}.items():
        yield name, lambda damage=damage: damage  # type: ignore[misc] # bound to this one
    yield from _OWN.items()


def _run(command: tuple[str, ...]) -> tuple[int, float, float, str]:
    """Exit code, seconds, megabytes at most and what was said on the way out, of a command in a process of its own."""
    began = time.monotonic()
    with open("said", "wb") as said:
        pid = os.fork()
        if pid == 0:
            resource.setrlimit(resource.RLIMIT_CPU, (_CAP_S, _CAP_S))
            resource.setrlimit(resource.RLIMIT_AS, (6_000_000_000, 6_000_000_000))
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, 0)
            os.dup2(null, 1)
            os.dup2(said.fileno(), 2)
            os.execv(sys.executable, [sys.executable, "-m", "choreo_bdd", "report", *command])
        _, status, used = os.wait4(pid, 0)
    took = time.monotonic() - began
    last = Path("said").read_text("utf-8", "replace").strip().splitlines()
    cpu = used.ru_utime + used.ru_stime
    return os.waitstatus_to_exitcode(status), min(took, cpu), used.ru_maxrss / 1000, last[-1] if last else ""


def main() -> int:
    """Go through the folders."""
    words, wrong, seen = sys.argv[1:], 0, 0
    slowest, largest = (0.0, ""), (0.0, "")
    with tempfile.TemporaryDirectory() as base:
        os.chdir(base)
        write_whole(Path("sound"))
        for name, make in _folders():
            if words and not any(word in name for word in words):
                continue
            for command in COMMANDS:
                for left in ("report", "merged"):
                    shutil.rmtree(left, ignore_errors=True)
                shutil.copytree("sound", "report")
                make()(Path("report")) if command is COMMANDS[0] else _restored()
                if command is COMMANDS[0]:
                    _kept()
                code, took_s, used_mb, said = _run(command)
                seen += 1
                told_by = f"{name}: {' '.join(command)}"
                slowest, largest = max(slowest, (took_s, told_by)), max(largest, (used_mb, told_by))
                if code not in (0, 1, 2) or "Traceback" in said or took_s > BAR_S or used_mb > BAR_MB:
                    wrong += 1
                    print(f"{told_by}: code {code}, {took_s:.1f} s, {used_mb:.0f} MB, {said[:100]}", flush=True)
        os.chdir("/")
    print(f"{seen} commands, {wrong} above {BAR_S:g} s or {BAR_MB:g} MB")
    print(f"slowest {slowest[0]:.1f} s ({slowest[1]}), largest {largest[0]:.0f} MB ({largest[1]})")
    return wrong and 1


def _kept() -> None:
    """Keep the damaged folder, as making it takes longer than most commands."""
    shutil.rmtree("damaged", ignore_errors=True)
    os.rename("report", "damaged")
    _restored()


def _restored() -> None:
    shutil.rmtree("report", ignore_errors=True)
    os.mkdir("report")
    for path in Path("damaged").iterdir():
        target = Path("report", path.name)
        if path.is_symlink():
            target.symlink_to(os.readlink(path))
        elif path.is_fifo():
            os.mkfifo(target)
        elif path.is_dir():
            shutil.copytree(path, target)
        else:
            os.link(path, target)


if __name__ == "__main__":
    sys.exit(main())
