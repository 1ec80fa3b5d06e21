"""Handing a finished report to Chronicle, which is looked for only when a run asks for it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from choreo_bdd_reporter.outputs.terminal import harmless

_ROOM = "choreo_bdd_chronicle.client.at_end"


def hand_over(directory: Path, url: str, say: Callable[[str], None]) -> None:
    """Send the report in ``directory`` to the server at ``url``. Nothing that goes wrong here may fail the run."""
    try:
        import_module(_ROOM).send_at_end(directory, url, lambda line: say(harmless(line)))
    except Exception as error:  # noqa: BLE001 - a server must never decide a run
        say(harmless(f"chronicle: the report is not sent ({type(error).__name__}: {error})"))
