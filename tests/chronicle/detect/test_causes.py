"""Failures of one cause are one group, wherever and whenever they showed."""

from __future__ import annotations

from typing import Any

import pytest

from choreo_bdd_chronicle.detect.causes import Cause, Failure, cause_of, grouped
from tests.chronicle.detect.generating import run_at


def handle(outcome: str, diagnosis: str, failure: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"topic": "orders.placed", "outcome": outcome, "diagnosis": {"kind": diagnosis}, "failure": failure}


def mismatch(path: str, kind: str = "mismatch", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "path": path, "expected": 1, "actual": 2, **more}


def composed(*children: dict[str, Any], path: str = "") -> dict[str, Any]:
    return {"kind": "composed", "path": path, "expected": None, "children": list(children)}


@pytest.mark.parametrize(
    ("seen", "kind", "path"),
    [
        (handle("timeout", "silent_timeout"), "silent_timeout", None),
        (handle("slow", "over_budget"), "over_budget", None),
        (handle("fail", "near_miss", mismatch("order.total")), "mismatch", "order.total"),
        (handle("fail", "near_miss", mismatch("items[3].price", "missing")), "missing", "items[*].price"),
        (handle("fail", "near_miss", composed(mismatch("a"), mismatch("b"))), "mismatch", "a"),
        (handle("fail", "near_miss", composed(composed(mismatch("a.b", "predicate")))), "predicate", "a.b"),
        (handle("fail", "near_miss", composed(mismatch(""), path="order")), "mismatch", "order"),
        (handle("fail", "near_miss", mismatch("")), "mismatch", None),
        ({"topic": "orders.placed", "outcome": "fail"}, "unknown", None),
    ],
)
def test_the_cause_of_a_handle(seen: dict[str, Any], kind: str, path: str | None) -> None:
    assert cause_of(seen) == Cause("orders.placed", seen["outcome"], kind, path)


def failure(number: int, path: str = "total", name: str = "shipped") -> Failure:
    return Failure(run_at(number), name, "orders.feature", cause_of(handle("fail", "near_miss", mismatch(path))))


def test_a_group_says_how_often_of_which_scenarios_and_since_when() -> None:
    one, other = grouped([failure(7), failure(3), failure(7, name="billed"), failure(5, path="sku")])
    assert (one.cause.path, one.count, one.runs) == ("total", 3, 2)
    assert one.scenarios == (("orders.feature", "billed"), ("orders.feature", "shipped"))
    assert (one.first, one.last) == (run_at(3), run_at(7))
    assert (other.cause.path, other.count) == ("sku", 1)


def test_elements_of_a_list_have_one_cause() -> None:
    assert len(grouped([failure(1, "items[0].price"), failure(2, "items[7].price")])) == 1


def test_the_latest_come_first_and_then_the_most_frequent() -> None:
    order = grouped([failure(1, "old"), failure(1, "old"), failure(9, "new"), failure(9, "often"), failure(2, "often")])
    assert [group.cause.path for group in order] == ["often", "new", "old"]


def test_no_failures_have_no_groups() -> None:
    assert grouped([]) == []
