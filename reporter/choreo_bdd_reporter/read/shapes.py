"""Whether what stands in a file has the shape of a type: the hints of a ``TypedDict`` as a check of foreign data."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

GREATEST = 1e300
"""No number of a report is greater: thousandfold it is still one that can be calculated with."""

Check = Callable[[Any], bool]


def fits(value: Any, hint: Any) -> bool:
    """Whether a value that JSON can hold has the shape; what a ``TypedDict`` does not name may stand in it, too."""
    try:
        return _check(hint)(value)
    except RecursionError:
        return False


@cache
def _check(hint: Any) -> Check:
    if is_typeddict(hint):
        return _members(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (list, Sequence):
        return _items(arguments[0])
    if origin is dict:
        return _values(arguments[1])
    if origin in (Union, types.UnionType):
        return _any_of(arguments)
    if origin is Literal:
        return lambda value: isinstance(value, str) and value in arguments
    return _PLAIN[hint]


def _members(hint: Any) -> Check:
    names = get_type_hints(hint, include_extras=True)
    checks: list[tuple[str, bool, Check]] = []

    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return False
        if not checks:  # only now, because a type may hold itself
            checks.extend((name, _is_optional(hint, each), _check(_bare(each))) for name, each in names.items())
        return all(each(value[name]) if name in value else is_optional for name, is_optional, each in checks)

    return check


def _is_optional(owner: Any, hint: Any) -> bool:
    # __optional_keys__ knows nothing of annotations that are text, as they all are here
    return not owner.__total__ or get_origin(hint) is NotRequired


def _bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is NotRequired else hint


def _items(hint: Any) -> Check:
    check = _check(hint)
    return lambda value: isinstance(value, list) and all(map(check, value))


def _values(hint: Any) -> Check:
    check = _check(hint)
    return lambda value: isinstance(value, dict) and all(map(check, value.values()))


def _any_of(hints: tuple[Any, ...]) -> Check:
    if set(hints) <= _CLASSES:
        return lambda value: isinstance(value, hints)
    checks = tuple(map(_check, hints))
    return lambda value: any(check(value) for check in checks)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and -GREATEST <= value <= GREATEST


_CLASSES = {str, bool, types.NoneType}
"""Which say by themselves what is one of them."""
_PLAIN: dict[Any, Check] = {
    Any: lambda _value: True,
    str: lambda value: isinstance(value, str),
    bool: lambda value: isinstance(value, bool),
    int: lambda value: type(value) is int and _is_number(value),
    float: _is_number,
    types.NoneType: lambda value: value is None,
}
