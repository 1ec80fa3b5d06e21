"""The machine's clock is set back: nothing that was acknowledged is lost, and the order is that of the runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

import pytest

from choreo_bdd_chronicle.check import moments
from choreo_bdd_chronicle.store import events, open_store
from choreo_bdd_chronicle.store.removing import Expiry, expired
from tests.chronicle.conftest import Chronicle
from tests.chronicle.reports import BEGUN, report


class Clock:
    """The clock that the server reads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = BEGUN + timedelta(minutes=1)
        clock = self

        class Set(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Set:
                return cls.fromtimestamp(clock.at.timestamp(), tz)

        monkeypatch.setattr(moments, "datetime", Set)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_runs_kept_before_and_after_it_was_set_back_are_all_there(chronicle: Chronicle, clock: Clock) -> None:
    first = chronicle.keep(report(), Idempotency_Key="one")
    clock.at -= timedelta(days=400)
    second = chronicle.keep(report(begun=BEGUN + timedelta(hours=1)), Idempotency_Key="two")
    assert chronicle.keep(report(), Idempotency_Key="one") == first
    assert [run["id"] for run in chronicle.get("/runs", tenant="alpha")["items"]] == [second, first]
    (topic,) = chronicle.get("/topics", tenant="alpha")["items"]
    assert (topic["sample_count"], topic["latest_run_at"]) == (2, "2026-10-01T13:00:00.000000Z")
    for resolution in ("raw", "hourly", "daily"):
        span = {"from": "2026-10-01T00:00:00Z", "to": "2026-10-02T00:00:00Z", "resolution": resolution}
        buckets = chronicle.get("/topics/orders.placed/latency", tenant="alpha", **span)["buckets"]
        assert sum(bucket["sample_count"] for bucket in buckets) == 2
    clock.at += timedelta(days=400)
    assert chronicle.get("/runs", tenant="alpha")["total"] == 2


def test_a_run_of_a_future_that_is_none_any_more_is_taken_without_a_word(chronicle: Chronicle, clock: Clock) -> None:
    clock.at -= timedelta(days=400)
    answer = chronicle.post(report())
    assert (answer.status_code, answer.json()["warning"]) == (201, None)


def test_events_keep_their_order(chronicle: Chronicle, clock: Clock) -> None:
    sent = []
    for days in (0, -400, 3):
        clock.at += timedelta(days=days)
        sent.append(chronicle.keep(report()))
    store = open_store(chronicle.settings.database)
    with store.reading() as connection:
        told = [each for each in events.since(connection, 0) if each.kind == "run.completed"]
    store.close()
    assert [run in each.data for run, each in zip(sent, told, strict=True)] == [True] * 3


def test_retention_removes_nothing_that_is_young_by_the_clock_as_it_is(chronicle: Chronicle, clock: Clock) -> None:
    chronicle.keep(report())
    store = open_store(chronicle.settings.database)
    for days, count in ((-400, 0), (400, 0), (10, 1)):
        clock.at += timedelta(days=days)
        with store.reading() as connection:
            assert len(expired(connection, Expiry(7, None, []))) == count
    store.close()


def test_the_clock_of_these_tests_is_the_servers(chronicle: Chronicle, clock: Clock) -> None:
    clock.at = datetime(2030, 1, 1, tzinfo=UTC)
    assert "d " in str(chronicle.post(report()).json()["warning"])
    assert chronicle.get("/tenants")["items"][0]["created_at"] == "2030-01-01T00:00:00.000000Z"
