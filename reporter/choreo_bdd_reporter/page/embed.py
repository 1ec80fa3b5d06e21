"""JSON texts that are safe inside an HTML document and read back as the same value."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from choreo_bdd_reporter.model.json_text import foreign_json


def as_script(ascii_text: str) -> str:
    """A JSON text made safe for a data ``<script>``."""
    # ASCII output already turns U+2028 and U+2029 into escapes and keeps lone surrogates writable
    return ascii_text.replace("<", "\\u003c")


def as_template(ascii_text: str) -> str:
    """A JSON text made safe for an inert ``<template>``."""
    return as_script(ascii_text).replace(">", "\\u003e").replace("&", "\\u0026")


def json_pieces(document: Mapping[str, Any]) -> Iterator[str]:
    """A JSON object in pieces, one a member of its lists and objects; a list may be a generator."""
    yield "{"
    for index, (name, value) in enumerate(document.items()):
        yield f"{',' if index else ''}{ascii_json(name)}:"
        if isinstance(value, Mapping):
            yield from _joined("{", (f"{ascii_json(str(key))}:{ascii_json(item)}" for key, item in value.items()), "}")
        elif isinstance(value, list | Iterator):
            yield from _joined("[", map(ascii_json, value), "]")
        else:
            yield ascii_json(value)
    yield "}"


def _joined(opening: str, items: Iterable[str], closing: str) -> Iterator[str]:
    yield opening
    for index, item in enumerate(items):
        yield f",{item}" if index else item
    yield closing


_encode = json.JSONEncoder(allow_nan=False, check_circular=False, separators=(",", ":"), default=str).encode


def ascii_json(value: Any) -> str:
    """Compact ASCII JSON of any value; what JSON has no number for becomes text."""
    if (text := foreign_json(value)) is not None:
        return text
    try:
        return _encode(value)
    except ValueError:
        # a bare NaN is no JSON: it would leave the reader with a blank page
        return _encode(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
