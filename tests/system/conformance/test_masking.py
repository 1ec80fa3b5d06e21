"""The repository's features have no secrets in their messages: nothing of them is masked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.written import report_files
from tests.system.conformance.conftest import Both

pytestmark = pytest.mark.timeout(240)
MASKED = "<redacted>"


def masked_places(value: Any, path: str = "") -> Iterator[str]:
    """The paths of values and keys that something was masked in."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from masked_places(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from masked_places(item, f"{path}[{index}]")
    elif MASKED in f"{value}":
        yield f"{path}: {value}"
    if MASKED in path.rpartition(".")[2]:
        yield path


@pytest.mark.parametrize("framework", ["behave", "pytest"])
def test_nothing_of_features_without_secrets_is_masked(both_on_memory: Both, framework: str) -> None:
    run = both_on_memory[framework]
    assert len(run.tests) >= 30
    assert {name: found for name, test in run.tests.items() if (found := list(masked_places(test)))} == {}
    assert list(masked_places(run.report["run"])) == []
    shown = {"terminal": run.text, **report_files(run.folder)}
    assert [name for name, text in shown.items() if "redacted" in text] == []
