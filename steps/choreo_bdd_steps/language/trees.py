"""Payloads as trees: what stands at a path, and copies in which something else does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Path = tuple[str | int, ...]
"""Names and positions from the payload's root on."""

MISSING = object()
"""What stands where nothing is."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def leaves(node: Any, path: Path = (), *, empty: bool = False) -> Iterator[tuple[Path, Any]]:
    """Each value that is no object and no list, with its path; with ``empty`` also those that hold nothing."""
    children: list[tuple[str | int, Any]] = []
    if isinstance(node, Mapping):
        children = [(str(name), value) for name, value in node.items()]
    elif isinstance(node, list):
        children = list(enumerate(node))
    elif path:
        yield path, node
    for name, value in children:
        yield from leaves(value, (*path, name), empty=empty)
    if empty and path and not children and isinstance(node, Mapping | list):
        yield path, node


def at(node: Any, path: Sequence[str | int]) -> Any:
    """What stands at a path; ``MISSING`` for nothing."""
    for part in path:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            return MISSING
    return node


def put(node: Any, path: Path, value: Any) -> Any:
    """A copy with a value at a path, or, for ``MISSING``, with nothing there; what it stands in must be there."""
    head: Any = path[0]
    copy: Any = dict(node) if isinstance(node, Mapping) else list(node)
    if len(path) > 1:
        copy[head] = put(copy[head], path[1:], value)
    elif value is MISSING:
        del copy[head]
    else:
        copy[head] = value
    return copy


def label(path: Sequence[str | int], *, quoted: bool = False) -> str | None:
    """A path as conditions and tables write it; ``None`` where a name on it would have to be quoted.

    With ``quoted`` it is, as tables have it, and ``None`` is left for the root and for what cannot be printed.
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN.fullmatch(part):
            text += f".{part}" if text else part
        elif quoted and part.isprintable():
            name = "'{}'".format(part.replace("'", "''"))
            text += f".{name}" if text else name
        else:
            return None
    return text or None
