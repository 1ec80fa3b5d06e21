"""Who owns which correlation id, and the log of messages that nobody owned."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from choreo_bdd.loop import LoopPoster
from choreo_bdd.message import Message
from choreo_bdd.shared.minted import is_minted_here

Classification = Literal["no_extractor", "no_correlation_field", "unknown_scope", "timeout_race"]
Extractor = Callable[[bytes], "str | None"]

_SURPRISES_KEPT = 1000
_LEFT_SCOPES_KEPT = 1000
_UNSAFE_EXTRACTORS = {
    **dict.fromkeys(("pickle", "marshal", "shelve"), ("load", "loads", "open")),
    "yaml": ("load", "load_all", "full_load", "full_load_all", "unsafe_load", "unsafe_load_all"),
}


@dataclass(frozen=True, slots=True)
class SurpriseEntry:
    """A message that no scenario owned. It keeps the size, never the payload."""

    topic: str
    correlation_id: str
    classification: Classification
    size: int


class _Left(NamedTuple):
    """When a scope was left, and the topics on which it had not got by then what it expected."""

    at: float
    missed: tuple[str, ...]


class Dispatcher:
    """Who owns which correlation id (spec/harness.md 6.1); must be used on the loop's thread."""

    def __init__(self, *, poster: LoopPoster | None = None) -> None:
        self._poster = poster
        self._owners: dict[str, Any] = {}
        self._ids: dict[int, set[str]] = {}
        self._left: OrderedDict[str, _Left] = OrderedDict()
        self._extractors: dict[str, Extractor] = {}
        self._surprises: deque[tuple[str, str, Classification, int]] = deque(maxlen=_SURPRISES_KEPT)
        self.surprised = 0
        """How many surprises there have been, those the log had to forget included."""

    def __init_subclass__(cls) -> None:
        if "dispatch" in cls.__dict__:
            raise TypeError(f"{cls.__name__} redefines dispatch(): routing has one implementation")

    def register_scope(self, scope: Any, correlation_id: str) -> None:
        """From now on ``scope`` owns this id."""
        self._owners[correlation_id] = scope
        self._ids.setdefault(id(scope), set()).add(correlation_id)
        self._left.pop(correlation_id, None)

    def deregister_scope(self, scope: Any, *, at: float = math.inf, missed: Collection[str] = ()) -> None:
        """Forget all ids of this scope, but remember that they once were somebody's.

        ``at`` is the loop time at which it was left, ``missed`` are the topics on which it was still owed a message.
        """
        for correlation_id in self._ids.pop(id(scope), ()):
            if self._owners.get(correlation_id) is scope:
                del self._owners[correlation_id]
                self._left[correlation_id] = _Left(at, tuple(missed))
        while len(self._left) > _LEFT_SCOPES_KEPT:
            self._left.popitem(last=False)

    def register_extractor(self, topic: str, extractor: Extractor) -> None:
        """Say how to read the id from raw bytes on a topic; deserialisers that run code are refused."""
        name = getattr(extractor, "__name__", type(extractor).__name__)
        package = str(getattr(extractor, "__module__", "")).partition(".")[0].lstrip("_")
        if name in _UNSAFE_EXTRACTORS.get(package, ()):
            raise ValueError(f"{package}.{name} may run code from a message; use a safe parser")
        self._extractors[topic] = extractor

    def dispatch(self, *, topic: str, payload: bytes, source: str, resolver: Callable[[Any, bytes], None]) -> None:
        """Call ``resolver(scope, payload)`` for the owner of the message, or write one surprise entry.

        ``source`` names where the message came from; it is not interpreted.
        """
        del source
        extractor = self._extractors.get(topic)
        correlation_id = extractor(payload) if extractor is not None else None
        if correlation_id is not None and correlation_id in self._owners:
            resolver(self._owners[correlation_id], payload)
        elif extractor is None:
            self.surprise(topic, "", len(payload), "no_extractor")
        else:
            self.surprise(topic, correlation_id or "", len(payload))

    def owner(self, correlation_id: str) -> Any | None:
        """The live scope of an id."""
        return self._owners.get(correlation_id)

    def has_left(self, correlation_id: str) -> bool:
        """Whether the id lately belonged to a scope of ours."""
        return correlation_id in self._left

    def remember(self, correlation_id: str, missed: Collection[str]) -> None:
        """Take an id for one of a scope that was left before, and was owed a message on these topics."""
        self._left[correlation_id] = _Left(-math.inf, tuple(missed))

    def former_since(self, surprised: int, own: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Of the surprises behind the first so many, the ids of scopes before this one, with what these missed.

        Its ``own`` are none of them, whatever their prefix. A scope of other transports only has missed nothing here.
        """
        ids, ours = {each.correlation_id for each in self.surprise_log(since=surprised)}, tuple(own)
        others = (each for each in ids - self._left.keys() if not each.lower().endswith(ours))
        former = [each for each in others if is_minted_here(each)]
        return {each: self._left[each].missed for each in ids & self._left.keys()} | dict.fromkeys(former, ())

    def accounts_for(self, correlation_id: str, topic: str, came_at: float) -> bool:
        """Whether a message with this id is what another scope of ours had to expect on a topic.

        Of one that is live, or was when it came, or that was left while it was owed one: that is late, and no wrong id.
        """
        left = self._left.get(correlation_id)
        return correlation_id in self._owners or (left is not None and (came_at <= left.at or topic in left.missed))

    def unowned(self, message: Message, correlation_id: str) -> None:
        """Note a message that none of its topic's listeners owns, unless another scope of ours does."""
        if correlation_id not in self._owners:
            self.surprise(message.topic, correlation_id, len(message.payload))

    def surprise(
        self, topic: str, correlation_id: str, size: int, classification: Classification | None = None
    ) -> None:
        """Note a message nobody owned; without a classification it follows from the id."""
        if classification is None:
            classification = (
                "no_correlation_field"
                if not correlation_id
                else "timeout_race"
                if correlation_id in self._left
                else "unknown_scope"
            )
        self._surprises.append((topic, correlation_id, classification, size))
        self.surprised += 1

    def surprise_log(self, *, since: int = 0) -> list[SurpriseEntry]:
        """A copy of the surprise log, oldest first (the last 1,000); ``since`` leaves out the first so many."""
        if since == self.surprised:
            return []
        kept = list(self._surprises)[max(0, since - (self.surprised - len(self._surprises))) :]
        return [SurpriseEntry(*surprise) for surprise in kept]
