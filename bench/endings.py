"""What is left of services when a run ends otherwise than by its last scenario: every way it can end.

    python -m bench.endings [WORD …]

Prints a row a way, those with one of the words in their name only; exit code 1 when a service was left, or a run did
not end. With ``services_per: run`` once more where there are workers.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.steps.services.test_endings import BEHAVE, BEHAVEX, PYTEST, ended, signalled

XDIST = (*PYTEST, "-p", "xdist", "-n", "2")
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGKILL")

Way = tuple[Sequence[str], Callable[[subprocess.Popen[bytes]], None], str]


def _whole_group(run: subprocess.Popen[bytes]) -> None:
    os.killpg(run.pid, signal.SIGINT)


def _nothing(_: subprocess.Popen[bytes]) -> None:
    """The run ends by itself."""


def _when_waiting(body: str) -> str:
    """Hooks of both frameworks that act before the step that waits."""
    return "\n".join(
        (
            "import os, pytest",
            "def pytest_bdd_before_step(step):",
            f"    if 'wait' in step.name: {body}",
            "def before_step(context, step):",
            f"    if 'wait' in step.name: {body}",
            "",
        )
    )


def _ways() -> dict[str, Way]:
    ways: dict[str, Way] = {}
    for name, command in {"pytest": PYTEST, "behave": BEHAVE, "xdist": XDIST, "behavex": BEHAVEX}.items():
        for each in SIGNALS:
            ways[f"{name} {each}"] = command, signalled(signal.Signals[each]), ""
        ways[f"{name} SIGINT twice"] = command, signalled(signal.SIGINT, times=2), ""
        ways[f"{name} Ctrl-C"] = command, _whole_group, ""
    fails, internal = _when_waiting("raise ValueError('no')"), "raise RuntimeError('no')"
    ways |= {
        "pytest timeout, signal": ((*PYTEST, "-p", "timeout", "--timeout=1"), _nothing, ""),
        "pytest timeout, thread": ((*PYTEST, "-p", "timeout", "--timeout=1", "--timeout-method=thread"), _nothing, ""),
        "pytest --maxfail": ((*PYTEST, "--maxfail=1"), _nothing, fails),
        "pytest INTERNALERROR": (PYTEST, _nothing, f"{fails}def pytest_runtest_logreport(report):\n    {internal}\n"),
        "pytest.exit": (PYTEST, _nothing, _when_waiting("pytest.exit('no')")),
        "pytest os._exit": (PYTEST, _nothing, _when_waiting("os._exit(3)")),
        "behave --stop": ((*BEHAVE, "--stop"), _nothing, fails),
        "behave after_all raises": (BEHAVE, _nothing, f"{fails}def after_all(context):\n    {internal}\n"),
        "behave os._exit": (BEHAVE, _nothing, _when_waiting("os._exit(3)")),
    }
    return ways


def main() -> int:
    """Go through the ways."""
    words = sys.argv[1:]
    wrong = 0
    for name, (command, end, conftest) in _ways().items():
        if words and not any(word in name for word in words):
            continue
        has_workers = command in (XDIST, BEHAVEX)
        for per in ("worker", "run")[: 1 + has_workers]:
            sets = 2 if has_workers and per == "worker" else 1
            with tempfile.TemporaryDirectory() as folder:
                found = ended(Path(folder), command, end, conftest=conftest, per=per, sets=sets)
            wrong += found.code is None or bool(found.left)
            told = "did not end" if found.code is None else f"code {found.code} after {found.took_s:.1f} s"
            print(f"{name:26} per {per:7} {told:26} {len(found.left)} of {found.of} processes left", flush=True)
    return wrong and 1


if __name__ == "__main__":
    sys.exit(main())
