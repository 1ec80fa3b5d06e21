"""The phrases of calls, in a project of their own with a desk to call: the same verdicts under both frameworks."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.outcomes import check_outcomes
from tests.support.project import Project
from tests.support.replays import differing_replays

_FORMATTER = "choreo_bdd_reporter.behave_formatter:ChoreoFormatter"
pytestmark = pytest.mark.process


class _Desk(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        order = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        shop = self.headers.get("x-shop")
        self._answer(201, {**order, **({"shop": shop} if shop else {})}, f"/orders/{order.get('id')}")

    def do_GET(self) -> None:
        self._answer(200, {"path": self.path}, self.path)

    def _answer(self, status: int, body: object, location: str) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("location", location)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _desk() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Desk) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("framework", ["behave", "pytest"])
def test_what_is_deliberate_fails_and_nothing_else(
    framework: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(Path(__file__).parent / "calling", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    with _desk() as url:
        project = Project(tmp_path, {"DESK_URL": url})
        if framework == "behave":
            project.behave("-f", _FORMATTER, "-o", "report", "features")
        else:
            project.pytest("features", "--harness-report=report")
    check_outcomes(tmp_path / "report")
    outcomes = {test["name"]: test["outcome"] for test in project.results("report")["tests"]}
    lines = (tmp_path / "features" / "calling.feature").read_text("utf-8").splitlines()
    deliberate = {lines[at + 1].partition(": ")[2] for at, line in enumerate(lines) if line.strip() == "@deliberate"}
    assert {name for name, outcome in outcomes.items() if outcome == "failed"} == deliberate
    assert {name for name, outcome in outcomes.items() if outcome == "passed"} == set(outcomes) - deliberate
    monkeypatch.setenv("DESK_URL", url)
    assert differing_replays(tmp_path / "report") == {}, "with the desk gone"
