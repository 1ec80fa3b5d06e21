"""Kafka: topic = topic, the key chooses the partition."""

from choreo_bdd.transports.kafka.auth import KafkaAuth
from choreo_bdd.transports.kafka.topic_policy import TopicPolicy, TopicWay
from choreo_bdd.transports.kafka.transport import KafkaTransport

__all__ = ["KafkaAuth", "KafkaTransport", "TopicPolicy", "TopicWay"]
