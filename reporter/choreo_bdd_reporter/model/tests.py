"""The neutral run model: what frameworks and engine report, before it becomes files.

All text and values in it are already redacted and capped; ``*_ms`` are milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from choreo_bdd_reporter.model.schema_types import ChoreoMeta, ResultsScenario, TestOutcome

StepStatus = Literal["passed", "failed", "errored", "skipped", "undefined", "untested", "slow"]

SESSION_NODEID = "<session>"
"""Node id of the pseudo-test that holds scenarios finished outside any test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedScenario:
    """One engine scenario: its part of ``results.json``, and the details only the page shows.

    ``recording`` is its traffic as a line of JSON, where that is kept.
    """

    document: ResultsScenario
    details: dict[str, Any] = field(default_factory=lambda: {"handles": [], "timeline": []})
    transport: str | None = None
    allowlist_path: str | None = None
    truncated: bool = False
    recording: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A Gherkin step as it ran; ``line`` is its line in the feature file."""

    keyword: str
    text: str
    line: int
    status: StepStatus
    duration_ms: float = 0.0
    docstring: str | None = None
    table: tuple[tuple[str, ...], ...] | None = None
    background: bool = False
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GherkinScenario:
    """The Gherkin side of a test; ``inherited`` are the tags of its feature, its rule and its examples."""

    name: str
    keyword: str
    line: int
    tags: tuple[str, ...] = ()
    inherited: tuple[str, ...] = ()
    rule: str | None = None
    description: str = ""
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A feature file's head; ``uri`` is its path in POSIX form.

    ``hidden`` are lines of its source, by number, in which a test found secrets that only its run made known.
    """

    uri: str
    name: str
    description: str = ""
    keyword: str = "Feature"
    tags: tuple[str, ...] = ()
    line: int = 1
    hidden: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """An earlier run of a test that was run again; ``reason`` is one line, empty where none is known."""

    outcome: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One test of the framework, with the scenarios it ran; ``started`` is in seconds since the epoch."""

    __test__ = False

    nodeid: str
    file: str
    name: str
    outcome: TestOutcome
    class_name: str | None = None
    markers: tuple[str, ...] = ()
    choreo_meta: ChoreoMeta | None = None
    duration_ms: float = 0.0
    started: float | None = None
    traceback: str | None = None
    stdout: str = ""
    stderr: str = ""
    log: str = ""
    skip_reason: str | None = None
    worker_id: str | None = None
    earlier: tuple[Attempt, ...] = ()
    scenarios: tuple[RecordedScenario, ...] = ()
    attachments: tuple[Mapping[str, Any], ...] = ()
    feature: Feature | None = None
    gherkin: GherkinScenario | None = None


def file_and_name(nodeid: str) -> tuple[str, str]:
    """What is known of a test by its node id alone."""
    file, _, name = nodeid.partition("::")
    return file, (name if file.endswith(".feature") else name.rpartition("::")[2]) or file


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where the run took place."""

    python_version: str
    harness_version: str
    reporter_version: str
    hostname: str
    project_name: str | None = None
    git_sha: str | None = None
    git_branch: str | None = None
    environment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Processes of a parallel run, and those that broke off."""

    count: int
    incomplete: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished run, but for its tests; times of day are ISO 8601 in UTC."""

    started_at: str
    finished_at: str
    duration_ms: float
    environment: Environment
    workers: Workers | None = None
    redacted_fields: int = 0
    redacted_text: int = 0
    exit_status: int | None = None
    interrupted: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the page is told about the run beyond ``results.json``, such as ``channels``."""
