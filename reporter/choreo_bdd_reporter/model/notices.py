"""How the reporter says that something went wrong with the report: a warning, never an error."""

from __future__ import annotations

import sys
import warnings

from choreo_bdd.redaction.printable import on_one_line

_PREFIX = "choreo-bdd report: "


def notice(text: str) -> None:
    """Warn with ``RuntimeWarning``; where warnings are turned into errors, write the line to stderr instead."""
    text = on_one_line(text)
    try:
        warnings.warn(_PREFIX + text, RuntimeWarning, stacklevel=3)
    except RuntimeWarning:
        sys.stderr.write(f"{_PREFIX}{text}\n")
