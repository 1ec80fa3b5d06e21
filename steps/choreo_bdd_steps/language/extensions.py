"""What users add to the language in Python: matcher tags and template functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, overload

from choreo_bdd_steps.language.reserved_names import FUNCTIONS, MATCHERS

Extension = TypeVar("Extension", bound=Callable[..., object])

_NAME = re.compile(r"[a-z][a-z0-9_]*")

_matchers: dict[str, Callable[..., object]] = {}
_functions: dict[str, Callable[..., object]] = {}


def matcher(name: str) -> Callable[[Extension], Extension]:
    """Register a predicate as the tag ``!name`` and the cell words ``a name``, ``an name``.

    The predicate gets the value found, and the tag's argument when it takes two parameters, and returns
    whether it is accepted. A failed assertion in it refuses the value with its message. Raises ValueError
    for a name that is not lower case, is built in or belongs to another predicate.
    """

    return _registering(_matchers, name, reserved=MATCHERS)


@overload
def function(name_or_function: str) -> Callable[[Extension], Extension]: ...


@overload
def function(name_or_function: Extension) -> Extension: ...


def function(name_or_function: Any) -> Any:
    """Register a template function: ``@function``, or ``@function("name")``. Raises ValueError as ``matcher`` does."""

    if isinstance(name_or_function, str):
        return _registering(_functions, name_or_function, reserved=FUNCTIONS)
    name = getattr(name_or_function, "__name__", "")
    return _registering(_functions, name, reserved=FUNCTIONS)(name_or_function)


@contextmanager
def declared(matchers: Iterable[str], functions: Iterable[str]) -> Iterator[None]:
    """Meanwhile count these names as registered: for reading bodies whose step files have not been loaded."""
    stand_ins: list[tuple[dict[str, Callable[..., object]], str, Callable[..., object]]] = [
        *((_matchers, name, _accepts_all) for name in matchers if name not in _matchers),
        *((_functions, name, _gives_text) for name in functions if name not in _functions),
    ]
    for registry, name, stand_in in stand_ins:
        registry[name] = stand_in
    try:
        yield
    finally:
        for registry, name, _ in stand_ins:
            registry.pop(name, None)


def _accepts_all(value: object, argument: object = None) -> bool:  # noqa: ARG001 - a predicate's parameters
    return True


def _gives_text(*_: object, **__: object) -> str:
    return "text"


def user_matcher(name: str) -> Callable[..., object] | None:
    """The predicate registered under ``name``."""
    return _matchers.get(name)


def user_matcher_names() -> list[str]:
    """All registered matcher names, sorted."""
    return sorted(_matchers)


def registered_names() -> tuple[str, ...]:
    """Everything that users have added, in the order they did: matchers, then functions."""
    return (*_matchers, "", *_functions)


def user_functions() -> dict[str, Callable[..., object]]:
    """All registered template functions by name."""
    return dict(_functions)


def _registering(
    registry: dict[str, Callable[..., object]], name: str, *, reserved: frozenset[str]
) -> Callable[[Extension], Extension]:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be a name here; use lower-case letters, digits and _")
    if name in reserved:
        raise ValueError(f"{name!r} is built in; choose another name")

    def register(extension: Extension) -> Extension:
        known = registry.get(name)
        if known is not None and _identity(known) != _identity(extension):
            raise ValueError(f"{name!r} is registered already, by {_identity(known)}; choose another name")
        registry[name] = extension
        return extension

    return register


def _identity(extension: Callable[..., object]) -> str:
    # step files may be loaded twice: the same function is recognised by where it stands
    code = getattr(extension, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(extension)
