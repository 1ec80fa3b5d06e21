"""What can go wrong with a service."""

from __future__ import annotations

from collections.abc import Sequence

from choreo_bdd.exceptions import ChoreoError


class ServiceFailed(ChoreoError):
    """A service could not be started, or did not get ready; the message ends with the last lines it wrote."""

    def __init__(self, place: str, reason: str, last_lines: Sequence[str] = ()) -> None:
        told = "".join(f"\n  | {line}" for line in last_lines)
        super().__init__(f"{place}: {reason}{f'; the last it wrote:{told}' if last_lines else ''}")
