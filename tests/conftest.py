"""What every room's tests may use."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.support.brokers import kafka_broker, mark_broker_tests, nats_broker, rabbitmq_broker, redis_broker

__all__ = ["kafka_broker", "nats_broker", "rabbitmq_broker", "redis_broker"]

settings.register_profile("any-machine", deadline=None)  # a slow machine is no finding
settings.load_profile("any-machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a broker."""
    mark_broker_tests(items)
