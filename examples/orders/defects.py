"""Defects on demand: an order may ask one service to get its message wrong, so that failing scenarios are real.

``order.simulate`` reads ``<defect>[:<argument>][@<service>]``; without a service it is settlement that errs.
"""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any, Self

from orders.bus import Message

DEFAULT_SERVICE = "settlement"
SERVICES = ("intake", "fraud", "settlement", "notification", "shipping", "stock")
NO_CURRENCY = "XXX"  # ISO 4217's own code for it
GARBAGE = b"\xff{ this is not JSON"
STAMP = "sent-ms"
"""The header in which a service says when it sent a message, by its own clock in epoch ms."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way out: where to, what, and how long after the one before it.

    ``former`` is what the service sent before.
    """

    topic: str
    payload: Message | bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    after_s: float = 0.0
    former: Message = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Defect:
    """What goes wrong, and in which service; the kinds stand in the README beside this file."""

    kind: str
    argument: str = ""
    service: str = DEFAULT_SERVICE

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read the notation above; ``ValueError`` says what is wrong with it."""
        what, at, service = str(text).partition("@")
        kind, _, argument = what.partition(":")
        if kind not in _ARGUMENTS:
            raise ValueError(f"unknown defect {kind!r}, known are {', '.join(_ARGUMENTS)}")
        wanted = _ARGUMENTS[kind]
        if bool(wanted) != bool(argument):
            raise ValueError(f"defect {kind!r} {'needs an' if wanted else 'takes no'} argument")
        if wanted.startswith("whole") and not argument.isdecimal():
            raise ValueError(f"defect {kind!r} needs {wanted}, not {argument!r}")
        if at and service not in SERVICES:
            raise ValueError(f"unknown service {service!r}, known are {', '.join(SERVICES)}")
        return cls(kind, argument, service or DEFAULT_SERVICE)

    @classmethod
    def asked_of(cls, service: str, message: Message) -> Self | None:
        """The defect a message's order asks of this service. Raises ``ValueError`` where nobody can read the wish."""
        order = message.get("order")
        wish = order.get("simulate") if isinstance(order, dict) else None
        if wish is None:
            return None
        defect = cls.parse(wish)
        return defect if defect.service == service else None

    @property
    def milliseconds_s(self) -> float:
        """The argument of a defect that takes milliseconds, in seconds."""
        return int(self.argument) / 1000

    def distort(self, outgoing: Outgoing) -> tuple[Outgoing, ...]:
        """What goes out in the end, in this order; nothing at all is a possibility, too."""
        if self.kind in _OF_MESSAGE:
            return _OF_MESSAGE[self.kind](outgoing, self.argument)
        if isinstance(outgoing.payload, bytes):
            return (outgoing,)
        if self.kind in _OF_PAYLOAD:
            return (replace(outgoing, payload=_OF_PAYLOAD[self.kind](outgoing.payload)),)
        if self.kind in _OF_FIELD:
            changed = _changed(outgoing.payload, self.argument.split("."), _OF_FIELD[self.kind])
            return (replace(outgoing, payload=changed),)
        return (outgoing,)


_ARGUMENTS = {
    "silent": "",
    "crash": "",
    "outage": "whole milliseconds",
    "slow": "whole milliseconds",
    "queued": "whole milliseconds",
    "twice": "",
    "echo": "whole milliseconds",
    "burst": "whole messages",
    "twin": "a path",
    "ahead": "a topic",
    "topic": "a topic",
    "astray": "",
    "wrong": "a path",
    "type": "a path",
    "null": "a path",
    "without": "a path",
    "extra": "a path",
    "drift": "a path",
    "abroad": "a path",
    "anonymous": "",
    "stranger": "",
    "stale": "",
    "cached": "",
    "capitals": "",
    "headless": "",
    "titled": "",
    "shouting": "",
    "clock": "whole seconds",
    "garbage": "",
    "empty": "",
    "cut": "",
    "latin1": "",
    "gzip": "",
    "list": "",
    "encoded": "",
    "moved": "",
    "concatenated": "",
}
"""Each defect, and what its argument is."""

_APART_S = 0.25
"""What Kafka hands out together has no order but that of its stamps, so that a false one must come by itself."""


