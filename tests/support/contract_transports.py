"""The transports of the contract, and how to make one of each: on memory, in a folder, against a real broker."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd.transports import MockTransport
from tests.support.transport_kinds import BROKER_KINDS, make_transport


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of transport: how it is made, on which broker, and what it can do."""

    name: str
    make: Callable[[], Any]
    is_remote: bool = True

    def topic(self, *segments: str) -> str:
        """A topic nobody else uses."""
        return ".".join((f"t{secrets.token_hex(4)}", *(segments or ("a",))))


KINDS = [
    "memory",
    "folder",
    *(pytest.param(kind, marks=pytest.mark.broker) for kind in BROKER_KINDS),
]


def kind_of(name: str, request: pytest.FixtureRequest) -> Kind:
    """The kind of a name, its broker started."""
    if name == "memory":
        return Kind(name, MockTransport, is_remote=False)
    if name == "folder":
        from folder_bus.folder_transport import FolderTransport

        folder: Path = request.getfixturevalue("tmp_path")
        return Kind(name, partial(FolderTransport, folder / "bus"))
    broker = request.getfixturevalue(BROKER_KINDS[name].fixture)
    return Kind(name, partial(make_transport, name, broker.url))
