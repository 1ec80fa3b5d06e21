"""Intake: ``orders.placed`` → ``orders.accepted`` or ``orders.rejected``."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from orders.bus import Bus, Message
from orders.defects import Defect
from orders.port import REJECTED, Port

CURRENCIES = ("EUR", "GBP", "USD")
_REMEMBERED = 10_000


class Intake:
    """Checks orders and adds them up; prices are in cents. A repeated order is ignored."""

    def __init__(self, bus: Bus) -> None:
        self._port = Port("intake", bus)
        self._seen: OrderedDict[tuple[Any, Any], None] = OrderedDict()

    async def start(self) -> None:
        """Subscribe."""
        await self._port.listen("orders.placed", self._placed)

    async def _placed(self, message: Message) -> None:
        problems = list(problems_of(message.get("order")))
        if problems:
            await self._port.send(message, REJECTED, {"problems": problems})
        elif self._is_new(message):
            await self._port.send(message, "orders.accepted", {"total": total_of(message["order"])})

    def _is_new(self, message: Message) -> bool:
        key = (message.get("correlation_id"), message["order"]["id"])
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return True


def total_of(order: Message) -> int:
    """Sum of an order's items, in cents."""
    return sum(item["quantity"] * item["price"] for item in order["items"])


def problems_of(order: Any) -> Iterator[Message]:
    """Everything that keeps an order from being accepted: the field, and the reason."""
    if not isinstance(order, dict):
        yield _problem("order", "an order is an object")
        return
    if not isinstance(order.get("id"), str):
        yield _problem("order.id", "an order has an id")
    if order.get("currency") not in CURRENCIES:
        yield _problem("order.currency", f"we trade in {', '.join(CURRENCIES)}")
    yield from _item_problems(order.get("items"))
    if "simulate" in order:
        try:
            Defect.parse(order["simulate"])
        except ValueError as error:
            yield _problem("order.simulate", str(error))


def _item_problems(items: Any) -> Iterator[Message]:
    if not isinstance(items, list) or not items:
        yield _problem("order.items", "an order has at least one item")
        return
    for index, item in enumerate(items):
        for field in ("quantity", "price"):
            value = item.get(field) if isinstance(item, dict) else None
            if not isinstance(value, int) or value < 1:
                yield _problem(f"order.items[{index}].{field}", f"{field} is a whole number above zero")


def _problem(field: str, reason: str) -> Message:
    return {"field": field, "reason": reason}
