"""Doc strings and files: YAML with matcher tags, read as JSON users expect, into a tree.

Only ``true``, ``false``, ``null`` and JSON numbers are more than text: dates, ``yes``, ``0x1F``, ``1_000`` stay text.
Templates are set aside before YAML is read, so that ``id: {{ order_id }}`` needs no quotes.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from choreo_bdd_steps.language.doc_strings.body_text import (
    check_depth,
    number,
    plain_scalar,
    refuse_duplicates,
    restored,
    set_aside,
)
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.syntax import Fields, Items, Literal, Node

__all__ = ["number", "plain_scalar", "read_json", "read_yaml"]


def read_yaml(text: str) -> Node:
    """Read YAML (of which JSON is a subset). Raises BodyError."""
    protected, expressions = set_aside(text)
    return _from_json(protected, expressions) or _from_yaml(protected, expressions)


def read_json(text: str) -> Node:
    """Read JSON, with templates in or in place of values. Raises BodyError."""
    protected, expressions = set_aside(text)
    if expressions:
        return _from_json(protected, expressions) or _from_yaml(protected, expressions)
    try:
        json.loads(text, parse_int=str)
    except json.JSONDecodeError as error:
        raise BodyError(f"this is not JSON: {error.msg} at column {error.colno}", error.lineno) from error
    except RecursionError as error:
        raise BodyError("the JSON is nested too deeply") from error
    return _from_json(text, []) or Literal(None)


def _from_json(text: str, expressions: list[str]) -> Node | None:
    """The tree of a JSON text, or None when it is not JSON."""
    try:
        pairs = json.loads(
            text, object_pairs_hook=_Pairs, parse_int=_Number, parse_float=_Number, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError:
        return None
    except RecursionError as error:
        raise BodyError("the body is nested too deeply") from error
    return _json_node(pairs, expressions, 0)


class _Number(str):
    """A number's digits, told from text by type."""

    __slots__ = ()


class _Pairs(list[tuple[str, Any]]):
    """An object's pairs, told from a list's items by type."""


def _refuse_constant(name: str) -> NoReturn:
    raise BodyError(f'{name} is not a JSON number; quote it ("{name}") if text is meant')


def _json_node(value: object, expressions: list[str], depth: int) -> Node:
    check_depth(depth, None)
    if isinstance(value, _Pairs):
        keys = [restored(key, expressions, None) for key, _ in value]
        refuse_duplicates(keys)
        children = (_json_node(item, expressions, depth + 1) for _, item in value)
        return Fields(tuple(zip(keys, children, strict=True)))
    if isinstance(value, list):
        return Items(tuple(_json_node(item, expressions, depth + 1) for item in value))
    if isinstance(value, _Number):
        return Literal(number(value), written=str(value))
    return restored(value, expressions, None) if isinstance(value, str) else Literal(value)


def _from_yaml(text: str, expressions: list[str]) -> Node:
    from choreo_bdd_steps.language.doc_strings.yaml_tree import from_yaml  # noqa: PLC0415 - brings in PyYAML

    return from_yaml(text, expressions)
