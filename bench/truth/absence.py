"""Absence under a silent wire: no scenario that expects "no message" passes while nobody can know.

    python -m bench.truth.absence [--rounds 50] [nats kafka rabbitmq redis redis-streams]

Under behave and pytest-bdd, each scenario publishes, the wire to its broker falls silent, a service sends the message
that must not come, and the scenario expects none of it for 100 ms. The wire falls silent by a proxy that stops
forwarding, by a server that is stopped (SIGSTOP), and on RabbitMQ by our binding being taken away. Prints a table;
exits 1 when any scenario passed, or failed for another reason than its transport.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import aio_pika

from bench.truth.outside import KINDS, ROOT, Publisher, publisher
from choreo_bdd.brokers import Broker, start
from tests.support.proxy import Proxy, proxy_to

Harm = Literal["proxy", "SIGSTOP", "unbind"]
FRAMEWORKS = ("behave", "pytest-bdd")
EXCHANGE = "choreo"
PROFILES = {
    "nats": 'type: nats, servers: ["nats://127.0.0.1:PORT"]',
    "kafka": 'type: kafka, servers: ["127.0.0.1:PORT"]',
    "rabbitmq": 'type: rabbitmq, url: "amqp://guest:guest@127.0.0.1:PORT/", exchange: choreo',
    "redis": 'type: redis, url: "redis://127.0.0.1:PORT/0"',
    "redis-streams": 'type: redis, url: "redis://127.0.0.1:PORT/0", streams: true',
}
CONFIG = """\
default_profile: it
default_transport: bus
profiles: {it: {bus: {SETTINGS, correlation: {field: correlation_id}}}}
"""
SCENARIO = """
  Scenario: round NUMBER
    Given the wire is whole
    When I publish "go":
      | field | value |
      | n     | 1     |
    And the wire falls silent and a service sends "refused"
    Then I expect no "refused" for 100ms
"""
OWN_STEPS = '''\
import socket


def ask(what: str) -> None:
    """Have the wire do this, and wait until it has."""
    with socket.create_connection(("127.0.0.1", CONTROL), timeout=60) as connection:
        connection.sendall(what.encode() + b"\\n")
        assert connection.recv(2) == b"ok"
'''
BEHAVE = """
from behave import step
from choreo_bdd_steps.adapters.behave import use_choreo

use_choreo()


@step("the wire is whole")
def whole(context):
    ask("whole")


@step('the wire falls silent and a service sends "{topic}"')
def silent(context, topic):
    ask("silent " + topic)
"""
PYTEST = """
from pytest_bdd import parsers, step


@step("the wire is whole")
def whole():
    ask("whole")


@step(parsers.parse('the wire falls silent and a service sends "{topic}"'))
def silent(topic):
    ask("silent " + topic)
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What one framework said of its scenarios."""

    kind: str
    framework: str
    harm: Harm
    passed: int
    failed: int
    told: int

    def is_right(self, rounds: int) -> bool:
        """Whether every scenario failed, and named its transport as the reason."""
        return (self.passed, self.failed, self.told) == (0, rounds, rounds)


class Wire:
    """The wire between the harness and its broker: whole, or silent in one of the ways."""

    def __init__(self, broker: Broker, proxy: Proxy, outside: Publisher, harm: Harm) -> None:
        self._broker = broker
        self._proxy = proxy
        self._outside = outside
        self._harm = harm

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Do what a step asks for."""
        what, _, topic = (await reader.readline()).decode().strip().partition(" ")
        await (self.whole() if what == "whole" else self._silent(topic))
        writer.write(b"ok")
        writer.close()

    async def whole(self) -> None:
        """Mend it."""
        if self._harm == "SIGSTOP":
            _signal(self._broker, signal.SIGCONT)
        self._proxy.resume()

    async def _silent(self, topic: str) -> None:
        if self._harm == "proxy":
            self._proxy.stall()
        elif self._harm == "SIGSTOP":
            _signal(self._broker, signal.SIGSTOP)
            return  # a stopped server takes nothing of anybody
        else:
            await _unbind(self._broker)
        await self._outside.publish(topic)


def _signal(broker: Broker, number: int) -> None:
    os.killpg(broker.pid, number)  # all of it: RabbitMQ's own process is a child of a script
    if number == signal.SIGSTOP:
        os.waitid(os.P_PID, broker.pid, os.WSTOPPED | os.WNOWAIT)


async def _unbind(broker: Broker) -> None:
    """Take every binding of the exchange away by making it anew, as somebody's redeployment does."""
    connection = await aio_pika.connect(broker.url)
    async with connection, connection.channel() as channel:
        await channel.exchange_delete(EXCHANGE)
        await channel.declare_exchange(EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)


