"""Kafka: topic = topic, the key chooses the partition."""

from choreo_bdd.transports.kafka.auth import KafkaAuth
from choreo_bdd.transports.kafka.transport import KafkaTransport, TopicPolicy

__all__ = ["KafkaAuth", "KafkaTransport", "TopicPolicy"]
