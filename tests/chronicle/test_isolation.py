"""No endpoint tells one tenant of another, or lets it change anything there: each that the API describes is tried."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import insert
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route

from choreo_bdd_chronicle.settings import Settings
from choreo_bdd_chronicle.store import open_store, tables
from tests.chronicle.conftest import BASE, Chronicle, started
from tests.chronicle.reports import body, handle, one_test, report, scenario, timed_out
from tests.chronicle.test_access import bearer, token

OWNER, OTHER = "alpha-hidden", "beta"
SECRET = "hidden"
"""Stands in every name that the owner's data has; its ids are looked for beside it."""
PUBLIC = {"/health", "/openapi.json"}
STREAM = f"{BASE}/stream"
STATIC = {"/assets/{version}/{path}", "/{path}", f"{BASE}/docs", f"{BASE}/openapi.json"}
"""Places that are the same for everybody, whatever is kept."""
SAID = {"state": "muted", "owner": "ann", "reason": "no reason"}


@dataclass(frozen=True, slots=True)
class Owned:
    """A tenant's data: a value for every place and parameter that its endpoints name, and a token for each right."""

    chronicle: Chronicle
    values: Mapping[str, str]
    issues: Mapping[str, str]
    tokens: Mapping[str, Mapping[str, str]]

    def ask(self, method: str, path: str, tenant: str, value: str) -> Response:
        """Use an endpoint on the owner's data, as a tenant says that it is, with a token."""
        kind = path.removeprefix(f"{BASE}/").partition("/")[0]
        values = {**self.values, "issue_id": self.issues.get(kind, ""), "tenant": tenant}
        place = re.sub(r"{(\w+)}", lambda found: values[found[1]], path)
        operation = described(self.chronicle)[path][method]
        query = {each["name"]: values[each["name"]] for each in operation["parameters"]
                 if each["in"] == "query" and each["name"] in values}  # fmt: skip
        sent: dict[str, Any] = {}
        if path == f"{BASE}/runs" and method == "post":
            sent = {"content": body(report())}
        elif "requestBody" in operation:
            sent = {"json": SAID}
        headers = {**bearer(value), "X-Chronicle-Tenant": tenant}
        return self.chronicle.http.request(method.upper(), place, params=query, headers=headers, **sent)

    def state(self) -> list[Any]:
        """What the owner sees of its own data."""
        admin = bearer(self.tokens[OWNER]["admin"])
        asked = ("/runs", "/topics", "/anomalies", "/flaky", "/failures", "/known-issues")
        found = [self.chronicle.http.get(f"{BASE}{path}?tenant={OWNER}", headers=admin) for path in asked]
        assert {each.status_code for each in found} == {200}
        return [each.json() for each in found]


def described(chronicle: Chronicle) -> dict[str, dict[str, Any]]:
    """Each path that the API describes, with its methods."""
    found: dict[str, dict[str, Any]] = chronicle.http.get(f"{BASE}/openapi.json").json()["paths"]
    return found


def operations(chronicle: Chronicle) -> Iterator[tuple[str, str]]:
    """Each method and path; what removes a run comes last."""
    every = [(method, path) for path, methods in described(chronicle).items() for method in methods]
    return iter(sorted(every, key=lambda each: (each == ("delete", f"{BASE}/runs/{{run_id}}"), each[1], each[0])))


def served(routes: Iterable[BaseRoute], below: str = "") -> Iterator[tuple[str, str]]:
    """Each method and path that the application answers."""
    for route in routes:
        if isinstance(route, Mount):
            yield from served(route.routes, below + route.path)
        else:
            assert isinstance(route, Route), "a kind of route that this test does not know"
            path = below + route.path.replace(":path}", "}")
            yield from ((method.lower(), path) for method in (route.methods or ()) if method != "HEAD")


def a_report(number: int) -> bytes:
    """A report of which every name is the owner's; one scenario now passes, now fails at one commit."""
    outcome = "fail" if number % 2 else "pass"
    handles = [timed_out(f"{SECRET}.topic")] if number % 2 else [handle(f"{SECRET}.topic", budget_ms=5.0)]
    first = one_test([scenario(handles, f"{SECRET} flickers", outcome=outcome)], f"{SECRET}.feature::flickers")
    rest = one_test([scenario([handle(f"{SECRET}.other")], f"{SECRET} passes")], f"{SECRET}.feature::passes")
    run: dict[str, Any] = {
        "git_branch": f"{SECRET}-branch",
        "git_sha": f"{SECRET}0123",
        "project_name": f"{SECRET}-project",
    }
    return body(report(tests=[first, rest], environment=f"{SECRET}-ci", **run))