@contextlib.asynccontextmanager
async def wire(kind: str, harm: Harm) -> AsyncIterator[tuple[int, int]]:
    """A broker behind a wire that can be harmed: the port to reach it, and the one to ask for harm."""
    name: Any = "redis" if kind == "redis-streams" else kind
    broker = await asyncio.to_thread(start, name)
    with broker:
        async with proxy_to(broker.port) as proxy:
            if kind == "rabbitmq":
                await _prepared(broker)
            async with publisher(kind, broker.url) as outside:
                line = Wire(broker, proxy, outside, harm)
                control = await asyncio.start_server(line.serve, "127.0.0.1", 0)
                try:
                    yield proxy.port, control.sockets[0].getsockname()[1]
                finally:
                    control.close()
                    await line.whole()


async def _prepared(broker: Broker) -> None:
    connection = await aio_pika.connect(broker.url)
    async with connection, connection.channel() as channel:
        await channel.declare_exchange(EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)


async def row(kind: str, framework: str, harm: Harm, rounds: int) -> Row:
    """Run one project of so many scenarios, and count."""
    async with wire(kind, harm) as (port, control):
        with tempfile.TemporaryDirectory() as folder:
            write_features(Path(folder), rounds)
            write_settings(Path(folder), kind, port)
            write_own_steps(Path(folder), framework, control)
            behave = ("behave", "--no-color", "-f", "plain", "--no-capture")
            pytest = ("pytest", "-q", "-p", "no:cacheprovider", "--tb=short", "features")
            text = await finished(Path(folder), *(behave if framework == "behave" else pytest))
    counted = {word: int(number) for number, word in re.findall(r"(\d+) (?:scenarios? )?(passed|failed)", text)}
    if framework == "behave":
        summary = re.search(r"(\d+) scenarios? passed, (\d+) failed", text)
        counted = {"passed": int(summary[1]), "failed": int(summary[2])} if summary else {}
    told = len(re.findall(r"transport failed: 'refused'", text))
    if not counted:
        print(text[-3000:], file=sys.stderr)
    return Row(kind, framework, harm, counted.get("passed", 0), counted.get("failed", 0), min(told, rounds))


def write_features(folder: Path, rounds: int) -> None:
    """One scenario a round."""
    text = "Feature: silence\n" + "".join(SCENARIO.replace("NUMBER", str(number)) for number in range(rounds))
    (folder / "features/steps").mkdir(parents=True)
    (folder / "features/silence.feature").write_text(text)


def write_settings(folder: Path, kind: str, port: int) -> None:
    """Where the broker is reached."""
    settings = PROFILES[kind].replace("PORT", str(port))
    (folder / "choreo.yaml").write_text(CONFIG.replace("SETTINGS", settings))


def write_own_steps(folder: Path, framework: str, control: int) -> None:
    """The steps that harm and mend the wire."""
    own = OWN_STEPS.replace("CONTROL", str(control))
    where, binding = ("features/steps/own.py", BEHAVE) if framework == "behave" else ("conftest.py", PYTEST)
    (folder / where).write_text(own + binding)


async def finished(folder: Path, *command: str) -> str:
    """Run a framework; what it said."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "HARNESS", "CHOREO"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *command,
        cwd=folder,
        env=kept,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return said.decode("utf-8", "replace")


async def main(kinds: list[str], rounds: int) -> int:
    """Measure kind after kind, all ways of one kind beside each other: they wait nearly all the time."""
    assert (ROOT / "tests").is_dir()
    print(f"{'broker':<14} {'framework':<11} {'harm':<8} {'false passes':>12} {'failed':>7} {'told':>5}  of {rounds}")
    is_right = True
    for kind in kinds:
        harms: tuple[Harm, ...] = ("proxy", "SIGSTOP", "unbind") if kind == "rabbitmq" else ("proxy", "SIGSTOP")
        measured: list[Awaitable[Row]] = [row(kind, each, harm, rounds) for harm in harms for each in FRAMEWORKS]
        for each in await asyncio.gather(*measured):
            counted = f"{each.passed:>12} {each.failed:>7} {each.told:>5}"
            print(f"{each.kind:<14} {each.framework:<11} {each.harm:<8} {counted}", flush=True)
            is_right &= each.is_right(rounds)
    return 0 if is_right else 1


def arguments(parse: type[argparse.ArgumentParser] = argparse.ArgumentParser) -> argparse.Namespace:
    """What stands on the command line."""
    parser = parse(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("kinds", nargs="*", default=list(KINDS))
    return parser.parse_args()


if __name__ == "__main__":
    given = arguments()
    sys.exit(asyncio.run(main(given.kinds, given.rounds)))
