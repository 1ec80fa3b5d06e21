"""What users register in Python, and the functions of templates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd_steps.language import (
    BodyError,
    BodyMatcher,
    OutgoingMessage,
    Variables,
    extensions,
    function,
    matcher,
    parse_expectation,
    parse_payload,
)

HERE = Path(__file__).parent
VARIABLES = Variables({"order_id": "O-1", "n": 5, "flag": True, "order": {"items": [{"sku": "x"}]}})


@pytest.fixture(autouse=True)
def _no_leftover_extensions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions, "_matchers", {})
    monkeypatch.setattr(extensions, "_functions", {})


def expecting(doc: str, **options: Any) -> BodyMatcher:
    [built] = parse_expectation(doc, None, None, base_dir=HERE, **options).build(VARIABLES)
    return built


def expecting_rows(*rows: list[str]) -> list[BodyMatcher]:
    return parse_expectation(None, rows, None, base_dir=HERE).build(VARIABLES)


def expecting_cell(cell: str) -> BodyMatcher:
    [built] = expecting_rows(["field", "value"], ["v", cell])
    return built


def publishing(doc: str | None, **options: Any) -> OutgoingMessage:
    [built] = parse_payload(doc, None, base_dir=HERE, **options).build(VARIABLES)
    return built


def accepts(built: BodyMatcher, payload: object) -> bool:
    return built.match(payload).matched


def test_a_registered_matcher_is_a_tag_and_a_cell_word() -> None:
    @matcher("even_number")
    def even(value: object) -> bool:
        assert isinstance(value, int), "not an integer"
        return value % 2 == 0

    @matcher("divisible")
    def divisible(value: Any, by: int) -> bool:
        return bool(value % by == 0)

    assert accepts(expecting("v: !even_number"), {"v": 2})
    assert accepts(expecting_cell("an Even number"), {"v": 2})
    assert accepts(expecting("v: !divisible 3"), {"v": 9})
    refused = expecting("v: !even_number").match({"v": "x"})
    assert "not an integer" in refused.reason
    assert not expecting("v: !divisible 3").match({"v": 8}).matched
    with pytest.raises(BodyError, match="takes no value"):
        expecting("v: !even_number 3")


def test_a_registered_function_is_called_in_templates() -> None:
    @function
    def greeting(name: str) -> str:
        return f"hello {name}"

    @function("boom")
    def failing() -> None:
        raise KeyError("inside")

    assert publishing("a: {{ greeting('you') }}").payload == {"a": "hello you"}
    assert parse_payload("a: {{ greeting('you') }}", None, base_dir=HERE).needs == frozenset()
    with pytest.raises(BodyError, match=r"boom\(\).*inside"):
        publishing("a: {{ boom() }}")


def test_what_a_predicate_changes_others_do_not_see() -> None:
    @matcher("emptied")
    def emptied(value: dict[str, object]) -> bool:
        value.clear()
        return True

    payload = {"v": {"n": 1}}
    assert accepts(expecting("v: !emptied"), payload)
    assert payload == {"v": {"n": 1}}


@pytest.mark.parametrize("error", [SystemExit, pytest.fail.Exception, GeneratorExit])
def test_a_function_that_ends_the_run_fails_its_own_step(error: type[BaseException]) -> None:
    @function("ends")
    def ends() -> None:
        raise error("own words")

    with pytest.raises(BodyError, match=rf"ends\(\).* failed: {error.__name__}: own words"):
        publishing("a: {{ ends() }}")


def test_names_are_registered_once() -> None:
    def register() -> object:
        @matcher("iban")
        def iban(value: object) -> bool:
            return True

        return iban

    register()
    register()  # a step file that is loaded twice
    with pytest.raises(ValueError, match="registered already"):
        matcher("iban")(len)
    with pytest.raises(ValueError, match="built in"):
        matcher("gt")
    with pytest.raises(ValueError, match="built in"):
        function("uuid")
    with pytest.raises(ValueError, match="lower-case"):
        matcher("Not a name")


def test_python_predicates_work_when_allowed() -> None:
    def built(reference: str) -> BodyMatcher:
        body = parse_expectation(f"v: !python '{reference}'", None, None, base_dir=HERE)
        return body.build(Variables(python_matchers=True))[0]

    assert not accepts(built("builtins:callable"), {"v": 1})
    for reference in ("nowhere:fn", "math:nope", "math:pi", "math"):
        with pytest.raises(BodyError, match="!python"):
            built(reference)


def test_functions_of_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED", "value")
    monkeypatch.setenv("SECRET", "v4lue")
    variables = Variables({}, frozenset({"ALLOWED", "UNSET"}), _counting())
    body = parse_payload(
        "[{{ seq() }}, {{ seq() }}, {{ env('ALLOWED') }}, {{ random_int(3, 3) }}, "
        "{{ 'x' | b64 }}, {{ 'x' | hex }}, '{{ {\"a\": none} | tojson }}']",
        None,
        base_dir=HERE,
    )
    assert body.build(variables)[0].payload == [1, 2, "value", 3, "eA==", "78", '{"a": null}']
    for name, problem in (("SECRET", "not allowed"), ("UNSET", "not set")):
        with pytest.raises(BodyError, match=f"{name}.*{problem}") as refused:
            parse_payload(f"{{{{ env('{name}') }}}}", None, base_dir=HERE).build(variables)
        assert "v4lue" not in str(refused.value)
    assert accepts(expecting("!uuid"), publishing("{{ uuid() }}").payload)
    assert accepts(expecting("!iso8601"), publishing("{{ now() }}").payload)
    assert isinstance(publishing("{{ now_ms() }}").payload, int)


def test_values_of_variables_never_show() -> None:
    assert "s3cret" not in repr(Variables({"password": "s3cret"}))
    with pytest.raises(BodyError) as caught:
        parse_payload("{{ nope }}", None, base_dir=HERE).build(Variables({"password": "s3cret"}))
    assert "password" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def _counting() -> Iterator[int]:
    yield from range(1, 100)
