"""Facts about a run as a whole, from one or several processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def merged_facts(facts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One run's facts of several processes' or shards': channels are touched when one of them has touched them."""
    given = [each["channels"] for each in facts if each.get("channels")]
    if not given:
        return {}
    known = sorted({name for each in given for name in (*each["touched"], *each["untouched"])})
    touched = {name for each in given for name in each["touched"]}
    return {
        "channels": {
            "spec": ", ".join(dict.fromkeys(each["spec"] for each in given)),
            "touched": [name for name in known if name in touched],
            "untouched": [name for name in known if name not in touched],
        }
    }
