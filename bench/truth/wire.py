"""What the features' own steps do: have the wire to the other bus harmed, and the services started on memory."""

from __future__ import annotations

import os
import socket
import sys
from functools import partial
from pathlib import Path
from typing import cast

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

from bench.truth import latency_service, services
from choreo_bdd_steps.run.session import Session
from orders.bus import MemoryBroker, MemoryBus

WHOLE = "the wire to audit is whole"
SILENT = "the wire to audit falls silent"


def start_services(session: Session) -> None:
    """On the memory bus they live in the test run; elsewhere they run already."""
    if session.profile == "memory":
        buses = [MemoryBus(cast("MemoryBroker", session.transport(name))) for name in ("bus", "audit")]
        session.run(services.start(*buses))
        session.run(latency_service.start(buses[0]))
        for bus in buses:
            session.add_cleanup(partial(_close, session, bus))


def _close(session: Session, bus: MemoryBus) -> None:
    session.run(bus.close())


def ask(what: str) -> None:
    """Have the laboratory do this to the wire, and wait until it has."""
    with socket.create_connection(("127.0.0.1", int(os.environ["LABORATORY_CONTROL"])), timeout=10) as connection:
        connection.sendall(what.encode() + b"\n")
        if connection.recv(2) != b"ok":
            raise RuntimeError(f"the laboratory could not make the wire {what}")
