"""Fraud check: ``orders.accepted`` → ``fraud.checked``."""

from __future__ import annotations

from collections.abc import Iterator

from orders.bus import Bus, Message
from orders.port import Port

HOME_COUNTRIES = ("AT", "CH", "DE")
LARGE_TOTAL = 100_000
BULK_QUANTITY = 20
_BASE_SCORE = 0.05


class FraudCheck:
    """Gives every accepted order a risk score between 0 and 1."""

    def __init__(self, bus: Bus) -> None:
        self._port = Port("fraud", bus)

    async def start(self) -> None:
        """Subscribe."""
        await self._port.listen("orders.accepted", self._accepted)

    async def _accepted(self, message: Message) -> None:
        body = {"total": message["total"], "risk": risk_of(message["order"], message["total"])}
        await self._port.send(message, "fraud.checked", body)


def risk_of(order: Message, total: int) -> Message:
    """Score, level and reasons."""
    findings = dict(_findings(order, total))
    score = _BASE_SCORE + sum(findings.values())
    level = "high" if score >= 0.7 else "medium" if score >= 0.3 else "low"
    return {"score": score, "level": level, "reasons": list(findings)}


def _findings(order: Message, total: int) -> Iterator[tuple[str, float]]:
    if total >= LARGE_TOTAL:
        yield "large amount", 0.4
    if order.get("country", "DE") not in HOME_COUNTRIES:
        yield "unusual country", 0.3
    if any(item["quantity"] >= BULK_QUANTITY for item in order["items"]):
        yield "bulk quantity", 0.2
