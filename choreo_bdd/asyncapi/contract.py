"""An AsyncAPI document as a contract."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from choreo_bdd import topic_patterns
from choreo_bdd.asyncapi.channels import Channel, MessageSpec, read_channels
from choreo_bdd.asyncapi.documents import Documents
from choreo_bdd.asyncapi.schemas import compiled, problems_of, typed
from choreo_bdd.contracts import Problem

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_LISTED = 12


@dataclass(frozen=True, slots=True)
class _Message:
    place: str
    payload: Validator | None
    headers: tuple[Validator, ...]

    def problems(self, payload: Any, headers: Mapping[str, str]) -> tuple[Problem, ...]:
        found: list[Problem] = []
        if self.payload is not None and not isinstance(payload, bytes):  # bytes are in no schema's language
            found += problems_of(self.payload, payload, message=self.place, part="payload")
        for validator in self.headers:
            found += problems_of(validator, typed(validator, headers), message=self.place, part="headers")
        return tuple({(problem.path, problem.text): problem for problem in found}.values())


@dataclass(frozen=True, slots=True)
class _Rules:
    """A channel, ready to judge."""

    channel: Channel
    pattern: re.Pattern[str]
    messages: tuple[_Message, ...]

    def problems(self, payload: Any, headers: Mapping[str, str]) -> tuple[Problem, ...]:
        """Those of the message that comes nearest, nothing where one fits."""
        options = (message.problems(payload, headers) for message in self.messages)
        return min(options, key=len, default=())


class AsyncApi:
    """The channels of one or several documents; a topic belongs to the first channel that describes it.

    ``source`` names the documents.
    """

    def __init__(self, source: str, rules: Iterable[_Rules]) -> None:
        self.source = source
        self._rules = {each.channel.address: each for each in rules}
        self._templates = [each for each in self._rules.values() if each.channel.is_template]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses of all channels, in the order of the documents."""
        return tuple(self._rules)

    def address_of(self, topic: str) -> str | None:
        """The address of the channel that describes a topic."""
        rules = self._of(topic)
        return None if rules is None else rules.channel.address

    def covers(self, topic: str) -> bool:
        """Whether a channel describes the topic, or one that a pattern (``*``, ``>``) stands for."""
        if not topic_patterns.is_pattern(topic):
            return self._of(topic) is not None
        return any(each.channel.falls_under(topic) for each in self._rules.values())

    def unknown(self, topic: str) -> Problem | None:
        """Why no channel describes the topic, with the address that was probably meant."""
        if self._of(topic) is not None:
            return None
        text = f"unknown topic: no channel of {self.source} describes {topic!r}{self._hint(topic)}"
        return Problem("@topic", text, self.source, {"channels": list(self.addresses[:_LISTED])}, topic)

    def problems(self, topic: str, payload: Any, headers: Mapping[str, str]) -> tuple[Problem, ...]:
        """What is wrong with a message, by the message of its channel that it comes nearest to."""
        rules = self._of(topic)
        return () if rules is None else rules.problems(payload, headers)

    def _of(self, topic: str) -> _Rules | None:
        exact = self._rules.get(topic)
        if exact is not None and not exact.channel.is_template:
            return exact
        return next((each for each in self._templates if each.pattern.fullmatch(topic)), None)

    def _hint(self, topic: str) -> str:
        close = difflib.get_close_matches(topic, self.addresses, n=1)
        return f"; did you mean {close[0]!r}?" if close else ""


def load_asyncapi(paths: Sequence[Path]) -> AsyncApi:
    """Read documents and all that they refer to. Raises ``AsyncApiError``, which names file and place."""
    rules: list[_Rules] = []
    for path in paths:
        documents = Documents(path)
        rules += [_rules(documents, channel) for channel in read_channels(documents)]
    return AsyncApi(", ".join(path.name for path in paths), rules)


def _rules(documents: Documents, channel: Channel) -> _Rules:
    return _Rules(channel, channel.pattern(), tuple(_ready(documents, message) for message in channel.messages))


def _ready(documents: Documents, message: MessageSpec) -> _Message:
    return _Message(
        place=message.node.place,
        payload=None if message.payload is None else compiled(message.payload, documents),
        headers=tuple(compiled(schema, documents) for schema in message.headers),
    )
