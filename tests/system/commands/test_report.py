"""``choreo-bdd report``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]


@pytest.fixture
def document() -> dict[str, Any]:
    stamp = "2027-01-02T03:04:05+00:00"
    nothing = ("project_name", "allowlist_path", "git_sha", "git_branch", "environment", "xdist")
    return {
        "schema_version": "1",
        "run": {
            "started_at": stamp,
            "finished_at": stamp,
            "duration_ms": 1.0,
            "totals": dict.fromkeys(("passed", "failed", "errored", "skipped", "slow", "total"), 0),
            **dict.fromkeys(nothing),
            "transport": "memory",
            "hostname": "ci-7",
            "harness_version": "0.1.0",
            "reporter_version": "0.1.0",
            "python_version": "3.12.1",
            "redactions": {"fields": 0, "stream_matches": 0},
            "truncated": False,
        },
        "tests": [],
    }


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Any], Path]:
    def written(document: Any) -> Path:
        path = tmp_path / "results.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
        return path

    return written


def test_a_folder_with_a_valid_report(run: Run, write: Callable[[Any], Path], document: dict[str, Any]) -> None:
    result = run("report", "validate", str(write(document).parent))
    assert result.exit_code == 0, result.output
    assert result.output.endswith("results.json: valid, schema 1, 0 tests\n")


def test_what_is_wrong_is_named_with_its_place(
    run: Run, write: Callable[[Any], Path], document: dict[str, Any]
) -> None:
    document["run"]["totals"]["passed"] = -1
    result = run("report", "validate", str(write(document)))
    assert result.exit_code == 1
    assert "results.json: run.totals.passed: -1 is less than the minimum of 0" in result.output


def test_a_document_with_countless_errors_is_told_in_part(
    run: Run, write: Callable[[Any], Path], document: dict[str, Any]
) -> None:
    document["tests"] = list(range(500))
    result = run("report", "validate", str(write(document)))
    assert len(result.output.splitlines()) == 21
    assert "the first 20 are shown" in result.output


@pytest.mark.parametrize("content", ["", "{", "\u0000"])
def test_what_is_no_json_cannot_be_read(run: Run, write: Callable[[Any], Path], content: str) -> None:
    result = run("report", "validate", str(write(content)))
    assert result.exit_code == 2
    assert "cannot be read: not JSON" in result.stderr


def test_the_worst_of_several_files_decides(
    run: Run, write: Callable[[Any], Path], document: dict[str, Any], tmp_path: Path
) -> None:
    result = run("report", "validate", str(write(document)), str(tmp_path / "nowhere.json"))
    assert result.exit_code == 2
    assert "valid, schema 1" in result.stdout
    assert "nowhere.json: cannot be read: No such file" in result.stderr
