"""Durations, rendering and names, one by one."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest
from jinja2.defaults import DEFAULT_NAMESPACE

from choreo_bdd_steps.language import (
    BodyError,
    Variables,
    parse_duration,
    parse_field,
    referenced_names,
    render,
)
from choreo_bdd_steps.language.matching import tags
from choreo_bdd_steps.language.reserved_names import FUNCTIONS, MATCHERS
from choreo_bdd_steps.language.templates import engine, functions


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("50ms", 0.05), ("1.5s", 1.5), ("2 seconds", 2.0), ("1 minute", 60.0), ("1m", 60.0), ("0s", 0.0)],
)
def test_durations_are_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "5 parsecs", "-1s", "1.s", "1e3s", "25 hours", "1500 minutes"])
def test_a_duration_without_a_sensible_unit_is_refused(text: str) -> None:
    with pytest.raises(BodyError, match="duration"):
        parse_duration(text)


def test_render_goes_into_structures_and_keeps_types() -> None:
    variables = Variables({"n": 1, "name": "x"})
    value = {"{{ name }}": ["{{ n }}", "{{ n }}{{ n }}", 5, None, ("{{ n }}",)]}
    assert render(value, variables) == {"x": [1, "11", 5, None, [1]]}
    assert render("orders.{{ name }}", variables) == "orders.x"
    assert render(b"{{ n }}", variables) == b"{{ n }}"


def test_referenced_names_leave_out_functions() -> None:
    value = {"a": "{{ x.y }} {{ uuid() }}", "{{ k }}": ["{{ index }}", "{% if z %}{% endif %}"]}
    assert referenced_names(value) == {"x", "k", "index", "z"}
    with pytest.raises(BodyError, match="cannot be read"):
        referenced_names("{{ x")


@pytest.mark.parametrize(
    "template",
    [
        "{{ [1]" + "[0]" * 200 + " }}",
        "{{ " + "(" * 20 + "[" * 200 + "]" * 200 + ")" * 20 + " }}",
        "{{ " + "[" * 5_000,
        "{{ n" + ".a" * 200 + " }}",
        "{{ n" + "|b64" * 60 + " }}",
        "{{ " + "2 ** " * 100 + "2 }}",
    ],
    ids=["accesses", "brackets", "open brackets", "fields", "filters", "powers"],
)
def test_a_template_nested_too_deeply_is_refused_before_it_is_compiled(template: str) -> None:
    with pytest.raises(BodyError, match="nested more than 40 levels deep"):
        referenced_names(template)
    with pytest.raises(BodyError, match="nested more than 40 levels deep"):
        render(template, Variables({"n": 1}))


@pytest.mark.parametrize("template", ["{{ 'x' * 999999999 }}", "{{ 999999999 * [n] }}", "{{ 9 ** 9999999 }}"])
def test_a_template_makes_nothing_huge_of_something_small(template: str) -> None:
    with pytest.raises(BodyError, match="permitted"):
        render(template, Variables({"n": 1}))


def test_a_template_multiplies_and_repeats_within_reason() -> None:
    assert (
        render("{{ 'x' * 3 }}{{ 2 * 4 }}{{ 2 ** 5 }}{{ 1.5 * 2 }}{{ n[0] * -1 }}", Variables({"n": [2]}))
        == "xxx8323.0-2"
    )


def test_a_variable_hides_a_function_of_its_name() -> None:
    assert render("{{ now }}", Variables({"now": 5})) == 5


_WORDS = (
    "n",
    "true",
    "True",
    "none",
    "not",
    "self",
    "loop",
    "super",
    "now",
    "in",
    "and",
    "_x",
    "__class__",
    "é",
    "5",
    "a.b",
)


@pytest.mark.parametrize("source", ["{{ %s }}", " {{%s}}\n", "{{\n%s\t}}", "{{- %s -}}", "{{ %s"])
@pytest.mark.parametrize("name", [*_WORDS, *DEFAULT_NAMESPACE])
def test_a_name_alone_means_what_it_means_to_jinja(source: str, name: str) -> None:
    text = source % name

    def told(read: Callable[[], object]) -> str:
        try:
            return repr(read())
        except BodyError as error:
            return str(error)

    for value in (5, "x", None, True, [1], {"a": 2}, Decimal("1.0"), (1,), len):
        variables = Variables({name: value})
        assert told(partial(render, text, variables)) == told(partial(engine.rendered, text, variables))
    assert told(lambda: referenced_names(text)) == told(lambda: engine.names_in(text) - FUNCTIONS)


def test_fields_know_payload_from_envelope() -> None:
    assert parse_field(" a.b[0] ").segments == ("a", "b", 0)
    assert parse_field("@headers.x.y").envelope == "headers.x.y"
    assert parse_field("'@id'").segments == ("@id",)
    with pytest.raises(BodyError, match="@key, @headers"):
        parse_field("@headers")


def test_every_matcher_that_there_is_has_a_reserved_name_and_the_other_way_round() -> None:
    assert tags._WITHOUT_VALUE.keys() | tags._WITH_VALUE.keys() | tags._WITH_FILES.keys() | {"python"} == MATCHERS


def test_every_function_that_there_is_has_a_reserved_name_and_the_other_way_round() -> None:
    assert functions._functions(Variables()).keys() == FUNCTIONS
