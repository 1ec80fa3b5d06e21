"""Tokens: who may write, read or administer, of one tenant or of all. Only their digests are kept."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, delete, insert, select

from choreo_bdd_chronicle.check.moments import now
from choreo_bdd_chronicle.store import tables


class Scope(StrEnum):
    """What a token is good for; an ``ADMIN`` token is good for everything."""

    WRITE = "write"
    READ = "read"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: with what right, and confined to which tenant (``None``: any)."""

    scope: Scope = Scope.ADMIN
    tenant: str | None = None

    def may(self, scope: Scope) -> bool:
        """Whether the right is enough; whoever may write may not therefore read."""
        return self.scope in (scope, Scope.ADMIN)

    def sees(self, tenant: str) -> bool:
        """Whether a tenant is the caller's business."""
        return self.tenant in (None, tenant)


class NameTakenError(Exception):
    """There is a token of that name already; revoking by name would end both."""


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token besides itself; ``created_at`` is in microseconds since 1970 in UTC."""

    name: str
    scope: Scope
    tenant: str | None
    created_at: int


def create(connection: Connection, name: str, scope: Scope, tenant: str | None) -> str:
    """A new token; this is the only time it can be read. Raises ``NameTakenError``."""
    columns = tables.tokens.c
    if connection.execute(select(columns.id).where(columns.name == name)).first():
        raise NameTakenError(name)
    token = f"chr_{secrets.token_urlsafe(32)}"
    values = {"digest": _digest(token), "name": name, "scope": scope.value, "tenant": tenant, "created_at": now()}
    connection.execute(insert(tables.tokens).values(values))
    return token


def caller(connection: Connection, token: str) -> Caller | None:
    """Whom a token belongs to; ``None`` for one that is not, or no longer, known."""
    columns = tables.tokens.c
    wanted = select(columns.scope, columns.tenant).where(columns.digest == _digest(token))
    found = connection.execute(wanted).first()
    return None if found is None else Caller(Scope(found.scope), found.tenant)


def known(connection: Connection) -> list[Token]:
    """All tokens, by name."""
    columns = tables.tokens.c
    wanted = select(columns.name, columns.scope, columns.tenant, columns.created_at).order_by(columns.name)
    return [Token(row.name, Scope(row.scope), row.tenant, row.created_at) for row in connection.execute(wanted)]


def revoke(connection: Connection, name: str) -> int:
    """Make the tokens of a name worthless; how many there were."""
    return connection.execute(delete(tables.tokens).where(tables.tokens.c.name == name)).rowcount


def _digest(token: str) -> str:
    """A token is 256 random bits, which no one guesses from their digest: a slow one would gain nothing."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
