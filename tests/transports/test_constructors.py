"""What a transport of Python code is made with: what cannot be meant is refused at once, in words, and not shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from choreo_bdd.transports import KafkaTransport, NatsTransport, RabbitTransport, RedisTransport

MADE: dict[str, Callable[..., Any]] = {
    "nats": lambda **options: NatsTransport(**{"servers": "nats://127.0.0.1:1", **options}),
    "kafka": lambda **options: KafkaTransport(**{"bootstrap_servers": "127.0.0.1:1", **options}),
    "rabbitmq": lambda **options: RabbitTransport(**{"url": "amqp://127.0.0.1:1/", **options}),
    "redis": lambda **options: RedisTransport(**{"url": "redis://127.0.0.1:1", **options}),
}
ADDRESS = {"nats": "servers", "kafka": "bootstrap_servers", "rabbitmq": "url", "redis": "url"}
TOPICS = {"nats": "streams", "kafka": "topics", "rabbitmq": "topics", "redis": "topics"}


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("address", [None, 5, "", [], [None], [5], b"nats://s3cret@x", ["a", None]])
def test_an_address_that_is_none(kind: str, address: Any) -> None:
    with pytest.raises(ValueError, match=r"Transport needs (at least one server|a URL)") as caught:
        MADE[kind](**{ADDRESS[kind]: address})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("topics", ["orders", {"orders": 1}, 5, ["ab"], [("a",)], [(1, None)]])
def test_settings_of_topics_that_are_no_pairs(kind: str, topics: Any) -> None:
    with pytest.raises(ValueError, match="pairs of a topic, or a pattern, and its setting"):
        MADE[kind](**{TOPICS[kind]: topics})


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("patience", [None, "5", 0, -1, float("nan")])
def test_a_patience_that_is_none(kind: str, patience: Any) -> None:
    with pytest.raises(ValueError, match="connect_timeout_s is a number of seconds above 0"):
        MADE[kind](connect_timeout_s=patience)


@pytest.mark.parametrize("exchange", ["orders", 5, {"name": "orders"}])
def test_an_exchange_that_is_none(exchange: Any) -> None:
    with pytest.raises(ValueError, match=r"exchange is an Exchange, not .*exchange_name"):
        MADE["rabbitmq"](exchange=exchange)


@pytest.mark.parametrize(
    ("kind", "setting", "value"),
    [
        ("kafka", "max_message_bytes", "5"),
        ("kafka", "request_timeout_ms", None),
        ("redis", "url", "localhost:6379"),
        ("redis", "url", "http://localhost"),
    ],
)
def test_a_setting_that_cannot_be_meant(kind: str, setting: str, value: Any) -> None:
    with pytest.raises(ValueError, match=setting if setting != "url" else "needs a URL such as redis://"):
        MADE[kind](**{setting: value})


@pytest.mark.parametrize("port", ["abc", "70000", "0"])
@pytest.mark.parametrize("address", ["redis://user:s3cr3t@host:{}", "nats://user:s3cr3t@host:{}", "host:{}"])
def test_a_port_that_is_none(address: str, port: str) -> None:
    kind = {"redis": "redis", "nats": "nats"}.get(address.partition(":")[0], "kafka")
    given = address.format(port)
    with pytest.raises(ValueError, match=f"host:{port}: the port behind the host is a number from 1 to 65535") as error:
        MADE[kind](**{ADDRESS[kind]: given})
    assert "s3cr3t" not in str(error.value)


@pytest.mark.parametrize("server", ["host", "host:1", "[::1]:9092", "::1", "fe80::1:2"])
def test_a_server_may_name_no_port(server: str) -> None:
    assert server in repr(MADE["kafka"](**{ADDRESS["kafka"]: server}))


def test_one_text_may_name_several_servers() -> None:
    for kind in ("nats", "kafka"):
        assert repr(MADE[kind](**{ADDRESS[kind]: "a:1, b:2,"})).count("a:1, b:2") == 1
