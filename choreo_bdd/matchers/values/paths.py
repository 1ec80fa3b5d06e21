"""Ways into a payload: ``order.items.0.sku``, sequences of parts, and quantified ``order.items[*].sku``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import Enum
from functools import lru_cache
from typing import Final

Part = str | int
FieldPath = str | int | Sequence[Part]

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_SEGMENT = re.compile(
    r"""
      \[ \s* (?P<index> -?[0-9]+ | \* | \? ) \s* \]
    | \[ \s* (?P<bracketed> '(?:[^']|'')*' | "[^"]*" ) \s* \]
    | (?P<dot> \.)? (?: (?P<quoted> '(?:[^']|'')*' | "[^"]*" ) | (?P<bare> [^.\[\]'"]+ ) )
    """,
    re.VERBOSE,
)


class Missing(Enum):
    """The one value that stands for "no such field"."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


class Quantifier(Enum):
    """A path segment that stands for elements of a list."""

    EVERY = "[*]"
    SOME = "[?]"


Segment = Part | Quantifier


def path_parts(path: object) -> tuple[Part, ...]:
    """Split a field path: text at its dots (digits become indexes), a sequence is taken literally.

    Raises TypeError for anything else and ValueError for an empty sequence.
    """
    if isinstance(path, str):
        return tuple(_bare(segment) for segment in path.split("."))
    if isinstance(path, int):
        return (path,)
    if isinstance(path, (bytes, bytearray)) or not isinstance(path, Iterable):
        raise TypeError(f"a field path is text, an int or a sequence of both, not {type(path).__name__}")
    parts = tuple(path)
    if not parts:
        raise ValueError("a field path needs at least one part; to judge the whole payload use eq(), gt(), …")
    for part in parts:
        if not isinstance(part, (str, int)):
            raise TypeError(f"a part of a field path is text or an int, not {type(part).__name__}")
    return parts


def path_label(path: object) -> str:
    """The path as its author wrote it; a sequence is joined by dots."""
    return path if isinstance(path, str) else ".".join(map(str, path_parts(path)))


@lru_cache(maxsize=1024)  # the same few paths in each scenario
def parse_path(text: str) -> tuple[Segment, ...]:
    """Read ``order.items[0].sku``, ``'key.with.dots'.x``, ``items[*].sku``, ``items[?]``, ``items[-1]``.

    Bare digits are a list index, quoted ones a key. Raises ValueError that says where reading stopped.
    """
    segments: list[Segment] = []
    position = 0
    while position < len(text):
        found = _SEGMENT.match(text, position)
        if found is None or _misplaced(found, first=position == 0):
            raise ValueError(
                f"the path {text!r} cannot be read at character {position + 1}; "
                "write names joined by dots, [0], [*] or [?], and quote a name that holds dots: 'a.b'"
            )
        segments.append(_segment(found))
        position = found.end()
    if not segments:
        raise ValueError("the path is empty; write a field name such as order.id")
    return tuple(segments)


def walk(node: object, parts: Iterable[Part]) -> object:
    """The value at ``parts``, or MISSING; never raises."""
    for part in parts:
        node = step(node, part)
        if node is MISSING:
            break
    return node


def step(node: object, part: Part) -> object:
    """One level down: a dict key, of digits for an int too (as JSON has them), or an int index into a list."""
    if isinstance(node, dict):
        found = node.get(part, MISSING)
        return node.get(str(part), MISSING) if found is MISSING and isinstance(part, int) else found
    if isinstance(node, list) and isinstance(part, int) and -len(node) <= part < len(node):
        return node[part]
    return MISSING


def _bare(segment: str) -> Part:
    return int(segment) if _INTEGER.fullmatch(segment) else segment


def _misplaced(found: re.Match[str], *, first: bool) -> bool:
    named = found["quoted"] is not None or found["bare"] is not None
    return named and (found["dot"] is not None) == first


def _segment(found: re.Match[str]) -> Segment:
    if index := found["index"]:
        return Quantifier(f"[{index}]") if index in "*?" else int(index)
    if quoted := found["bracketed"] or found["quoted"]:
        return quoted[1:-1].replace("''", "'") if quoted[0] == "'" else quoted[1:-1]
    return _bare(found["bare"].strip())
