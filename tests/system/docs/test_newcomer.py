"""A newcomer's first five minutes: from an empty folder to a green run, and from a broken service to its cause."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.support.walkthrough import change, run

RUNS = {"behave": "behave", "pytest": "pytest features"}
WRONG_FIELD = """\
-      | currency | EUR                       |
+      | currency | USD                       |
"""
SLOW = """\
-    And a service that answers "orders.placed" with "payments.taken":
+    And a service that answers "orders.placed" with "payments.taken" after 1200ms:
"""
WRONG_TOPIC = """\
-    And a service that answers "orders.placed" with "payments.taken":
+    And a service that answers "orders.placed" with "payments.takn":
"""
NOT_THERE = """\
-    And a service that answers "orders.placed" with "payments.taken":
+    And a service that answers "orders.paid" with "payments.taken":
"""
REFUSED = """\
-    And a service that answers "orders.placed" with "payments.taken":
+    And a service that answers "orders.placed" with "payments.refused"
+    And a service that answers "orders.placed" with "payments.taken":
"""


@pytest.fixture(scope="module")
def green_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A new project that a command has found green: made once for each command, to be copied."""

    @cache
    def made(command: str) -> Path:
        folder = tmp_path_factory.mktemp("new")
        run("choreo-bdd init", folder, {}, expected_exit=0)
        run(command, folder, {}, expected_exit=0)
        return folder

    return made


@pytest.mark.process
@pytest.mark.timeout(300)  # the five minutes
@pytest.mark.parametrize("command", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize(
    ("breakage", "told"),
    [
        (WRONG_FIELD, ["[FAIL]", "wrong shape", 'currency: expected "EUR", got "USD"']),
        (SLOW, ["[SLOW]", "within 1s"]),
        (WRONG_TOPIC, ["[TIMEOUT]", "wrong topic?", "payments.takn"]),
        (NOT_THERE, ["[TIMEOUT]", "nothing arrived"]),
        (REFUSED, ["[FAIL]", 'I expect no "payments.refused" for 100ms']),
    ],
    ids=["wrong field", "slow", "wrong topic", "does not answer", "refuses"],
)
def test_a_new_project_is_green_and_a_broken_service_is_told_with_its_cause(
    tmp_path: Path, green_project: Callable[[str], Path], command: str, breakage: str, told: list[str]
) -> None:
    shutil.copytree(green_project(command), tmp_path, dirs_exist_ok=True)
    change(tmp_path / "features" / "first.feature", breakage)
    printed = run(command, tmp_path, {}, expected_exit=1)
    assert [part for part in told if part not in printed] == [], printed
