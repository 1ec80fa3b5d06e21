"""The records that pass between finding a program, planning its start and running it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

O = TypeVar("O")  # noqa: E741 - the options type of one kind
Probe = Callable[[float], None]
"""One handshake within so many seconds; raises ``OSError`` while the server does not answer."""


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a kind of broker can be started here. ``program`` says with what, ``hint`` what to install."""

    kind: str
    found: bool
    program: str
    hint: str


@dataclass(frozen=True, slots=True)
class Program:
    """A program found: how to show it (name, version, where from) and the words that start its command line."""

    title: str
    command: tuple[str, ...]
    flavour: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a broker is to live: its own folder and its address."""

    folder: Path
    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to start one broker. ``prepare`` runs once to its end, ``companion`` runs beside the server."""

    command: tuple[str, ...]
    url: str
    probe: Probe
    profile: Mapping[str, Any] = field(repr=False)
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: tuple[tuple[str, ...], ...] = ()
    companion: tuple[str, ...] | None = None
    start_timeout_s: float = 10.0
    stop_timeout_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Kind(Generic[O]):
    """All that differs between the kinds of brokers. ``find`` raises ``BrokerUnavailable``."""

    name: str
    default_port: int
    options: type[O]
    find: Callable[[O], Program]
    plan: Callable[[Program, O, Place], Plan]
    handshake: Callable[[str, int, float], None]
    hint: str
