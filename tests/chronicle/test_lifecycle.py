"""What people say of anomalies, flaky scenarios and groups of failures, and runs that are pinned."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert

from choreo_bdd_chronicle.store import open_store, tables
from choreo_bdd_chronicle.store.removing import Expiry, expired
from tests.chronicle.conftest import BASE, Chronicle
from tests.chronicle.reports import report
from tests.chronicle.test_reliability import failed, keep, one

MUTED = {"state": "muted", "owner": "ann", "reason": "flickers", "until": "2099-01-01T00:00:00Z"}


def say(chronicle: Chronicle, kind: str, name: str, said: Any, tenant: str = "alpha") -> int:
    return chronicle.http.put(f"{BASE}/{kind}/{name}/state?tenant={tenant}", json=said).status_code


def some(chronicle: Chronicle, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = chronicle.get(f"/{kind}", tenant="alpha")["items"][0]
    return found


@pytest.fixture
def spoken(chronicle: Chronicle) -> Chronicle:
    for number, outcome in enumerate(["pass", "fail", "pass", "pass"]):
        handles = [failed("x")] if outcome == "fail" else []
        keep(chronicle, number, [one(outcome, "flaky one", *handles), one("pass", "other")], commit="same")
    store = open_store(chronicle.settings.database)
    row = {
        "public_id": "anomaly-1", "tenant_id": 1, "run_id": 1, "detected_at": 1, "topic": "t", "transport": "",
        "environment": "", "branch": "", "detection_method": "budget", "metric": "mean_ms", "current_value": 2.0,
        "baseline_value": 1.0, "baseline_stddev": 0.1, "change_pct": 100.0, "severity": "warning", "state": "open",
        "closed_by_hand": False,
    }  # fmt: skip
    store.change(lambda connection, _: connection.execute(insert(tables.anomalies).values(row)) and None).result()
    store.close()
    return chronicle


@pytest.mark.parametrize("kind", ["anomalies", "flaky", "failures"])
def test_each_is_confirmed_muted_resolved(spoken: Chronicle, kind: str) -> None:
    name = some(spoken, kind)["id"]
    assert some(spoken, kind)["state"] == "open"
    assert say(spoken, kind, name, {"state": "confirmed", "owner": "bob"}) == 204
    assert (some(spoken, kind)["state"], some(spoken, kind)["owner"]) == ("confirmed", "bob")
    assert spoken.get("/known-issues", tenant="alpha")["items"] == []
    assert say(spoken, kind, name, MUTED) == 204
    (known,) = spoken.get("/known-issues", tenant="alpha")["items"]
    assert (known["kind"], known["id"], known["owner"], known["reason"]) == (kind, name, "ann", "flickers")
    assert known["muted_until"].startswith("2099-01-01")
    assert say(spoken, kind, name, {"state": "resolved"}) == 204
    assert (some(spoken, kind)["state"], spoken.get("/known-issues", tenant="alpha")["total"]) == ("resolved", 0)


def test_a_mute_ends_by_itself(spoken: Chronicle) -> None:
    name = some(spoken, "flaky")["id"]
    assert say(spoken, "flaky", name, {**MUTED, "until": "2020-01-01T00:00:00Z"}) == 204
    assert (some(spoken, "flaky")["state"], spoken.get("/known-issues", tenant="alpha")["total"]) == ("open", 0)


@pytest.mark.parametrize(
    "said", [{}, [], {"state": "odd"}, {"state": "muted"}, {**MUTED, "until": "soon"}, {"state": "open", "more": 1}]
)
def test_what_makes_no_sense_is_refused(spoken: Chronicle, said: Any) -> None:
    assert say(spoken, "flaky", some(spoken, "flaky")["id"], said) == 422


def test_nothing_is_said_of_what_is_not_there_or_another_tenants(spoken: Chronicle) -> None:
    spoken.keep(report(), tenant="beta")
    for kind in ("anomalies", "flaky", "failures"):
        assert say(spoken, kind, "nothing", MUTED) == 404
        assert say(spoken, kind, some(spoken, kind)["id"], MUTED, tenant="beta") == 404


def test_a_pinned_run_outlives_retention(chronicle: Chronicle) -> None:
    run = chronicle.keep(report())

    def old() -> int:
        store = open_store(chronicle.settings.database)
        with store.reading() as connection:
            found = len(expired(connection, Expiry(1, None, [])))
        store.close()
        return found

    assert old() == 1
    assert chronicle.http.put(f"{BASE}/runs/{run}/pin").status_code == 204
    assert (old(), chronicle.get(f"/runs/{run}")["pinned"]) == (0, True)
    assert chronicle.http.delete(f"{BASE}/runs/{run}/pin").status_code == 204
    assert old() == 1
