"""The matcher that a body stands for: payload parts, and what is asked of the message around it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
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
    exactly,
)
from choreo_bdd.matchers.closeness import total
from choreo_bdd.matchers.protocols import is_matcher, rendered
from choreo_bdd.message import Message, MessageRecord
from choreo_bdd_steps.language.capture import envelope_of
from choreo_bdd_steps.language.paths import envelope_path

_DESCRIBED_CHARACTERS = 300
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True, repr=False)
class BodyMatcher:
    """All `parts` accept the payload; `envelope` holds what `key`, `headers.<name>`, … are expected to be."""

    parts: tuple[Matcher, ...]
    envelope: Mapping[str, Matcher]
    description: str = field(compare=False)
    alternatives: tuple[BodyMatcher, ...] = ()

    @property
    def is_unconditional(self) -> bool:
        """Whether any message at all is meant."""
        return not self.parts and not self.envelope

    def match(self, payload: object) -> MatchResult:
        """Judge the payload alone; the first part that refuses it speaks."""
        result = self._judge(payload)
        return self._one_of([each.match(payload) for each in self.alternatives if not each.envelope], result)

    def _judge(self, payload: object) -> MatchResult:
        for part in self.parts:
            result = part.match(payload)
            if not result.matched:
                return result
        return MatchResult(True, f"matched {self.description}")

    def match_message(self, payload: object, message: Message | MessageRecord) -> MatchResult:
        """Judge the payload, then what stands around it."""
        result = self._judge(payload)
        if result.matched and self.envelope:
            around = envelope_of(message)
            judged = (matcher.match(around) for matcher in self._around())
            result = next((each for each in judged if not each.matched), result)
        return self._one_of([each.match_message(payload, message) for each in self.alternatives], result)

    def _one_of(self, tried: list[MatchResult], result: MatchResult) -> MatchResult:
        """The result, unless alternatives were tried and all of them refuse: then the first one speaks."""
        if not result.matched or not tried:
            return result
        return next((each for each in tried if each.matched), tried[0])

    def expected_shape(self) -> object:
        """The parts' shapes, merged where they name different fields; envelope parts under their @ names."""
        around: list[object] = [{f"@{name}": rendered(matcher)} for name, matcher in self.envelope.items()]
        if self.alternatives:
            around.append({"any_of": [each.expected_shape() for each in self.alternatives]})
        return _merged([*(rendered(part) for part in self.parts), *around])

    def closeness(self, payload: object) -> Closeness:
        """The parts' fields added up."""
        return total(closeness(part, payload) for part in self.parts) if self.parts else Closeness(1, 1)

    def message_closeness(self, payload: object, message: Message | MessageRecord) -> Closeness:
        """The fields of payload and envelope added up."""
        around = [closeness(matcher, envelope_of(message)) for matcher in self._around()]
        if self.alternatives:
            tried = (each.message_closeness(payload, message) for each in self.alternatives)
            around.append(max(tried, key=lambda each: each.score))
        return total([self.closeness(payload), *around] if self.parts or not around else around)

    def _around(self) -> list[Matcher]:
        return [at(envelope_path(name), matcher) for name, matcher in self.envelope.items()]

    def __repr__(self) -> str:
        return self.description


def body_matcher(
    parts: list[Matcher], envelope: Mapping[str, Matcher], alternatives: Sequence[BodyMatcher] = ()
) -> BodyMatcher:
    """Put a matcher together, described by what it asks; of ``alternatives`` one has to accept the message as well."""
    around = [f"@{name} {matcher.description}" for name, matcher in envelope.items()]
    either = [" or ".join(each.description for each in alternatives)] if alternatives else []
    words = ", ".join([*(part.description for part in parts), *around, *either]) or "any message"
    if len(words) > _DESCRIBED_CHARACTERS:
        words = f"{words[:_DESCRIBED_CHARACTERS]}…"
    return BodyMatcher(tuple(parts), dict(envelope), words, tuple(alternatives))


def expecting(value: object) -> Matcher:
    """The strict matcher of a rendered value: a matcher itself, a shape to be contained, or equality."""
    if isinstance(value, (dict, list)):
        return contains_fields(value, strict=True)
    return value if is_matcher(value) else eq(value, strict=True)


def equalling(value: object) -> Matcher:
    """The strict matcher of a cell or condition: a matcher itself, else equality all the way down."""
    if isinstance(value, (dict, list)):
        return exactly(value, strict=True)
    return expecting(value)


def as_text_on_the_wire(value: object) -> Matcher:
    """What is asked of a key or header: as numbers where both sides read as numbers, else as text."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return WireText(eq(value, strict=True), str(value))
    if is_matcher(value) and _asks_for_numbers(rendered(value)):
        return WireText(value)
    return expecting(value)


@dataclass(frozen=True, slots=True, repr=False)
class WireText:
    """A matcher of numbers for what travels as text: text that reads as a number is judged as that number."""

    asked: Matcher
    written: str | None = None

    @property
    def description(self) -> str:
        """What it asks."""
        return self.asked.description

    def match(self, payload: object) -> MatchResult:
        """Judge the number that the text reads as, or the text itself."""
        return self.asked.match(_number_in(payload))

    def expected_shape(self) -> object:
        """The text as it was written, or the matcher's own shape."""
        return rendered(self.asked) if self.written is None else self.written

    def __repr__(self) -> str:
        return self.description


def _number_in(payload: object) -> object:
    if not isinstance(payload, str) or _NUMBER.fullmatch(payload) is None:
        return payload
    return float(payload) if any(mark in payload for mark in ".eE") else int(payload)


def _asks_for_numbers(shape: object) -> bool:
    """Whether every literal of a shape is a number, and there is one."""
    leaves = list(_leaves(shape))
    return bool(leaves) and all(isinstance(leaf, (int, float)) and not isinstance(leaf, bool) for leaf in leaves)


def _leaves(shape: object) -> Iterator[object]:
    if isinstance(shape, dict):
        for each in shape.values():
            yield from _leaves(each)
    elif isinstance(shape, (list, tuple)):
        for each in shape:
            yield from _leaves(each)
    else:
        yield shape


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
