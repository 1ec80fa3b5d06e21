"""RabbitMQ: a private node of the machine's rabbitmq-server, with a port mapper (epmd) of its own.

Nothing of an installed service is touched: node name, cookie, database, configuration and ports are all its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from choreo_bdd.brokers import _programs, handshakes
from choreo_bdd.brokers.errors import BrokerUnavailable
from choreo_bdd.brokers.options import RabbitOptions
from choreo_bdd.brokers.plan import BrokerPlan, Companion, Kind, Placement, Program
from choreo_bdd.brokers.ports import free_port
from choreo_bdd.brokers.profiles import with_tls

_HINT = "Get it by: apt-get install rabbitmq-server (there is no wheel of it)"
_GUEST = ("guest", "guest")
# Debian's command changes to the service's user and folders; the script it wraps runs as whoever calls it.
_DEBIAN_WRAPPER = "rabbitmq-script-wrapper"


def find(options: RabbitOptions) -> Program:  # noqa: ARG001 - every option works with every rabbitmq-server
    """The machine's rabbitmq-server, with the epmd of its Erlang."""
    script = _programs.on_path("rabbitmq-server")
    if script is None:
        raise BrokerUnavailable("rabbitmq", "there is no program rabbitmq-server", _HINT)
    if script.resolve().name == _DEBIAN_WRAPPER:
        script = script.resolve().with_name("rabbitmq-server")
    epmd = _programs.on_path("epmd")
    if epmd is None:
        raise BrokerUnavailable("rabbitmq", "Erlang's program epmd is missing", _HINT)
    version = re.search(r"rabbitmq_server-([\d.]+)", str(script.resolve()))
    title = _programs.title("rabbitmq-server", version[1] if version else "", script)
    return Program(title, (str(script), str(epmd)))


def plan(program: Program, options: RabbitOptions, placement: Placement) -> BrokerPlan:
    """A node named after its port, on loopback with all of its sockets."""
    script, epmd = program.command
    epmd_port = free_port()
    _write_files(options, placement)
    tls = options.tls is not None
    url = _url(options, placement)
    return BrokerPlan(
        command=(script,),
        # Running before the node, or the node starts one of its own that outlives it.
        companion=Companion(
            (epmd, "-address", placement.host, "-port", str(epmd_port)),
            partial(handshakes.any_listener, placement.host, epmd_port),
        ),
        environment=_environment(placement, epmd_port),
        url=url,
        probe=partial(handshakes.rabbitmq, placement.host, placement.port, tls=tls),
        profile=_profile(options, url),
        start_timeout_s=90.0,
        stop_timeout_s=15.0,
    )


def _environment(placement: Placement, epmd_port: int) -> dict[str, str]:
    folder = placement.folder
    return {
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(epmd_port),
        "ERL_EPMD_ADDRESS": placement.host,
        "RABBITMQ_NODENAME": f"choreo-{placement.port}@localhost",
        "RABBITMQ_USE_LONGNAME": "false",
        "RABBITMQ_NODE_IP_ADDRESS": placement.host,
        "RABBITMQ_NODE_PORT": str(placement.port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_LOGS": "-",  # else it takes a variable LOGS that others set, behavex among them, for its own
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
        "RABBITMQ_CONFIG_FILES": str(folder / "none" / "*.conf"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
    }


def _write_files(options: RabbitOptions, placement: Placement) -> None:
    files = {
        "rabbitmq.conf": "\n".join(_config(options, placement)) + "\n",
        "advanced.config": _advanced(options),
        "enabled_plugins": f"[{','.join(options.plugins)}].\n",
    }
    for name, text in files.items():
        (placement.folder / name).write_text(text, encoding="utf-8")


def _config(options: RabbitOptions, placement: Placement) -> Iterator[str]:
    yield "log.console = true"
    yield "log.file = false"
    if options.tls is None:
        yield f"listeners.tcp.1 = {placement.host}:{placement.port}"
    else:
        yield "listeners.tcp = none"
        yield f"listeners.ssl.1 = {placement.host}:{placement.port}"
        yield f"ssl_options.cacertfile = {options.tls.ca}"
        yield f"ssl_options.certfile = {options.tls.certificate}"
        yield f"ssl_options.keyfile = {options.tls.key}"
        verify = options.tls.require_client_certificate
        yield f"ssl_options.verify = {'verify_peer' if verify else 'verify_none'}"
        yield f"ssl_options.fail_if_no_peer_cert = {str(verify).lower()}"
    yield options.config


def _advanced(options: RabbitOptions) -> str:
    # As Erlang terms: rabbitmq.conf has no way to quote a password, nor to name virtual hosts that are traced.
    user, password = (_binary(each) for each in (options.user, options.password))
    traced = f", {{trace_vhosts, [{_binary('/')}]}}" if options.trace else ""
    return f"[{{rabbit, [{{default_user, {user}}}, {{default_pass, {password}}}{traced}]}}].\n"


def _binary(text: str) -> str:
    return f"<<{','.join(str(byte) for byte in text.encode())}>>"


def _url(options: RabbitOptions, placement: Placement) -> str:
    guest = "guest:guest@" if (options.user, options.password) == _GUEST else ""
    return f"{'amqps' if options.tls else 'amqp'}://{guest}{placement.host}:{placement.port}/"


def _profile(options: RabbitOptions, url: str) -> dict[str, Any]:
    login = (options.user, options.password)
    auth = {} if login == _GUEST else {"auth": {"user": options.user, "password": options.password}}
    return with_tls({"type": "rabbitmq", "url": url} | auth, options.tls)


KIND = Kind("rabbitmq", 5672, RabbitOptions, find, plan, handshakes.rabbitmq)
