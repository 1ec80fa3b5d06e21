"""Transports that fail or drop on purpose, bridges that are wrong on purpose, and the Stage most tests use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from choreo_bdd import DictFieldPolicy, Harness, IdentityBridge, MappedBridge, Stage
from choreo_bdd.transports import MockTransport, TransportCallback
from choreo_bdd.transports.base import Ready

Ledger = list[tuple[str, str]]


class Bus(MockTransport):
    """A memory bus that notes connects and disconnects in a ledger, fails on request, and can drop like a broker."""

    def __init__(self, name: str = "", ledger: Ledger | None = None, *, faults: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.name = name
        self.ledger: Ledger = [] if ledger is None else ledger
        self.faults = set(faults)
        self.is_open = False

    def _enter(self, method: str) -> None:
        self.ledger.append((self.name, method))
        if method in self.faults:
            raise RuntimeError(f"{method} failed on {self.name or 'the bus'}")

    async def connect(self) -> None:
        self.is_open = True  # opened before it fails: whoever fails to connect must be torn down, too
        self._enter("connect")
        await super().connect()

    async def disconnect(self) -> None:
        self._enter("disconnect")
        self.is_open = False
        await super().disconnect()

    def subscribe(self, topic: str, callback: TransportCallback) -> Ready | None:
        self._enter("subscribe")
        return super().subscribe(topic, callback)

    def unsubscribe(self, topic: str, callback: TransportCallback) -> None:
        self._enter("unsubscribe")
        super().unsubscribe(topic, callback)

    def publish(self, topic: str, payload: bytes, **extras: Any) -> Ready | None:
        self._enter("publish")
        return super().publish(topic, payload, **extras)

    def drop(self) -> None:
        """Go away like a broker: nothing is delivered any more, and publishing and unsubscribing raise."""
        self.clear_subscriptions()
        self.faults |= {"publish", "unsubscribe"}

    def mend(self) -> None:
        """Fail no longer."""
        self.faults.clear()


@dataclass
class Scripted:
    """A bridge whose wire ids come from ``wire``; raises in the method named by ``fault``."""

    wire: Callable[[Any, str], Any] = lambda logical, transport: f"{transport}:{logical}"
    fault: str | None = None
    inverse: Callable[[str, str], Any] = lambda wire, transport: None
    logical: Any = "scenario-1"
    fresh_calls: int = 0
    to_wire_calls: list[tuple[Any, str]] = field(default_factory=list)

    async def fresh(self) -> Any:
        self.fresh_calls += 1
        if self.fault == "fresh":
            raise ArithmeticError("s3cr3t-detail")
        return self.logical

    def to_wire(self, logical: Any, transport: str) -> Any:
        self.to_wire_calls.append((logical, transport))
        if self.fault in ("to_wire", f"to_wire:{transport}"):
            raise ArithmeticError("s3cr3t-detail")
        return self.wire(logical, transport)

    def from_wire(self, wire: str, transport: str) -> Any | None:
        if self.fault == "from_wire":
            raise ArithmeticError("s3cr3t-detail")
        return self.inverse(wire, transport)


def mapped() -> MappedBridge:
    """``L-`` and ``R-`` in front of the logical id, and off again."""
    return MappedBridge(
        {"left": "L-{}".format, "right": "R-{}".format},
        {"left": lambda wire: wire.removeprefix("L-"), "right": lambda wire: wire.removeprefix("R-")},
    )


def make_stage(left: MockTransport, right: MockTransport, bridge: Any = None) -> Stage:
    """A Stage over ``left`` and ``right``, each with a policy that routes."""
    harnesses = {name: Harness(bus, correlation=DictFieldPolicy()) for name, bus in (("left", left), ("right", right))}
    return Stage(harnesses, bridge or mapped())


def solo(transport: MockTransport, **harness: Any) -> Stage:
    """A Stage of one transport named ``only``."""
    return Stage({"only": Harness(transport, **harness)}, IdentityBridge())


def events(caplog: pytest.LogCaptureFixture, name: str) -> list[dict[str, Any]]:
    """Attributes of the Stage's log records of one event."""
    return [vars(record) for record in caplog.records if record.name == "choreo_bdd.stage" and record.msg == name]
