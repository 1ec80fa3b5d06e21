"""What stands beside a scenario: messages nobody owned, what transports could not do, what services told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class ObservedSurprise(Protocol):
    """A message that no scenario owned."""

    @property
    def topic(self) -> str:
        """Where it was, or was expected."""

    @property
    def classification(self) -> str:
        """Why nobody owned it."""

    @property
    def size(self) -> int:
        """Bytes of the payload."""


class ObservedStray(Protocol):
    """A message that met no expectation and yet bears on one."""

    @property
    def why(self) -> str:
        """Why it met none."""

    @property
    def at(self) -> float:
        """Epoch seconds."""

    @property
    def ids(self) -> Sequence[str]:
        """The correlation ids it carries."""

    @property
    def message(self) -> Any:
        """The message."""

    @property
    def handle(self) -> Any:
        """The expectation it came closest to, if there is one."""

    @property
    def differences(self) -> Sequence[Any]:
        """Every field in which it differs from that."""

    @property
    def detail(self) -> str:
        """What the broker says of it."""


class ObservedTransportFailure(Protocol):
    """Something a transport could not do."""

    @property
    def transport(self) -> str | None:
        """The transport's name on a Stage."""

    @property
    def topic(self) -> str:
        """Where it was, or was expected."""

    @property
    def reason(self) -> str:
        """Why, in prose."""


class ObservedSpan(Protocol):
    """A piece of work that a service told of."""

    @property
    def span_id(self) -> str:
        """Its own id."""

    @property
    def parent_id(self) -> str:
        """The id of the span that it is part of."""

    @property
    def service(self) -> str:
        """Who worked."""

    @property
    def name(self) -> str:
        """At what."""

    @property
    def kind(self) -> str:
        """As ``consumer``, ``server``, …"""

    @property
    def began(self) -> float:
        """Epoch seconds."""

    @property
    def ended(self) -> float:
        """Epoch seconds."""

    @property
    def error(self) -> str | None:
        """What it failed with."""

    @property
    def topic(self) -> str | None:
        """The topic it sent or received on."""
