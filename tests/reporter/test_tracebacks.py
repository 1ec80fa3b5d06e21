"""What was wrong, in one line: the exception with its type, whatever it is and whoever raised it."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from choreo_bdd_reporter.documents.tracebacks import line_of_exception
from choreo_bdd_reporter.outputs.summary import failures
from choreo_bdd_reporter.read.report import read_report
from tests.support.project import LOADER, Project


def _lines() -> None:
    raise ValueError("first\nsecond")


def _nothing() -> None:
    raise ValueError


def _led_to_another() -> None:
    try:
        _lines()
    except ValueError as error:
        raise OSError("the last") from error


def _noted() -> None:
    error = OSError("down")
    error.add_note("look at the broker")
    raise error


def _several() -> None:
    try:
        _lines()
    except ValueError as error:
        raise ExceptionGroup("two", [error, ExceptionGroup("within", [OSError("b")])]) from error


def _unreadable() -> None:
    compile("a b", "x.py", "exec")


@pytest.mark.parametrize(
    ("fails", "line"),
    [
        (_lines, "ValueError: first"),
        (_nothing, "ValueError"),
        (_led_to_another, "OSError: the last"),
        (_noted, "OSError: down"),
        (_several, "ExceptionGroup: two (2 sub-exceptions)"),
        (_unreadable, "SyntaxError: invalid syntax"),
    ],
)
def test_the_exception_behind_the_frames_is_told_with_its_type(fails: Callable[[], None], line: str) -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011 - whatever it is
        fails()
    text = "".join(traceback.format_exception(raised.value))
    assert line_of_exception(text) == line
    assert line_of_exception(f"a.feature:3: When it fails\n{text}") == line


STEPS = """
from behave import when

@when("it raises")
def _(context): raise ValueError("first\\nsecond")

@when("it raises nothing to read")
def _(context): raise KeyError

@when("it is not so")
def _(context): assert context is None
"""
FEATURE = """
Feature: Broken
  Scenario: a
    When it raises
  Scenario: b
    When it raises nothing to read
  Scenario: c
    When it is not so
  Scenario: before a check
    When I publish "a"
    And it raises
    Then I expect "b" within 50ms
  Scenario: unknown before a check
    When I publish "a"
    And nobody knows it
    Then I expect "b" within 50ms
  Scenario: misspelt
    When nobody knows it, too
    And I pubish "a"
  Scenario: misspelt first
    When I pubish "a"
    And nobody knows it
"""


@pytest.mark.process
def test_a_step_of_behave_is_told_by_its_exception(tmp_path: Path) -> None:
    project = Project(tmp_path).feature(FEATURE).file("features/steps/own.py", STEPS)
    project.file("features/steps/choreo.py", LOADER)
    project.file("behave.ini", "[behave.formatters]\nchoreo = choreo_bdd_reporter.behave_formatter:ChoreoFormatter\n")
    assert project.behave("-f", "choreo", "-o", "out").code == 1
    report = read_report(tmp_path / "out")
    told = {failure.name: failure.sentence for failure in failures(report.results, report.gherkin)}
    assert told == {
        "a": "ValueError: first",
        "b": "KeyError",
        "c": "AssertionError without a message",
        "before a check": "ValueError: first",
        "unknown before a check": 'no step matches "And nobody knows it"',
        "misspelt": 'no step matches "When nobody knows it, too"',
        "misspelt first": """no step is defined as 'I pubish "a"'; did you mean: I publish "a\"""",
    }
