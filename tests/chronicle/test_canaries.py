"""What a server is given in confidence, or refuses, stands in no answer, page, log or table."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from choreo_bdd_chronicle.settings import Settings
from choreo_bdd_chronicle.store import open_store, tables
from tests.chronicle.conftest import BASE, Chronicle, started
from tests.chronicle.reports import Json, handle, one_test, report, scenario
from tests.chronicle.test_access import bearer, token

CANARY = "c4nary-9f3b-Zq7"
PAGES = ["/", "/runs", "/topics", "/anomalies", "/flaky", "/failures", "/compare", f"/runs/{CANARY}", f"/{CANARY}"]


@pytest.fixture
def guarded(database: str) -> Iterator[Chronicle]:
    """A server that asks for tokens, and has a webhook whose address is a secret."""
    settings = Settings(
        database=database,
        needs_token=True,
        webhooks=(f"http://127.0.0.1:9/{CANARY}",),
        webhook_hosts=("127.0.0.1",),
    )
    with started(settings) as found:
        yield found


def rows(database: str) -> str:
    """All that is kept, as text."""
    store = open_store(database)
    with store.reading() as connection:
        found = [
            repr(tuple(row)) for table in tables.metadata.sorted_tables for row in connection.execute(select(table))
        ]
    store.close()
    return "\n".join(found)


def test_a_token_is_shown_once_and_nowhere_else(
    guarded: Chronicle, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = {scope: token(database, scope) for scope in ("write", "read", "admin")}
    basic = base64.b64encode(f"me:{secrets['read']}".encode()).decode()
    said = []
    for given in [bearer(each) for each in secrets.values()] + [{"Authorization": f"Basic {basic}"}, bearer(CANARY)]:
        sent = guarded.http.post(f"{BASE}/runs", json=report(), headers={"X-Chronicle-Tenant": "alpha", **given})
        asked = [guarded.http.get(f"{BASE}{path}?tenant=alpha", headers=given) for path in ("/runs", "/tenants", "/x")]
        pages = [guarded.http.get(path, headers=given) for path in ("/", "/runs", "/metrics", f"{BASE}/docs")]
        said += [f"{each.text} {dict(each.headers)}" for each in (sent, *asked, *pages)]
    seen = "\n".join([*said, caplog.text, rows(database)])
    assert [each for each in (*secrets.values(), basic, CANARY) if each in seen] == []


def in_every_place(document: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[str, Any]]:
    """The same document again and again, each time with the canary for another value that is no text."""
    inner = document.items() if isinstance(document, dict) else enumerate(document)
    for key, each in inner:
        if isinstance(each, dict | list) and each:
            for name, changed in in_every_place(each, (*place, key)):
                copied = dict(document) if isinstance(document, dict) else list(document)
                copied[key] = changed
                yield name, copied
        elif not isinstance(each, str):
            copied = dict(document) if isinstance(document, dict) else list(document)
            copied[key] = {CANARY: CANARY} if each is None else CANARY
            yield "/".join(map(str, (*place, key))), copied


def test_a_refused_report_is_told_by_its_places_and_not_by_what_stands_there(
    chronicle: Chronicle, caplog: pytest.LogCaptureFixture
) -> None:
    found: Json = report(tests=[one_test([scenario([handle()])])])
    refused = 0
    for place, changed in in_every_place(found):
        answer = chronicle.post(changed)
        if answer.status_code == 422:
            refused += 1
            assert CANARY not in answer.text, place
    assert refused > 15
    for broken in (
        f'{{"{CANARY}": '.encode(),
        json.dumps([CANARY]).encode(),
        CANARY.encode(),
        b"\xff" + CANARY.encode(),
    ):
        answer = chronicle.post(broken)
        assert (answer.status_code, CANARY in answer.text) == (422, False)
    assert CANARY not in caplog.text


@pytest.mark.thorough
def test_what_is_asked_wrongly_is_not_repeated(chronicle: Chronicle, caplog: pytest.LogCaptureFixture) -> None:
    chronicle.keep(report())
    names = {each["name"] for verbs in chronicle.get("/openapi.json")["paths"].values() for operation in verbs.values()
             for each in operation["parameters"] if each["in"] == "query"}  # fmt: skip
    for name in names - {"tenant"}:
        for path in ("/runs", "/topics", "/anomalies", "/flaky", "/budgets", "/compare", "/health"):
            answer = chronicle.ask(path, **{"tenant": "alpha", name: CANARY})
            assert answer.status_code == 200 or CANARY not in answer.text, f"{path}?{name}"
    assert CANARY not in chronicle.ask("/runs", tenant=CANARY).text
    assert CANARY not in caplog.text


def test_pages_repeat_nothing_of_their_address(chronicle: Chronicle) -> None:
    for path in PAGES:
        answer = chronicle.http.get(f"{path}?tenant={CANARY}&topic={CANARY}", headers={"Referer": CANARY})
        assert CANARY not in answer.text, path


def renamed(database: str, old: str, new: str) -> None:
    store = open_store(database)
    store.change(lambda connection, _: connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))).result()
    store.close()


def test_a_database_that_fails_is_logged_without_what_was_to_be_written(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    with started(Settings(database=database)) as chronicle, caplog.at_level(logging.DEBUG, "choreo_bdd_chronicle"):
        chronicle.keep(report())
        renamed(database, "runs", "gone")
        answer = chronicle.post(report(branch=CANARY, hostname=CANARY), Idempotency_Key=CANARY)
        asked = chronicle.ask("/runs", tenant="alpha", branch=CANARY)
        renamed(database, "gone", "runs")  # the next test has the same server
    assert {answer.status_code, asked.status_code} == {503}
    assert "the database failed" in caplog.text
    assert CANARY not in answer.text + asked.text + caplog.text


def test_the_address_of_a_webhook_is_kept_and_told_nowhere(
    guarded: Chronicle, database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    admin = bearer(token(database, "admin"))
    said = [guarded.http.get(path, headers=admin).text for path in ("/metrics", "/", f"{BASE}/health?deep=1")]
    assert CANARY not in "".join([*said, caplog.text, rows(database)])
