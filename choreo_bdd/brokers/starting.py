"""Finding and starting brokers by kind."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from choreo_bdd.brokers.broker import Broker
from choreo_bdd.brokers.errors import BrokerFailed, BrokerUnavailable
from choreo_bdd.brokers.kinds import kafka, nats, rabbitmq, redis
from choreo_bdd.brokers.plan import Availability, Kind, Placement, Program
from choreo_bdd.brokers.ports import HOST, free_port, is_free

KindName = Literal["nats", "kafka", "rabbitmq", "redis"]
KINDS: Mapping[str, Kind[Any]] = MappingProxyType(
    {kind.name: kind for kind in (nats.KIND, kafka.KIND, rabbitmq.KIND, redis.KIND)}
)
"""The kinds of brokers, by name."""

_ATTEMPTS = 3
_PORT_TAKEN = ("address already in use", "eaddrinuse")


def available(kind: KindName, **options: Any) -> Availability:
    """Whether a broker of this kind can be started here, with what, and what to install if not."""
    chosen = _kind(kind)
    try:
        program = _find(chosen, _options(chosen, options))
    except BrokerUnavailable as error:
        return Availability(kind, False, "", f"{error.reason}. {error.hint}")
    return Availability(kind, True, program.title, "")


def start(kind: KindName, *, port: int | None = None, timeout_s: float | None = None, **options: Any) -> Broker:
    """Start a broker on loopback and wait until it answers.

    ``options`` are the fields of the kind's options class (``NatsOptions`` and so on). Without ``port`` a free one is
    taken. Raises ``BrokerUnavailable`` when there is no program for it, ``BrokerFailed`` when the program does not
    come up within ``timeout_s`` seconds (default: by kind).
    """
    chosen = _kind(kind)
    wanted = _options(chosen, options)
    program = _find(chosen, wanted)
    if port is not None and not is_free(port):
        raise BrokerFailed(
            kind, program.title, f"was not started: something else listens on port {port}. Name another port", ""
        )
    if port is not None:
        return _launch(chosen, program, wanted, port, timeout_s)
    for _ in range(_ATTEMPTS - 1):
        try:
            return _launch(chosen, program, wanted, free_port(), timeout_s)
        except BrokerFailed as error:
            # Between choosing a free port and binding it somebody else may have been quicker.
            if not _port_was_taken(error):
                raise
    return _launch(chosen, program, wanted, free_port(), timeout_s)


def _launch(kind: Kind[Any], program: Program, options: Any, port: int, timeout_s: float | None) -> Broker:
    folder = Path(tempfile.mkdtemp(prefix=f"choreo-bdd-{kind.name}-"))
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(shutil.rmtree, folder, ignore_errors=True)
        placement = Placement(folder, HOST, port)
        broker = Broker(kind.name, program, placement, kind.plan(program, options, placement))
        on_failure.callback(broker.stop)
        broker.launch(timeout_s=timeout_s)
        on_failure.pop_all()
    return broker


def _port_was_taken(error: BrokerFailed) -> bool:
    tail = error.log_tail.lower()
    return any(words in tail for words in _PORT_TAKEN)


def _kind(name: str) -> Kind[Any]:
    try:
        return KINDS[name]
    except KeyError:
        raise ValueError(f"there is no kind of broker named {name!r}; expected one of {', '.join(KINDS)}") from None


def _options(kind: Kind[Any], given: Mapping[str, Any]) -> Any:
    known = [each.name for each in dataclasses.fields(kind.options)]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise TypeError(f"{kind.name} brokers have no option {', '.join(unknown)}; they have {', '.join(known)}")
    return kind.options(**given)


def _find(kind: Kind[Any], options: Any) -> Program:
    if os.name != "posix":
        raise BrokerUnavailable(
            kind.name, "brokers are started on Linux and macOS only", "Use the Docker compose file of the project"
        )
    program: Program = kind.find(options)
    return program
