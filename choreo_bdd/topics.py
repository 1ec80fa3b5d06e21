"""Topic patterns: ``*`` is one segment, ``>`` the rest, on every transport (spec/steps.md 1)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache

_INBOXES = ("_INBOX.", "choreo.reply.")


def is_pattern(topic: str) -> bool:
    """Whether a topic is a pattern rather than a name."""
    return any(segment in ("*", ">") for segment in topic.split("."))


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = [r"[^.]+" if segment == "*" else re.escape(segment) for segment in pattern.split(".")]
    if pattern.endswith(".>") or pattern == ">":
        parts[-1] = ".+"
    return re.compile(r"\.".join(parts))


def matches(pattern: str, topic: str) -> bool:
    """Whether a topic name falls under a pattern (or is that very name)."""
    return pattern == topic or (is_pattern(pattern) and _compiled(pattern).fullmatch(topic) is not None)


def similar(topic: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """Siblings of ``topic`` whose last segment is close to its own, closest first: a typo, a case, a plural."""
    parent, dot, last = topic.rpartition(".")
    others = {other.removeprefix(parent + dot): other for other in candidates if other != topic}
    close = difflib.get_close_matches(last.lower(), [name.lower() for name in others], n=3, cutoff=0.7)
    return tuple(others[name] for name in sorted(others, key=str.lower) if name.lower() in close)


def is_inbox(topic: str) -> bool:
    """Whether a topic is where one request wants its answer (``choreo_bdd.requests``): no document describes it."""
    return topic.removeprefix("queue:").startswith(_INBOXES)


def siblings(topic: str) -> str:
    """The pattern of all topics beside this one: ``orders.settled`` → ``orders.*``."""
    parent, dot, _ = topic.rpartition(".")
    return f"{parent}{dot}*"
