"""Free loopback ports."""

from __future__ import annotations

import random
import socket

HOST = "127.0.0.1"
# Below the ephemeral ranges of Linux and macOS: an outgoing connection cannot take the port while a broker restarts,
# and a client that keeps trying a dead broker cannot connect to itself.
_RANGE = range(20_000, 32_000)


def free_port() -> int:
    """A loopback port nobody listens on right now."""
    for port in random.sample(_RANGE, k=200):
        if is_free(port):
            return port
    raise OSError(f"no free loopback port found between {_RANGE.start} and {_RANGE.stop - 1}")


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True
