"""Which processes there are, as the system tells it."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable

from choreo_bdd.brokers import Broker
from choreo_bdd.brokers.processes import wait_until

_SETTLE_S = 5.0  # helpers of a server in sessions of their own notice a moment later that it is gone


def alive() -> set[int]:
    """Process ids of all that runs; what has ended and only waits to be collected does not count."""
    return {pid for pid, _, state in _table() if not state.startswith("Z")}


def family(*pids: int) -> set[int]:
    """These processes with all their descendants."""
    found, table = set(pids), _table()
    while True:
        children = {pid for pid, parent, _ in table if parent in found} - found
        if not children:
            return found
        found |= children


def command_line(pid: int) -> str:
    """What every user of the machine can read of a process."""
    return subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=True).stdout


def assert_leaves_nothing(broker: Broker, stop: Callable[[], None]) -> None:
    """Stop a broker and look for whatever it might have left."""
    members, folder, address = family(*broker.pids), broker.folder, (broker.host, broker.port)
    stop()
    assert wait_until(lambda: not members & alive(), _SETTLE_S), "a process of the broker still runs"
    assert not folder.exists()
    with socket.socket() as client:
        assert client.connect_ex(address) != 0, "something still listens on its port"


def _table() -> list[tuple[int, int, str]]:
    output = subprocess.run(["ps", "-eo", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout
    return [(int(pid), int(parent), state) for pid, parent, state in map(str.split, output.splitlines())]
