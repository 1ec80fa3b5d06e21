"""Facts about a run as a whole, from one or several processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Facts = Mapping[str, Any]


def merged_facts(facts: Iterable[Facts]) -> dict[str, Any]:
    """One run's facts of several processes' or shards'."""
    known = list(facts)
    return {**_channels(known), **_vacuity(known), **_causation(known), **_buses(known)}


def _channels(facts: Sequence[Facts]) -> dict[str, Any]:
    """Channels of the contract are touched when one process has touched them."""
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


def _causation(facts: Sequence[Facts]) -> dict[str, Any]:
    """The header in which messages name their causes: all of a run have one configuration."""
    named = [each["causation"] for each in facts if each.get("causation")]
    return {"causation": named[0]} if named else {}


def _vacuity(facts: Sequence[Facts]) -> dict[str, Any]:
    """Steps that prove nothing; a scenario that ran in several shards is warned of once."""
    warnings = [warning for each in facts for warning in each.get("vacuity") or ()]
    unique = [warning for index, warning in enumerate(warnings) if warning not in warnings[:index]]
    return {"vacuity": unique} if unique else {}


def _buses(facts: Sequence[Facts]) -> dict[str, Any]:
    """What kind of bus is behind the name of a transport; shards of one project agree on it."""
    buses = {name: kind for each in facts for name, kind in (each.get("buses") or {}).items()}
    return {"buses": buses} if buses else {}
