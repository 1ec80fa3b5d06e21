"""``/metrics``: what is kept, what is found, and how long ingests take, as Prometheus reads it (exposition 0.0.4)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from sqlalchemy import Connection, func, or_, select

from choreo_bdd_chronicle.check.moments import now
from choreo_bdd_chronicle.store import tables
from choreo_bdd_chronicle.tokens import Caller

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""The upper ends of the buckets of ingest times, in seconds; beyond the last is one more."""


class IngestTimes:
    """How long this process took for the reports that it kept, by tenant. Used by one thread."""

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}

    def add(self, tenant: str, seconds: float) -> None:
        """A report of a tenant was kept, in so many seconds from its first byte on."""
        self._counts.setdefault(tenant, [0] * (len(BOUNDS_S) + 1))[bisect_left(BOUNDS_S, seconds)] += 1
        self._seconds[tenant] = self._seconds.get(tenant, 0.0) + seconds

    def lines(self, caller: Caller) -> Iterator[str]:
        """The histogram of the tenants that are the caller's business."""
        yield from _head("chronicle_ingest_seconds", "histogram", "How long this process took to keep a report.")
        for tenant, counts in sorted(self._counts.items()):
            if not caller.sees(tenant):
                continue
            for bound, count in zip((*BOUNDS_S, "+Inf"), accumulate(counts), strict=True):
                yield f'chronicle_ingest_seconds_bucket{{tenant="{tenant}",le="{bound}"}} {count}'
            yield f'chronicle_ingest_seconds_sum{{tenant="{tenant}"}} {self._seconds[tenant]:.6f}'
            yield f'chronicle_ingest_seconds_count{{tenant="{tenant}"}} {sum(counts)}'


def exposition(connection: Connection, caller: Caller, times: Iterable[str]) -> str:
    """All of it as text; a tenant's name needs no escaping, as it is 2 to 64 of a-z, 0-9 and hyphens."""
    tenants = tables.tenants.c
    names = {row.id: row.slug for row in connection.execute(select(tenants.id, tenants.slug).order_by(tenants.slug))}
    seen = {number: slug for number, slug in names.items() if caller.sees(slug)}
    runs, found = tables.runs.c, tables.anomalies.c
    kept = select(runs.tenant_id, func.count()).group_by(runs.tenant_id)
    each = select(found.tenant_id, func.count()).group_by(found.tenant_id)
    is_muted = (found.state == "muted") & or_(found.muted_until.is_(None), found.muted_until > now())
    is_open = ~is_muted & (found.state != "resolved")
    counts = (
        ("chronicle_runs", "Runs that are kept.", kept),
        ("chronicle_anomalies_open", "Anomalies that are neither over nor muted.", each.where(is_open)),
        ("chronicle_anomalies_muted_as_wrong", "Anomalies that people muted: false alarms.", each.where(is_muted)),
    )
    lines: list[str] = []
    for name, meaning, query in counts:
        lines += _gauge(name, meaning, seen, {row[0]: row[1] for row in connection.execute(query)})
    return "\n".join([*lines, *times, ""])


def _gauge(name: str, meaning: str, tenants: Mapping[int, str], counts: Mapping[int, int]) -> Iterator[str]:
    yield from _head(name, "gauge", meaning)
    for number, slug in tenants.items():
        yield f'{name}{{tenant="{slug}"}} {counts.get(number, 0)}'


def _head(name: str, kind: str, meaning: str) -> tuple[str, str]:
    return f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"
