"""A server in this process, over each database, and a few words for talking to it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np  # noqa: F401 - not by a thread of the server: pytest.approx takes what is half imported for whole
import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from choreo_bdd_chronicle.server import create_app
from choreo_bdd_chronicle.settings import Settings
from choreo_bdd_chronicle.store import open_store
from tests.chronicle import postgres as postgresql
from tests.chronicle.reports import body

BASE = "/api/v1"


@dataclass(frozen=True, slots=True)
class Chronicle:
    """A server, spoken to over HTTP."""

    http: TestClient
    settings: Settings

    def post(self, content: Any, tenant: str = "alpha", **headers: str) -> Response:
        """Send a report: bytes as they are, anything else as JSON."""
        sent = content if isinstance(content, bytes) else body(content)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(f"{BASE}/runs", content=sent, headers={"X-Chronicle-Tenant": tenant, **named})

    def keep(self, content: Any, tenant: str = "alpha", **headers: str) -> str:
        """Send a report that is taken; the id of its run."""
        answer = self.post(content, tenant, **headers)
        assert answer.status_code in (200, 201), answer.text
        return str(answer.json()["run_id"])

    def get(self, path: str, **query: Any) -> Any:
        """Ask something that is answered."""
        answer = self.ask(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, path: str, **query: Any) -> Response:
        """Ask something; a final underscore of a name is left out."""
        return self.http.get(BASE + path, params={name.rstrip("_"): value for name, value in query.items()})


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgresql.Server]:
    """One PostgreSQL server for all tests."""
    with postgresql.running() as server:
        yield server


@pytest.fixture(scope="session")
def new_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with nothing in it, to be copied: that is quicker than making the tables each time."""
    file = tmp_path_factory.mktemp("new") / "chronicle.db"
    open_store(f"sqlite:///{file}").close()
    return file


@pytest.fixture(params=postgresql.STORES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each kind."""
    if request.param == "sqlite":
        new: Path = request.getfixturevalue("new_file")
        return f"sqlite:///{shutil.copyfile(new, tmp_path / 'chronicle.db')}"
    server: postgresql.Server = request.getfixturevalue("postgres")
    return server.empty()


@pytest.fixture(scope="module", params=postgresql.STORES)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chronicle]:
    """One server for those tests of a module that keep nothing another of them would notice, of each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('shared') / 'chronicle.db'}"
    else:
        server: postgresql.Server = request.getfixturevalue("postgres")
        url = server.another()
    with started(Settings(database=url)) as found:
        yield found


@pytest.fixture
def chronicle(database: str) -> Iterator[Chronicle]:
    """A server with nothing in it."""
    with started(Settings(database=database)) as found:
        yield found


@contextmanager
def started(settings: Settings) -> Iterator[Chronicle]:
    """A server that runs within the block."""
    app = create_app(settings)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as http:
        yield Chronicle(http, settings)
