"""What loading the library costs above a bare Python: the least CPU time of many interleaved runs.

    python -m bench.imports [ROUNDS]

The goals hold for the engine and for the behave adapter, each above the bare interpreter; behave alone is told beside
them, since the adapter cannot be loaded without it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from bench.rows import Row, show

ROUNDS = 25
BARE = "bare Python"
PROGRAMS = {
    BARE: "pass",
    "asyncio": "import asyncio",
    "choreo_bdd": "import choreo_bdd",
    "its Harness and Scenario": "from choreo_bdd import Harness, Scenario",
    "behave": "import behave.parser, behave.runner",
    "choreo_bdd_steps.adapters.behave": "import choreo_bdd_steps.adapters.behave",
}
GOALS_MS = {"choreo_bdd": 120, "its Harness and Scenario": 120, "choreo_bdd_steps.adapters.behave": 200}


def rows(rounds: int = 6) -> Iterator[Row]:
    """A row for each thing loaded."""
    with tempfile.TemporaryDirectory() as bytecode:
        least = _least(rounds, _with_bytecode_in(bytecode))
    beside = f"bare Python: {least[BARE]:.1f} ms"
    for name, spent in least.items():
        if name != BARE:
            yield Row(f"loading {name}, above bare", spent - least[BARE], "ms CPU", GOALS_MS.get(name), beside)


def _with_bytecode_in(folder: str) -> dict[str, str]:
    """The environment of an installed library: its modules were compiled once, whatever is set here."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**environment, "PYTHONPYCACHEPREFIX": folder}


def _least(rounds: int, environment: dict[str, str]) -> dict[str, float]:
    for program in PROGRAMS.values():  # compiles what is loaded, before anything counts
        _cpu_ms(program, environment)
    least = dict.fromkeys(PROGRAMS, float("inf"))
    for _ in range(rounds):
        for name, program in PROGRAMS.items():
            least[name] = min(least[name], _cpu_ms(program, environment))
    return least


def _cpu_ms(program: str, environment: dict[str, str]) -> float:
    """CPU milliseconds, own and the system's, of a Python of its own that runs ``program``."""
    process = subprocess.Popen([sys.executable, "-c", program], env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"`{program}` ended with {process.returncode}")
    return (usage.ru_utime + usage.ru_stime) * 1000


if __name__ == "__main__":
    raise SystemExit(show(rows(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)))
