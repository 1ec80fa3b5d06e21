"""The matcher that a body stands for: payload parts, and what is asked of the message around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from choreo_bdd.matchers import (
    Closeness,
    Matcher,
    MatchResult,
    all_of,
    at,
    closeness,
    contains_fields,
    eq,
)
from choreo_bdd.matchers.closeness import total
from choreo_bdd.matchers.protocols import is_matcher, rendered
from choreo_bdd.message import Message, MessageRecord
from choreo_bdd_steps.language.capture import envelope_of
from choreo_bdd_steps.language.paths import envelope_path

_DESCRIBED_CHARACTERS = 300


@dataclass(frozen=True, slots=True, repr=False)
class BodyMatcher:
    """All `parts` accept the payload; `envelope` holds what `key`, `headers.<name>`, … are expected to be."""

    parts: tuple[Matcher, ...]
    envelope: Mapping[str, Matcher]
    description: str = field(compare=False)

    @property
    def is_unconditional(self) -> bool:
        """Whether any message at all is meant."""
        return not self.parts and not self.envelope

    def match(self, payload: object) -> MatchResult:
        """Judge the payload; the first part that refuses it speaks."""
        for part in self.parts:
            result = part.match(payload)
            if not result.matched:
                return result
        return MatchResult(True, f"matched {self.description}")

    def match_message(self, payload: object, message: Message | MessageRecord) -> MatchResult:
        """Judge the payload, then what stands around it."""
        result = self.match(payload)
        if result.matched and self.envelope:
            around = envelope_of(message)
            judged = (matcher.match(around) for matcher in self._around())
            return next((each for each in judged if not each.matched), result)
        return result

    def expected_shape(self) -> object:
        """The parts' shapes, merged where they name different fields; envelope parts under their @ names."""
        around = [{f"@{name}": rendered(matcher)} for name, matcher in self.envelope.items()]
        return _merged([*(rendered(part) for part in self.parts), *around])

    def closeness(self, payload: object) -> Closeness:
        """The parts' fields added up."""
        return total(closeness(part, payload) for part in self.parts) if self.parts else Closeness(1, 1)

    def message_closeness(self, payload: object, message: Message | MessageRecord) -> Closeness:
        """The fields of payload and envelope added up."""
        around = [closeness(matcher, envelope_of(message)) for matcher in self._around()]
        return total([self.closeness(payload), *around] if self.parts or not around else around)

    def _around(self) -> list[Matcher]:
        return [at(envelope_path(name), matcher) for name, matcher in self.envelope.items()]

    def __repr__(self) -> str:
        return self.description


def body_matcher(parts: list[Matcher], envelope: Mapping[str, Matcher]) -> BodyMatcher:
    """Put a matcher together, described by what it asks."""
    around = [f"@{name} {matcher.description}" for name, matcher in envelope.items()]
    words = ", ".join([*(part.description for part in parts), *around]) or "any message"
    if len(words) > _DESCRIBED_CHARACTERS:
        words = f"{words[:_DESCRIBED_CHARACTERS]}…"
    return BodyMatcher(tuple(parts), dict(envelope), words)


def expecting(value: object) -> Matcher:
    """The strict matcher of a rendered value: a matcher itself, a shape to be contained, or equality."""
    if isinstance(value, (dict, list)):
        return contains_fields(value, strict=True)
    return value if is_matcher(value) else eq(value, strict=True)


def together(matchers: list[Matcher]) -> Matcher:
    """One matcher for all that is asked of one place."""
    return matchers[0] if len(matchers) == 1 else all_of(*matchers)


def around(message: Message | MessageRecord) -> dict[str, object]:
    """What is around a payload, by the names bodies use; what the message does not have is left out."""
    parts = {"topic": message.topic, "key": message.key, "partition": message.partition}
    return {"headers": dict(message.headers), **{name: part for name, part in parts.items() if part is not None}}


def _merged(shapes: list[object]) -> object:
    merged: dict[object, object] = {}
    for shape in shapes:
        if not isinstance(shape, dict) or merged.keys() & shape.keys():
            return shapes[0] if len(shapes) == 1 else {"all_of": shapes}
        merged.update(shape)
    return merged
