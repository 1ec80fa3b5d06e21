"""The services of a run: started in order, asked what they wrote and whether they live, stopped in reverse order."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from choreo_bdd.brokers import Broker, processes, start
from choreo_bdd.brokers.ports import HOST, free_port, is_free
from choreo_bdd.brokers.starting import KINDS
from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.traces.spans import SpanSource
from choreo_bdd_project.config import Config
from choreo_bdd_project.placeholders import Address
from choreo_bdd_project.service_settings import READY_WITHIN_S, Ready, ServiceConfig
from choreo_bdd_steps.services.errors import ServiceFailed
from choreo_bdd_steps.services.facts import Death, Line, Started
from choreo_bdd_steps.services.output import Output
from choreo_bdd_steps.services.program import Program, how_it_ended
from choreo_bdd_steps.services.readiness import Watch, watching

if TYPE_CHECKING:
    from choreo_bdd.traces.receiver import Receiver

_LAST_LINES = 25
_ERROR = re.compile(r"[\s|]*(?:Caused by: )?(?P<error>(?:\w+[.$])*\w*(?:Error|Exception)(?:: .*)?|panic: .*)")
"""A line by which Python, Java, node and Go end a traceback, begin one or say what is behind it."""
_HANDSHAKE_S = 2.0

Resolve = Callable[[Config, Mapping[str, Address]], Config]
"""A configuration as it reads once services have addresses."""


class _Held(Struct, frozen=True):
    """A service of ours; its death is asked for by ``death``, which tells how it ended."""

    name: str
    stop: Callable[[], None]
    death: Callable[[], Death | None]
    output: Output | None = None


class Services:
    """Services that this process has started; each has ``environment`` beside its own and the run's."""

    def __init__(
        self, environment: Mapping[str, str] = MappingProxyType({}), *, spans: SpanSource | None = None
    ) -> None:
        self._environment = environment
        self.spans = spans
        self.addresses: dict[str, Address] = {}
        self.started: list[Started] = []
        self._held: list[_Held] = []
        self._deaths: dict[str, Death] = {}

    def start(self, services: Sequence[ServiceConfig], config: Config, resolve: Resolve) -> None:
        """Start them one after the other; ``addresses`` may hold those of others. Raises ``ChoreoError``, and stops
        what it has started, when one of them does not get ready."""
        try:
            for service in services:
                begun = time.monotonic()
                what, is_ours = self._start(service, config, resolve)
                self.started.append(Started(service.name, what, round(time.monotonic() - begun, 3), is_ours))
        except BaseException:
            self.stop()
            raise

    def _start(self, service: ServiceConfig, config: Config, resolve: Resolve) -> tuple[str, bool]:
        return self._start_broker(service) if service.broker else self._start_program(service, config, resolve)

    # --- brokers --------------------------------------------------------------------------------------------------

    def _start_broker(self, service: ServiceConfig) -> tuple[str, bool]:
        kind: Any = service.broker
        port = service.fixed_port
        if service.reuse and port is not None and _speaks(kind, port):
            self.addresses[service.name] = Address(_broker_url(kind, port), HOST, port)
            return f"a {kind} broker that runs already", False
        try:
            broker = start(kind, port=port, timeout_s=service.ready_within_s, **service.options)
        except (ChoreoError, TypeError) as error:
            raise ServiceFailed(service.place, str(error)) from error
        self.addresses[service.name] = Address(broker.url, broker.host, broker.port)
        self._held.append(_Held(service.name, broker.stop, lambda: _broker_death(service.name, broker)))
        return broker.program, True

    # --- programs -------------------------------------------------------------------------------------------------

    def _start_program(self, service: ServiceConfig, config: Config, resolve: Resolve) -> tuple[str, bool]:
        port = service.fixed_port or free_port()
        self.addresses[service.name] = Address(f"http://{HOST}:{port}", HOST, port)
        ready, command = service.ready(self.addresses), service.command(self.addresses)
        output = Output(service.name, ready.what if ready is not None and ready.kind == "log" else None)
        with watching(ready, output, lambda: resolve(config, self.addresses), service.place) as watch:
            if _runs_already(service, ready, watch, self.addresses):
                return f"runs already on port {watch.port}", False
            program = self._spawn(service, command, output)
            stop_within_s = service.stop_within_s
            self._held.append(
                _Held(
                    service.name,
                    lambda: program.stop(stop_within_s),
                    lambda: _program_death(service.name, program),
                    output,
                )
            )
            _wait(service, program, watch)
        return command[0], True

    def _spawn(self, service: ServiceConfig, command: tuple[str, ...], output: Output) -> Program:
        cwd = service.cwd(self.addresses)
        if not cwd.is_dir():
            raise ServiceFailed(f"{service.place}.cwd", f"there is no folder {cwd}")
        try:
            return Program(command, cwd=cwd, env={**self._environment, **service.env(self.addresses)}, output=output)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise ServiceFailed(
                f"{service.place}.command",
                f"{command[0]!r} cannot be started in {cwd}: {reason}; name a program on the PATH, or its path "
                f"(no shell reads this line)",
            ) from error

    # --- what became of them --------------------------------------------------------------------------------------

    def deaths(self) -> Sequence[Death]:
        """Those that have ended by themselves, in the order in which that was noticed."""
        for held in self._held:
            death = None if held.name in self._deaths else held.death()
            if death is not None:
                self._deaths[held.name] = death
        return tuple(self._deaths.values())

    def lines(self, since: float) -> Sequence[Line]:
        """What programs among them wrote since a moment; brokers' logs are their own affair."""
        return in_order(held.output.lines(since) for held in self._held if held.output is not None)

    def stop(self) -> None:
        """End them, last started first; harmless when called again."""
        while self._held:
            self._held.pop().stop()


