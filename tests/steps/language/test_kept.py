"""Bodies are read once, and anew where what users have registered gives them another meaning."""

from pathlib import Path

import pytest

from choreo_bdd_steps.language import BodyError, Variables, parse_expectation, parse_payload
from choreo_bdd_steps.language.extensions import declared

HERE = Path()
ODD = [["field", "value"], ["n", "an odd"]]


def test_one_table_is_read_once() -> None:
    first, second = (parse_expectation(None, [list(row) for row in ODD], None, base_dir=HERE) for _ in range(2))
    assert first is second


def test_a_condition_and_a_folder_make_another_body() -> None:
    plain = parse_expectation("n: 1", None, None, base_dir=HERE)
    assert parse_expectation("n: 1", None, "m is 2", base_dir=HERE) is not plain
    assert parse_expectation("n: 1", None, None, base_dir=HERE / "other") is not plain


def test_what_is_registered_gives_a_table_another_meaning_before_and_after() -> None:
    def takes_a_number() -> bool:
        (matcher,) = parse_expectation(None, ODD, None, base_dir=HERE).build(Variables())
        return matcher.match({"n": 3}).matched

    assert not takes_a_number()
    with declared(["odd"], []):
        assert takes_a_number()
    assert not takes_a_number()


def test_a_function_registered_meanwhile_needs_no_variable() -> None:
    assert parse_payload("n: {{ stamp }}", None, base_dir=HERE).needs == {"stamp"}
    with declared([], ["stamp"]):
        assert parse_payload("n: {{ stamp }}", None, base_dir=HERE).needs == frozenset()


def test_nobody_shares_what_another_scenario_sends() -> None:
    first, second = (
        parse_payload("items: [1, 2]", None, base_dir=HERE).build(Variables())[0].payload for _ in range(2)
    )
    assert first == second == {"items": [1, 2]}
    assert isinstance(first, dict)
    first["items"].append(3)
    assert second == {"items": [1, 2]}


def test_what_cannot_be_read_is_told_each_time() -> None:
    for _ in range(2):
        with pytest.raises(BodyError):
            parse_payload("a: 1", [["field", "value"], ["a", "1"]], base_dir=HERE)
