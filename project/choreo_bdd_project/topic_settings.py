"""Settings of single topics: ``topics:`` below a transport in choreo.yaml (spec/steps.md 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from choreo_bdd.topic_patterns import is_pattern, malformed, matches

_OF_ONE_TOPIC = ("queue", "routing_key")


class TopicSettings(Struct, frozen=True):
    """What is told of the topics a ``pattern`` stands for; ``place`` is where it is told."""

    pattern: str
    settings: Mapping[str, Any]
    place: str

    @property
    def problem(self) -> str | None:
        """What is wrong with the pattern, or with what is said of it."""
        named = next((name for name in _OF_ONE_TOPIC if name in self.settings), None)
        if named is not None and is_pattern(self.pattern):
            return f"{named} is one thing, and a pattern stands for many topics; name the topic"
        return malformed(self.pattern)


def first_that_fits(topics: Sequence[TopicSettings], topic: str) -> Mapping[str, Any] | None:
    """The settings of a topic: those of the first pattern it falls under. A pattern falls under its very self."""
    return next((each.settings for each in topics if matches(each.pattern, topic)), None)
