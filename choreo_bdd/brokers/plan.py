"""The records that pass between finding a program, planning its start and running it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

OptionsT = TypeVar("OptionsT")
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
class Placement:
    """Where a broker is to live: its own folder and its address."""

    folder: Path
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Companion:
    """A program that has to run before the server and beside it."""

    command: tuple[str, ...]
    probe: Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerPlan:
    """How to start one broker. ``prepare`` runs to its end before the first start."""

    command: tuple[str, ...]
    url: str
    probe: Probe
    profile: Mapping[str, Any] = field(repr=False)
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: tuple[tuple[str, ...], ...] = ()
    companion: Companion | None = None
    start_timeout_s: float = 10.0
    stop_timeout_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Kind(Generic[OptionsT]):
    """All that differs between the kinds of brokers. ``find`` raises ``BrokerUnavailable``."""

    name: str
    default_port: int
    options: type[OptionsT]
    find: Callable[[OptionsT], Program]
    plan: Callable[[Program, OptionsT, Placement], BrokerPlan]
    handshake: Callable[[str, int, float], None]
