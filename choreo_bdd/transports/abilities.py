"""What a transport, or a callback given to one, may be able to do besides what all of them do.

The engine asks for each by its protocol and does without where it is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from choreo_bdd.message import Message

if TYPE_CHECKING:
    from pathlib import Path

OnLost = Callable[[str], None]
"""Called with the reason when a connection goes down although nobody closed it."""


# --- of a transport ---------------------------------------------------------------------------------------------------


@runtime_checkable
class Losable(Protocol):
    """A transport that notices when its connection goes down; the built-in broker transports do."""

    @property
    def lost(self) -> str | None:
        """Why the connection is down although nobody closed it; ``None`` while all is well."""
        ...

    def on_lost(self, listener: OnLost) -> None:
        """Call ``listener(reason)`` when the connection goes down by itself."""
        ...


@runtime_checkable
class Healing(Protocol):
    """A transport that connects again by itself, or does not: then the next scenario has it connected anew."""

    @property
    def heals_itself(self) -> bool:
        """Whether ``lost`` clears without anybody connecting again."""
        ...


@runtime_checkable
class Allowlisted(Protocol):
    """A transport that holds addresses against an allowlist."""

    @property
    def allowlist_path(self) -> str | Path | None:
        """The file; ``None`` for none."""
        ...


@runtime_checkable
class Fencing(Protocol):
    """A transport that can ask its broker whether everything it had has been handed over; the built-in ones do."""

    async def fence(self, topics: Collection[str]) -> None:
        """Return once all that the broker had for these subscriptions before the call has been delivered.

        ``TransportError`` says why that cannot be known: a silent or cut connection, a subscription that is gone. It
        is bounded by the transport's own patience with its broker.
        """
        ...


@runtime_checkable
class Remarking(Protocol):
    """A transport that knows something of a topic which whoever misses a message should hear."""

    def remark(self, topic: str) -> str | None:
        """Such as who else takes messages from it."""
        ...


@runtime_checkable
class Overlooking(Protocol):
    """A transport that may listen to a pattern without hearing all that is under it."""

    def overlooks(self, topic: str) -> str | None:
        """What it does not hear, and why: nobody can say then that nothing came. ``None`` where it hears all."""
        ...


@runtime_checkable
class Probing(Protocol):
    """A transport that can show that its broker serves it, without anybody else noticing."""

    async def probe(self) -> None:
        """Have something go to the broker and back; it reaches nobody else, and nothing of it stays.

        ``TransportError`` says what is missing or refused. Whoever asks bounds the wait.
        """
        ...


# --- of a callback ----------------------------------------------------------------------------------------------------


@runtime_checkable
class MessageSink(Protocol):
    """A callback that wants whole messages; transports that know headers and keys call ``deliver`` on it."""

    def __call__(self, topic: str, payload: bytes) -> None:
        """Take topic and payload, from a transport that knows no more."""
        ...

    def deliver(self, message: Message) -> None:
        """Take the whole message."""
        ...


@runtime_checkable
class Interruptible(Protocol):
    """A callback that wants to know when nothing comes any more of what it waits for."""

    def interrupted(self, reason: str) -> None:
        """The broker has ended the subscription."""
        ...


@runtime_checkable
class Asking(Protocol):
    """A callback that waits for an answer, and wants to know when none will come."""

    def unanswered(self, asked: str) -> None:
        """The broker says that the request on topic ``asked``, whose answer is waited for here, has reached nobody."""
        ...


@runtime_checkable
class Bystander(Protocol):
    """A callback that watches for diagnosis only: a message that has reached nobody else has reached nobody."""

    @property
    def is_bystander(self) -> bool:
        """Whether that is so."""
        ...


@runtime_checkable
class Departing(Protocol):
    """An ``on_sent`` that says whose message it is."""

    @property
    def is_reply(self) -> bool:
        """Whether a stand-in answers with it."""
        ...


@runtime_checkable
class Revocable(Protocol):
    """An ``on_sent`` that says whether its message is still wanted: a transport that has it may drop it, if not."""

    @property
    def is_given_up(self) -> bool:
        """Whether nobody wants it to leave any more."""
        ...


@runtime_checkable
class Dated(Protocol):
    """An ``on_sent`` that is called a moment after its message has left, and wants to know when that was."""

    def leaving(self, at: float) -> None:
        """It left at this loop time, or a little later; the call that says it has left comes next."""
        ...


@runtime_checkable
class Sender(Protocol):
    """An ``on_sent`` that wants to know what became of its message."""

    def unheard(self, words: str) -> None:
        """The broker says, in these words, that the message has reached nobody."""
        ...
