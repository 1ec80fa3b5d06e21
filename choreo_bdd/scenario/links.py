"""Links: the transports of a scope, and what it needs of a harness."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from choreo_bdd.codecs import Codec
from choreo_bdd.correlation import CorrelationPolicy
from choreo_bdd.inbound.router import Router
from choreo_bdd.topic_patterns import malformed
from choreo_bdd.transports.base import Ready


class HarnessLike(Protocol):
    """What a scope needs of a harness."""

    router: Router

    @property
    def correlation(self) -> CorrelationPolicy:
        """Its correlation policy."""
        ...

    def codec_of(self, topic: str) -> Codec:
        """The codec of a topic."""
        ...

    def headers_of(self, topic: str, headers: Mapping[str, str]) -> Mapping[str, str]:
        """What a message with these headers is sent with on a topic."""
        ...

    @property
    def transport_name(self) -> str:
        """Class name of its transport."""
        ...

    @property
    def allowlist_path(self) -> str | None:
        """The allowlist its transport holds addresses against."""
        ...

    def require_connected(self) -> None:
        """``RuntimeError`` unless connected."""
        ...

    def meant(self, payload: Any) -> Any:
        """What a caller means by a payload, on this bus."""
        ...

    def outgoing(self, topic: str, payload: Any, headers: Mapping[str, str]) -> bytes:
        """Bytes of a payload that its contract allows on the topic."""
        ...

    def send(
        self, topic: str, data: bytes, *, on_sent: Callable[[], None], headers: Mapping[str, str], key: str | None
    ) -> Ready | None:
        """Hand bytes to the transport."""
        ...

    async def fence(self, topics: Collection[str]) -> None:
        """Return once all that the broker had on these topics has been delivered; else ``TransportError``."""
        ...

    def remark(self, topic: str) -> str | None:
        """What its transport knows of a topic that whoever misses a message should hear."""
        ...

    async def heal(self) -> None:
        """Connect again if the connection was lost."""
        ...


@dataclass(slots=True, eq=False)
class Link:
    """One transport of a scope: its harness and the scope's correlation id on its wire.

    ``wire_id`` changes where the scenario writes an id of its own; ``minted`` is the one made for it, and ``adopted``
    are those that it has written.
    """

    name: str | None
    harness: HarnessLike
    wire_id: str | None
    minted: str | None = field(init=False)
    adopted: dict[str, None] = field(init=False, default_factory=dict)
    trace_headers: Callable[[str, Mapping[str, str]], Mapping[str, str]] | None = field(
        init=False, default=None, repr=False
    )
    """What puts a message on a topic into a trace, where the scenario is traced; headers of its author's own win."""

    def __post_init__(self) -> None:
        self.minted = self.wire_id


def require_topic(topic: object, member: str) -> None:
    """``TypeError`` or ``ValueError`` for what is no topic, before any broker is asked about it."""
    if not isinstance(topic, str):
        raise TypeError(f"{member}() needs a topic as text, not {topic!r}")
    if not topic:
        raise ValueError(f"{member}() needs the name of a topic, not an empty text")


def require_heard(topic: object, member: str) -> None:
    """As ``require_topic``, and ``ValueError`` for a pattern on one broker that is a name on the next."""
    require_topic(topic, member)
    if problem := malformed(str(topic)):
        raise ValueError(f"{member}() cannot listen: {problem}")


def require_matcher(matcher: object, member: str, topic: str) -> None:
    """``TypeError`` for what is no matcher."""
    if not callable(getattr(matcher, "match", None)):
        what = "None" if matcher is None else type(matcher).__name__
        raise TypeError(
            f"{member}({topic!r}) needs a matcher, not {what}: "
            f"wrap plain data, as in contains_fields({{...}}) or eq(...); anything() takes any message"
        )
