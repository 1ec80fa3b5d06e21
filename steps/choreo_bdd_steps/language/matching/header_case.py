"""Names of headers over HTTP, where case means nothing: those of an answer come in lower case, and are asked for so."""

from __future__ import annotations

from msgspec import structs

from choreo_bdd_steps.language.matching.body_matcher import BodyMatcher

_HEADER = "headers."


def in_lower_case(matcher: BodyMatcher) -> BodyMatcher:
    """A matcher that asks for headers by their names in lower case."""
    envelope = {name.lower() if name.startswith(_HEADER) else name: asked for name, asked in matcher.envelope.items()}
    return structs.replace(matcher, envelope=envelope, choices=tuple(map(in_lower_case, matcher.choices)))


def in_small_letters(path: str) -> str:
    """A path as it is, in lower case where it names a header."""
    return path.lower() if path.strip().startswith(f"@{_HEADER}") else path
