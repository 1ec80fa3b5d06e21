"""A small project, and a text in it with a cursor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from choreo_bdd_steps.editor.document import Document

CURSOR = "█"
CONFIGURATION = """\
default_transport: bus
profiles:
  memory:
    bus: {type: memory, correlation: {field: correlation_id}}
    side: {type: memory, correlation: {field: correlation_id}}
"""
OTHER_FEATURE = """\
Feature: Elsewhere

  Scenario: Known from here
    When I publish "payments.charge":
      | field  | value |
      | amount | 12    |
    Then I expect "payments.done"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a configuration, a feature, a step of the user's own and a body."""
    (tmp_path / "choreo.yaml").write_text(CONFIGURATION)
    features = tmp_path / "features"
    (features / "steps").mkdir(parents=True)
    (features / "other.feature").write_text(OTHER_FEATURE)
    (features / "bodies").mkdir()
    (features / "bodies" / "order.json").write_text("{}")
    (features / "steps" / "own.py").write_text(
        "from behave import given\n\n\n@given('a customer called {name}')\ndef customer(context, name):\n    pass\n"
    )
    return tmp_path


At = Callable[[str], tuple[Document, int, int]]


@pytest.fixture
def at(project: Path) -> At:
    """A text without its cursor, as a document, with the line and column where the cursor was."""

    def placed(text: str) -> tuple[Document, int, int]:
        before = text[: text.index(CURSOR)]
        document = Document(project / "features" / "open.feature", text.replace(CURSOR, ""))
        return document, before.count("\n"), len(before) - (before.rfind("\n") + 1)

    return placed
