"""The tree of errors.

::

    ChoreoError
    ├── TransportError               a transport could not do what it was asked
    │   ├── SubscriptionFailed       a subscription could not be proven live
    │   ├── PublishFailed            a message could not be handed to the broker
    │   └── ConflictingAuthError     credentials given twice
    ├── AllowlistError
    │   ├── HostNotInAllowlist
    │   └── AllowlistConfigError
    ├── ContractBroken               a message breaks the contract of its topic; it was not sent
    ├── CorrelationPolicyError       (also RuntimeError)
    ├── CorrelationIdNotInNamespaceError  (also ValueError)
    ├── NoPlaceForIdError        a message has no place for the correlation id; it was not sent
    └── ReplyAlreadyBoundError       (also RuntimeError)

Stage errors live in ``choreo_bdd.stage``, configuration errors with what reads the configuration; they share this base.
"""

from __future__ import annotations

from collections.abc import Sequence

from choreo_bdd.redaction.printable import printable


class ChoreoError(Exception):
    """Base of every error this package raises on purpose; what it quotes of messages steers no terminal."""

    def __str__(self) -> str:
        return printable(super().__str__())


class TransportError(ChoreoError):
    """A transport failed: connecting, authenticating, subscribing or publishing."""

    resolver_cause: str | None = None
    """Class of the exception an ``auth=`` resolver raised, if that was the reason."""


class SubscriptionFailed(TransportError):
    """A subscription was refused, removed or not confirmed in time; nothing may be published on its strength."""

    def __init__(self, transport: str, topic: str, reason: str) -> None:
        super().__init__(f"{transport} could not prove the subscription to {topic!r} live: {reason}")
        self.transport = transport
        self.topic = topic
        self.reason = reason


class PublishFailed(TransportError):
    """A message did not leave, or the broker refused it."""

    def __init__(self, transport: str, topic: str, reason: str) -> None:
        super().__init__(f"{transport} could not publish to {topic!r}: {reason}")
        self.transport = transport
        self.topic = topic
        self.reason = reason


class ConflictingAuthError(TransportError):
    """Credentials were given both in the URL and through ``auth=``."""


class ContractBroken(ChoreoError):
    """A message was not sent, because it breaks the contract of its topic; ``problems`` says how, in its order."""

    def __init__(self, topic: str, problems: Sequence[object]) -> None:
        lines = "".join(f"\n  {problem}" for problem in problems)
        super().__init__(f"the message on {topic!r} breaks its contract and was not sent:{lines}")
        self.topic = topic
        self.problems = tuple(problems)


class AllowlistError(ChoreoError):
    """The environment allowlist refused an address, or could not be read."""


class HostNotInAllowlist(AllowlistError):
    """An address that is not on the allowlist was about to be connected to."""


class AllowlistConfigError(AllowlistError):
    """The allowlist file is not a mapping of category to list of addresses."""


class CorrelationPolicyError(ChoreoError, RuntimeError):
    """A correlation policy raised; says which policy, which method and what class of error."""

    def __init__(self, policy_class: str, method: str, original: BaseException) -> None:
        super().__init__(f"{policy_class}.{method}() raised {type(original).__name__}: {original}")
        self.policy_class = policy_class
        self.method = method
        self.original = original


class CorrelationIdNotInNamespaceError(ChoreoError, ValueError):
    """A correlation id lacks the prefix its policy reserves for tests."""


class NoPlaceForIdError(ChoreoError):
    """A payload has no such field, and its bus no headers: nobody could tell whose message it is."""

    def __init__(self, field: str, payload: object) -> None:
        super().__init__(
            f"the correlation id travels in the field {field!r}, and this payload, a {type(payload).__name__}, has no "
            f"place for it, nor has the bus headers: send an object, or write `correlation: none` in choreo.yaml and "
            f"tell the messages apart with `where`"
        )
        self.field = field


class ReplyAlreadyBoundError(ChoreoError, RuntimeError):
    """``publish`` was called twice on one reply chain."""
