"""Defects on demand: an order may ask one service to get its message wrong, so that failing scenarios are real.

``order.simulate`` reads ``<defect>[:<argument>][@<service>]``; without a service it is settlement that errs.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Self

from orders.bus import Message

DEFAULT_SERVICE = "settlement"
NO_CURRENCY = "XXX"  # ISO 4217's own code for it
GARBAGE = b"\xff{ this is not JSON"

_TAKES_ARGUMENT = {
    "silent": False,
    "slow": True,
    "wrong": True,
    "topic": True,
    "stranger": False,
    "garbage": False,
}


@dataclass(frozen=True, slots=True)
class Defect:
    """What goes wrong, and in which service.

    ``silent`` sends nothing · ``slow:<ms>`` takes its time first · ``wrong:<path>`` falsifies a field ·
    ``topic:<topic>`` sends elsewhere · ``stranger`` sends with a correlation id of its own · ``garbage`` sends bytes
    that are not JSON.
    """

    kind: str
    argument: str = ""
    service: str = DEFAULT_SERVICE

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read the notation above; ``ValueError`` says what is wrong with it."""
        what, _, service = str(text).partition("@")
        kind, _, argument = what.partition(":")
        if kind not in _TAKES_ARGUMENT:
            raise ValueError(f"unknown defect {kind!r}, known are {', '.join(_TAKES_ARGUMENT)}")
        if _TAKES_ARGUMENT[kind] != bool(argument):
            raise ValueError(f"defect {kind!r} {'needs an' if _TAKES_ARGUMENT[kind] else 'takes no'} argument")
        if kind == "slow" and not argument.isdecimal():
            raise ValueError(f"defect 'slow' needs whole milliseconds, not {argument!r}")
        return cls(kind, argument, service or DEFAULT_SERVICE)

    @classmethod
    def asked_of(cls, service: str, message: Message) -> Self | None:
        """The defect a message's order asks of this service; an unreadable request asks for nothing."""
        order = message.get("order")
        wish = order.get("simulate") if isinstance(order, dict) else None
        if wish is None:
            return None
        try:
            defect = cls.parse(wish)
        except ValueError:
            return None
        return defect if defect.service == service else None

    @property
    def delay_s(self) -> float:
        """Seconds the service takes before it starts its work."""
        return int(self.argument) / 1000 if self.kind == "slow" else 0.0

    def distort(self, topic: str, payload: Message) -> tuple[str, Message | bytes] | None:
        """Topic and payload as they go out in the end; ``None`` when nothing goes out at all."""
        match self.kind:
            case "silent":
                return None
            case "wrong":
                return topic, _falsified(payload, self.argument.split("."))
            case "topic":
                return self.argument, payload
            case "stranger":
                return topic, {**payload, "correlation_id": uuid.uuid4().hex}
            case "garbage":
                return topic, GARBAGE
        return topic, payload


def _falsified(payload: Message, path: list[str]) -> Message:
    field, *rest = path
    value = payload.get(field)
    if rest and isinstance(value, dict):
        return {**payload, field: _falsified(value, rest)}
    return {**payload, field: value + 1 if isinstance(value, int | float) else NO_CURRENCY}
