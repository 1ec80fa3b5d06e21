"""What has been read is kept: a background's and an outline's steps have the same bodies in many scenarios."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

from choreo_bdd_steps.language.extensions import registered_names

Reader = TypeVar("Reader", bound=Callable[..., object])

_KEPT = 1024


def kept(read: Reader) -> Reader:
    """Read each doc string or table once, as long as it means the same: what users register changes that."""

    @lru_cache(_KEPT)
    def known(_: tuple[str, ...], *body: Any, **how: Any) -> Any:
        return read(*body, **how)

    @wraps(read)
    def reading(docstring: str | None, table: Sequence[Sequence[str]] | None, *where: str | None, **how: Any) -> Any:
        rows = None if table is None else tuple(tuple(row) for row in table)
        return known(registered_names(), docstring, rows, *where, **how)

    return cast(Reader, reading)
