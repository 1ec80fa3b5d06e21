"""What the plug-in and the phases of a test both know of an item; imports pytest only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from choreo_bdd_reporter.record.attachments import Attachments

ATTACHED: pytest.StashKey[Attachments] = pytest.StashKey()
"""What the running test has attached, while a report is made of it."""
AT_STEP: pytest.StashKey[int | None] = pytest.StashKey()
"""The place of the step of pytest-bdd that the running test is at."""
CHRONICLE = "choreo_chronicle"
"""What pytest calls the value of our ``--chronicle``; the option of that name may be another plugin's."""


def choreo_meta(item: pytest.Item) -> dict[str, Any] | None:
    """What the nearest ``choreo`` marker says, ``None`` when it says nothing."""
    marker = item.get_closest_marker("choreo")
    if marker is None:
        return None
    meta: dict[str, Any] = {}
    if marker.kwargs.get("timeout_ms") is not None:
        meta["timeout_ms"] = marker.kwargs["timeout_ms"]
    if marker.kwargs.get("tags"):
        meta["tags"] = list(marker.kwargs["tags"])
    return meta or None
