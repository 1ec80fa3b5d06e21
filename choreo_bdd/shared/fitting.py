"""Whether a thing can do more than all of its kind must: asked by a protocol, so that mypy knows what follows."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeGuard, TypeVar

P = TypeVar("P")


def fits(value: object, protocol: Callable[..., P]) -> TypeGuard[P]:
    """What ``isinstance(value, protocol)`` says, at a fiftieth of what that costs before Python 3.12.

    A method that is ``None`` is none.
    """
    methods, facts = _members(protocol)
    for name in methods:
        if getattr(value, name, None) is None:
            return False
    for name in facts:  # noqa: SIM110 - it is asked of every message, and all() takes twice as long
        if not hasattr(value, name):
            return False
    return True


@cache
def _members(protocol: Callable[..., object]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The public methods that a protocol asks for, and what else."""
    public = {name: found for name, found in vars(protocol).items() if not name.startswith("_")}
    return (
        tuple(name for name, found in public.items() if callable(found)),
        tuple(name for name, found in public.items() if not callable(found)),
    )
