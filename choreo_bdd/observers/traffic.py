"""What went over a harness: messages in and out as bytes, with the loop times that verdicts are made of."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from choreo_bdd.message import Message

MESSAGES_MAX = 10_000
BYTES_MAX = 8_000_000
_SEEN_TWICE_AMONG = 16
_AT_ONCE_S = 0.001


class Heard(NamedTuple):
    """A message as it arrived; ``subscribed`` are the topics and patterns it was heard on."""

    message: Message
    subscribed: tuple[str, ...]


class Sent(NamedTuple):
    """A message of a scenario's own, when it left, and the broker's words where it has reached nobody.

    ``failed`` is why it did not get through, at ``failed_at``; without that the transport did not even take it. One
    that ``never_left`` failed before.
    """

    at: float
    topic: str
    payload: bytes
    headers: Mapping[str, str]
    key: str | None
    unheard: str | None = None
    failed: str | None = None
    failed_at: float | None = None
    never_left: bool = False

    def __repr__(self) -> str:
        """Nothing of the payload, the headers or the key."""
        return f"Sent({self.at!r}, {self.topic!r}, unheard={self.unheard!r}, failed={self.failed!r})"


class Lost(NamedTuple):
    """The connection went down; with a ``topic`` only what is subscribed there ended.

    With ``is_unanswered`` nothing ended: the request on the topic that ``reason`` names has reached nobody, and no
    answer comes on ``topic``. With ``is_untold`` the broker was asked whether all has come there, and did not say.
    """

    at: float
    reason: str
    topic: str | None = None
    is_unanswered: bool = False
    is_untold: bool = False


class Fenced(NamedTuple):
    """The broker was asked at a time whether all had come on these topics, and had handed it over at a later one."""

    at: float
    until: float
    topics: tuple[str, ...]


class Traffic:
    """The latest of what one harness heard and sent; what is older goes first, and ``dropped`` counts it.

    ``listened`` is since when each topic or pattern was listened to: what it did not hear from then on it cannot hear.
    ``remarks`` are what its transport had to say of a topic when a message was missed, ``overlooked`` what could not be
    heard of a pattern.
    """

    def __init__(self) -> None:
        self.heard: deque[Heard] = deque()
        self.sent: list[Sent] = []
        self.lost: list[Lost] = []
        self.fenced: list[Fenced] = []
        self.listened: dict[str, float] = {}
        self.remarks: dict[str, str] = {}
        self.overlooked: dict[str, str] = {}
        self.dropped = 0
        self._bytes = 0

    def clear(self) -> None:
        """Begin anew."""
        self.heard.clear()
        self.sent.clear()
        self.lost.clear()
        self.fenced.clear()
        self.listened.clear()
        self.remarks.clear()
        self.overlooked.clear()
        self.dropped = self._bytes = 0

    def listen(self, topic: str, at: float) -> None:
        """Take down that a topic or pattern is listened to, if it was not before."""
        self.listened.setdefault(topic, at)

    def hear(self, subscribed: str, message: Message) -> None:
        """Take down an arrival; one that several subscriptions hear is taken down once."""
        for back in range(1, min(len(self.heard), _SEEN_TWICE_AMONG) + 1):
            earlier = self.heard[-back]
            if subscribed not in earlier.subscribed and message.is_like(earlier.message):
                self.heard[-back] = Heard(earlier.message, (*earlier.subscribed, subscribed))
                return
        self.heard.append(Heard(message, (subscribed,)))
        self._bytes += len(message.payload)
        while len(self.heard) > MESSAGES_MAX or self._bytes > BYTES_MAX:
            self._bytes -= len(self.heard.popleft().message.payload)
            self.dropped += 1

    def send(self, sent: Sent) -> None:
        """Take down a departure."""
        if len(self.sent) < MESSAGES_MAX:
            self.sent.append(sent)

    def fence(self, fenced: Fenced) -> None:
        """Take down that all has come, where something came between question and answer: it counts as come in time.

        And where the answer took its time: so much later looks for late messages ended.
        """
        came = self.heard and self.heard[-1].message.received_at > fenced.at
        took_long = fenced.until - fenced.at > _AT_ONCE_S
        if (came or took_long) and len(self.fenced) < MESSAGES_MAX:
            self.fenced.append(fenced)

    def unheard(self, topic: str, payload: bytes, words: str) -> None:
        """Take down that a message which has left has reached nobody."""
        place = self._place_of(topic, payload)
        if place is not None:
            self.sent[place] = self.sent[place]._replace(unheard=words)

    def fail(self, failed: Sent) -> None:
        """Take down that a message did not get through, whether or not it has left."""
        place = self._place_of(failed.topic, failed.payload)
        if place is None:
            self.send(failed._replace(never_left=True))
        else:
            self.sent[place] = self.sent[place]._replace(failed=failed.failed, failed_at=failed.failed_at)

    def _place_of(self, topic: str, payload: bytes) -> int | None:
        """Where a message stands that has left: the last of these very bytes."""
        for place in range(len(self.sent) - 1, -1, -1):
            if self.sent[place].topic == topic and self.sent[place].payload is payload:
                return place
        return None
