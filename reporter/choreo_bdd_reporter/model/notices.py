"""How the reporter says that something went wrong with the report: a warning, never an error."""

from __future__ import annotations

import sys
import warnings

_PREFIX = "choreo-bdd report: "


def notice(text: str) -> None:
    """Warn with ``RuntimeWarning``; where warnings are turned into errors, write the line to stderr instead."""
    from choreo_bdd.redaction.printable import on_one_line  # noqa: PLC0415 - a start of pytest without a report needs no engine

    text = on_one_line(text)
    try:
        warnings.warn(_PREFIX + text, RuntimeWarning, stacklevel=3)
    except RuntimeWarning:
        sys.stderr.write(f"{_PREFIX}{text}\n")
