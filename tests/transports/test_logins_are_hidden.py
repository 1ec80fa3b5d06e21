"""Logins of transports that are built in Python are known values, and shown nowhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from choreo_bdd.redaction import Redactor
from choreo_bdd.transports import (
    KafkaAuth,
    KafkaTransport,
    NatsAuth,
    NatsTransport,
    RabbitAuth,
    RabbitTransport,
    RedisAuth,
    RedisTransport,
)

CANARY = "c4n4ry-9f3b"
LOGINS: dict[str, Callable[[], object]] = {
    "NATS user": lambda: NatsAuth.user_password("ann", CANARY),
    "NATS token": lambda: NatsAuth.token(CANARY),
    "NATS seed": lambda: NatsAuth.nkey(CANARY),
    "Kafka plain": lambda: KafkaAuth.sasl_plain("ann", CANARY),
    "RabbitMQ bytes": lambda: RabbitAuth.plain("ann", CANARY.encode()),
    "Redis bytearray": lambda: RedisAuth.acl("ann", bytearray(CANARY.encode())),
    "NATS URL": lambda: NatsTransport(servers=[f"nats://ann:{CANARY}@127.0.0.1:1"]),
    "NATS URL with a token": lambda: NatsTransport(servers=["nats://127.0.0.1:2", f"nats://{CANARY}@127.0.0.1:1"]),
    "RabbitMQ URL": lambda: RabbitTransport(url=f"amqp://ann:{CANARY}@127.0.0.1:1/"),
    "Redis URL": lambda: RedisTransport(url=f"redis://:{CANARY}@127.0.0.1:1/0"),
}


@pytest.mark.parametrize("login", LOGINS.values(), ids=LOGINS)
def test_a_login_given_in_python_is_hidden_wherever_it_stands(login: Callable[[], object]) -> None:
    assert CANARY in Redactor().text(f"it said {CANARY}")
    login()
    assert Redactor().text(f"it said {CANARY}") == "it said <redacted>"
    assert Redactor().value({"note": [CANARY]}) == {"note": ["<redacted>"]}


def test_a_user_name_and_an_address_are_shown() -> None:
    KafkaTransport(bootstrap_servers="kafka.example:9092", auth=KafkaAuth.sasl_plain("annabel", CANARY))
    assert Redactor().text("annabel at kafka.example:9092") == "annabel at kafka.example:9092"
