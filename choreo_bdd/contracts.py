"""Contracts: what may be said on which topic. The engine asks one; who reads it from which document is not its matter.

A message that breaks its contract is refused before it is sent, and never satisfies an expectation.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from msgspec import Struct

from choreo_bdd import topic_patterns
from choreo_bdd.exceptions import ContractBroken
from choreo_bdd.message import Message

UnknownTopics = Literal["error", "warn", "ignore"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a message.

    ``path`` is the offending field, ``@headers.<name>`` a header, ``@topic`` the topic. ``text`` says what is wrong
    without repeating a value, which may be a secret; ``rule`` is the place in the contract that says so.
    """

    path: str
    text: str
    rule: str
    expected: object = None
    actual: object = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.path}: {self.text} ({self.rule})"


class MessageContract(Protocol):
    """Knows topics, and what their messages look like."""

    def unknown(self, topic: str) -> Problem | None:
        """Why the topic is none of the contract's, with a likely meant one; ``None`` for one that it describes."""
        ...

    def problems(self, topic: str, payload: Any, headers: Mapping[str, str]) -> tuple[Problem, ...]:
        """What is wrong with a message, most telling first; nothing on a topic that the contract does not describe."""
        ...


class Guard(Struct, frozen=True):
    """A contract at work on one harness; ``unknown_topics`` is what becomes of topics that it does not describe."""

    contract: MessageContract
    unknown_topics: UnknownTopics = "error"

    def require_topic(self, topic: str) -> None:
        """``ContractBroken`` for a topic that the contract does not describe, or a warning, as it is set."""
        unknown = None if self.unknown_topics == "ignore" else self._unknown(topic)
        if unknown is None:
            return
        if self.unknown_topics == "error":
            raise ContractBroken(topic, (unknown,))
        warnings.warn(f"the message on {topic!r}: {unknown.text}", stacklevel=2)

    def require_message(self, topic: str, payload: Any, headers: Mapping[str, str]) -> None:
        """``ContractBroken`` for a message that breaks the contract."""
        problems = self.contract.problems(topic, payload, headers)
        if problems:
            raise ContractBroken(topic, problems)

    def problems(self, message: Message, payload: Any, *, subscribed: str) -> tuple[Problem, ...]:
        """What is wrong with a message that arrived on ``subscribed``; what a pattern finds may be an unknown topic."""
        may_be_unknown = self.unknown_topics != "error" or topic_patterns.is_pattern(subscribed)
        try:
            unknown = None if may_be_unknown else self._unknown(message.topic)
            return (unknown,) if unknown else self.contract.problems(message.topic, payload, message.headers)
        except Exception as error:  # noqa: BLE001 - a contract's own fault is a finding, and no reason to lose messages
            return (Problem("<root>", f"the contract raised {type(error).__name__}", type(self.contract).__name__),)

    def _unknown(self, topic: str) -> Problem | None:
        return None if topic_patterns.is_inbox(topic) else self.contract.unknown(topic)
