"""Brokers start, answer real clients, survive what faults do to them, and leave nothing behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd.brokers import Broker, processes, start
from choreo_bdd.brokers.starting import KindName
from tests.support import broker_clients as clients
from tests.support.brokers import start_or_skip
from tests.support.keeping import DATA
from tests.support.running_processes import alive, assert_leaves_nothing, family

pytestmark = pytest.mark.broker

KINDS = ["nats", "kafka", "rabbitmq", "redis"]


@pytest.fixture(params=KINDS)
def broker(request: pytest.FixtureRequest) -> Broker:
    """The run's broker of each kind."""
    broker: Broker = request.getfixturevalue(f"{request.param}_broker")
    return broker


async def test_a_started_broker_carries_a_message_of_its_real_client(broker: Broker) -> None:
    assert await clients.round_trip(broker) == b"hello"


def test_a_broker_says_what_it_is_and_where(broker: Broker) -> None:
    assert broker.host == "127.0.0.1"
    assert str(broker.port) in broker.url
    assert any(character.isdigit() for character in broker.program), "the program is shown with its version"
    assert broker.log.read_text()
    assert broker.is_running
    assert broker.pid in alive()


async def test_a_killed_broker_is_gone_until_it_is_restarted_on_its_port(broker: Broker) -> None:
    port = broker.port
    broker.kill()
    assert not broker.is_running
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((broker.host, port), timeout=5)
    broker.restart()
    assert broker.port == port
    assert await clients.round_trip(broker) == b"hello"


async def test_a_restarted_broker_is_a_new_process_with_the_old_data(broker: Broker) -> None:
    store, find = DATA[broker.kind]
    await store(broker)
    before = broker.pid
    broker.restart()
    assert before not in alive()
    assert await find(broker) == b"kept"


@pytest.mark.parametrize(
    ("kind", "options"),
    [("nats", {}), ("redis", {}), ("kafka", {"implementation": "tansu"})],  # the slow ones: in test_logins
)
def test_stopping_leaves_no_process_no_listener_and_no_folder(kind: KindName, options: dict[str, Any]) -> None:
    broker = start_or_skip(kind, **options)
    assert_leaves_nothing(broker, broker.stop)


def test_a_broker_stops_when_its_block_fails() -> None:
    with pytest.raises(ZeroDivisionError), start("nats") as broker:
        raise ZeroDivisionError
    assert not broker.is_running
    assert not broker.folder.exists()


def test_stopping_twice_is_harmless_and_restarting_after_it_is_refused() -> None:
    broker = start("nats")
    broker.stop()
    broker.stop()
    with pytest.raises(RuntimeError, match="its data is gone: start a new one"):
        broker.restart()


def test_a_program_that_forgets_to_stop_leaves_nothing_behind() -> None:
    script = "from choreo_bdd.brokers import start; b = start('nats'); print(b.pid, b.folder, flush=True)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    pid, folder = ran.stdout.split()
    assert int(pid) not in alive()
    assert not Path(folder).exists()


def test_a_program_that_is_killed_takes_its_broker_with_it() -> None:
    script = "from choreo_bdd.brokers import start; b = start('nats'); print(b.pid, b.folder, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        pid, folder = program.stdout.readline().decode().split()
        program.kill()
    assert processes.wait_until(lambda: int(pid) not in alive() and not Path(folder).exists(), 10)


def test_a_process_deaf_to_sigterm_is_ended_with_its_children(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = ["sh", "-c", "trap '' TERM; sleep 60 & echo up; wait; wait"]
    process = processes.spawn(command, folder=tmp_path, environment=os.environ, log=log)
    assert processes.wait_until(lambda: "up" in log.read_text(), 10)
    members = family(process.pid)
    processes.end(process, patience_s=0.1)
    assert len(members) == 2
    assert not members & alive()


def test_two_brokers_of_a_kind_live_side_by_side() -> None:
    with start("redis") as one, start("redis") as other:
        assert one.port != other.port
        one.kill()
        assert other.is_running
