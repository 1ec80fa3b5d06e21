"""What was written down before it was known to be secret: found again by everything that is known by now."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from itertools import count
from typing import Any

from choreo_bdd.redaction.known_secrets import REDACTED
from choreo_bdd.redaction.masking import LEARNED_MAX, Redactor, known_to_all

_OUR_OWN = re.compile(r"[a-z_]+")
"""Names of the documents themselves look like this; a secret that is spelled like one is left standing as a name."""


def known_count() -> int:
    """How much is known to be secret in this process, beyond single tests; it only grows."""
    return sum(map(len, known_to_all()))


def values_met() -> list[str]:
    """What stood under secret names so far, in plain text: for other processes of the run, never for a file."""
    return known_to_all()[1].values()


def meet(values: Iterable[object]) -> None:
    """Hide what another process of the run has met."""
    met = known_to_all()[1]
    for value in values:
        if isinstance(value, str) and len(met) < LEARNED_MAX:
            met.add(value)


def hidden_in_json(text: str, *, left: Collection[str]) -> Any | None:
    """What a JSON text says, without what is known by now; ``None`` where nothing of it is in there.

    Members of the outermost object that are ``left`` stay as they are.
    """
    if not any(known.are_in(text) for known in known_to_all() if known):
        return None
    document = json.loads(text)
    if not left or not isinstance(document, dict):
        return hidden(document)
    return {name: value if name in left else hidden(value) for name, value in document.items()}


def hidden(value: Any) -> Any:
    """The same for a value as JSON has them."""
    if isinstance(value, str):
        return Redactor().without_known(value)
    if isinstance(value, list):
        return [hidden(each) for each in value]
    if isinstance(value, dict):
        shown: dict[str, Any] = {}
        for name, each in value.items():
            shown[_name(name, shown)] = hidden(each)
        return shown
    if type(value) is int and any(str(value) in known for known in known_to_all()):
        return REDACTED
    return value


def _name(name: str, taken: Collection[str]) -> str:
    shown = name if _OUR_OWN.fullmatch(name) else Redactor().without_known(name)
    names = (shown if number == 1 else f"{shown} ({number})" for number in count(1))
    return next(each for each in names if each not in taken)
