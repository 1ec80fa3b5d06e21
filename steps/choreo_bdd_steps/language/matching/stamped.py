"""The id that the library itself stamped: `!exactly` and closed schemas never see it (spec/steps.md 10)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, structs

from choreo_bdd.correlation import FieldPolicy, policy_of
from choreo_bdd.matchers import Closeness, Matcher, MatchResult, closeness
from choreo_bdd.matchers.protocols import expected_shape
from choreo_bdd.scenario.links import Link
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.matching.body_matcher import BodyMatcher

_NO_OBJECT = (str, int, float, list)


class Unstamped(Struct, frozen=True):
    """A part of a body that says nothing of the id's field, and might ask that there be no field besides its own.

    Where it ``is_exact`` the id is never seen. A schema, say, may ask for the field: there it is seen first.
    """

    part: Matcher
    policy: FieldPolicy
    minted: str
    is_exact: bool

    @property
    def description(self) -> str:
        """What is asked, in words."""
        return self.part.description

    def match(self, payload: object) -> MatchResult:
        """Judge a payload without the id that was stamped into it."""
        seen = self._seen(payload)
        results = map(self.part.match, seen)
        return next((result for result in results if result.matched), None) or self.part.match(seen[-1])

    def expected_shape(self) -> object:
        """The shape the part expects."""
        return expected_shape(self.part)

    def closeness(self, payload: object) -> Closeness:
        """The part's fields, without the id that was stamped."""
        return closeness(self.part, self._seen(payload)[-1])

    def _seen(self, payload: object) -> tuple[object, ...]:
        """The payloads to judge, any of which will do."""
        if self.policy.value(payload) != self.minted:
            return (payload,)
        bare = self.policy.without(payload)
        return bare if self.is_exact else (payload, *bare)


def without_stamp(matcher: BodyMatcher, link: Link, topic: str) -> BodyMatcher:
    """A matcher whose parts do not see the id of a link where they do not name its field."""
    policy, minted = policy_of(link.harness.correlation, topic), link.minted
    if not isinstance(policy, FieldPolicy) or minted is None:
        return matcher
    parts = tuple(_unstamped(each, policy, minted) for each in matcher.parts)
    choices = tuple(without_stamp(each, link, topic) for each in matcher.choices)
    return structs.replace(matcher, parts=parts, choices=choices)


def require_place(matcher: BodyMatcher, link: Link, topic: str) -> None:
    """``BodyError`` for a message that no id can be in: nobody could ever tell whose it is."""
    policy = policy_of(link.harness.correlation, topic)
    if not isinstance(policy, FieldPolicy) or policy.has_headers or link.minted is None:
        return
    shape = next((each for each in map(expected_shape, matcher.parts) if isinstance(each, _NO_OBJECT)), None)
    if shape is not None:
        raise BodyError(
            f"what is expected on {topic!r}, a {type(shape).__name__}, has no place for the correlation id, which "
            f"travels in the field {policy.field!r}, nor has this bus headers: expect an object, or write "
            f"`correlation: none` in choreo.yaml and tell the messages apart with `where`"
        )


def _unstamped(part: Matcher, policy: FieldPolicy, minted: str) -> Matcher:
    """A part as it is, or one that does not see the id, if it could refuse a payload for that field alone.

    Within an object equality could, on top of one only what asks for no further fields.
    """
    names = frozenset(_names(expected_shape(part)))
    is_open = len(policy.path) == 1 and names.isdisjoint({"exactly", "schema"})
    if is_open or policy.header in names:
        return part
    return Unstamped(part, policy, minted, is_exact="exactly" in names)


def _names(shape: object) -> list[str]:
    """Every name in an expected shape; of a path, each of its names."""
    if isinstance(shape, Mapping):
        below = [name for value in shape.values() for name in _names(value)]
        return [*(part.strip("'\"") for name in shape for part in str(name).split(".")), *below]
    return [name for each in shape for name in _names(each)] if isinstance(shape, list | tuple) else []
