"""Matcher tags: ``!gt 5``, ``!one_of [a, b]``, ``!every {sku: !exists}`` and the user's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

import choreo_bdd.matchers as m
from choreo_bdd.matchers import Matcher
from choreo_bdd.matchers.leaves import ValueMatcher
from choreo_bdd.matchers.operators import LENGTH
from choreo_bdd.matchers.quantifiers import Every
from choreo_bdd_steps.language.doc_strings.files import read_tree
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.extensions import user_matcher, user_matcher_names
from choreo_bdd_steps.language.matching.predicates import imported, predicate_matcher
from choreo_bdd_steps.language.reserved_names import MATCHERS
from choreo_bdd_steps.language.syntax import Fields, Items, Literal, Node, Tagged, Template


class TagCall(Struct, frozen=True):
    """One use of a tag: its argument, rendered, and where files are looked for."""

    argument: Any
    base_dir: Path


def _spec(value: object) -> Matcher:
    return m.as_matcher(value, strict=True)


def _literal(value: object) -> object:
    if isinstance(value, Matcher):
        raise TypeError(f"takes a plain value, not {value.description}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"takes text, not {type(value).__name__}; put it in quotes")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("takes a list: [a, b]")
    return value


def _pair(value: object) -> tuple[Any, Any]:
    items = _list(value)
    if len(items) != 2:
        raise TypeError(f"takes a list of two values, not {len(items)}")
    return items[0], items[1]


def _specs(value: object) -> list[Matcher]:
    items = _list(value)
    if not items:
        raise ValueError("takes at least one alternative")
    return [_spec(item) for item in items]


def _with_length(specs: list[Matcher]) -> list[Matcher]:
    """Beside a ``!length``, which says how many elements there may be, ``!every`` takes none for good, too."""
    if not any(isinstance(each, ValueMatcher) and each.operator is LENGTH for each in specs):
        return specs
    return [structs.replace(each, nonempty=False) if isinstance(each, Every) else each for each in specs]


def _schema(call: TagCall) -> Matcher:
    path = _text(call.argument)
    folder = (call.base_dir / path).parent

    def sibling(uri: str) -> object:
        if "://" in uri:
            raise LookupError(uri)
        try:
            return _data(read_tree(uri.partition("#")[0], folder))
        except BodyError as error:
            raise LookupError(uri) from error

    schema = _data(read_tree(path, call.base_dir))
    if not isinstance(schema, (dict, bool)):
        raise TypeError(f"the file {path!r} holds no JSON Schema, which is an object")
    return m.json_schema(schema, retrieve=sibling)


def _data(node: Node) -> object:
    """A schema's data; ``{{`` has no meaning in there."""
    match node:
        case Literal(value):
            return value
        case Template(source):
            return source
        case Items(nodes):
            return [_data(each) for each in nodes]
        case Fields(pairs):
            return {_data(key): _data(value) for key, value in pairs}
        case Tagged(tag):
            raise BodyError(f"the tag !{tag} has no meaning in a schema", node.line)


_WITHOUT_VALUE: Mapping[str, Callable[[], Matcher]] = {
    "any": m.anything,
    "exists": m.exists,
    "absent": m.absent,
    "null": m.null,
    "not_null": m.not_null,
    "uuid": m.is_uuid,
    "iso8601": m.is_iso8601,
}
_WITH_VALUE: Mapping[str, Callable[[Any], Matcher]] = {
    "ne": lambda value: m.ne(_literal(value), strict=True),
    "gt": lambda value: m.gt(_literal(value), strict=True),
    "ge": lambda value: m.ge(_literal(value), strict=True),
    "lt": lambda value: m.lt(_literal(value), strict=True),
    "le": lambda value: m.le(_literal(value), strict=True),
    "between": lambda value: _between(*_pair(value)),
    "approx": lambda value: m.approx(*_pair(value)),
    "matches": lambda value: m.matches(_text(value)),
    "one_of": lambda value: _one_of(_list(value)),
    "contains": lambda value: _contains(_literal(value)),
    "starts_with": lambda value: m.starts_with(_text(value)),
    "ends_with": lambda value: m.ends_with(_text(value)),
    "length": m.length,
    "type": m.of_type,
    "before": lambda value: m.before(_text(value)),
    "after": lambda value: m.after(_text(value)),
    "every": lambda value: m.every(_spec(value), nonempty=True),
    "some": lambda value: m.any_element(_spec(value)),
    "all_of": lambda value: m.all_of(*_with_length(_specs(value))),
    "any_of": lambda value: m.any_of(*_specs(value)),
    "not": lambda value: m.not_(_spec(value)),
    "exactly": lambda value: m.exactly(value, strict=True),
    "unordered": lambda value: m.unordered(_list(value), strict=True),
}
_WITH_FILES: Mapping[str, Callable[[TagCall], Matcher]] = {"schema": _schema}


def check_tag(tag: str, *, has_argument: bool, line: int | None) -> None:
    """Raise BodyError for a tag that does not exist, or lacks or has a value wrongly."""
    if tag not in MATCHERS and user_matcher(tag) is None:
        known = sorted(MATCHERS | set(user_matcher_names()))
        close = get_close_matches(tag, known, n=1)
        hint = f"did you mean !{close[0]}?" if close else "known: " + ", ".join(f"!{name}" for name in known)
        raise BodyError(f"there is no matcher tag !{tag}; {hint}", line)
    if tag in _WITHOUT_VALUE and has_argument:
        raise BodyError(f"!{tag} takes no value; remove what follows it", line)
    if tag in MATCHERS and tag not in _WITHOUT_VALUE and not has_argument:
        raise BodyError(f"!{tag} needs a value after it", line)


def build_matcher(tag: str, call: TagCall, line: int | None) -> Matcher:
    """The matcher of a tag that passed ``check_tag``. Raises BodyError."""
    try:
        return _built(tag, call)
    except BodyError as error:
        raise BodyError(f"!{tag}: {error.message}", line) from error
    except (TypeError, ValueError, OverflowError, RecursionError, re.error) as error:
        raise BodyError(f"!{tag}: {error}", line) from error


def _built(tag: str, call: TagCall) -> Matcher:
    if tag in _WITHOUT_VALUE:
        return _WITHOUT_VALUE[tag]()
    if tag in _WITH_VALUE:
        return _WITH_VALUE[tag](call.argument)
    if tag in _WITH_FILES:
        return _WITH_FILES[tag](call)
    if tag == "python":
        return predicate_matcher(_text(call.argument), imported(call.argument))
    predicate = user_matcher(tag)
    if predicate is None:
        raise ValueError("is no longer registered")
    return predicate_matcher(tag, predicate, call.argument)


def _between(low: Any, high: Any) -> Matcher:
    if not m.le(high, strict=True).match(low).matched:
        raise ValueError(f"{low!r} and {high!r} can never be true; write the smaller value first")
    return m.between(low, high, strict=True)


def _contains(value: Any) -> Matcher:
    if isinstance(value, dict):
        return m.any_of(m.contains_fields(value, strict=True), m.any_element(_spec(value)))
    if isinstance(value, list):
        return m.any_of(m.unordered(value, strict=True), m.any_element(m.eq(value, strict=True)))
    return m.contains(value, strict=True)


def _one_of(values: list[Any]) -> Matcher:
    if any(isinstance(value, Matcher) for value in values):
        return m.any_of(*_specs(values))
    return m.in_(values, strict=True)
