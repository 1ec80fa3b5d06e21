"""Expected and arrived values of a field beside each other: long ones, texts in lines, lists of objects."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.support.page_builders import Json, a_handle, a_scope, a_test, an_event, gherkin_of, results_of

from .conftest import OpenReport

pytestmark = pytest.mark.browser

FOX = "The quick brown fox jumps over the lazy dog. "
POEM = [f"line {number}" for number in range(1, 61)]
LINES = [{"sku": f"PEN-{number}", "qty": number} for number in range(40)]


@pytest.fixture
def shown(open_report: OpenReport) -> Any:
    """The row of a field in the first card, for what was expected and what arrived."""

    def row(expected: Any, actual: Any, *, kind: str = "mismatch", path: str = "note", width: int = 1600) -> Locator:
        failure: Json = {"kind": kind, "path": path, "expected": expected, "actual": actual}
        handle = a_handle("t", "fail", 5.0, failure=failure, failures=[failure])
        test = a_test("x", "failed", [a_scope("fail", [handle], [an_event(1.0, "published", "t")])])
        note = {"handles": [{"differences": [failure]}], "timeline": [-1]}
        run = results_of([test]), gherkin_of(details={test["nodeid"]: [note]})
        report = open_report(run, viewport={"width": width, "height": 1000})
        return report.page.locator(".hr-finding .hr-diff-line")

    return row


def _values(row: Locator) -> list[str]:
    return row.locator(".hr-value").all_inner_texts()


def test_of_long_values_both_show_the_place_where_they_part_and_the_rest_on_demand(shown: Any) -> None:
    row = shown(FOX * 40, FOX * 20 + "THE" + FOX * 20)
    expected, arrived = _values(row)
    assert expected.startswith("…")
    assert expected.endswith("…")
    assert "dog. The quick" in expected
    assert "dog. THEThe quick" in arrived
    assert max(map(len, (expected, arrived))) < 200
    row.locator("summary").first.click()
    expect(row.locator("pre.hr-json").first).to_have_text(f'"{FOX * 40}"')
    assert row.locator("summary").first.inner_text().endswith("all 1,802 characters")


def test_lists_of_objects_show_the_item_that_differs(shown: Any) -> None:
    changed = [{**item, "qty": 99} if item["sku"] == "PEN-33" else item for item in LINES]
    expected, arrived = _values(shown(LINES, changed, path="items"))
    assert '"sku":"PEN-33","qty":33' in expected
    assert '"sku":"PEN-33","qty":99' in arrived


def test_texts_are_compared_by_line(shown: Any) -> None:
    arrived = [*POEM[:9], "line ten", *POEM[10:49], *POEM[50:], "the end"]
    assert _values(shown("\n".join(POEM), "\n".join(arrived))) == [
        '10: "line 10"\n50: "line 50"', '10: "line ten"\n60: "the end"',
    ]  # fmt: skip


def test_a_line_that_only_one_side_has_is_said_to_be_missing_in_the_other(shown: Any) -> None:
    row = shown("a\nb", "a\nb\nc ")
    assert row.locator("td").all_inner_texts() == ["no such line", '3: "c "']


def test_texts_of_many_lines_that_share_none_stay_short(shown: Any) -> None:
    row = shown("\n".join(map(str, range(2_000))), "\n".join(f"x{number}" for number in range(2_000)))
    assert [text.count("\n") for text in _values(row)] == [29, 29]
    assert row.locator(".hr-note").all_inner_texts() == ["and 1,970 more lines"] * 2


def test_an_expectation_in_words_is_not_cut_in_silence(shown: Any) -> None:
    row = shown({"in": [f"code-{number}" for number in range(60)]}, "code-99", kind="predicate")
    row.locator("summary").click()
    expect(row.locator("pre.hr-json")).to_contain_text("code-59")


@pytest.mark.parametrize("width", [600, 1600])
def test_a_long_value_leaves_room_for_the_others(shown: Any, width: int) -> None:
    row = shown({"exists": True}, FOX * 40, kind="predicate", path="customer.name", width=width)
    expect(row.locator(".hr-diff-expected .hr-value")).to_have_text("exists")
    lines = row.locator("th code, .hr-diff-expected .hr-value").evaluate_all(
        "all => all.map((node) => node.getClientRects().length)"
    )
    assert lines == [1, 1]
