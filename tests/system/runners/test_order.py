"""The order in which workers take the suite's files."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.order import put_long_files_first

FOUND = [
    ("quick.py::a",), ("quick.py::b",), ("quick.py::c",), ("one.py::a", "broker", "timeout"), ("one.py::b",),
    ("two.py::a", "process"), ("two.py::b", "browser", "parametrize"), ("wheel.py::a", "build", "process"),
    ("last.py::a", "parametrize"),
]  # fmt: skip


def item(nodeid: str, *marks: str, timeout: int = 180) -> Any:
    found = {each: getattr(pytest.mark, each) for each in marks}
    if "timeout" in found:
        found["timeout"] = pytest.mark.timeout(timeout)
    return SimpleNamespace(nodeid=nodeid, iter_markers=lambda: [each.mark for each in found.values()])


def test_files_with_many_long_tests_come_first_and_each_stays_whole() -> None:
    items = [item(*each) for each in FOUND]
    put_long_files_first(items)
    assert [each.nodeid for each in items] == [
        "wheel.py::a", "two.py::a", "two.py::b", "one.py::a", "one.py::b", "quick.py::a", "quick.py::b", "quick.py::c",
        "last.py::a",
    ]  # fmt: skip


def test_what_says_by_its_timeout_that_it_takes_long_comes_before_a_few_others() -> None:
    few = [item(f"few.py::{number}", "thorough") for number in range(5)]
    items = [*few, item("long.py::a", "thorough", "timeout", timeout=300)]
    put_long_files_first(items)
    assert items[0].nodeid == "long.py::a"
