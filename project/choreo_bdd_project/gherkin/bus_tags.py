"""``@bus(nats,kafka)``: a scenario that runs once on each of these transports, one result each."""

from __future__ import annotations

import re
from collections.abc import Iterable

_TAG = re.compile(r"bus\((?P<names>[^()\s]+)\)")


def buses(tags: Iterable[str]) -> tuple[str, ...]:
    """The transports a scenario is to run on in turn: those that its tags name together; none without such a tag."""
    found = [match["names"] for tag in tags if (match := _TAG.fullmatch(tag)) is not None]
    return tuple(dict.fromkeys(name for names in found for name in names.split(",") if name))


def name_on(scenario: str, bus: str) -> str:
    """The name of a scenario's run on one of them, the same under every framework."""
    return f"{scenario.strip()} [{bus}]"
