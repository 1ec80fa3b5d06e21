"""AsyncAPI documents as contracts."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from choreo_bdd.asyncapi import AsyncApi, AsyncApiError, load_asyncapi
from choreo_bdd.contracts import Guard
from choreo_bdd.exceptions import ContractBroken
from tests.support.asyncapi_samples import V2, V3, VERSIONS, load

EXAMPLE = Path(__file__).parents[2] / "examples/orders/asyncapi.yaml"
TRACED = {"trace": "t-1"}
GOOD: dict[str, Any] = {
    "id": "A-1", "total": 12, "currency": "EUR", "customer": {"name": "Kim", "tags": ["new"]},
    "password": "long enough",
}  # fmt: skip


@pytest.fixture(params=VERSIONS)
def api(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncApi:
    """The same contract in both versions."""
    return load(tmp_path, VERSIONS[request.param])


def told(api: AsyncApi, topic: str, payload: Any, headers: Any = TRACED) -> dict[str, str]:
    return {problem.path: problem.text for problem in api.problems(topic, payload, headers)}


class TestChannels:
    def test_addresses_come_in_the_order_of_the_document(self, api: AsyncApi) -> None:
        assert api.addresses == (
            "orders.placed", "orders.changed", "regions.{region}.orders.{id}", "anything.goes", "binary.orders",
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("topic", "address"),
        [
            ("orders.placed", "orders.placed"),
            ("regions.eu.orders.A-1", "regions.{region}.orders.{id}"),
            ("regions.mars.orders.A-1", None),
            ("regions.eu.orders.A-1.extra", None),
            ("regions.eu.orders.", None),
            ("regions.{region}.orders.{id}", None),
            ("orders", None),
        ],
    )
    def test_a_parameter_is_one_segment_of_those_allowed(self, api: AsyncApi, topic: str, address: str | None) -> None:
        assert api.address_of(topic) == address
        assert (api.unknown(topic) is None) == (address is not None)

    @pytest.mark.parametrize(
        ("pattern", "covered"),
        [
            ("orders.*", True), ("regions.eu.>", True), (">", True), ("payments.*", False),
            ("regions.us.>", True), ("*.us.*.A-9", True), ("regions.*.orders.A-9", True), ("regions.mars.>", False),
            ("regions.us.orders.A-9.*", False), ("regions.us.*", False),
        ],
    )  # fmt: skip
    def test_a_pattern_is_covered_by_any_channel_under_it(self, api: AsyncApi, pattern: str, covered: bool) -> None:
        assert api.covers(pattern) is covered

    def test_an_unknown_topic_gets_the_likely_one(self, api: AsyncApi) -> None:
        unknown = api.unknown("order.placed")
        assert unknown is not None
        assert unknown.text == (
            "unknown topic: no channel of shop.yaml describes 'order.placed'; did you mean 'orders.placed'?"
        )
        assert api.problems("order.placed", {"total": "x"}, {}) == ()

    def test_nothing_is_suggested_where_nothing_is_near(self, api: AsyncApi) -> None:
        unknown = api.unknown("zzz")
        assert unknown is not None
        assert "did you mean" not in unknown.text


class TestMessages:
    def test_words_that_yaml_1_1_takes_for_no_text_are_text(self, tmp_path: Path) -> None:
        words = "required: [on], properties: {on: {enum: [off, 2024-01-01T00:00:00Z, 12:30]}}"
        payload = f"{{publish: {{message: {{payload: {{type: object, {words}}}}}}}}}"
        api = load(tmp_path, f"asyncapi: 2.6.0\ninfo: {{title: Lamp, version: 1.0.0}}\nchannels: {{lamp: {payload}}}\n")
        for word in ("off", "2024-01-01T00:00:00Z", "12:30"):
            assert told(api, "lamp", {"on": word}) == {}
        assert "on" in told(api, "lamp", {"on": False})

    def test_a_good_one_has_no_problems(self, api: AsyncApi) -> None:
        assert told(api, "orders.placed", GOOD) == {}

    @pytest.mark.parametrize(
        ("change", "problems"),
        [
            ({"total": "12"}, {"total": "expected integer, got a string"}),
            ({"total": 0}, {"total": "breaks minimum: 1"}),
            ({"currency": "DKK"}, {"currency": 'expected one of "EUR", "GBP"'}),
            ({"id": "B-1"}, {"id": 'breaks pattern: "^A-"'}),
            ({"customer": {"name": 5}}, {"customer.name": "expected string or null, got an integer"}),
            ({"customer": {"name": None, "tags": ["a", 1]}}, {"customer.tags.1": "expected string, got an integer"}),
            ({"customer": {}}, {"customer.name": "is missing"}),
            ({"colour": 1}, {"<root>": "Additional properties are not allowed ('colour' was unexpected)"}),
            ({"id": None, "total": None}, {"id": "expected string, got null", "total": "expected integer, got null"}),
        ],
    )
    def test_each_offending_field_is_named(
        self, api: AsyncApi, change: dict[str, Any], problems: dict[str, str]
    ) -> None:
        assert told(api, "orders.placed", {**GOOD, **change}) == problems

    @pytest.mark.parametrize("missing", ["id", "total"])
    def test_a_missing_field_too(self, api: AsyncApi, missing: str) -> None:
        payload = {key: value for key, value in GOOD.items() if key != missing}
        assert told(api, "orders.placed", payload) == {missing: "is missing"}

    def test_the_rule_is_a_place_in_the_document(self, api: AsyncApi) -> None:
        (problem,) = api.problems("orders.placed", {**GOOD, "customer": {"name": 5}}, TRACED)
        assert problem.rule == (
            "shop.yaml#/components/messages/Placed: payload/properties/customer/properties/name/type"
        )

    def test_no_value_is_repeated(self, api: AsyncApi) -> None:
        (problem,) = api.problems("orders.placed", {**GOOD, "password": "s3cr3t"}, TRACED)
        assert problem.actual == "s3cr3t"
        assert "s3cr3t" not in f"{problem} {problem!r}"

    def test_one_of_several_messages_will_do(self, api: AsyncApi) -> None:
        assert told(api, "orders.changed", GOOD) == {}
        assert told(api, "orders.changed", {"refund": 2.5}, {}) == {}

    def test_if_none_fits_the_nearest_is_told_about(self, api: AsyncApi) -> None:
        assert told(api, "orders.changed", {"refund": -1}, {}) == {"refund": "breaks exclusiveMinimum: 0"}

    def test_a_channel_without_messages_takes_anything(self, api: AsyncApi) -> None:
        assert told(api, "anything.goes", ["whatever"], {}) == {}

    def test_a_payload_in_another_language_is_the_codecs_matter(self, api: AsyncApi) -> None:
        assert told(api, "binary.orders", {"total": "12"}, {}) == {}

    def test_bytes_are_in_no_schemas_language(self, api: AsyncApi) -> None:
        assert told(api, "orders.placed", b"\x00") == {}


class TestHeaders:
    def test_a_missing_one_is_named(self, api: AsyncApi) -> None:
        assert told(api, "orders.placed", GOOD, {}) == {"@headers.trace": "is missing"}

    @pytest.mark.parametrize(
        ("attempt", "problem"),
        [("2", {}), ("9", {"@headers.attempt": "breaks maximum: 3"}),
         ("x", {"@headers.attempt": "expected integer, got a string"})],
    )  # fmt: skip
    def test_numbers_travel_as_text(self, api: AsyncApi, attempt: str, problem: dict[str, str]) -> None:
        assert told(api, "orders.placed", GOOD, {**TRACED, "attempt": attempt}) == problem

    def test_text_that_looks_like_a_number_stays_text(self, api: AsyncApi) -> None:
        assert told(api, "orders.placed", GOOD, {"trace": "007", "attempt": "1"}) == {}


REQUIRED = [("id",), ("total",), ("customer", "name")]
WRONG: dict[tuple[str, ...], st.SearchStrategy[Any]] = {
    (): st.none() | st.integers() | st.text() | st.lists(st.integers()),
    ("id",): st.none() | st.integers() | st.from_regex(r"[B-Z].*", fullmatch=True),
    ("total",): st.integers(max_value=0) | st.text() | st.none() | st.just(1.5),
    ("currency",): st.text().filter(lambda text: text not in ("EUR", "GBP")) | st.integers(),
    ("customer",): st.text() | st.lists(st.text()) | st.just({}),
    ("customer", "tags"): st.text() | st.lists(st.integers(), min_size=1),
    ("password",): st.text(max_size=7) | st.none(),
    ("surplus",): st.integers(),
}


@st.composite
def broken_payloads(draw: st.DrawFn) -> Any:
    """A good payload with one field taken away, or made wrong."""
    payload = copy.deepcopy(GOOD)
    if draw(st.booleans()):
        path, value = draw(st.sampled_from(REQUIRED)), None
        holder = payload if len(path) == 1 else payload[path[0]]
        del holder[path[-1]]
        return payload
    wrong = draw(st.sampled_from(sorted(WRONG, key=str)))
    value = draw(WRONG[wrong])
    if not wrong:
        return value
    holder = payload if len(wrong) == 1 else payload[wrong[0]]
    holder[wrong[-1]] = value
    return payload


@pytest.mark.thorough
@given(payload=broken_payloads())
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # the document never changes
def test_a_payload_made_wrong_is_always_refused(api: AsyncApi, payload: Any) -> None:
    with pytest.raises(ContractBroken, match=r"orders\.placed"):
        Guard(api).require_message("orders.placed", payload, TRACED)


class TestDialects:
    def test_a_schema_may_name_its_own(self, tmp_path: Path) -> None:
        text = V3.replace(
            "    Refund:\n", "    Refund:\n      $schema: 'https://json-schema.org/draft/2020-12/schema'\n"
            "      unevaluatedProperties: false\n",
        )  # fmt: skip
        assert told(load(tmp_path, text), "orders.changed", {"refund": 1, "x": 2}, {}) == {
            "<root>": "Unevaluated properties are not allowed ('x' was unexpected)"
        }

    def test_or_have_it_named_by_its_format(self, tmp_path: Path) -> None:
        text = V2.replace(
            "    Refunded:\n", "    Refunded:\n      schemaFormat: application/schema+json;version=draft-2020-12\n"
        ).replace(
            "      properties:\n        refund",
            "      dependentRequired: {refund: [why]}\n      properties:\n        refund",
        )
        assert told(load(tmp_path, text), "orders.changed", {"refund": 1}, {}) == {
            "<root>": "'why' is a dependency of 'refund'"
        }

    def test_an_unknown_one_is_an_error(self, tmp_path: Path) -> None:
        text = V2.replace(
            "    Refunded:\n", "    Refunded:\n      schemaFormat: application/schema+json;version=draft-99\n"
        )
        with pytest.raises(AsyncApiError, match=r"shop\.yaml#/components/messages/Refunded/payload: .*'draft-99'"):
            load(tmp_path, text)


class TestFiles:
    def test_a_schema_may_be_in_another_file_and_refer_on(self, tmp_path: Path) -> None:
        (tmp_path / "schemas").mkdir()
        (tmp_path / "schemas/refund.json").write_text(
            '{"type": "object", "properties": {"refund": {"$ref": "money.yaml#/definitions/Amount"}}}'
        )
        (tmp_path / "schemas/money.yaml").write_text("definitions:\n  Amount: {type: number, minimum: 5}\n")
        api = load(tmp_path, V3.replace("'#/components/schemas/Refund'", "'./schemas/refund.json'"))
        assert told(api, "orders.changed", {"refund": 1}, {}) == {"refund": "breaks minimum: 5"}

    def test_a_reference_may_lead_over_another_one(self, tmp_path: Path) -> None:
        (tmp_path / "channels.yaml").write_text(
            "placed: {address: placed, messages: {m: {payload: {$ref: '#/amount'}}}}\namount: {type: integer}\n"
        )
        behind = "asyncapi: 3.0.0\nchannels: {placed: {$ref: 'channels.yaml#/placed'}}\noperations:\n  place:\n"
        message = (
            "    {action: receive, channel: {$ref: '#/channels/placed'}, messages: [{$ref: '#/channels/placed/%s'}]}"
        )
        api = load(tmp_path, behind + message % "messages/m")
        assert told(api, "placed", "five", {}) == {"<root>": "expected integer, got a string"}
        with pytest.raises(AsyncApiError, match=r"shop\.yaml has no /channels/placed/messages/n"):
            load(tmp_path, behind + message % "messages/n")
        with pytest.raises(AsyncApiError, match=r"#/x/y' leads nowhere"):
            load(tmp_path, "asyncapi: 3.0.0\nchannels: {}\nx: {$ref: '#/x/y'}\n")

    def test_a_schema_in_another_language_may_be_in_a_file_that_is_no_yaml(self, tmp_path: Path) -> None:
        (tmp_path / "reading.proto").write_text('syntax = "proto3";\nmessage Reading {\n\tint32 lux = 1;\n}\n')
        proto = "application/vnd.google.protobuf;version=3"
        inside = f"{{payload: {{schemaFormat: {proto}, schema: {{$ref: reading.proto}}}}}}"
        api = load(tmp_path, f"asyncapi: 3.0.0\nchannels: {{a: {{address: a, messages: {{m: {inside}}}}}}}\n")
        assert told(api, "a", {"lux": "many"}, {}) == {}

    def test_several_documents_are_one_contract(self, tmp_path: Path) -> None:
        load(tmp_path, V2)
        load(tmp_path, V3.replace("orders.placed", "orders.other"), "more.yaml")
        api = load_asyncapi([tmp_path / "shop.yaml", tmp_path / "more.yaml"])
        assert api.source == "shop.yaml, more.yaml"
        assert {"orders.placed", "orders.other"} <= set(api.addresses)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("openapi: 3.0.0", r"shop\.yaml: expected an AsyncAPI document of version 2\.x or 3\.x, found no key"),
            ("asyncapi: 1.2.0", r"shop\.yaml: expected .*, found `asyncapi: 1\.2\.0`"),
            ("asyncapi: 3.0.0", r"shop\.yaml: the document has no `channels`"),
            ("[1, 2]", r"shop\.yaml: expected an object, found list"),
            ("asyncapi: [", r"shop\.yaml cannot be read as YAML"),
            ("a: &a [*a]", r"shop\.yaml cannot be read as YAML: an alias stands inside what it repeats \(line 1\)"),
            ("asyncapi: 3.0.0\nchannels: {a: 5}", r"shop\.yaml#/channels/a: expected an object, found int"),
            (V3.replace("messages/Placed'}", "messages/Plaed'}"),
             r"shop\.yaml#/channels/placed/messages/placed: .*/Plaed' leads nowhere: shop\.yaml has no /components/m"),
            (V3.replace("'#/components/schemas/Customer'", "'other.yaml#/Customer'"),
             r"schemas/Order/properties/customer: .* leads nowhere: .*other\.yaml cannot be read: No such file"),
            (V3.replace("'#/components/schemas/Customer'", "'https://example.com/c.json'"),
             r"https://example\.com/c\.json is not a local file, and nothing is fetched from a network"),
            (V2.replace("type: integer, minimum: 1", "type: integr"),
             r"shop\.yaml#/components/schemas/Order/properties/total/type: this is no JSON Schema: 'integr'"),
            (V2.replace("'^A-'", "'('"), r"Order/properties/id/pattern: this is no JSON Schema"),
            ("asyncapi: 3.0.0\nchannels: {$ref: '#/x'}\nx: {$ref: '#/channels'}", "leads round in a circle"),
        ],
    )  # fmt: skip
    def test_a_broken_document_is_one_error_that_names_file_and_place(
        self, tmp_path: Path, text: str, message: str
    ) -> None:
        with pytest.raises(AsyncApiError, match=message):
            load(tmp_path, text)

    def test_a_document_in_json_is_read_as_json_and_its_errors_speak_of_json(self, tmp_path: Path) -> None:
        api = load(tmp_path, '{\n\t"asyncapi": "3.0.0",\n\t"channels": {"a": {"address": "a"}}\n}\n', "shop.json")
        assert "a" in api.addresses
        with pytest.raises(AsyncApiError, match=r"shop\.json cannot be read as JSON: .* \(line 2, column \d+\)"):
            load(tmp_path, '{\n"asyncapi": "3.0.0", ', "shop.json")

    def test_words_in_examples_are_no_references(self, tmp_path: Path) -> None:
        text = V2.replace("    Refund:\n", "    Refund:\n      examples: [{$ref: 'nowhere.yaml'}]\n")
        assert "orders.changed" in load(tmp_path, text).addresses

    def test_a_schema_that_refers_to_itself_is_fine(self, tmp_path: Path) -> None:
        text = V2.replace("items: {type: string}", "items: {$ref: '#/components/schemas/Customer'}")
        api = load(tmp_path, text)
        nested = {"name": "a", "tags": [{"name": "b", "tags": [{"name": 3}]}]}
        assert told(api, "orders.placed", {**GOOD, "customer": nested}) == {
            "customer.tags.0.tags.0.name": "expected string or null, got an integer"
        }

    def test_dates_and_numbers_as_keys_are_text_as_in_json(self, tmp_path: Path) -> None:
        text = V2.replace("currency: {enum: [EUR, GBP]}", "currency: {enum: [2026-01-02]}\n        1: {type: string}")
        assert told(load(tmp_path, text), "orders.placed", {**GOOD, "currency": "2026-01-02", "1": 5}) == {
            "1": "expected string, got an integer"
        }


def test_the_example_is_sound() -> None:
    assert "carrier.booking.{stage}" in load_asyncapi([EXAMPLE]).addresses