@pytest.fixture
def owned(database: str) -> Iterator[Owned]:
    with started(Settings(database=database, needs_token=True)) as chronicle:
        tokens = {tenant: {scope: token(database, scope, tenant) for scope in ("write", "read", "admin")}
                  for tenant in (OWNER, OTHER)}  # fmt: skip
        write, admin = bearer(tokens[OWNER]["write"]), bearer(tokens[OWNER]["admin"])
        runs = [chronicle.keep(a_report(number), OWNER, **write) for number in range(4)]
        chronicle.keep(report(), OTHER, **bearer(tokens[OTHER]["write"]))
        keep_anomaly(database)
        listed = {kind: chronicle.http.get(f"{BASE}/{kind}?tenant={OWNER}", headers=admin).json()["items"]
                  for kind in ("flaky", "failures")}  # fmt: skip
        values = {"run_id": runs[0], "run": runs[0], "base_run": runs[1], "topic": f"{SECRET}.topic"}
        issues = {"anomalies": "anomaly-1", **{kind: items[0]["id"] for kind, items in listed.items()}}
        yield Owned(chronicle, values, issues, tokens)


def keep_anomaly(database: str) -> None:
    row = {
        "public_id": "anomaly-1", "tenant_id": 1, "run_id": 1, "detected_at": 1, "topic": f"{SECRET}.topic",
        "transport": "", "environment": "", "branch": "", "detection_method": "budget", "metric": "mean_ms",
        "current_value": 2.0, "baseline_value": 1.0, "baseline_stddev": 0.1, "change_pct": 100.0,
        "severity": "warning", "state": "open", "closed_by_hand": False,
    }  # fmt: skip
    store = open_store(database)
    store.change(lambda connection, _: connection.execute(insert(tables.anomalies).values(row)) and None).result()
    store.close()


def test_no_route_is_left_out_of_these_tests(shared: Chronicle) -> None:
    app: Any = shared.http.app
    while not isinstance(app, Starlette):
        app = app._app  # those around it answer nothing by themselves
    assert {each for each in served(app.routes) if each[1] not in STATIC} == {
        each for each in operations(shared) if each[1] not in STATIC
    }


@pytest.mark.thorough
def test_nothing_of_a_tenant_is_told_or_changed_with_anothers_token(owned: Owned) -> None:
    before, secrets = owned.state(), {SECRET, *owned.values.values(), *owned.issues.values()}
    for method, path in operations(owned.chronicle):
        for scope, value in owned.tokens[OTHER].items():
            for tenant in (OWNER, OTHER):
                if (path, tenant) == (STREAM, OTHER):
                    continue  # its own stream, which has no end; what it tells stands in test_stream.py
                what = f"{method} {path} as {tenant} with {scope}"
                answer = owned.ask(method, path, tenant, value)
                assert answer.status_code < 500, what
                asks_for_it = tenant == OWNER and "tenant" in answer.request.url.params
                if asks_for_it or "{run_id}" in path or "{issue_id}" in path:
                    assert answer.status_code in (403, 404), what
                told = answer.text + str(answer.headers)
                for each in owned.values.values():
                    told = told.replace(each, "") if answer.status_code >= 400 else told  # as it was asked itself
                if tenant == OTHER and path.startswith((f"{BASE}/topics/", f"{BASE}/anomalies/topics/")):
                    told = told.replace(owned.values["topic"], "")  # the name that was asked for, of which it has none
                assert not [each for each in secrets if each in told], what
    assert owned.state() == before


@pytest.mark.thorough
def test_a_tenants_own_token_opens_each_of_them(owned: Owned) -> None:
    tried = 0
    for method, path in operations(owned.chronicle):
        if path != STREAM:
            answer = owned.ask(method, path, OWNER, owned.tokens[OWNER]["admin"])
            assert answer.status_code in (200, 201, 204), f"{method} {path}: {answer.text}"
            tried += 1
    assert tried > 20


def test_without_a_token_none_is_answered(owned: Owned) -> None:
    before = owned.state()
    for method, path in operations(owned.chronicle):
        answer = owned.ask(method, path, OWNER, "")
        assert (answer.status_code == 200) == (path.removeprefix(BASE) in PUBLIC), f"{method} {path}"
        assert answer.status_code in (200, 401)
    assert owned.state() == before


def test_a_key_is_a_tenants_own(owned: Owned) -> None:
    sent = [
        owned.chronicle.post(report(), tenant, Idempotency_Key="one", **bearer(owned.tokens[tenant]["write"])).json()
        for tenant in (OWNER, OTHER)
    ]
    assert [each["duplicate"] for each in sent] == [False, False]
    assert sent[0]["run_id"] != sent[1]["run_id"]
