"""What becomes of topics that do not exist."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TopicPolicy:
    """What happens to a topic that does not exist when it is subscribed to or published on.

    One partition keeps the order of a topic. Without ``create`` such a subscription or message fails.
    """

    create: bool = True
    partitions: int = 1
    replication_factor: int = 1
