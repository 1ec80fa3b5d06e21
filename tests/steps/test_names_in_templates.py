"""Names of fields and headers that are templates mean the place that comes of them, in absences as well."""

from __future__ import annotations

import pytest

from tests.support.step_bench import Bench

SENT = 'When I publish "x" as an envelope:\n  headers: {n: "1"}\n  payload: {n: 1, o: {n: 1}, l: [{n: 1}, {n: 2}]}'
NAMED = [
    ("| {{ k }} | 1 |", ""),
    ("| o.{{ k }} | 1 |", ""),
    ("| l[{{ i }}].n | 2 |", ""),
    ("| l[?].{{ k }} | 2 |", ""),
    ("| l[*].{{ k }} | > 0 |", ""),
    ("| @headers.{{ k }} | 1 |", ""),
    ("| {{ path }} | 1 |", ""),
    ("", "{{ k }} is 1"),
    ("", "m is 7 or o.{{ k }} is 1"),
    ("", "@headers.{{ k }} is 1"),
    ('"@headers.{{ k }}": 1', ""),
]
VARIABLES = (
    'Given the variables:\n  | name | value |\n  | k | n |\n  | i | 1 |\n  | path | o.n |\n  | around | "@key" |'
)


def asked(check: str, body: str, condition: str) -> str:
    where = f" where {condition}" if condition else ""
    if body.startswith("|"):
        body = f"| field | value |\n  {body}"
    return check.format(where) + (f":\n  {body}" if body else "")


@pytest.mark.parametrize(("body", "condition"), NAMED)
def test_an_absence_is_of_what_the_name_means(bench: Bench, body: str, condition: str) -> None:
    played = bench.play(VARIABLES, SENT, asked('Then I expect no "x"{} for 30ms', body, condition))
    assert played.outcomes == ["fail"], played.message


@pytest.mark.parametrize(("body", "condition"), NAMED)
def test_an_expectation_is_of_what_the_name_means(bench: Bench, body: str, condition: str) -> None:
    bench.play(VARIABLES, SENT, asked('Then I expect "x"{}', body, condition)).passed()


def test_a_further_check_is_of_what_the_name_means(bench: Bench) -> None:
    played = bench.play(
        VARIABLES, SENT, 'Then I expect "x"', asked('And the "x" message has not', "| o.{{ k }} | 1 |", "")
    )
    assert "o.n" in played.message


@pytest.mark.parametrize(("body", "condition"), [("| {{ nope }} | 1 |", ""), ("", "{{ nope }} is 1")])
def test_a_name_that_names_no_variable_is_an_error(bench: Bench, body: str, condition: str) -> None:
    played = bench.play(VARIABLES, SENT, asked('Then I expect no "x"{} for 30ms', body, condition))
    assert "nope" in played.message


def test_a_name_waits_for_the_variable_that_a_step_keeps(bench: Bench) -> None:
    played = bench.play(
        'When I publish "x":\n  {s: n, n: 1}',
        'Then I expect "x"',
        'And I keep "s" of "x" as kept',
        'And I expect "x" where {{ kept }} is 2',
    )
    assert "n: expected 2, got 1" in played.message


def test_a_template_reaches_around_the_payload_only_with_the_at_sign_before_it(bench: Bench) -> None:
    played = bench.play(VARIABLES, SENT, asked('Then I expect no "x"{} for 30ms', "| {{ around }} | 1 |", ""))
    assert "'{{ around }}' gives '@key', which stands around the payload" in played.message
    bench.play(
        VARIABLES,
        "When I publish \"x\":\n  | field | value |\n  | '{{ around }}' | 1 |",
        asked('Then I expect "x"{}', "| '{{ around }}' | 1 |", ""),
    ).passed()


@pytest.mark.parametrize("place", ["f{}", "o.f{}", "@headers.f{}"])
def test_a_published_field_is_called_what_the_name_means(bench: Bench, place: str) -> None:
    bench.play(
        f'When I publish 2 "x" messages:\n  | field | value |\n  | {place.format("{{ index }}")} | 1 |\n  | m | 1 |',
        f'Then I expect exactly 1 "x" message where {place.format(1)} is 1 within 30ms',
    ).passed()
