from __future__ import annotations

from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from choreo_bdd_schemas import config_schema, validate_config
from choreo_bdd_schemas.reference import config_reference

DOCUMENTED = """
default_profile: memory
profiles:
  memory:
    kafka: {type: memory}
    nats:  {type: memory}
  local:
    kafka: {type: kafka, servers: ["localhost:9092"], correlation: {field: correlation_id}}
    nats:  {type: nats,  servers: ["nats://localhost:4222"], auth: {user: app, password: "x"}}
    rabbitmq: {type: rabbitmq, url: "amqp://guest:guest@localhost:5672/", exchange: choreo}
    redis: {type: redis, url: "redis://localhost:6379/0", streams: true}
default_transport: kafka
timeout: 2s
slow: fail
allowlist: config/allowlist.yaml
report: {dir: test-report}
"""


def transport(**settings: Any) -> dict[str, Any]:
    return {"profiles": {"p": {"t": settings}}}


def test_the_schema_is_valid_and_accepts_the_documented_file() -> None:
    Draft202012Validator.check_schema(config_schema())
    assert validate_config(yaml.safe_load(DOCUMENTED)) == []


def test_an_empty_configuration_is_enough() -> None:
    assert validate_config({}) == []


@pytest.mark.parametrize(
    "document",
    [
        {
            "env": ["HOME", "USER"],
            "vacuity": "warn",
            "unattributed": "fail",
            "causation": "x-caused-by",
            "python_matchers": True,
            "asyncapi": ["a.yaml", "b.yaml"],
        },
        {"asyncapi": {"spec": "a.yaml", "unknown": "warn"}},
        {"asyncapi": {"spec": ["a.yaml", "b.yaml"]}},
        {"timeout": "1.5s"},
        {"timeout": "1 minute"},
        {"slow": "warn", "asyncapi": "api.yaml"},
        transport(type="memory", codec="text", correlation=False),
        transport(type="kafka", servers="localhost:9092", codec={"type": "avro", "schema": "order.avsc"}),
        transport(type="memory", codec={"type": "avro", "schema": "a.avsc", "confluent": True, "schema_id": 7}),
        transport(type="memory", codec={"type": "protobuf", "descriptor": "a.binpb", "message": "shop.Order"}),
        transport(type="memory", codec={"type": "msgpack"}),
        transport(type="nats", servers="nats://h", correlation={"header": "x-id", "prefix": "test-"}, tls=True),
        transport(type="rabbitmq", url="amqps://h", auth={"mechanism": "EXTERNAL"}, tls={"cert": "c", "key": "k"}),
        transport(type="nats", servers="tls://h", tls={"hostname": "h"}, auth={"nkey_file": "a.nk"}),
        transport(type="rabbitmq", url="amqp://h", exchange="shop"),
        transport(type="rabbitmq", url="amqp://h", exchange={"name": "shop", "kind": "fanout", "passive": True}),
        transport(type="redis", url="redis://h", tls={"ca": "ca.pem", "verify": False}, connect_timeout="5s"),
    ],
)
def test_accepted(document: dict[str, Any]) -> None:
    assert validate_config(document) == []


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({"timeout": "5"}, "timeout: '5' does not match"),
        ({"timeout": 5}, "timeout: 5 is not of type 'string'"),
        ({"slow": "ignore"}, "slow: 'ignore' is not one of ['fail', 'warn']"),
        ({"profile": {}}, "<root>: unknown key 'profile'; known are allowlist, asyncapi, causation, default_profile"),
        ({"report": {"path": "x"}}, "report: unknown key 'path'; known are dir"),
        ({"env": "HOME"}, "env: 'HOME' is not of type 'array'"),
        ({"profiles": {"p": {}}}, "profiles.p: {} should be non-empty"),
        (transport(url="redis://h"), "profiles.p.t: 'type' is a required property"),
        (transport(type="mqtt"), "profiles.p.t.type: 'mqtt' is not one of ['memory', 'kafka'"),
        (transport(type="kafka"), "profiles.p.t: 'servers' is a required property"),
        (
            transport(type="redis", servers="h", url="u"),
            "profiles.p.t: unknown key 'servers'; known are auth,",
        ),
        (
            transport(type="redis", url="u", auth={"token": "t"}),
            "profiles.p.t.auth: unknown key 'token'; known are password, user",
        ),
        (
            transport(type="kafka", servers="h", auth={"mechanism": "EXTERNAL"}),
            "profiles.p.t.auth.mechanism: 'EXTERNAL' is not one of",
        ),
        (
            transport(type="rabbitmq", url="u", exchange={"name": "shop", "kind": "topical"}),
            "profiles.p.t.exchange.kind: 'topical' is not one of ['topic', 'direct', 'fanout', 'headers']",
        ),
        (
            transport(type="rabbitmq", url="u", exchange={"kind": "topic"}),
            "profiles.p.t.exchange: 'name' is a required",
        ),
        (transport(type="memory", codec="xml"), "profiles.p.t.codec: 'xml' is not one of"),
        ({"asyncapi": {"unknown": "warn"}}, "asyncapi: 'spec' is a required property"),
        ({"asyncapi": {"spec": "a", "unknown": "maybe"}}, "asyncapi.unknown: 'maybe' is not one of"),
        (transport(type="memory", codec={"type": "avro"}), "profiles.p.t.codec: 'schema' is a required property"),
        (
            transport(type="memory", codec={"type": "json", "schema": "a"}),
            "profiles.p.t.codec: unknown key 'schema'; known are type",
        ),
        (
            transport(type="memory", correlation={"prefix": "a"}),
            "profiles.p.t.correlation: needs exactly one of",
        ),
        (
            transport(type="memory", correlation={"field": "a", "header": "b"}),
            "profiles.p.t.correlation: needs exactly one of 'field', 'header'",
        ),
    ],
)
def test_refused_with_the_place_and_what_was_expected(document: dict[str, Any], error: str) -> None:
    (found,) = validate_config(document)
    assert found.startswith(error)


def test_the_reference_tells_what_each_key_means() -> None:
    rows = [line.split(" | ") for line in config_reference().splitlines() if line.startswith("| `")]
    bare = {key.strip("| `") for key, _, meaning in rows if meaning.strip(" |") == ""}
    # a name of one's own, an item of a list, and the kind that its table is about speak for themselves
    assert {each for each in bare if not each.endswith(("*", "[]")) and each != "type"} == set()