def _set_back(outgoing: Outgoing, seconds: str) -> tuple[Outgoing, ...]:
    """As a service whose clock is so many seconds slow would send it: each of its own stamps is wrong."""
    payload, headers = outgoing.payload, dict(outgoing.headers)
    if isinstance(payload, dict) and isinstance(settlement := payload.get("settlement"), dict):
        settled_at = datetime.fromisoformat(settlement["settled_at"]) - timedelta(seconds=int(seconds))
        payload = {**payload, "settlement": {**settlement, "settled_at": settled_at.isoformat()}}
    if STAMP in headers:
        headers[STAMP] = str(int(headers[STAMP]) - int(seconds) * 1000)
    return (replace(outgoing, payload=payload, headers=headers, after_s=_APART_S),)


def _with(outgoing: Outgoing, change: Callable[[Message], Message]) -> Outgoing:
    return outgoing if isinstance(outgoing.payload, bytes) else replace(outgoing, payload=change(outgoing.payload))


def _twin(outgoing: Outgoing, path: str) -> tuple[Outgoing, ...]:
    return (outgoing, _with(outgoing, lambda payload: _changed(payload, path.split("."), _wrong)))


_OF_MESSAGE: Mapping[str, Callable[[Outgoing, str], tuple[Outgoing, ...]]] = {
    "silent": lambda _, __: (),
    "topic": lambda outgoing, topic: (replace(outgoing, topic=topic),),
    "ahead": lambda outgoing, topic: (replace(outgoing, topic=topic), outgoing),
    "astray": lambda outgoing, _: (replace(outgoing, topic=f"{outgoing.topic}x"),),
    "twice": lambda outgoing, _: (outgoing, outgoing),
    "twin": _twin,
    "echo": lambda outgoing, ms: (outgoing, replace(outgoing, after_s=int(ms) / 1000)),
    "burst": lambda outgoing, count: (outgoing,) * int(count),
    "stale": lambda outgoing, _: (_with(outgoing, lambda payload: {**payload, **_id_of(outgoing.former)}),),
    "cached": lambda outgoing, _: (_with(outgoing, lambda payload: {**outgoing.former, **_id_of(payload)}),),
    "headless": lambda outgoing, _: (replace(outgoing, headers={}),),
    "titled": lambda outgoing, _: (
        replace(outgoing, headers={name.title(): value for name, value in outgoing.headers.items()}),
    ),
    "shouting": lambda outgoing, _: (
        replace(outgoing, headers={name: value.upper() for name, value in outgoing.headers.items()}),
    ),
    "clock": _set_back,
}


def _without(payload: Message, name: str) -> Message:
    return {other: kept for other, kept in payload.items() if other != name}


def _id_of(payload: Message) -> Message:
    return {"correlation_id": payload.get("correlation_id")}


def _bytes(payload: Message) -> bytes:
    return json.dumps(payload).encode()


_OF_PAYLOAD: Mapping[str, Callable[[Message], Message | bytes]] = {
    "anonymous": lambda payload: _without(payload, "correlation_id"),
    "stranger": lambda payload: {**payload, "correlation_id": uuid.uuid4().hex},
    "capitals": lambda payload: {**payload, "correlation_id": str(payload.get("correlation_id")).upper()},
    "garbage": lambda _: GARBAGE,
    "empty": lambda _: b"",
    "cut": lambda payload: _bytes(payload)[: len(_bytes(payload)) // 2],
    "latin1": lambda payload: json.dumps(payload, ensure_ascii=False).encode("latin-1", "replace"),
    "gzip": lambda payload: gzip.compress(_bytes(payload)),
    "list": lambda payload: _bytes(payload).join((b"[", b"]")),
    "encoded": lambda payload: json.dumps(json.dumps(payload)).encode(),
    "moved": lambda payload: {**_without(payload, "correlation_id"), "meta": _id_of(payload)},
    "concatenated": lambda payload: _bytes(payload) * 2,
}

_MISSING = object()


def _wrong(value: Any) -> Any:
    return value + 1 if isinstance(value, int | float) else NO_CURRENCY


_OF_FIELD: Mapping[str, Callable[[Any], Any]] = {
    "wrong": _wrong,
    "type": str,
    "null": lambda _: None,
    "without": lambda _: _MISSING,
    "extra": lambda value: value if value is not None else "nobody asked for this",
    "drift": lambda value: value + 0.01,
    "abroad": lambda value: datetime.fromisoformat(value).astimezone(timezone(timedelta(hours=-5))).isoformat(),
}


def _changed(payload: Message, path: list[str], change: Callable[[Any], Any]) -> Message:
    name, *rest = path
    value = payload.get(name)
    if rest and isinstance(value, dict):
        return {**payload, name: _changed(value, rest, change)}
    changed = change(value)
    if changed is _MISSING:
        return _without(payload, name)
    return {**payload, name: changed}
