"""Who may write and read: anyone on loopback, else whoever has a token, each within its tenant."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from choreo_bdd_chronicle.commands import commands
from choreo_bdd_chronicle.settings import Settings, read_settings
from choreo_bdd_chronicle.store import open_store, tables
from tests.chronicle.conftest import BASE, Chronicle, started
from tests.chronicle.reports import body, report
from tests.support.command_line import CliRunner

READS = [
    "/runs", "/topics", "/topics/orders.placed/latency", "/topics/orders.placed/runs", "/anomalies",
    "/anomalies/topics/orders.placed",
]  # fmt: skip


@pytest.fixture
def guarded(database: str) -> Iterator[Chronicle]:
    with started(Settings(database=database, needs_token=True)) as found:
        yield found


def token(database: str, scope: str, tenant: str | None = None, *, name: str | None = None) -> str:
    options = ["--database", database, "--scope", scope, *(["--tenant", tenant] if tenant else [])]
    made = CliRunner().invoke(commands, ["chronicle", "tokens", "create", name or uuid4().hex, *options])
    assert made.exit_code == 0, made.output
    return made.output.strip()


def bearer(value: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {value}"}


def send(chronicle: Chronicle, value: str, tenant: str = "alpha") -> Any:
    return chronicle.http.post(
        f"{BASE}/runs", content=body(report()), headers={"X-Chronicle-Tenant": tenant, **bearer(value)}
    )


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer chr_wrong", "Basic !", "Basic " + "A" * 9, "Digest x"]
)
def test_without_a_known_token_nothing_is_answered(guarded: Chronicle, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    for path in [*READS, "/tenants", "/runs/00000000-0000-0000-0000-000000000001/raw"]:
        answer = guarded.http.get(f"{BASE}{path}?tenant=alpha", headers=headers)
        assert answer.status_code == 401, path
        assert "Bearer" in answer.headers["WWW-Authenticate"]
    assert guarded.http.post(f"{BASE}/runs", content=body(report()), headers=headers).status_code == 401
    assert guarded.http.get(f"{BASE}/health").status_code == 200


def test_each_right_is_good_for_its_own(guarded: Chronicle, database: str) -> None:
    write, read, admin = (token(database, scope) for scope in ("write", "read", "admin"))
    assert [send(guarded, each).status_code for each in (read, write, admin)] == [403, 201, 201]
    codes = [guarded.http.get(f"{BASE}/runs?tenant=alpha", headers=bearer(each)).status_code for each in
             (write, read, admin)]  # fmt: skip
    assert codes == [403, 200, 200]


def test_a_browser_may_give_the_token_as_password(guarded: Chronicle, database: str) -> None:
    send(guarded, token(database, "write"))
    given = base64.b64encode(f"me:{token(database, 'read')}".encode()).decode()
    answer = guarded.http.get(f"{BASE}/runs?tenant=alpha", headers={"Authorization": f"Basic {given}"})
    assert answer.status_code == 200


def test_a_tenant_never_sees_another_ones_data(guarded: Chronicle, database: str) -> None:
    admin = token(database, "admin")
    run = send(guarded, admin, "alpha").json()["run_id"]
    send(guarded, admin, "beta")
    stranger = bearer(token(database, "read", "beta"))
    for path in READS:
        answer = guarded.http.get(f"{BASE}{path}?tenant=alpha", headers=stranger)
        assert (answer.status_code, answer.json()["error"]) == (403, "http_error"), path
    for path in (f"/runs/{run}", f"/runs/{run}/raw", f"/runs/{run}/timeline"):
        answer = guarded.http.get(BASE + path, headers=stranger)
        assert (answer.status_code, answer.json()["detail"]) == (404, "Run not found."), path
    tenants = guarded.http.get(f"{BASE}/tenants", headers=stranger).json()
    assert ([each["slug"] for each in tenants["items"]], tenants["total"]) == (["beta"], 1)
    assert send(guarded, token(database, "write", "beta"), "alpha").status_code == 403


def test_a_revoked_token_is_worthless_and_none_is_kept_readable(guarded: Chronicle, database: str) -> None:
    made = token(database, "write", name="ci")
    assert re.fullmatch(r"chr_[\w-]{43}", made)
    store = open_store(database)
    with store.reading() as connection:
        (row,) = connection.execute(select(tables.tokens))
    store.close()
    assert made not in str(row)
    revoke = ["chronicle", "tokens", "revoke", "ci", "--database", database]
    assert CliRunner().invoke(commands, revoke).exit_code == 0
    assert send(guarded, made).status_code == 401
    assert CliRunner().invoke(commands, revoke).exit_code == 2


def test_tokens_are_told_apart_by_their_names(database: str) -> None:
    made = [token(database, "write", "alpha", name="ci"), token(database, "admin", name="boss")]
    listed = CliRunner().invoke(commands, ["chronicle", "tokens", "list", "--database", database])
    assert [line.split("  ")[:3] for line in listed.output.splitlines()] == [
        ["boss", "admin", "all tenants"], ["ci", "write", "alpha"],
    ]  # fmt: skip
    assert not any(each in listed.output for each in made)
    again = CliRunner().invoke(commands, ["chronicle", "tokens", "create", "ci", "--database", database])
    assert (again.exit_code, "already" in again.output) == (2, True)


@pytest.mark.parametrize("tenant", ["Alpha", "a", "alpha ", "a_b", ""])
def test_a_token_for_a_tenant_that_cannot_be_is_refused(database: str, tenant: str) -> None:
    create = ["chronicle", "tokens", "create", "ci", "--tenant", tenant, "--database", database]
    made = CliRunner().invoke(commands, create)
    assert (made.exit_code, "a tenant is" in made.output) == (2, True)


@pytest.mark.parametrize(
    ("host", "is_open"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
     ("::", False), ("192.168.1.4", False), ("127.0.0.1.example.org", False), ("localhost.example.org", False)],
)  # fmt: skip
def test_beyond_loopback_a_token_is_asked_for(tmp_path: Path, host: str, is_open: bool) -> None:
    assert read_settings(host=host, data=tmp_path, environment={}).needs_token is not is_open
    assert read_settings(host=host, data=tmp_path, needs_token=True, environment={}).needs_token


@pytest.mark.parametrize(
    ("needed", "made", "warned"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_a_server_that_nobody_can_enter_says_how_a_token_is_made(
    database: str, caplog: pytest.LogCaptureFixture, *, needed: bool, made: bool, warned: bool
) -> None:
    if made:
        token(database, "write")
    with started(Settings(database=database, needs_token=needed)):
        assert ("chronicle tokens create NAME" in caplog.text) is warned


def test_without_tokens_pages_of_other_sites_cannot_write(chronicle: Chronicle) -> None:
    assert chronicle.post(report(), Sec_Fetch_Site="cross-site").status_code == 403
    assert chronicle.post(report(), Sec_Fetch_Site="same-origin").status_code == 201


@pytest.mark.parametrize("name", ["X-Chronicle-Tenant", "Idempotency-Key", "Authorization"])
def test_a_header_that_says_two_things_is_refused(guarded: Chronicle, database: str, name: str) -> None:
    headers = {"X-Chronicle-Tenant": "alpha", "Idempotency-Key": "1", **bearer(token(database, "write"))}
    for first in (headers[name], "another"):
        answer = guarded.http.post(f"{BASE}/runs", content=body(report()), headers=[*headers.items(), (name, first)])
        assert answer.status_code == 400
        assert name in answer.json()["detail"]
