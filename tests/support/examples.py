"""How many examples a property is tried on."""

from __future__ import annotations

from typing import Any

from hypothesis import settings


def examples(wanted: int, **more: Any) -> settings:
    """So many in the whole suite; in the inner loop as few as its profile says, which a bare number would override."""
    is_quick = settings.get_current_profile_name() == "quick"
    few = settings().max_examples
    return settings(max_examples=min(wanted, few) if is_quick else wanted, **more)