def receiver_of_spans() -> Receiver:
    """What listens, from now to the end of this process, for what services tell of their work."""
    from choreo_bdd.traces.receiver import Receiver  # noqa: PLC0415 - a server, loaded where traces are wanted

    receiver = Receiver()
    receiver.start()
    return receiver


def in_order(outputs: Iterable[Iterable[Line]]) -> list[Line]:
    """Lines of several services as they came."""
    return sorted((line for lines in outputs for line in lines), key=lambda line: line.at)


def _runs_already(service: ServiceConfig, ready: Ready | None, watch: Watch, addresses: Mapping[str, Address]) -> bool:
    """Whether one is there that is to be used; raises ``ServiceFailed`` for one that is in the way."""
    if service.reuse and (ready is None or watch.port is None):
        raise ServiceFailed(
            f"{service.place}.reuse", "whether it runs already can be seen by ready: {port: …} or {http: …} only"
        )
    port = watch.port or service.fixed_port
    if port is None or is_free(port):
        return False
    if service.reuse and watch.is_ready():
        return True
    ours = next((name for name, at in addresses.items() if at.port == port and name != service.name), None)
    if ours is not None:
        raise ServiceFailed(service.place, f"was not started: the service {ours!r} has port {port}; give one another")
    advice = "it does not look ready" if service.reuse else "end it, or say reuse: true to use what runs there"
    raise ServiceFailed(service.place, f"was not started: something else listens on port {port}; {advice}")


def _wait(service: ServiceConfig, program: Program, watch: Watch) -> None:
    patience_s = service.ready_within_s or READY_WITHIN_S
    deadline = time.monotonic() + patience_s
    while not watch.is_ready():
        code = program.code
        if code is not None:
            advice = "" if code else "; start it so that it stays in the foreground"
            reason = f"{how_it_ended(code)} before it was ready ({watch.sought()}){advice}"
            raise ServiceFailed(service.place, reason, program.last_lines(_LAST_LINES))
        if time.monotonic() > deadline:
            reason = f"was not ready within {patience_s:g} s: {watch.sought()}"
            raise ServiceFailed(service.place, reason, program.last_lines(_LAST_LINES))
        time.sleep(processes.POLL_S)  # a log, a port and a process are all asked: none of them calls back


def _program_death(name: str, program: Program) -> Death | None:
    code = program.code
    if code is None or not program.has_died:
        return None
    last_line, *before = [line for line in reversed(program.last_lines(_LAST_LINES)) if line.strip()] or [""]
    errors = () if _ERROR.fullmatch(last_line) else filter(None, map(_ERROR.fullmatch, before))
    last_error = next((found["error"] for found in errors), "")
    return Death(name, how_it_ended(code), program.ended_at or time.monotonic(), last_line, last_error)


def _broker_death(name: str, broker: Broker) -> Death | None:
    return None if broker.is_running else Death(name, "has ended", time.monotonic())


def _speaks(kind: str, port: int) -> bool:
    try:
        KINDS[kind].handshake(HOST, port, _HANDSHAKE_S)
    except (OSError, ValueError):
        return False
    return True


def _broker_url(kind: str, port: int) -> str:
    address = f"{HOST}:{port}"
    urls = {"nats": f"nats://{address}", "redis": f"redis://{address}/0", "rabbitmq": f"amqp://guest:guest@{address}/"}
    return urls.get(kind, address)
