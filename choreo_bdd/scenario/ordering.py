"""Expectations that have to be met one after the other."""

from __future__ import annotations

from collections.abc import Iterable

from choreo_bdd.matchers import Matcher
from choreo_bdd.scenario.judging.handle import Handle
from choreo_bdd.scenario.scope import Scope

Step = tuple[str, Matcher]
"""Topic and matcher of one expected message."""


def expect_in_order(scope: Scope, steps: Iterable[Step], *, link: str | None = None) -> tuple[Handle, ...]:
    """Arm one expectation a step; each counts only messages that come after the one before it has been met."""
    handles: list[Handle] = []
    for topic, matcher in steps:
        handles.append(scope.expect(topic, matcher, link=link, after=handles[-1] if handles else None))
    return tuple(handles)
