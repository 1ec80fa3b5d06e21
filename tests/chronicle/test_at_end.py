"""Reports sent at the end of a run: by pytest and behave, and never at the cost of the run."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from choreo_bdd_chronicle.client.at_end import send_at_end
from choreo_bdd_chronicle.client.sending import RefusedError, Sent, Target, UnreachableError
from choreo_bdd_reporter.frameworks import to_chronicle
from tests.chronicle.reports import body, report
from tests.chronicle.servers import serving
from tests.support.started import python_m

URL = "http://server"
AWAY = "http://127.0.0.1:9"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    (tmp_path / "results.json").write_bytes(body(report()))
    return tmp_path


def waiting(folder: Path) -> int:
    return len(list((folder / "home").rglob("*.report.gz")))


def test_a_report_is_sent_and_waits_no_more(folder: Path) -> None:
    said: list[str] = []
    send_at_end(folder, URL, said.append, send=lambda _body, target: Sent(run_id=target.tenant, is_known=False))
    assert (waiting(folder), said) == (0, ["chronicle: a report that had waited is sent: http://server/runs/shop"])


def test_a_server_that_never_answers_is_not_waited_for(folder: Path) -> None:
    said: list[str] = []
    is_over = threading.Event()

    def never(_body: bytes, _target: Target) -> Sent:
        is_over.wait(30)
        raise UnreachableError("slow")

    send_at_end(folder, URL, said.append, patience=0.05, send=never)
    is_over.set()
    assert (waiting(folder), "away or slow" in said[-1]) == (1, True)


@pytest.mark.parametrize(("problem", "kept"), [(UnreachableError("503 full"), 1), (RefusedError("422 odd"), 0)])
def test_what_gets_through_later_is_kept(folder: Path, problem: Exception, kept: int) -> None:
    said: list[str] = []

    def fails(_body: bytes, _target: Target) -> Sent:
        raise problem

    send_at_end(folder, URL, said.append, send=fails)
    assert (waiting(folder), len(said)) == (kept, 1)


def test_a_report_is_sent_without_what_the_server_needs(folder: Path) -> None:
    servers = ("starlette", "uvicorn", "sqlalchemy", "alembic", "numpy")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({servers!r}))\n"
        "from pathlib import Path; from choreo_bdd_reporter.frameworks.to_chronicle import hand_over\n"
        f"hand_over(Path({str(folder)!r}), {AWAY!r}, print)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "away or slow" in run.stdout
    assert waiting(folder) == 1


def test_a_report_that_cannot_be_read_fails_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    to_chronicle.hand_over(tmp_path / "nowhere", URL, said.append)
    assert "is not sent (FileNotFoundError" in said[0]


def with_pytest(folder: Path, url: str) -> list[str]:
    (folder / "test_it.py").write_text("def test_it():\n    pass\n")
    return ["pytest", "-q", "-p", "no:cacheprovider", "--harness-report", "out", "--chronicle", url, "test_it.py"]


def with_behave(folder: Path, url: str) -> list[str]:
    (folder / "steps").mkdir(exist_ok=True)
    (folder / "steps" / "it.py").write_text("from behave import given\n\n@given('it')\ndef it(context):\n    pass\n")
    (folder / "it.feature").write_text("Feature: F\n  Scenario: S\n    Given it\n")
    formatter = "choreo_bdd_reporter.behave_formatter:ChoreoFormatter"
    return ["behave", "-f", formatter, "-o", "out", "-D", f"choreo.chronicle={url}", "it.feature"]


@pytest.mark.thorough
@pytest.mark.parametrize("command", [with_pytest, with_behave])
def test_frameworks_send_now_or_later_and_pass_either_way(
    folder: Path, command: Callable[[Path, str], list[str]]
) -> None:
    def run(url: str) -> str:
        done = subprocess.run(
            python_m(*command(folder, url)),
            check=False,
            cwd=folder,
            capture_output=True,
            text=True,
            env=os.environ,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    assert "the report is kept" in run(AWAY)
    with serving(folder / "server") as url:
        assert f"is sent: {url}/runs/" in run(url)
