"""What becomes of topics that do not exist."""

from __future__ import annotations

from dataclasses import dataclass

from choreo_bdd.topic_patterns import ByTopic


@dataclass(frozen=True, slots=True)
class TopicPolicy:
    """What happens to a topic that does not exist when it is subscribed to or published on.

    One partition keeps the order of a topic. Without ``create`` such a subscription or message fails.
    """

    create: bool = True
    partitions: int = 1
    replication_factor: int = 1


@dataclass(frozen=True, slots=True)
class TopicWay:
    """What single topics have of their own: the ``partition`` that is published to, and whether they may be made.

    ``None`` leaves it to the key, and to the policy of all topics.
    """

    partition: int | None = None
    create: bool | None = None


Ways = ByTopic[TopicWay]
"""The ways of all topics."""
