"""A matcher that validates against a JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from choreo_bdd.matchers.closeness import Closeness
from choreo_bdd.matchers.patterns.in_schemas import guarded, refused_patterns
from choreo_bdd.matchers.result import ROOT_PATH, FailureKind, MatchFailure, MatchResult, matched, missed

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator
    from referencing import Registry


@dataclass(frozen=True, slots=True, repr=False)
class SchemaMatcher:
    """A payload valid under a schema."""

    validator: Validator = field(hash=False)  # schemas are dicts
    description: str
    ok: MatchResult = field(compare=False)

    def match(self, payload: object) -> MatchResult:
        """Validate; the failure is the most telling of the schema's complaints."""
        failures = self._failures(payload)
        if not failures:
            return self.ok
        first, *others = failures
        more = f" (and {len(others)} more)" if others else ""
        return missed(first[0], f"{first[1]}{more}")

    def expected_shape(self) -> object:
        """``{"schema": the schema}``."""
        return {"schema": self.validator.schema}

    def closeness(self, payload: object) -> Closeness:
        """Each complaint of the schema is one wrong field."""
        failures = tuple(failure for failure, _ in self._failures(payload))
        return Closeness(0, len(failures), failures) if failures else Closeness(1, 1)

    def _failures(self, payload: Any) -> list[tuple[MatchFailure, str]]:
        from jsonschema.exceptions import relevance  # noqa: PLC0415 - optional at run time, and slow to import
        from referencing.exceptions import Unresolvable  # noqa: PLC0415 - comes with jsonschema

        try:
            errors = sorted(self.validator.iter_errors(payload), key=relevance, reverse=True)
        except Unresolvable as error:
            return [_unusable(f"the schema refers to {error.ref!r}, which cannot be found")]
        except RecursionError:
            return [_unusable("the schema refers to itself without end, or the payload is nested too deeply")]
        return [_failure(error) for error in errors]

    def __repr__(self) -> str:
        return self.description


def json_schema(
    schema: Mapping[str, object] | bool, *, retrieve: Callable[[str], object] | None = None
) -> SchemaMatcher:
    """A payload valid under ``schema`` (draft 2020-12 unless ``$schema`` names another).

    ``retrieve`` returns the contents of a ``$ref`` to another document, or raises LookupError; without it such a
    reference never leaves the process. Raises ValueError when the schema itself is broken.
    """
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import, needed by few
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415
    from jsonschema.validators import validator_for  # noqa: PLC0415

    given: Any = schema  # the stubs know dicts only; a boolean is a schema, too
    kind = validator_for(given, default=Draft202012Validator)
    try:
        kind.check_schema(given)
    except SchemaError as error:
        raise ValueError(f"the JSON Schema is broken at {error.json_path}: {error.message}") from error
    for place, why in refused_patterns(given):
        raise ValueError(f"the JSON Schema is refused at {'/'.join(map(str, place))}: {why}")
    words = f"valid under schema {_title(schema)}"
    return SchemaMatcher(guarded(kind)(given, registry=_registry(retrieve)), words, matched(words))


def _registry(retrieve: Callable[[str], object] | None) -> Registry[Any]:
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # noqa: PLC0415
    from referencing import Registry, Resource  # noqa: PLC0415
    from referencing.jsonschema import DRAFT202012  # noqa: PLC0415

    def found(uri: str) -> Resource[Any]:
        if retrieve is None:
            raise _unknown(uri)
        try:
            contents = retrieve(uri)
        except LookupError as error:
            raise _unknown(uri) from error
        return Resource.from_contents(contents, default_specification=DRAFT202012)

    registry: Registry[Any] = Registry(retrieve=found)  # type: ignore[call-arg]  # an attrs field
    return registry.combine(REGISTRY)


def _unknown(uri: str) -> Exception:
    from referencing.exceptions import NoSuchResource  # noqa: PLC0415

    return NoSuchResource(uri)


def _title(schema: Mapping[str, object] | bool) -> str:
    if isinstance(schema, Mapping):
        for key in ("title", "$id"):
            if isinstance(schema.get(key), str):
                return repr(schema[key])
    return "given inline"


def _failure(error: ValidationError) -> tuple[MatchFailure, str]:
    path = ".".join(map(str, error.absolute_path)) or ROOT_PATH
    kind: FailureKind = "missing" if error.validator == "required" else "predicate"
    failure = MatchFailure(kind, path, {str(error.validator): error.validator_value}, error.instance)
    return failure, f"{path}: {error.message}" if error.absolute_path else error.message


def _unusable(reason: str) -> tuple[MatchFailure, str]:
    return MatchFailure("predicate", ROOT_PATH, {"schema": reason}), reason
