"""JSON texts that are safe inside an HTML document and read back as the same value."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def script_json(value: Any) -> str:
    """JSON for a data `<script>`: no `<` can close the element, line separators are escaped."""
    # ASCII output already turns U+2028 and U+2029 into escapes and keeps lone surrogates writable
    return _ascii_json(value).replace("<", "\\u003c")


def template_json(value: Any) -> str:
    """JSON for an inert `<template>`: neither a tag nor a character reference can arise."""
    return script_json(value).replace(">", "\\u003e").replace("&", "\\u0026")


def _ascii_json(value: Any) -> str:
    try:
        return _dump(value)
    except ValueError:
        # a bare NaN is no JSON: it would leave the reader with a blank page
        return _dump(_finite(value))


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"), default=str)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
