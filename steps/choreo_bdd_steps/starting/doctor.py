"""Whether the transports of a profile can be used: allowed, connected, and something there and back."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

from choreo_bdd.environment import HostNotInAllowlist
from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.harness import Harness
from choreo_bdd.shared.fitting import fits
from choreo_bdd.transports.base import Probing
from choreo_bdd_project.config import Config, TransportConfig
from choreo_bdd_project.gherkin.places import files_below
from choreo_bdd_project.harnesses import build_harness
from choreo_bdd_steps.run.quiet_logs import QuietLogs
from choreo_bdd_steps.services.facts import Death, Running

TOPIC = "choreo.doctor"
"""For transports that cannot be probed without a topic: one fixed topic, so that what keeps topics keeps only one."""
_MOMENT_S = 0.5
"""What cannot reach its database mostly ends within this time."""


class DoctorStage(StrEnum):
    """How far the examination of a transport came."""

    CONFIGURATION = "configuration and allowlist"
    CONNECT = "connect"
    SUBSCRIBE = "subscribe"
    ROUND_TRIP = "round trip"


_ADVICE: Mapping[DoctorStage, str] = MappingProxyType(
    {
        DoctorStage.CONFIGURATION: "correct the transport at the place named, or list its address in the allowlist",
        DoctorStage.CONNECT: "start the broker (choreo-bdd brokers up starts one on this machine), or correct its "
        "address, auth or tls in choreo.yaml",
        DoctorStage.SUBSCRIBE: f"let this user read the topic {TOPIC!r}",
        DoctorStage.ROUND_TRIP: "have there what is missing, or let this user do what was refused; the broker's own "
        "log may say more",
    }
)


class DoctorFinding(Struct, frozen=True):
    """What is true of one transport. Durations are milliseconds; ``None`` where it did not come so far."""

    transport: str
    type: str
    connect_ms: float | None = None
    round_trip_ms: float | None = None
    failed_at: DoctorStage | None = None
    problem: str | None = None
    advice: str | None = None
    note: str | None = None

    @property
    def is_well(self) -> bool:
        """Whether a message went there and back."""
        return self.failed_at is None


async def examine(config: Config, *, patience_s: float) -> list[DoctorFinding]:
    """Examine every transport of a profile, all at once; ``patience_s`` bounds each stage."""
    quiet = QuietLogs(hints=False)  # a missing correlation is a finding's note
    try:
        return await asyncio.gather(*(_examine(config, each, patience_s) for each in config.transports.values()))
    finally:
        quiet.stop()


async def deaths(services: Running) -> Sequence[Death]:
    """The services of a profile that have ended a moment after they were ready, if not before."""
    if services.started:
        await asyncio.sleep(_MOMENT_S)
    return services.deaths()


async def _examine(config: Config, transport: TransportConfig, patience_s: float) -> DoctorFinding:
    visit = _Visit(patience_s)
    try:
        harness = build_harness(config, transport)
        try:
            await visit.make(harness)
        finally:
            with contextlib.suppress(Exception):
                await harness.disconnect()
    except HostNotInAllowlist as error:  # whoever finds it, it is no broker that does not run
        visit.stage, problem = DoctorStage.CONFIGURATION, str(error)
    except TimeoutError:
        problem = f"nothing came back within {patience_s:g} s"
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a transport is what was asked for
        problem = str(error) if isinstance(error, ChoreoError) else f"{type(error).__name__}: {error}"
    else:
        return DoctorFinding(
            transport.name, transport.type, visit.connect_ms, visit.round_trip_ms, note=_note(transport)
        )
    stage = visit.stage
    return DoctorFinding(transport.name, transport.type, visit.connect_ms, None, stage, problem, _ADVICE[stage])


def unknown_to_behave(features: Path) -> str | None:
    """What to tell where features lie in a folder, and nothing there makes the vocabulary known to behave."""
    if not files_below(features, ".feature"):
        return None
    if any(b"use_choreo" in each.read_bytes() for each in files_below(features, ".py")):
        return None
    return (
        f"behave would call every sentence in {features} undefined: nothing there makes the vocabulary known to it "
        f"(pytest needs nothing). Write {features / 'steps' / 'choreo.py'} with these two lines:\n"
        f"  from choreo_bdd_steps.adapters.behave import use_choreo\n  use_choreo()"
    )


@dataclass(slots=True)
class _Visit:
    """One transport's examination; ``stage`` is what is being tried."""

    patience_s: float
    stage: DoctorStage = DoctorStage.CONFIGURATION
    connect_ms: float | None = None
    round_trip_ms: float | None = None

    async def make(self, harness: Harness) -> None:
        begun = time.perf_counter()
        async with self._trying(DoctorStage.CONNECT):
            await harness.connect()
        self.connect_ms = _ms_since(begun)
        await (self._probe(harness.transport) if fits(harness.transport, Probing) else self._send(harness))

    async def _probe(self, transport: Probing) -> None:
        """By a way that reaches nobody else and leaves nothing."""
        begun = time.perf_counter()
        async with self._trying(DoctorStage.ROUND_TRIP):
            await transport.probe()
        self.round_trip_ms = _ms_since(begun)

    async def _send(self, harness: Harness) -> None:
        sample, arrived = secrets.token_hex(8).encode(), asyncio.Event()

        def receive(_topic: str, payload: bytes) -> None:
            if payload == sample:  # others may be examining the same broker
                arrived.set()

        async with self._trying(DoctorStage.SUBSCRIBE):
            live = harness.subscribe(TOPIC, receive)
            if live is not None:
                await live
        begun = time.perf_counter()
        async with self._trying(DoctorStage.ROUND_TRIP):
            sent = harness.send(TOPIC, sample, on_sent=lambda: None, headers={}, key=None)
            if sent is not None:
                await sent
            await arrived.wait()
        self.round_trip_ms = _ms_since(begun)

    def _trying(self, stage: DoctorStage) -> asyncio.Timeout:
        self.stage = stage
        return asyncio.timeout(self.patience_s)


def _ms_since(begun: float) -> float:
    return round((time.perf_counter() - begun) * 1000, 2)


def _note(transport: TransportConfig) -> str | None:
    has_correlation = transport.correlation_field is not None or transport.correlation_header is not None
    if transport.type == "memory" or transport.is_called or has_correlation or transport.correlation_off:
        return None
    return (
        "no correlation is configured: scenarios and programs that share a topic see each other's messages; "
        "see correlation: {field: …}, {header: …} or none in choreo.yaml"
    )
