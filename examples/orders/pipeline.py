"""The services by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Protocol

from orders.bus import Bus
from orders.fraud import FraudCheck
from orders.intake import Intake
from orders.notification import Notification
from orders.settlement import Settlement
from orders.shipping import Shipping


class Service(Protocol):
    """A service on a bus."""

    def __init__(self, bus: Bus) -> None: ...

    async def start(self) -> None:
        """Subscribe; the service works from then on."""
        ...


SERVICES: Mapping[str, type[Service]] = MappingProxyType(
    {
        "intake": Intake,
        "fraud": FraudCheck,
        "settlement": Settlement,
        "notification": Notification,
        "shipping": Shipping,
    }
)


async def start(bus: Bus, names: Iterable[str] = tuple(SERVICES)) -> None:
    """Start services on a bus; their subscriptions are live when this returns."""
    for name in names:
        await SERVICES[name](bus).start()
