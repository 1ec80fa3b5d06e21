"""Lint of calls over HTTP: what is called is never listened to, and the other way round."""

from __future__ import annotations

from pathlib import Path

import pytest

from choreo_bdd_steps.lint import lint
from choreo_bdd_steps.lint.suggesting import suggestion
from choreo_bdd_steps.plan.explain import explain_file

CONFIG = "profiles: {p: {bus: {type: memory}, api: {type: http, url: 'http://localhost:1'}}}"


def found(folder: Path, *steps: str, config: str = CONFIG) -> list[tuple[int, str, str]]:
    (folder / "choreo.yaml").write_text(config)
    feature = folder / "a.feature"
    feature.write_text("\n".join(["Feature: A", "  Scenario: one", *(f"    {step}" for step in steps)]))
    return [(each.line, each.rule, each.message) for each in lint([feature])]


def test_a_call_that_is_checked_is_well(tmp_path: Path) -> None:
    assert not found(
        tmp_path,
        'When I call POST "/orders"',
        "Then the response has status 201 within 200ms",
        'And I expect "orders.placed" within 100ms of "POST /orders"',
        'And I keep "id" of the response as id',
        'When I call GET "/orders/{{ id }}" on api',
        "Then the response has:",
        "  | field | value |",
        "  | id | {{ id }} |",
    )


@pytest.mark.parametrize(
    ("step", "rule", "told"),
    [
        ('When I publish "x" on api', "not-a-bus", 'When I call POST "/…" on api'),
        ('Then I expect "x" on api', "not-a-bus", "Then the response has status 200"),
        ('Given a service on api that drops "x"', "not-a-bus", "name a transport that is a bus"),
        ('When I call GET "/x" on bus', "not-called", "'bus' is a bus, which is published on and never called"),
        ('When I call GET "/x" on apy', "unknown-transport", "did you mean 'api'?"),
        ('When I call GET "x"', "unreadable-body", "begins with no /"),
        ('When I call FETCH "/x"', "unreadable-body", "there is no HTTP method FETCH; use one of GET, HEAD"),
    ],
)
def test_a_step_that_takes_the_one_for_the_other_is_told_the_right_form(
    tmp_path: Path, step: str, rule: str, told: str
) -> None:
    line, named, message = next(each for each in found(tmp_path, 'When I publish "y"', step) if each[1] == rule)
    assert (line, named) == (4, rule)
    assert told in message


@pytest.mark.parametrize(
    "step", ["Then the response has status 200", 'Then I keep "id" of the response as id', "Then the response has not:"]
)
def test_a_response_needs_a_call_before_it(tmp_path: Path, step: str) -> None:
    rules = [rule for _, rule, _ in found(tmp_path, 'When I publish "y"', step, 'And I call GET "/"')]
    assert "response-without-call" in rules


def test_a_call_that_nothing_checks_and_a_check_of_nothing(tmp_path: Path) -> None:
    call = 'When I call GET "/"'
    assert "nothing checks what this call leads to" in " ".join(each[2] for each in found(tmp_path, call))
    assert "nothing to check" in " ".join(each[2] for each in found(tmp_path, call, "Then the response has:"))


def test_without_anything_to_call_the_way_to_have_it_is_told(tmp_path: Path) -> None:
    ((_, rule, message), *_) = found(tmp_path, 'When I call GET "/"', "Then the response has status 200", config="{}")
    assert rule == "not-called"
    assert "{type: http, url:" in message


def test_of_several_services_a_call_names_one_unless_one_is_the_default(tmp_path: Path) -> None:
    two = CONFIG.replace("api:", "shop: {type: http, url: 'http://localhost:2'}, api:")
    steps = ('When I call GET "/"', "Then the response has status 200")
    ((_, rule, message),) = found(tmp_path, *steps, config=two)
    assert rule == "not-called"
    assert "shop, api: write which" in message
    assert not found(tmp_path, *steps, config=f"{two}\ndefault_transport: api")
    assert not found(tmp_path, "Given the default transport is shop", *steps, config=two)


def test_explain_says_what_waits_for_the_response_and_from_when_time_counts(tmp_path: Path) -> None:
    found(
        tmp_path,
        'When I call POST "/orders"',
        "Then the response has status 201 within 300ms",
        'And I expect "orders.placed" within 200ms',
    )
    told = explain_file(tmp_path / "a.feature")
    assert "line 4: the response of POST /orders on api: at least 1; budget 300 ms from when the request leaves" in told
    assert "budget 200 ms from the end of the call in line 3" in told
    assert "transport api (http), bus (memory)" in told


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('I send a POST request to "/orders"', 'I call POST "/orders"'),
        ('I GET "/orders"', 'I call GET "/orders"'),
        ("the response status code should be 201", "the response has status 201"),
        ("the status is 404", "the response has status 404"),
        ('I keep "id" of the answer as order', 'I keep "id" of the response as order'),
        ("I expect a response within 50ms", "I expect a reply within 50ms"),
    ],
)
def test_words_of_other_tools_are_led_here(text: str, meant: str) -> None:
    assert suggestion(text) == meant
