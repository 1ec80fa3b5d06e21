"""How budgets are kept over a period."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from choreo_bdd_chronicle.answer.query import Query
from choreo_bdd_chronicle.answer.views.budgets import list_budgets
from choreo_bdd_chronicle.store import open_store, tables
from tests.chronicle.conftest import Chronicle
from tests.chronicle.reports import handle, late, report, timed_out

OCTOBER = {"from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z"}


def kept(count: int, topic: str = "a", latency: float = 150.0) -> list[Any]:
    return [handle(topic, latency, budget_ms=200.0) for _ in range(count)]


def on(day: int, *handles: Any, **run: Any) -> Any:
    return report(handles, begun=datetime(2026, 10, day, 12, tzinfo=UTC), **run)


def budgets(chronicle: Chronicle, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = chronicle.get("/budgets", tenant="alpha", **(OCTOBER | query))["items"]
    return found


def test_compliance_headroom_and_burn_are_told_by_topic(chronicle: Chronicle) -> None:
    chronicle.keep(on(2, *kept(98), late("a", 300.0, 200.0)))
    chronicle.keep(on(9, timed_out("a", budget_ms=200.0), *kept(100, "b"), handle("none")))
    first, second = budgets(chronicle)
    assert (first["topic"], second["topic"]) == ("a", "b")
    assert (first["budgeted_count"], first["budget_violation_count"]) == (100, 2)
    assert (first["compliance_pct"], first["headroom_pct"], first["burned_pct"]) == (98.0, -50.0, 200.0)
    assert first["runs_out_at"] == "2026-10-02T12:00:00.000000Z"  # one of 100 may miss it, and that was the first
    assert (second["compliance_pct"], second["headroom_pct"]) == (100.0, 25.0)
    assert (second["burned_pct"], second["runs_out_at"]) == (0.0, None)
    assert (first["start"], first["end"]) == ("2026-10-01T00:00:00.000000Z", "2026-11-01T00:00:00.000000Z")


def test_a_laxer_target_allows_more(chronicle: Chronicle) -> None:
    chronicle.keep(on(2, *kept(98), late("a"), late("a")))
    assert [each["burned_pct"] for each in budgets(chronicle, target=95)] == [40.0]
    assert [each["burned_pct"] for each in budgets(chronicle, target="99.5")] == [400.0]


def test_one_miss_of_very_many_is_not_none(chronicle: Chronicle) -> None:
    chronicle.keep(on(2, *kept(1), late("a")))
    store, rows = open_store(chronicle.settings.database), tables.run_topics
    store.change(lambda connection, _: connection.execute(update(rows).values(budgeted=300_000))).result()
    store.close()
    (found,) = budgets(chronicle, target="99.9997")
    assert found["compliance_pct"] == pytest.approx(100 - 100 / 300_000, abs=1e-8)
    assert (found["compliance_pct"] < found["target_pct"], found["burned_pct"] > 100) == (True, True)


def test_only_what_passes_the_filters_is_counted(chronicle: Chronicle) -> None:
    chronicle.keep(on(2, *kept(1)))
    chronicle.keep(on(3, late("a"), environment="staging", git_branch="other"))
    chronicle.keep(on(4, *kept(1, "b")))
    chronicle.keep(on(5, *kept(3)), "beta")
    chronicle.keep(report(kept(9), begun=datetime(2026, 9, 30, 23, 59, tzinfo=UTC)))
    counts = [(each["topic"], each["budgeted_count"]) for each in budgets(chronicle)]
    assert counts == [("a", 2), ("b", 1)]
    assert [each["budgeted_count"] for each in budgets(chronicle, topic="a", branch="main")] == [1]
    assert [each["budget_violation_count"] for each in budgets(chronicle, environment="staging")] == [1]
    assert budgets(chronicle, transport="kafka") == []
    page = chronicle.get("/budgets", tenant="alpha", limit=1, offset=1, **OCTOBER)
    assert ([each["topic"] for each in page["items"]], page["total"]) == (["b"], 2)


def test_without_a_period_it_is_this_month_and_tells_when_the_allowed_misses_run_out(chronicle: Chronicle) -> None:
    chronicle.keep(on(3, *kept(999), late("a")))
    store = open_store(chronicle.settings.database)
    with store.reading() as connection:
        (item,) = list_budgets(connection, Query(tenant="alpha"), datetime(2026, 10, 4, tzinfo=UTC)).items
        (later,) = list_budgets(
            connection, Query(tenant="alpha", target=99.95), datetime(2026, 10, 4, tzinfo=UTC)
        ).items
        assert list_budgets(connection, Query(tenant="alpha"), datetime(2026, 12, 31, tzinfo=UTC)).items == []
    store.close()
    assert (item.start[:10], item.end[:10], item.runs_out_at) == ("2026-10-01", "2026-11-01", None)
    assert item.burned_pct == pytest.approx(100 / 103.333, abs=0.01)  # of the 10,333 messages of a month 103 may miss
    assert later.runs_out_at is not None
    runs_out = datetime.fromisoformat(later.runs_out_at)
    assert timedelta(days=15) < runs_out - datetime(2026, 10, 1, tzinfo=UTC) < timedelta(days=16)


@pytest.mark.parametrize("target", ["100", "-1", "nan", "1e1", "99,5", "9" * 400])
def test_a_target_that_allows_nothing_or_is_no_number_is_refused(chronicle: Chronicle, target: str) -> None:
    chronicle.keep(report())
    answer = chronicle.ask("/budgets", tenant="alpha", target=target)
    assert (answer.status_code, answer.json()["faults"][0]["pointer"]) == (422, "/query/target")


def test_a_period_that_ends_before_it_begins_is_refused(chronicle: Chronicle) -> None:
    chronicle.keep(report())
    answer = chronicle.ask("/budgets", tenant="alpha", to="2020-01-01T00:00:00Z")
    assert (answer.status_code, "from: must be before to" in answer.json()["detail"]) == (422, True)
