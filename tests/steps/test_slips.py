"""What must not come is told where it may have come under a slip of the pen: there it passes whatever comes."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from tests.support.step_bench import Bench

PUBLISH = 'When I publish "a"'


@pytest.mark.parametrize(
    ("payload", "condition", "told"),
    [
        ({"status": "BAD"}, "stauts is BAD", "no message has 'stauts', which is asked for, and there is 'status'"),
        ({"Status": "BAD"}, "status is BAD", "there is 'Status'"),
        ({"order": {"amount": 5}}, "order.amuont > 4", "there is 'order.amount'"),
        ({"lines": [{"sku": "x"}]}, "lines[0].skuu is x", "there is 'lines.0.sku'"),
        ({"amount": "5"}, "amount is 5", "'amount' as \"5\", and 5 is asked for: text and number are different"),
        ({"amount": 5}, 'amount is "5"', "'amount' as 5, and \"5\" is asked for"),
        ({"paid": "true"}, "paid is true", "'paid' as \"true\", and true is asked for"),
        ({"amount": "5"}, "amount > 4", "'amount' as \"5\", which cannot be held against"),
        ({"amount": "5", "id": 1}, "amount is 5 and id is 1", "'amount' as \"5\", and 5 is asked for"),
        (
            {"note": "an ERROR here"},
            "note matches /ERROR/",
            "'note' as \"an ERROR here\", in which the pattern is",
        ),
        ({"note": "an Error"}, "note matches /err\\w+/i", "a pattern must fit the whole text: write .* around it"),
        ({"status": "BAD"}, "status is bad", 'and "bad" is asked for: capital and small letters are different'),
    ],
)
@pytest.mark.parametrize(
    "check", ['no "x" {} for 50ms', 'at most 1 "x" messages {} within 50ms', 'exactly 0 "x" messages {} within 50ms']
)
def test_an_absence_that_passes_by_a_slip_says_so(
    bench: Bench, payload: dict[str, Any], condition: str, told: str, check: str
) -> None:
    bench.service("a", lambda _: [("x", payload)])
    with pytest.warns(UserWarning, match="on 'x' ") as warned:
        bench.play(PUBLISH, f"Then I expect {check.format(f'where {condition}')}").passed()
    assert told in str(warned[0].message)


@pytest.mark.parametrize(
    ("payloads", "condition"),
    [
        ([{"status": "GOOD"}], "status is BAD"),
        ([{"total": 5}], "status is BAD"),
        ([{"status": "GOOD"}, {"stauts": "GOOD"}], "stauts is BAD"),
        ([{"amount": "6"}], "amount is 5"),
        ([{"amount": "5", "id": 2}], "amount is 5 and id is 1"),
        ([{"account": 5}], "amount is 5"),
        ([{"note": "all is well"}], "note matches /ERROR/"),
        ([{"note": "an ERROR", "id": 2}], "note matches /ERROR/ and id is 1"),
        ([{"note": "an ERROR here"}], "note is not matches /.*ERROR.*/"),
        ([], "status is BAD"),
    ],
)
def test_an_absence_of_what_is_truly_other_says_nothing(
    bench: Bench, payloads: list[dict[str, Any]], condition: str
) -> None:
    bench.service("a", lambda _: [("x", each) for each in payloads])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bench.play(PUBLISH, f'Then I expect no "x" where {condition} for 50ms').passed()


def test_an_expectation_that_fails_needs_no_such_note(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {"amount": "5"})])
    played = bench.play(PUBLISH, 'Then I expect "x" where amount is 5')
    assert played.outcomes == ["fail"]
    assert "is asked for" not in played.message
