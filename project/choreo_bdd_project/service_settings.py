"""What ``services`` in choreo.yaml says: programs and brokers that are started for a run (spec/steps.md 10)."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from msgspec import Struct

from choreo_bdd_project.config_file import ConfigError, SourceMap, seconds
from choreo_bdd_project.placeholders import Addresses, fill

ReadyKind = Literal["log", "port", "http", "topic"]

READY_WITHIN_S = 30.0
STOP_WITHIN_S = 5.0


class Ready(Struct, frozen=True):
    """How a service shows that it is ready: a text in its output, a port, an answer, or a message on a topic."""

    kind: ReadyKind
    what: str
    transport: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """One service, as it is written: what it says of the environment and of others is filled in when it starts.

    Durations are seconds. ``ready_within_s`` is ``None`` for what is right for the kind of broker.
    """

    name: str
    place: str
    folder: Path
    """Where ``cwd`` is below: the configuration's own."""
    settings: Mapping[str, Any] = field(repr=False)
    at: Callable[..., str] = field(repr=False, compare=False)

    @property
    def broker(self) -> str | None:
        """The kind of broker that it is; ``None`` for a program."""
        return self.settings.get("broker")

    @property
    def options(self) -> Mapping[str, Any]:
        """How the broker is started."""
        return MappingProxyType(dict(self.settings.get("options") or {}))

    @property
    def reuse(self) -> bool:
        """Whether one that runs already is used as it is."""
        return bool(self.settings.get("reuse", False))

    @property
    def fixed_port(self) -> int | None:
        """The port it is said to be at; ``None`` for a free one."""
        port = self.settings.get("port", (self.settings.get("ready") or {}).get("port"))
        return port if isinstance(port, int) else None

    @property
    def ready_within_s(self) -> float | None:
        """How long it may take until it is ready."""
        told = self.settings.get("ready_within")
        if told is not None:
            return seconds(told, self.at("ready_within"))
        return None if self.broker else READY_WITHIN_S

    @property
    def stop_within_s(self) -> float:
        """How long it may take to end when it is asked to."""
        return seconds(self.settings.get("stop_within", f"{STOP_WITHIN_S}s"), self.at("stop_within"))

    def command(self, addresses: Addresses) -> tuple[str, ...]:
        """The program and its arguments. Raises ``ConfigError``."""
        given = self.settings["command"]
        try:
            parts = shlex.split(given) if isinstance(given, str) else list(given)
        except ValueError as error:
            raise ConfigError(f"{self.at('command')}: cannot be split into words: {str(error).lower()}") from None
        return tuple(fill(parts, partial(self.at, "command"), addresses))

    def cwd(self, addresses: Addresses) -> Path:
        """The folder it runs in."""
        return self.folder / str(fill(self.settings.get("cwd", "."), partial(self.at, "cwd"), addresses))

    def env(self, addresses: Addresses) -> Mapping[str, str]:
        """What its environment has beside that of the run."""
        filled = fill(self.settings.get("env") or {}, partial(self.at, "env"), addresses)
        return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in filled.items()}

    def ready(self, addresses: Addresses) -> Ready | None:
        """How it shows that it is ready; ``None`` where that is not said."""
        told = fill(self.settings.get("ready") or {}, partial(self.at, "ready"), addresses)
        kinds: tuple[ReadyKind, ...] = ("log", "port", "http", "topic")
        return next((Ready(kind, str(told[kind]), told.get("transport")) for kind in kinds if kind in told), None)


def read_services(services: Mapping[str, Any], where: SourceMap, profile: str) -> tuple[ServiceConfig, ...]:
    """The services of a profile, in their order."""
    return tuple(
        ServiceConfig(
            name,
            where.at("services", name),
            where.path.parent,
            MappingProxyType(dict(settings)),
            partial(where.at, "services", name),
        )
        for name, settings in services.items()
        if profile in settings.get("profiles", (profile,))
    )
