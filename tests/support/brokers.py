"""Real brokers for tests: started when a test first asks, shared by the run (with xdist: by the worker)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import pytest

from choreo_bdd.brokers import Broker, BrokerUnavailable, start
from choreo_bdd.brokers.starting import KindName

_FIXTURES = frozenset(
    {"nats_broker", "kafka_broker", "rabbitmq_broker", "redis_broker", "own_broker", "guarded", "encrypted", "tansu",
     "postgres", "guarded_nats", "guarded_redis", "locked_nats", "locked_redis", "open_nats", "open_redis"}
)  # fmt: skip
_TIMEOUT_S = 240  # the first start of Apache Kafka on a machine fetches its jars


@pytest.fixture(scope="session")
def nats_broker() -> Iterator[Broker]:
    """A NATS server without a login, with JetStream."""
    yield from _running("nats", jetstream=True)


@pytest.fixture(scope="session")
def kafka_broker() -> Iterator[Broker]:
    """A Kafka node without a login, Apache's own where there is Java."""
    yield from _running("kafka")


@pytest.fixture(scope="session")
def rabbitmq_broker() -> Iterator[Broker]:
    """A RabbitMQ node with the user guest, which traces what is published."""
    yield from _running("rabbitmq", trace=True)


@pytest.fixture(scope="session")
def redis_broker() -> Iterator[Broker]:
    """A Redis or Valkey server without a login."""
    yield from _running("redis")


def mark_broker_tests(items: Sequence[pytest.Item]) -> None:
    """Mark what uses a broker fixture, and give it the time a first start may take."""
    for item in items:
        if _FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.broker)
        if item.get_closest_marker("broker") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_TIMEOUT_S))


def start_or_skip(kind: KindName, **options: Any) -> Broker:
    """Start a broker of the test's own; without a program for it the test is skipped, in CI it fails."""
    try:
        return start(kind, **options)
    except BrokerUnavailable as error:
        _report_missing(error)


def _running(kind: KindName, **options: Any) -> Iterator[Broker]:
    with start_or_skip(kind, **options) as broker:
        yield broker


def _report_missing(error: BrokerUnavailable) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{error} (in CI every broker has to be there)")
    pytest.skip(str(error))
