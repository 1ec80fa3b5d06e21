"""Stand-ins for what surrounds the engine: transports, codecs, policies and matchers that misbehave on purpose."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from choreo_bdd import DictFieldPolicy, Envelope, Harness, Scenario
from choreo_bdd.contracts import Problem
from choreo_bdd.exceptions import PublishFailed, SubscriptionFailed
from choreo_bdd.matchers import MatchResult
from choreo_bdd.transports import MockTransport, TransportCallback, TransportCapabilities
from choreo_bdd.transports.base import OnSent, Ready

ELSEWHERE = "000102030405060708090a0b0c0d56c8"
"""An id as another process makes it, whose random part was easily remembered."""


@dataclass(frozen=True)
class Reported:
    """One call of an observer."""

    result: Any
    nodeid: str | None
    completed_normally: bool


class PlainTransport:
    """A third party's transport: the seven methods, a callback of topic and bytes, ``None`` from ``subscribe``."""

    capabilities = TransportCapabilities()

    def __init__(self) -> None:
        self.callbacks: list[tuple[str, TransportCallback]] = []
        self.wire: list[tuple[str, bytes]] = []

    async def connect(self) -> None: ...

    async def disconnect(self) -> None: ...

    def subscribe(self, topic: str, callback: TransportCallback) -> None:
        self.callbacks.append((topic, callback))

    def unsubscribe(self, topic: str, callback: TransportCallback) -> None:
        if (topic, callback) in self.callbacks:
            self.callbacks.remove((topic, callback))

    def publish(self, topic: str, payload: bytes, *, on_sent: OnSent | None = None) -> None:
        self.wire.append((topic, payload))
        if on_sent is not None:
            on_sent()
        for subscribed, callback in tuple(self.callbacks):
            if subscribed == topic:
                callback(topic, payload)

    def active_subscription_count(self) -> int:
        return len(self.callbacks)

    def clear_subscriptions(self) -> None:
        self.callbacks.clear()


