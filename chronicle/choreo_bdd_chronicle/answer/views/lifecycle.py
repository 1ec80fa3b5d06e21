"""What people say of anomalies, flaky scenarios and groups of failures: one lifecycle."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, Table, insert, or_, select, update

from choreo_bdd_chronicle.answer.errors import VALIDATION, ApiError, not_found
from choreo_bdd_chronicle.answer.models import FailureItem, FlakyItem, KnownIssue, Page
from choreo_bdd_chronicle.answer.query import Query
from choreo_bdd_chronicle.answer.views.shared import tenant_id
from choreo_bdd_chronicle.check.moments import microseconds, moment_text, now
from choreo_bdd_chronicle.store import tables

Kind = Literal["anomalies", "flaky", "failures"]
KINDS: tuple[Kind, ...] = ("anomalies", "flaky", "failures")
_MUTED = "muted"


class Statement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody says. Muting takes an owner and a reason; ``until`` is when it ends by itself."""

    state: Literal["open", "confirmed", "muted", "resolved"]
    owner: str | None = None
    reason: str | None = None
    until: str | None = None


def issue_id(*parts: str | None) -> str:
    """The id of something that is known by what it is, in every run the same."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:32]


def read_statement(body: bytes) -> Statement:
    """A statement. Raises ``ApiError`` 422, which says what is wrong."""
    try:
        said = msgspec.json.decode(body, type=Statement)
        if said.until is not None:
            microseconds(said.until)
    except (msgspec.DecodeError, ValueError) as problem:
        raise ApiError(422, str(problem), error=VALIDATION) from None
    if said.state == _MUTED and not (said.owner and said.reason):
        raise ApiError(422, "muting takes an owner and a reason", error=VALIDATION)
    return said


def state(connection: Connection, tenant: int, kind: Kind, found: KnownIssue, said: Statement) -> None:
    """Write down what was said of something."""
    values = {
        "state": said.state,
        "owner": said.owner,
        "reason": said.reason,
        "muted_until": microseconds(said.until) if said.until and said.state == _MUTED else None,
    }
    if kind == "anomalies":
        over = {"resolved_at": now() if said.state == "resolved" else None, "closed_by_hand": said.state == "resolved"}
        table = tables.anomalies
        connection.execute(update(table).where(*_this(table, tenant, found.id)).values(**values, **over))
        return
    issues = tables.issues
    row = {"title": found.title, "test_nodeid": found.test_nodeid, **values}
    this = [*_this(issues, tenant, found.id), issues.c.kind == kind]
    if not connection.execute(update(issues).where(*this).values(row)).rowcount:
        connection.execute(insert(issues).values(tenant_id=tenant, kind=kind, public_id=found.id, **row))


def find_anomaly(connection: Connection, tenant: int, public_id: str) -> KnownIssue:
    """An anomaly as something to be spoken of. 404 for none."""
    table = tables.anomalies
    row = connection.execute(select(table).where(*_this(table, tenant, public_id))).first()
    if row is None:
        raise not_found("Anomaly")
    return _issue("anomalies", row, row.topic, None)


def said_of(connection: Connection, tenant: int, kind: Kind) -> dict[str, Row[Any]]:
    """What was said of things of a kind, by their id."""
    issues = tables.issues
    rows = connection.execute(select(issues).where(issues.c.tenant_id == tenant, issues.c.kind == kind))
    return {row.public_id: row for row in rows}


def told(row: Row[Any] | None) -> Mapping[str, Any]:
    """The fields of a read model that say what was said; a mute that has ended is none."""
    if row is None or (row.state == _MUTED and row.muted_until is not None and row.muted_until <= now()):
        return {"state": "open", "owner": None, "reason": None, "muted_until": None}
    until = None if row.muted_until is None else moment_text(row.muted_until)
    return {"state": row.state, "owner": row.owner, "reason": row.reason, "muted_until": until}


def known_issues(connection: Connection, asked: Query) -> Page[KnownIssue]:
    """All that is muted now."""
    tenant = tenant_id(connection, asked.tenant)
    items = []
    for table in (tables.anomalies, tables.issues):
        is_on = or_(table.c.muted_until.is_(None), table.c.muted_until > now())
        rows = connection.execute(
            select(table).where(table.c.tenant_id == tenant, table.c.state == _MUTED, is_on).order_by(table.c.public_id)
        )
        for row in rows:
            if table is tables.anomalies:
                items.append(_issue("anomalies", row, row.topic, None))
            else:
                items.append(_issue(row.kind, row, row.title, row.test_nodeid))
    shown = items[asked.offset : asked.offset + asked.limit]
    return Page(items=shown, total=len(items), limit=asked.limit, offset=asked.offset)


def of_flaky(item: FlakyItem) -> KnownIssue:
    """A scenario as something to be spoken of."""
    return KnownIssue(kind="flaky", id=item.id, title=item.name, test_nodeid=item.test_nodeid, **told(None))


def of_failure(item: FailureItem) -> KnownIssue:
    """A group of failures as something to be spoken of."""
    title = " ".join(part for part in (item.topic, item.outcome, item.kind, item.path) if part)
    return KnownIssue(kind="failures", id=item.id, title=title, test_nodeid=None, **told(None))


def _issue(kind: str, row: Row[Any], title: str, nodeid: str | None) -> KnownIssue:
    return KnownIssue(kind=kind, id=row.public_id, title=title, test_nodeid=nodeid, **told(row))


def _this(table: Table, tenant: int, public_id: str) -> list[ColumnElement[bool]]:
    return [table.c.tenant_id == tenant, table.c.public_id == public_id]
