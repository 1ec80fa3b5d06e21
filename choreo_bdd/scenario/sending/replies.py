"""Stand-in replies: trigger topic in, reply topic out (spec/harness.md 4)."""

from __future__ import annotations

import inspect
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NoReturn

from msgspec import Struct

from choreo_bdd.inbound.listening import Delivery
from choreo_bdd.matchers import Matcher
from choreo_bdd.scenario.links import require_topic

NOWHERE = "(nothing)"
"""The reply topic of a stand-in that takes the trigger and stays silent."""

MAX_FIRINGS = math.inf
"""As often as it is asked."""

ReplyBuilder = Callable[[Any], "Any | Awaitable[Any]"]
ReplyPayload = Any
"""A dict, list or bytes sent as it is, or a plain or async callable of the decoded trigger that returns one, or an
``Answer``."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reply sends where more than a payload is wanted."""

    payload: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None


class ReplyReportState(StrEnum):
    """What became of a reply."""

    ARMED_NO_MATCH = "armed_no_match"
    ARMED_MATCHER_MISMATCHED = "armed_matcher_mismatched"
    REPLIED = "replied"
    REPLY_FAILED = "reply_failed"


def deed_of(state: ReplyReportState, reply_topic: str) -> str:
    """What a reply has done, in one word: what was taken and answered nowhere has been dropped."""
    return "dropped" if state is ReplyReportState.REPLIED and reply_topic == NOWHERE else state.value


@dataclass(frozen=True, slots=True)
class ReplyReport:
    """One armed reply, without payloads."""

    trigger_topic: str
    matcher_description: str
    reply_topic: str
    state: ReplyReportState
    candidate_count: int
    match_count: int
    reply_published: bool
    builder_error: str | None = None
    correlation_overridden: bool = False

    def __repr__(self) -> str:
        return f"<ReplyReport {self.trigger_topic!r} -> {self.reply_topic!r} {deed_of(self.state, self.reply_topic)}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("ReplyReport cannot be pickled: it belongs to a running scenario")


class ReplyPlan(Struct, frozen=True):
    """What a reply does: to which topic, with what, how often and how much later (seconds)."""

    reply_topic: str
    payload: ReplyPayload
    link: str | None = None
    times: float = 1
    delay_s: float = 0.0

    def __post_init__(self) -> None:
        require_topic(self.reply_topic, "publish")
        if isinstance(self.times, bool) or not isinstance(self.times, int | float):
            raise TypeError(f"times= takes a number of answers, not {self.times!r}")
        if self.times < 1 or (self.times != math.inf and self.times != int(self.times)):
            raise ValueError(f"times={self.times!r} would never answer, or not in whole: use a whole number from 1 on")

    @property
    def is_silent(self) -> bool:
        """Whether it takes the trigger and sends nothing."""
        return self.reply_topic == NOWHERE


class Reply:
    """A reply on duty: counts its triggers and says what to send."""

    __slots__ = (
        "answers",
        "builder_error",
        "candidates",
        "condition_error",
        "is_handed_over",
        "link",
        "matcher",
        "matches",
        "overridden",
        "passed_over",
        "plan",
        "published",
        "trigger_topic",
    )

    def __init__(self, trigger_topic: str, link: str | None, matcher: Matcher | None, plan: ReplyPlan) -> None:
        self.trigger_topic = trigger_topic
        self.link = link
        self.matcher = matcher
        self.plan = plan
        self.candidates = 0
        self.matches = 0
        self.answers = 0
        self.is_handed_over = False
        self.published = False
        self.builder_error: str | None = None
        self.condition_error: str | None = None
        """What its matcher raised, so that it has not been known whether to answer."""
        self.overridden = False
        self.passed_over: Delivery | None = None
        """The latest message that did not meet its condition."""

    @property
    def is_armed(self) -> bool:
        """Whether the next trigger will still be answered."""
        return self.matches < self.plan.times

    @property
    def failure(self) -> str | None:
        """Why it could not be made, if that was tried in vain."""
        if self.builder_error is not None:
            return f"the reply to {self.trigger_topic!r} on {self.plan.reply_topic!r} failed: {self.builder_error}"
        if self.condition_error is not None:
            return f"the matcher of the reply to {self.trigger_topic!r} raised {self.condition_error}"
        return None

    @property
    def description(self) -> str:
        """What triggers it."""
        return "(any)" if self.matcher is None else self.matcher.description

    @property
    def state(self) -> ReplyReportState:
        """Where it stands."""
        if self.builder_error is not None:
            return ReplyReportState.REPLY_FAILED
        if self.matches:
            replied = self.is_handed_over or self.plan.is_silent
            return ReplyReportState.REPLIED if replied else ReplyReportState.REPLY_FAILED
        return ReplyReportState.ARMED_MATCHER_MISMATCHED if self.candidates else ReplyReportState.ARMED_NO_MATCH

    async def build(self, trigger: Any) -> Any:
        """The payload to send for a trigger, of an async builder too."""
        built = self.build_now(trigger)
        return await built if inspect.isawaitable(built) else built

    def build_now(self, trigger: Any) -> Any:
        """The payload, or an awaitable of it."""
        payload = self.plan.payload
        return payload(trigger) if callable(payload) else payload

    def report(self) -> ReplyReport:
        """The reply as results show it."""
        return ReplyReport(
            self.trigger_topic,
            self.description,
            self.plan.reply_topic,
            self.state,
            self.candidates,
            self.matches,
            self.published,
            self.builder_error,
            self.overridden,
        )
