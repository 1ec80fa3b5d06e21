"""Which scenarios cannot be trusted, and what failures have in common."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, case, func, select

from choreo_bdd_chronicle.answer.asking import Asked
from choreo_bdd_chronicle.answer.models import (
    EvidenceItem,
    FailureItem,
    Page,
    ScenarioName,
    StabilityItem,
    StabilityPage,
)
from choreo_bdd_chronicle.answer.runs import conditions_of
from choreo_bdd_chronicle.answer.shared import tenant_id
from choreo_bdd_chronicle.check.moments import moment_text
from choreo_bdd_chronicle.detect import Run
from choreo_bdd_chronicle.detect.causes import Cause, Failure, FailureGroup, grouped
from choreo_bdd_chronicle.detect.flakiness import Flakiness, ScenarioHistory, Stability, Verdict, flakiness
from choreo_bdd_chronicle.store import tables

RUNS_MAX = 100
"""So many of the last runs that pass the filters are looked at."""
_AT_A_DESK = ("local",)
_PASSED = ("pass", "slow")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def list_flaky(connection: Connection, asked: Asked) -> StabilityPage:
    """Scenarios in one condition over the last 100 runs, the worst first (spec/chronicle.md 9.6)."""
    runs = _runs(connection, asked)
    found = flakiness(_histories(connection, runs))
    chosen = [each for each in found.scenarios if each.condition == asked.condition]
    return StabilityPage(
        items=[_stability(each) for each in chosen[asked.offset : asked.offset + asked.limit]],
        total=len(chosen),
        limit=asked.limit,
        offset=asked.offset,
        reason=None if chosen else _reason(found, asked.condition),
        infrastructure=[run.run_id for run in found.infrastructure],
    )


def list_failures(connection: Connection, asked: Asked) -> Page[FailureItem]:
    """Failures of the last 100 runs by their cause: those seen last come first."""
    runs = _runs(connection, asked)
    failures, scenarios = tables.failures, tables.scenarios
    rows = connection.execute(
        select(failures, scenarios.c.name, scenarios.c.test_nodeid)
        .join(scenarios, (scenarios.c.run_id == failures.c.run_id) & (scenarios.c.position == failures.c.position))
        .where(failures.c.run_id.in_(runs))
        .order_by(failures.c.run_id, failures.c.number)
    )
    groups = grouped(
        [
            Failure(runs[row.run_id], row.name, row.test_nodeid, Cause(row.topic, row.outcome, row.kind, row.path))
            for row in rows
        ]
    )
    items = [_failure(each) for each in groups[asked.offset : asked.offset + asked.limit]]
    return Page(items=items, total=len(groups), limit=asked.limit, offset=asked.offset)


def _runs(connection: Connection, asked: Asked) -> dict[int, Run]:
    runs = tables.runs.c
    wanted = select(runs.id, runs.public_id, runs.started_at, runs.git_sha, runs.branch, runs.environment)
    rows = connection.execute(
        wanted.where(*conditions_of(tenant_id(connection, asked.tenant), asked))
        .order_by(runs.started_at.desc(), runs.id.desc())
        .limit(RUNS_MAX)
    ).all()
    return {
        row.id: Run(row.public_id, _moment(row.started_at), row.git_sha, row.branch, row.environment)
        for row in reversed(rows)
    }


def _histories(connection: Connection, runs: dict[int, Run]) -> list[ScenarioHistory]:
    """The verdicts on each scenario, the oldest run first; one that a run has several times was tried again."""
    scenarios = tables.scenarios.c
    counted = select(
        scenarios.test_nodeid, scenarios.name, scenarios.run_id,
        func.sum(case((scenarios.outcome.in_(_PASSED), 1), else_=0)).label("passed"), func.count().label("seen"),
    )  # fmt: skip
    rows = connection.execute(
        counted.where(scenarios.run_id.in_(runs)).group_by(scenarios.test_nodeid, scenarios.name, scenarios.run_id)
    )
    verdicts = defaultdict[tuple[str, str], dict[int, Verdict]](dict)
    for row in rows:
        run = runs[row.run_id]
        passed = int(row.passed)
        verdicts[row.test_nodeid, row.name][row.run_id] = Verdict(
            run, passed, row.seen - passed, is_telling=run.environment not in _AT_A_DESK
        )
    return [
        ScenarioHistory(name, nodeid, tuple(found[run] for run in runs if run in found))
        for (nodeid, name), found in verdicts.items()
    ]


def _reason(found: Flakiness, condition: str) -> str:
    if condition == "flaky" and found.why_empty is not None:
        return found.why_empty
    return f"No scenario is {condition}."


def _stability(found: Stability) -> StabilityItem:
    return StabilityItem(
        name=found.name,
        test_nodeid=found.test_nodeid,
        condition=found.condition,
        rate=found.rate,
        transitions=found.transitions,
        runs=found.runs,
        evidence=[
            EvidenceItem(commit=each.commit, passed_in=list(each.passed_in), failed_in=list(each.failed_in))
            for each in found.evidence
        ],
        since_run_id=found.since.run_id if found.since else None,
    )


def _failure(group: FailureGroup) -> FailureItem:
    return FailureItem(
        topic=group.cause.topic,
        outcome=group.cause.outcome,
        kind=group.cause.kind,
        path=group.cause.path,
        count=group.count,
        runs=group.runs,
        scenarios=[ScenarioName(name=name, test_nodeid=nodeid) for nodeid, name in group.scenarios],
        first_seen_at=_text(group.first),
        first_run_id=group.first.run_id,
        last_seen_at=_text(group.last),
        last_run_id=group.last.run_id,
    )


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _text(run: Run) -> str:
    return moment_text((run.started_at - _EPOCH) // timedelta(microseconds=1))
