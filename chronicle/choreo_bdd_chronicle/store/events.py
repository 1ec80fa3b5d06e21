"""What happened, numbered for whoever listens; the numbers outlive the process."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from choreo_bdd_chronicle.check.moments import now
from choreo_bdd_chronicle.store import tables
from choreo_bdd_chronicle.store.dialect import Dialect, Part

KEPT = 10_000
"""So many events can be caught up with."""
AT_ONCE = 1000
_hooks = tables.webhooks.c
Told = tuple[int, str, Mapping[str, Any]]
"""Of which tenant, what kind of event, and what of it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a tenant; ``data`` is JSON."""

    number: int
    tenant_id: int
    at: int
    kind: str
    data: str


def announce(connection: Connection, dialect: Dialect, told: Sequence[Told]) -> None:
    """Tell all who listen, once the transaction is committed."""
    (numbers,) = dialect.new_ids(connection, [tables.events], len(told))
    dialect.insert(connection, [rows(numbers, told)])
    forget(connection, numbers)


def rows(numbers: Sequence[int], told: Sequence[Told]) -> Part:
    """Events as they are put in, with these numbers."""
    moment = now()
    found = [
        (number, tenant, moment, kind, json.dumps(data))
        for number, (tenant, kind, data) in zip(numbers, told, strict=True)
    ]
    return tables.events, found


def forget(connection: Connection, numbers: Sequence[int]) -> None:
    """After the events of these numbers were put in: let go of what is long past, now and then."""
    for number in numbers:
        if number % AT_ONCE == 0:
            connection.execute(delete(tables.events).where(tables.events.c.id <= number - KEPT))


def latest(connection: Connection) -> int:
    """The number of the last event, 0 when there is none."""
    return int(connection.execute(select(func.max(tables.events.c.id))).scalar() or 0)


def since(connection: Connection, number: int, tenant: int | None = None) -> Sequence[Event]:
    """The events after a number, of all tenants or one, the oldest first and at most 1000."""
    events = tables.events.c
    wanted = select(events.id, events.tenant_id, events.at, events.kind, events.data).where(events.id > number)
    if tenant is not None:
        wanted = wanted.where(events.tenant_id == tenant)
    return [Event(*row) for row in connection.execute(wanted.order_by(events.id).limit(AT_ONCE))]


def enter_webhooks(connection: Connection, digests: Collection[str]) -> int:
    """The event after which these webhooks are to be told of more; one that is new begins with the next."""
    newest = latest(connection)
    known = select(_hooks.digest, _hooks.event_id).where(_hooks.digest.in_(digests))
    places = {digest: int(number) for digest, number in connection.execute(known)}
    new = [{"digest": each, "event_id": newest} for each in sorted(set(digests) - set(places))]
    if new:
        connection.execute(insert(tables.webhooks), new)
    return min(places.values(), default=newest)


def claim(connection: Connection, digest: str, number: int) -> bool:
    """Whether the event is this caller's to tell: nobody took on it, or a later one, before.

    Call it for one event after the other, with none left out.
    """
    moved = update(tables.webhooks).where(_hooks.digest == digest, _hooks.event_id < number).values(event_id=number)
    return connection.execute(moved).rowcount == 1
