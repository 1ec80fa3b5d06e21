"""The matcher that a body stands for: payload parts, and what is asked of the message around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from msgspec import Struct

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
from choreo_bdd.matchers.result import COMPOSED_ANY, MatchFailure
from choreo_bdd.message import Message, MessageRecord
from choreo_bdd_steps.language.matching.capture import envelope_of
from choreo_bdd_steps.language.matching.wire import on_wire
from choreo_bdd_steps.language.paths import envelope_path

_DESCRIBED_CHARACTERS = 300
_HEADER = "@headers."


class BodyMatcher(Struct, frozen=True):
    """All ``parts`` accept the payload, and one of ``choices``, where there are any, accepts the message.

    ``envelope`` holds what ``key``, ``headers.<name>``, … are expected to be.
    """

    parts: tuple[Matcher, ...]
    envelope: Mapping[str, Matcher]
    description: str
    choices: tuple[BodyMatcher, ...] = ()

    @property
    def is_unconditional(self) -> bool:
        """Whether any message at all is meant."""
        return not self.parts and not self.envelope and not self.choices

    def match(self, payload: object) -> MatchResult:
        """Judge the payload; the first part that refuses it speaks."""
        for part in self.parts:
            result = part.match(payload)
            if not result.matched:
                return result
        return self._chosen([choice.match(payload) for choice in self.choices])

    def match_message(self, payload: object, message: Message | MessageRecord) -> MatchResult:
        """Judge the payload, then what stands around it."""
        result = self.match(payload)
        if result.matched and self.envelope:
            around = on_wire(envelope_of(message, self.envelope))
            judged = (matcher.match(around) for matcher in self._around())
            result = next((each for each in judged if not each.matched), result)
        if result.matched and self.choices:
            return self._chosen([choice.match_message(payload, message) for choice in self.choices])
        return result

    def _chosen(self, judged: list[MatchResult]) -> MatchResult:
        if not judged or any(each.matched for each in judged):
            return MatchResult(True, f"matched {self.description}")
        reasons = "; ".join(each.reason for each in judged)
        failures = tuple(each.failure for each in judged if each.failure)
        failure = MatchFailure("composed", COMPOSED_ANY, self.expected_shape(), None, failures)
        return MatchResult(False, f"none of these holds: {reasons}", failure)

    def expected_shape(self) -> object:
        """The parts' shapes, merged where they name different fields; envelope parts under their @ names."""
        around = [{f"@{name}": rendered(matcher)} for name, matcher in self.envelope.items()]
        one_of = [{"any_of": [choice.expected_shape() for choice in self.choices]}] if self.choices else []
        return _merged([*(rendered(part) for part in self.parts), *around, *one_of])

    def closeness(self, payload: object) -> Closeness:
        """The parts' fields added up."""
        chosen = _nearest([choice.closeness(payload) for choice in self.choices])
        graded = [*(closeness(part, payload) for part in self.parts), *chosen]
        return total(graded) if graded else Closeness(1, 1)

    def message_closeness(self, payload: object, message: Message | MessageRecord) -> Closeness:
        """The fields of payload and envelope added up."""
        wire = on_wire(envelope_of(message, self.envelope))
        graded = [
            *(closeness(part, payload) for part in self.parts),
            *(_with_headers(closeness(matcher, wire), message) for matcher in self._around()),
            *_nearest([choice.message_closeness(payload, message) for choice in self.choices]),
        ]
        return total(graded) if graded else Closeness(1, 1)

    def _around(self) -> list[Matcher]:
        return [at(envelope_path(name), matcher) for name, matcher in self.envelope.items()]

    def __repr__(self) -> str:
        return self.description


def body_matcher(
    parts: list[Matcher], envelope: Mapping[str, Matcher], choices: Sequence[BodyMatcher] = ()
) -> BodyMatcher:
    """Put a matcher together, described by what it asks."""
    around = [f"@{name} {matcher.description}" for name, matcher in envelope.items()]
    one_of = [" or ".join(choice.description for choice in choices)] if choices else []
    words = ", ".join([*(part.description for part in parts), *around, *one_of]) or "any message"
    if len(words) > _DESCRIBED_CHARACTERS:
        words = f"{words[:_DESCRIBED_CHARACTERS]}…"
    return BodyMatcher(tuple(parts), dict(envelope), words, tuple(choices))


def expecting(value: object) -> Matcher:
    """The strict matcher of a rendered value: a matcher itself, a shape to be contained, or equality."""
    if isinstance(value, (dict, list)):
        return contains_fields(value, strict=True)
    return value if is_matcher(value) else eq(value, strict=True)


def equalling(value: object) -> Matcher:
    """The strict matcher of what one place must be: a matcher itself, or equality all the way down."""
    if is_matcher(value):
        return value
    return exactly(value, strict=True) if _asks(value) else eq(value, strict=True)


def _asks(value: object) -> bool:
    """Whether a matcher stands somewhere in a value."""
    if isinstance(value, (dict, list)):
        return any(map(_asks, value.values() if isinstance(value, dict) else value))
    return is_matcher(value)


def together(matchers: list[Matcher]) -> Matcher:
    """One matcher for all that is asked of one place."""
    return matchers[0] if len(matchers) == 1 else all_of(*matchers)


def _nearest(graded: list[Closeness]) -> list[Closeness]:
    return [max(graded, key=lambda each: each.score)] if graded else []


def _merged(shapes: list[object]) -> object:
    merged: dict[object, object] = {}
    for shape in shapes:
        if not isinstance(shape, dict) or merged.keys() & shape.keys():
            return shapes[0] if len(shapes) == 1 else {"all_of": shapes}
        merged.update(shape)
    return merged


def _with_headers(graded: Closeness, message: Message | MessageRecord) -> Closeness:
    """The same, with the names of the headers that are there beside each that is missing."""
    names = ", ".join(sorted(message.headers)) or "no header at all"
    there = (MatchFailure("missing", "@headers", None, names),)  # no value of the missing one, which may be secret

    def told(failure: MatchFailure) -> MatchFailure:
        is_header = failure.kind == "missing" and failure.path.startswith(_HEADER)
        return replace(failure, children=there) if is_header else failure

    return graded._replace(differences=tuple(map(told, graded.differences)))
