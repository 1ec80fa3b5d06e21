"""Which scenarios can be trusted, and what failures have in common (spec/chronicle.md 9.6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Row, select

from choreo_bdd_chronicle.answer.models import (
    EvidenceItem,
    FailureItem,
    FailureScenario,
    FlakyItem,
    FlakyPage,
    KnownIssue,
    Page,
)
from choreo_bdd_chronicle.answer.query import Query
from choreo_bdd_chronicle.answer.views import lifecycle
from choreo_bdd_chronicle.answer.views.lifecycle import Kind
from choreo_bdd_chronicle.answer.views.runs import conditions_of
from choreo_bdd_chronicle.answer.views.shared import tenant_id
from choreo_bdd_chronicle.check.moments import instant, microseconds_of, moment_text
from choreo_bdd_chronicle.detect.causes import Cause, Failure, FailureGroup, grouped
from choreo_bdd_chronicle.detect.flakiness import ScenarioHistory, Stability, Verdict, flakiness
from choreo_bdd_chronicle.detect.records import Run
from choreo_bdd_chronicle.store import tables

RUNS = 100
"""So many last runs that the filters let through say how reliable a scenario is."""
_AT_A_DESK = ("local",)


def list_flaky(connection: Connection, asked: Query) -> FlakyPage:
    """The scenarios in one condition, the worst first; without any, a reason."""
    runs = _runs(connection, asked)
    found = flakiness(_histories(connection, runs))
    condition = asked.condition or "flaky"
    chosen = [one for one in found.scenarios if one.condition == condition]
    said = lifecycle.said_of(connection, tenant_id(connection, asked.tenant), "flaky")
    shown = chosen[asked.offset : asked.offset + asked.limit]
    return FlakyPage(
        items=[_flaky(one, said) for one in shown],
        total=len(chosen),
        limit=asked.limit,
        offset=asked.offset,
        reason=None if chosen else _reason(condition, found.why_empty),
        infrastructure_run_ids=[run.run_id for run in found.infrastructure],
    )


def list_failures(connection: Connection, asked: Query) -> Page[FailureItem]:
    """The failures of the last runs by their cause, the latest seen first."""
    groups = grouped(_failures(connection, _runs(connection, asked)))
    said = lifecycle.said_of(connection, tenant_id(connection, asked.tenant), "failures")
    shown = groups[asked.offset : asked.offset + asked.limit]
    return Page(items=[_failure(one, said) for one in shown], total=len(groups), limit=asked.limit, offset=asked.offset)


def spoken_of(connection: Connection, asked: Query, kind: Kind) -> dict[str, KnownIssue]:
    """The scenarios, or the groups of failures, of the last runs by their id."""
    runs = _runs(connection, asked)
    if kind == "flaky":
        scenarios = [_flaky(one, {}) for one in flakiness(_histories(connection, runs)).scenarios]
        return {one.id: lifecycle.of_flaky(one) for one in scenarios}
    groups = [_failure(one, {}) for one in grouped(_failures(connection, runs))]
    return {one.id: lifecycle.of_failure(one) for one in groups}


def _runs(connection: Connection, asked: Query) -> dict[int, Run]:
    """The last runs by their number in the tables, the oldest first."""
    runs = tables.runs
    wanted = select(runs).where(*conditions_of(tenant_id(connection, asked.tenant), asked))
    rows = connection.execute(wanted.order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(RUNS)).all()
    return {row.id: _run(row) for row in reversed(rows)}


def _run(row: Row[Any]) -> Run:
    began = instant(row.started_at)
    return Run(row.public_id, began, row.git_sha, row.branch, row.environment)


def _histories(connection: Connection, runs: Mapping[int, Run]) -> list[ScenarioHistory]:
    """By test and name; equally named scenarios of one test are told apart by their order."""
    columns = tables.scenarios.c
    rows = connection.execute(
        select(columns.run_id, columns.test_nodeid, columns.name, columns.failed)
        .where(columns.run_id.in_(runs))
        .order_by(columns.run_id, columns.position)
    ).all()
    seen: defaultdict[tuple[int, str, str], int] = defaultdict(int)
    verdicts: defaultdict[tuple[str, str, int], dict[int, Verdict]] = defaultdict(dict)
    for row in rows:
        turn = seen[row.run_id, row.test_nodeid, row.name]
        seen[row.run_id, row.test_nodeid, row.name] += 1
        failed = int(row.failed)
        verdicts[row.test_nodeid, row.name, turn][row.run_id] = Verdict(
            runs[row.run_id], 1 - failed, failed, is_telling=runs[row.run_id].environment not in _AT_A_DESK
        )
    return [
        ScenarioHistory(name, nodeid, tuple(by_run[number] for number in runs if number in by_run))
        for (nodeid, name, _), by_run in verdicts.items()
    ]


def _failures(connection: Connection, runs: Mapping[int, Run]) -> Iterator[Failure]:
    failures, scenarios = tables.failures, tables.scenarios
    is_its_own = (scenarios.c.run_id == failures.c.run_id) & (scenarios.c.position == failures.c.position)
    rows = connection.execute(
        select(failures, scenarios.c.name, scenarios.c.test_nodeid)
        .join(scenarios, is_its_own)
        .where(failures.c.run_id.in_(runs))
        .order_by(failures.c.run_id, failures.c.number)
    )
    for row in rows:
        cause = Cause(row.topic, row.outcome, row.kind, row.path)
        yield Failure(runs[row.run_id], row.name, row.test_nodeid, cause)


def _reason(condition: str, why_none_is_flaky: str | None) -> str | None:
    return why_none_is_flaky if condition == "flaky" else f"No scenario is {condition}."


def _flaky(one: Stability, said: Mapping[str, Row[Any]]) -> FlakyItem:
    identity = lifecycle.issue_id(one.test_nodeid, one.name)
    return FlakyItem(
        id=identity,
        **lifecycle.told(said.get(identity)),
        name=one.name,
        test_nodeid=one.test_nodeid,
        condition=one.condition,
        rate=round(one.rate, 4),
        transitions=one.transitions,
        run_count=one.runs,
        evidence=[
            EvidenceItem(commit=each.commit, passed_in=list(each.passed_in), failed_in=list(each.failed_in))
            for each in one.evidence
        ],
        since_run_id=one.since.run_id if one.since else None,
    )


def _failure(one: FailureGroup, said: Mapping[str, Row[Any]]) -> FailureItem:
    cause = one.cause
    identity = lifecycle.issue_id(cause.topic, cause.outcome, cause.kind, cause.path)
    return FailureItem(
        id=identity,
        **lifecycle.told(said.get(identity)),
        topic=one.cause.topic,
        outcome=one.cause.outcome,
        kind=one.cause.kind,
        path=one.cause.path,
        count=one.count,
        run_count=one.runs,
        scenarios=[FailureScenario(test_nodeid=nodeid, name=name) for nodeid, name in one.scenarios],
        first_seen_at=_moment(one.first),
        first_run_id=one.first.run_id,
        last_seen_at=_moment(one.last),
        last_run_id=one.last.run_id,
    )


def _moment(run: Run) -> str:
    return moment_text(microseconds_of(run.started_at))
