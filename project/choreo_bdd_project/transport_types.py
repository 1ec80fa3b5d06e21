"""Types of transports that other packages bring: the entry point group ``choreo_bdd.transports``.

An entry point's name is what ``type:`` says in choreo.yaml; what it names is called with the configuration and the
transport's entry in it, and returns a transport that is not connected yet.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "choreo_bdd.transports"


def other_types() -> Mapping[str, EntryPoint]:
    """The types that installed packages bring, by name."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - looks at every installed package

    return {each.name: each for each in entry_points(group=GROUP)}


def admitting_other_types(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of choreo.yaml, with the types of other packages where the document names a type that it lacks.

    Their own keys are their own affair; those that every transport has are checked.
    """
    own = _types_of(schema)["enum"]
    if all(used in own for used in _used(document)):
        return schema
    others = sorted(other_types().keys() - set(own))
    widened = copy.deepcopy(dict(schema))
    _types_of(widened)["enum"] += others
    shared = {
        "codec": {"$ref": "#/$defs/codec"},
        "correlation": {"$ref": "#/$defs/correlation"},
        "request": {"$ref": "#/$defs/request"},
        "connect_timeout": {"$ref": "#/$defs/duration"},
    }
    of_another = {"properties": {"type": {"enum": others}}, "required": ["type"]}
    widened["$defs"]["transport"]["allOf"].append({"if": of_another, "then": {"properties": shared}})
    return widened


def _types_of(schema: Mapping[str, Any]) -> Any:
    return schema["$defs"]["transport"]["properties"]["type"]


def _used(document: Mapping[str, Any]) -> Iterator[object]:
    """Every type that the document names, whatever else is wrong with it."""
    profiles = document.get("profiles")
    for profile in profiles.values() if isinstance(profiles, Mapping) else ():
        for transport in profile.values() if isinstance(profile, Mapping) else ():
            if isinstance(transport, Mapping):
                yield transport.get("type")
