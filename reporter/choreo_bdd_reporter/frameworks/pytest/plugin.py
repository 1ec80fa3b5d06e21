"""The pytest11 entry point: options, the ``choreo`` marker, ``choreo_attach``, and whether a report is written.

Loaded at every pytest start, so it imports pytest only. The work is done by ``pytest_session``, which is imported
when a report was asked for.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from choreo_bdd_reporter.frameworks.pytest.shared import AT_STEP, ATTACHED, CHRONICLE

if TYPE_CHECKING:
    from choreo_bdd_reporter.record.attachments import Attachments

_OWNED_ELSEWHERE = pytest.StashKey[bool]()
_REPORTED = pytest.StashKey[bool]()
_TAKEN = (ValueError, argparse.ArgumentError)
"""What pytest raises of an option that another plugin has."""
_MARKER = (
    "choreo(*, timeout_ms=None, tags=()): facts of a message-driven test for its report; "
    "timeout_ms is a number of milliseconds, tags a list of strings."
)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser) -> Generator[None, None, None]:
    """Register the options after all other plugins, so as to step aside for one that has the same."""
    yield
    early_config.stash[_OWNED_ELSEWHERE] = hasattr(early_config.option, "harness_report") or not _add_options(parser)


def _add_options(parser: pytest.Parser) -> bool:
    group = parser.getgroup("harness-report", "Harness test report")
    try:
        group.addoption(
            "--harness-report",
            metavar="DIR",
            default=None,
            help="write index.html and results.json into this directory (relative to the root directory); "
            "also: environment variable HARNESS_REPORT_DIR, ini key harness_report, report.dir of choreo.yaml",
        )
        group.addoption("--harness-report-disable", action="store_true", default=False, help="write no report")
        group.addoption(
            "--harness-report-no-stream-redact",
            action="store_true",
            default=False,
            help="leave captured stdout, stderr and log as they are; payloads stay redacted",
        )
        group.addoption(
            "--harness-report-project-name",
            metavar="NAME",
            default=None,
            help="project name in the report (default: HARNESS_PROJECT_NAME, then the root directory's name)",
        )
    except _TAKEN:
        return False
    with contextlib.suppress(*_TAKEN):  # the report does without it
        group.addoption(
            "--chronicle",
            dest=CHRONICLE,
            metavar="URL",
            default=None,
            help="send the report to this Chronicle server at the end; one that is away never fails the run",
        )
    parser.addini("harness_report", "directory of the report, as --harness-report")
    return True


def report_directory(config: pytest.Config) -> str | None:
    """Where the report goes, or ``None`` when none was asked for. An explicitly empty option disables it."""
    if config.stash.get(_OWNED_ELSEWHERE, True) or config.option.harness_report_disable:
        return None
    option: str | None = config.option.harness_report
    if option is not None:
        return option or None
    return os.environ.get("HARNESS_REPORT_DIR") or config.getini("harness_report") or _configured(config)


def _configured(config: pytest.Config) -> str | None:
    """What ``choreo.yaml`` says; without such a file beside pytest's own configuration, nothing is imported."""
    root = config.rootpath
    pyproject = root / "pyproject.toml"
    if not any((root / name).is_file() for name in ("choreo.yaml", "choreo.yml")) and not (
        pyproject.is_file() and b"tool.choreo" in pyproject.read_bytes()
    ):
        return None
    from choreo_bdd_reporter.store.configured_directory import configured_directory  # noqa: PLC0415 - only where there may be one

    return configured_directory(root)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and the reporting plugin when a report was asked for."""
    config.addinivalue_line("markers", _MARKER)
    directory = report_directory(config)
    runs_no_test = config.option.collectonly or getattr(config.option, "setuponly", False)  # of --setup-plan, too
    if directory is not None and not runs_no_test:
        from choreo_bdd_reporter.frameworks.pytest.session import enable  # noqa: PLC0415 - only when a report is written

        enable(config, directory)
        config.stash[_REPORTED] = True


class Attach(Protocol):
    """What the fixture ``choreo_attach`` gives a test."""

    def __call__(self, data: bytes | str, mime_type: str = "text/plain", name: str | None = None) -> None:
        """Show ``data`` with the test in the report. Raises ``TypeError`` when it is neither bytes nor text."""


@pytest.fixture
def choreo_attach(request: pytest.FixtureRequest) -> Attach:
    """Attach text, JSON, a log or a picture to this test in its report; where none is written, nothing happens."""
    attached: Attachments | None = None
    if request.config.stash.get(_REPORTED, False):
        from choreo_bdd_reporter.record.attachments import Attachments  # noqa: PLC0415 - only when a report is written

        attached = request.node.stash[ATTACHED] = Attachments()

    def attach(data: bytes | str, mime_type: str = "text/plain", name: str | None = None) -> None:
        if not isinstance(data, bytes | str):
            raise TypeError(
                f"choreo_attach: the data is of type {type(data).__name__}; it takes bytes or str, "
                "so give json.dumps(...) with mime_type='application/json' for anything else"
            )
        if attached is not None:
            attached.add(mime_type, data, name or "", step=request.node.stash.get(AT_STEP, None))

    return attach


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say so when another plugin owns the options, and a report is asked for."""
    asked = getattr(config.option, "harness_report", None) or os.environ.get("HARNESS_REPORT_DIR")
    if not config.stash.get(_OWNED_ELSEWHERE, False) or not (asked or _configured(config)):
        return None
    return "choreo-bdd: another plugin already provides --harness-report, so this one writes no report"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse ``choreo`` markers whose values no report could hold; without one they are not ours to read."""
    if not config.stash.get(_REPORTED, False):
        return
    for item in items:
        if "choreo" not in item.keywords:  # far cheaper than a look at every marker of a large suite
            continue
        for marker in item.iter_markers("choreo"):
            complaint = _marker_complaint(marker.args, marker.kwargs)
            if complaint:
                raise pytest.UsageError(f"{item.nodeid}: marker choreo: {complaint}")


def _marker_complaint(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str | None:
    unknown = sorted(set(kwargs) - {"timeout_ms", "tags"})
    if args or unknown:
        what = f"unknown argument {unknown[0]!r}" if unknown else "positional arguments"
        return f"{what}; it takes the keywords timeout_ms and tags"
    timeout_ms, tags = kwargs.get("timeout_ms"), kwargs.get("tags")
    if timeout_ms is not None and not _is_duration(timeout_ms):
        return f"timeout_ms={timeout_ms!r} is no number of milliseconds"
    if tags is not None and not _is_list_of_text(tags):
        return f"tags={tags!r} is no list of strings"
    return None


def _is_duration(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(tag, str) for tag in value)