class BrokerLike(PlainTransport):
    """A transport that promises: a subscription is live, and a message gone, when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.arming: dict[str, Ready] = {}
        self.leaving: dict[str, tuple[Ready, Callable[[], None]]] = {}

    def subscribe(self, topic: str, callback: TransportCallback) -> Ready:  # type: ignore[override] # a promise, not None
        super().subscribe(topic, callback)
        self.arming[topic] = asyncio.get_running_loop().create_future()
        return self.arming[topic]

    def confirm(self, topic: str) -> None:
        self.arming[topic].set_result(None)

    def confirm_after(self, topic: str, delay_s: float) -> None:
        asyncio.get_running_loop().call_later(delay_s, self.confirm, topic)

    def refuse(self, topic: str, reason: str) -> None:
        self.arming[topic].set_exception(SubscriptionFailed("BrokerLike", topic, reason))

    def publish(self, topic: str, payload: bytes, *, on_sent: OnSent | None = None) -> Ready:  # type: ignore[override] # as above
        gone: Ready = asyncio.get_running_loop().create_future()
        self.leaving[topic] = (gone, lambda: PlainTransport.publish(self, topic, payload, on_sent=on_sent))
        return gone

    def let_go(self, topic: str) -> None:
        gone, send = self.leaving.pop(topic)
        send()
        gone.set_result(None)

    def lose(self, topic: str, reason: str) -> None:
        gone, _ = self.leaving.pop(topic)
        gone.set_exception(PublishFailed("BrokerLike", topic, reason))


class FaultyTransport(MockTransport):
    """A memory bus whose methods raise ``RuntimeError`` while they are named in ``faults``."""

    def __init__(self, *faults: str) -> None:
        super().__init__()
        self.faults = set(faults)
        self.calls: list[str] = []

    def _call(self, method: str) -> None:
        self.calls.append(method)
        if method in self.faults:
            raise RuntimeError(f"{method} s3cr3t-detail")

    async def connect(self) -> None:
        self._call("connect")
        await super().connect()

    async def disconnect(self) -> None:
        self._call("disconnect")
        await super().disconnect()

    def subscribe(self, topic: str, callback: TransportCallback) -> Ready | None:
        self._call("subscribe")
        return super().subscribe(topic, callback)

    def unsubscribe(self, topic: str, callback: TransportCallback) -> None:
        self._call("unsubscribe")
        super().unsubscribe(topic, callback)

    def publish(self, topic: str, payload: bytes, **extras: Any) -> Ready | None:
        self._call("publish")
        return super().publish(topic, payload, **extras)

    def clear_subscriptions(self) -> None:
        self._call("clear_subscriptions")
        super().clear_subscriptions()


class CountingCodec:
    """JSON that counts how often it decodes, and raises for the bytes it is told to."""

    def __init__(self, *, unreadable: bytes = b"\xff") -> None:
        self.decodes = 0
        self._unreadable = unreadable

    def decode(self, data: bytes) -> Any:
        self.decodes += 1
        if data == self._unreadable:
            raise UnicodeError("s3cr3t-detail")
        return json.loads(data)

    def encode(self, value: Any) -> bytes:
        return json.dumps(value).encode()


@dataclass
class ScriptedPolicy:
    """Reads and writes the field ``cid``; raises ``ArithmeticError`` in the methods named in ``faults``."""

    faults: set[str] = field(default_factory=set)
    ids: Any = "S-1"
    routes_by_correlation: bool = True

    async def new_id(self) -> Any:
        self._call("new_id")
        return self.ids

    def write(self, envelope: Envelope, correlation_id: str) -> Envelope:
        self._call("write")
        return replace(envelope, payload={**envelope.payload, "cid": correlation_id})

    def read(self, envelope: Envelope) -> Any:
        self._call("read")
        return envelope.payload.get("cid")

    def _call(self, method: str) -> None:
        if method in self.faults:
            raise ArithmeticError("s3cr3t-detail")


class RaisingMatcher:
    """A matcher with a defect of its own."""

    description = "a defective matcher"

    def match(self, payload: Any) -> MatchResult:
        raise ZeroDivisionError("s3cr3t-detail")


class BooleanMatcher:
    """A matcher whose author forgot what ``match`` returns."""

    description = "a matcher that answers True"

    def match(self, payload: Any) -> MatchResult:
        return True  # type: ignore[return-value] # the mistake this double stands for


class IntegerTotals:
    """A contract: topics are those that begin with ``orders.``, and a ``total`` is a whole number."""

    def unknown(self, topic: str) -> Problem | None:
        if topic.startswith(("orders.", "start", "never.")):
            return None
        return Problem("@topic", f"unknown topic {topic!r}; did you mean 'orders.settled'?", "the test's contract")

    def problems(self, topic: str, payload: Any, headers: Mapping[str, str]) -> tuple[Problem, ...]:
        total = payload.get("total", 0) if isinstance(payload, dict) else 0
        if isinstance(total, int):
            return ()
        return (Problem("total", "expected integer", "the test's contract", {"type": "integer"}, total),)


@asynccontextmanager
async def guarded(transport: MockTransport, **settings: Any) -> AsyncIterator[Harness]:
    """A connected harness with that contract; ids are in the payload field ``correlation_id``."""
    harness = Harness(transport, correlation=DictFieldPolicy(strict=True), **{"contract": IntegerTotals(), **settings})
    await harness.connect()
    yield harness
    await harness.disconnect()


@asynccontextmanager
async def breaking(scenario: AbstractAsyncContextManager[Scenario]) -> AsyncIterator[Scenario]:
    """A scenario whose body raises ``LookupError`` after what the test does in it."""
    with pytest.raises(LookupError):  # outside, so that the scenario sees it first
        async with scenario as s:
            yield s
            raise LookupError("s3cr3t-detail")


def sent_as(transport: MockTransport, topic: str) -> list[Any]:
    """Decoded payloads that went over a topic of the memory bus."""
    return [json.loads(data) for name, data in transport.sent() if name == topic]
