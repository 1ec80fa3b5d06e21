"""Topic patterns: ``*`` is one segment, ``>`` the rest, on every transport (spec/steps.md 1)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Generic, TypeVar

from msgspec import Struct

_CLOSE = 0.7
_NAMED = 3
_WATCHED_SEGMENTS = 4
INBOXES = ("_INBOX.", "choreo.reply.")

_PLACEHOLDER = re.compile(r"<[^<>]+>")
_FOREIGN_TEMPLATE = re.compile(r"\$\{([^{}]*)\}")

Setting = TypeVar("Setting")


@lru_cache(maxsize=1024)
def is_pattern(topic: str) -> bool:
    """Whether a topic is a pattern rather than a name."""
    return any(segment in ("*", ">") for segment in topic.split("."))


@lru_cache(maxsize=1024)
def malformed(topic: str) -> str | None:
    """What is wrong with a topic that nobody can mean, or that is a pattern on one broker and a name on the next.

    ``None`` for a good one.
    """
    if topic != topic.strip():
        return f"the topic {topic!r} has a blank at an end, so that it is another one; take the blank away"
    if placeholder := _PLACEHOLDER.search(topic):
        return f"the topic {topic!r} has {placeholder[0]} in it, which no column of the examples fills"
    if template := _FOREIGN_TEMPLATE.search(topic):
        return f"the topic {topic!r} has {template[0]} in it; a variable is written {{{{ {template[1].strip()} }}}}"
    return _half_a_pattern(topic, topic.split("."))


def _half_a_pattern(topic: str, segments: Sequence[str]) -> str | None:
    if ">" in segments[:-1]:
        return f"the topic {topic!r} has a > before its end; > stands for the rest, alone and last, as in orders.>"
    if sign := next((segment for segment in segments if segment in ("#", "+", "?")), None):
        return (
            f"the topic {topic!r} has a {sign}, a wildcard of one broker only; * stands for one whole segment, as in "
            f"orders.*, and > for the rest, as in orders.>, on every broker"
        )
    for segment in segments:
        if segment not in ("*", ">") and ("*" in segment or ">" in segment):
            return (
                f"the topic {topic!r} has a wildcard inside the segment {segment!r}; * stands for one whole segment "
                f"between dots, as in orders.*, and > for the rest, as in orders.>"
            )
    return None


def unspeakable(topic: str) -> str | None:
    """What is wrong with a topic to publish on: a pattern is listened to, and no broker has a topic of that name."""
    if is_pattern(topic):
        return f"{topic!r} is a pattern, and a message goes to one topic; write its name"
    return malformed(topic)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = [r"[^.]*" if segment == "*" else re.escape(segment) for segment in pattern.split(".")]
    if pattern.endswith(".>") or pattern == ">":
        parts[-1] = ".*"
    return re.compile(r"\.".join(parts))


@lru_cache(maxsize=4096)  # a bus asks it of every pattern that is watched, for every message
def matches(pattern: str, topic: str) -> bool:
    """Whether a topic name falls under a pattern (or is that very name)."""
    return pattern == topic or (is_pattern(pattern) and _compiled(pattern).fullmatch(topic) is not None)


def overlap(one: str, other: str) -> bool:
    """Whether a topic name may fall under both, patterns or names: ``orders.*`` and ``*.placed`` share one."""
    for segment, beside in itertools.zip_longest(one.split("."), other.split(".")):
        if segment is None or beside is None:
            return False
        if ">" in (segment, beside):
            return True
        if segment != beside and "*" not in (segment, beside):
            return False
    return True


def covers(one: str, other: str) -> bool:
    """Whether all topic names under the other fall under the one: ``orders.>`` covers ``orders.*``, not the reverse."""
    for segment, beside in itertools.zip_longest(one.split("."), other.split(".")):
        if segment is None or beside is None:
            return False
        if segment == ">":
            return True
        if beside == ">" or segment not in (beside, "*"):
            return False
    return True


class ByTopic(Struct, Generic[Setting], frozen=True):
    """A setting that single topics, or patterns of them, may have of their own: the first that fits counts."""

    usual: Setting
    topics: tuple[tuple[str, Setting], ...] = ()

    def of(self, topic: str) -> Setting:
        """What holds for a topic. A pattern falls under its very self."""
        for pattern, own in self.topics:  # no next(): it is asked for every message, and most have none of their own
            if matches(pattern, topic):
                return own
        return self.usual

    def under(self, topic: str) -> Iterator[tuple[str | None, Setting]]:
        """What holds for the topics that a name or pattern may mean, each beside the pattern it is for."""
        for pattern, own in self.topics:
            if overlap(pattern, topic):
                yield pattern, own
            if covers(pattern, topic):
                return
        yield None, self.usual


def settings_by_topic(given: Iterable[tuple[str, Setting]]) -> tuple[tuple[str, Setting], ...]:
    """Settings of single topics as Python code gives them; ``ValueError`` for what are no pairs of both."""
    pairs = tuple(given) if isinstance(given, Iterable) else (given,)
    for each in pairs:
        if not isinstance(each, tuple | list) or len(each) != 2 or not isinstance(each[0], str):
            raise ValueError(f"settings of topics are pairs of a topic, or a pattern, and its setting, and no {each!r}")
    return pairs


def similar(topic: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """Siblings of ``topic`` whose one other segment is close to its own, closest first: a typo, a case, a plural."""
    likeness = {other: _likeness(topic.split("."), other.split(".")) for other in candidates}
    close = [other for other in likeness if likeness[other] >= _CLOSE]
    return tuple(sorted(close, key=lambda other: (-likeness[other], other))[:_NAMED])


def _likeness(segments: Sequence[str], others: Sequence[str]) -> float:
    """How alike the segments are in which two topics differ, if that is one and no more."""
    differing = [pair for pair in zip(segments, others, strict=False) if pair[0] != pair[1]]
    if len(differing) != 1 or len(segments) != len(others):
        return 0.0
    ((segment, other),) = differing
    import difflib  # noqa: PLC0415 - needed only where a topic may be misspelt

    return difflib.SequenceMatcher(None, segment.lower(), other.lower()).ratio()


def is_inbox(topic: str) -> bool:
    """Whether a topic is where one request wants its answer: no document describes it."""
    return topic.removeprefix("queue:").startswith(INBOXES)


@lru_cache(maxsize=1024)
def siblings(topic: str) -> tuple[str, ...]:
    """Patterns of the topics that differ from this one in a segment: ``orders.settled`` → ``orders.*``, ``*.settled``.

    The last segment's comes first; of a long topic only the last segments have one.
    """
    segments = topic.split(".")
    places = range(len(segments) - 1, max(-1, len(segments) - 1 - _WATCHED_SEGMENTS), -1)
    return tuple(".".join([*segments[:place], "*", *segments[place + 1 :]]) for place in places)
