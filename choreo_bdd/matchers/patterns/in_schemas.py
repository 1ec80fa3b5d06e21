"""Patterns of JSON Schemas, which come from documents, on texts, which come from messages: both bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from choreo_bdd.matchers.patterns.bounded import TooLongForPattern, bounded, search

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_MAX_NAME = 1000
"""Characters of a field's name that patterns of names are tried on."""
_DATA = frozenset({"const", "default", "enum", "example", "examples"})
"""Keywords whose values are no schemas."""


@cache
def guarded(kind: type[Validator]) -> type[Validator]:
    """The same dialect of JSON Schema, with patterns that take bounded time on any text."""
    import attrs  # noqa: PLC0415 - comes with jsonschema, which is slow to import and needed by few
    from jsonschema.validators import extend, validator_for  # noqa: PLC0415

    made: Any = extend  # it has no types
    dialect = made(kind, {"pattern": _pattern, "patternProperties": _names(kind)})
    names = [(each.name, each.alias) for each in attrs.fields(dialect) if each.init]

    def evolve(self: Any, **changes: Any) -> Any:
        schema = changes.setdefault("schema", self.schema)
        told = validator_for(schema, default=dialect)
        inner = dialect if told in (dialect, kind) else guarded(told)
        return inner(**{alias: getattr(self, name) for name, alias in names} | changes)

    dialect.evolve = evolve
    guarded_kind: type[Validator] = dialect
    return guarded_kind


def refused_patterns(schema: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The places of patterns that are none, or that could take exponential time, and what is wrong with each."""
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), schema)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, Mapping):
            given = value.get("pattern")
            names = value.get("patternProperties")
            patterns = [*([((*place, "pattern"), given)] if isinstance(given, str) else [])]
            patterns += (
                [((*place, "patternProperties", each), each) for each in names] if isinstance(names, dict) else []
            )
            for where, pattern in patterns:
                try:
                    bounded(pattern)
                except re.error as error:
                    yield where, error.msg
            waiting += [((*place, key), each) for key, each in value.items() if key not in _DATA]
        elif isinstance(value, list):
            waiting += [((*place, index), each) for index, each in enumerate(value)]


def _pattern(validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[Exception]:
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415 - as above

    if not validator.is_type(instance, "string"):
        return
    try:
        if not search(bounded(pattern), instance):
            yield ValidationError(f"{instance!r} does not match {pattern!r}")
    except (TooLongForPattern, re.error) as error:  # one of a document that was fetched is not looked at before
        yield ValidationError(f"the text cannot be held against {pattern!r}: {error}")


def _names(kind: type[Validator]) -> Any:
    usual = kind.VALIDATORS["patternProperties"]

    def pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> Iterator[Exception]:
        from jsonschema.exceptions import ValidationError  # noqa: PLC0415 - as above

        names = instance if validator.is_type(instance, "object") else ()
        try:
            for pattern in patterns:
                bounded(pattern)
        except re.error as error:
            yield ValidationError(f"no name can be held against {error.pattern!r}: {error}")
            return
        if any(len(name) > _MAX_NAME for name in names):
            yield ValidationError(
                f"a field's name is longer than {_MAX_NAME} characters; patterns are tried on no such"
            )
        else:
            yield from usual(validator, patterns, instance, schema)

    return pattern_properties
