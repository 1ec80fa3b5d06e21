"""``choreo-bdd brokers``: real brokers on loopback, for as long as they are needed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer
import yaml

from choreo_bdd.brokers import left_running
from choreo_bdd.brokers.errors import BrokerFailed, BrokerUnavailable
from choreo_bdd.brokers.left_running import LeftRunning
from choreo_bdd.brokers.ports import is_free
from choreo_bdd.brokers.starting import KINDS, available, start

commands = typer.Typer(
    name="brokers", no_args_is_help=True, help="Real brokers on loopback, without Docker: start, look at, stop."
)


class KindName(StrEnum):
    """A kind of broker, as typed."""

    nats = "nats"
    kafka = "kafka"
    rabbitmq = "rabbitmq"
    redis = "redis"


Kinds = Annotated[list[KindName] | None, typer.Argument(help="Which ones; all four when none is named.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


@commands.command()
def up(kinds: Kinds = None, as_json: AsJson = False) -> None:
    """Start brokers and leave them running; prints a profile for choreo.yaml.

    Each takes its usual port when that is free. Exit code 1 when one that was named did not start, or none did.
    """
    running: list[LeftRunning] = []
    missing: list[str] = []
    for kind in kinds or KindName:
        try:
            running.append(_up(kind))
        except (BrokerUnavailable, BrokerFailed) as error:
            missing.append(kind)
            _say(str(error))
    _print_profile(running, as_json=as_json)
    if not running or (kinds and missing):
        raise typer.Exit(1)


def _up(kind: KindName) -> LeftRunning:
    known = left_running.remembered(kind)
    if known is not None and known.is_healthy:
        _say(f"{kind}: runs already on {known.host}:{known.port} ({known.program})")
        return known
    if known is not None:
        left_running.end(known)
    usual = KINDS[kind].default_port
    left = left_running.leave(start(kind.value, port=usual if is_free(usual) else None))
    _say(f"{kind}: {left.program} on {left.host}:{left.port}, process {left.pid}, log {left.log}")
    return left


def _print_profile(running: Sequence[LeftRunning], *, as_json: bool) -> None:
    if as_json:
        _print_json([_shown(left, healthy=True) for left in running])
    elif running:
        transports = {left.kind: dict(left.profile) for left in running}
        typer.echo("# a profile for choreo.yaml; end the brokers with: choreo-bdd brokers down")
        typer.echo(yaml.safe_dump({"profiles": {"local": transports}}, sort_keys=False).rstrip())


@commands.command()
def status(kinds: Kinds = None, as_json: AsJson = False) -> None:
    """Show the brokers that "up" started, and for the others what would be started.

    Exit code 1 when one that should run does not answer.
    """
    shown = [_status(kind) for kind in kinds or KindName]
    if as_json:
        _print_json(shown)
    else:
        for each in shown:
            typer.echo(_status_line(each))
    if any(each["pid"] is not None and not each["healthy"] for each in shown):
        raise typer.Exit(1)


def _status(kind: KindName) -> dict[str, Any]:
    left = left_running.remembered(kind)
    if left is not None:
        return _shown(left, healthy=left.is_healthy)
    found = available(kind.value)
    return {
        "kind": kind.value,
        "program": found.program or None,
        "url": None,
        "pid": None,
        "healthy": False,
        "log": None,
        "hint": found.hint or None,
    }


def _shown(left: LeftRunning, *, healthy: bool) -> dict[str, Any]:
    facts = asdict(left)
    return {name: facts[name] for name in ("kind", "program", "url", "pid", "log")} | {"healthy": healthy, "hint": None}


def _status_line(each: dict[str, Any]) -> str:
    kind = f"{each['kind']:<9}"
    if each["pid"] is not None:
        state = "healthy" if each["healthy"] else f"does not answer, see {each['log']}"
        return f"{kind}{state}  {each['url']}  process {each['pid']}  {each['program']}"
    if each["program"]:
        return f"{kind}not running; would be {each['program']}"
    return f"{kind}not available: {each['hint']}"


@commands.command()
def down(kinds: Kinds = None, as_json: AsJson = False) -> None:
    """Stop the brokers that "up" started, and only those, and remove their data."""
    stopped: list[str] = []
    for kind in kinds or KindName:
        left = left_running.remembered(kind)
        if left is not None:
            left_running.end(left)
            stopped.append(kind.value)
            _say(f"{kind}: stopped")
    if as_json:
        _print_json(stopped)
    elif not stopped:
        typer.echo("nothing to stop: no broker was left running by 'choreo-bdd brokers up'")


def _print_json(document: object) -> None:
    typer.echo(json.dumps(document, indent=2))


def _say(text: str) -> None:
    typer.echo(text, err=True)
