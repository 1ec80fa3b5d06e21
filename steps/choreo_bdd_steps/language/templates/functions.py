"""The functions and filters of templates, and the variables they see."""

from __future__ import annotations

import base64
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct, field, structs

from choreo_bdd.codecs.decimals import encode_exactly
from choreo_bdd_steps.language.extensions import user_functions
from choreo_bdd_steps.language.reserved_names import FUNCTIONS


class Variables(Struct, frozen=True, eq=False):
    """What a body may use: a scenario's variables, and what the configuration allows.

    ``env_names`` may be read by ``env()``; ``python_matchers`` lets ``!python`` run code. One ``counter`` serves all
    ``seq()`` calls of whoever shares it. The values never show in the repr.
    """

    values: Mapping[str, object] = {}
    env_names: frozenset[str] = frozenset()
    counter: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    python_matchers: bool = False

    def __repr__(self) -> str:
        return f"<Variables {', '.join(self.values)}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []  # a struct's own shows every field

    def extended(self, **extra: object) -> Variables:
        """The same with further values on top."""
        return structs.replace(self, values={**self.values, **extra}) if extra else self

    def namespace(self) -> dict[str, object]:
        """Functions and variables under the names a template uses; a variable hides a function."""
        return {**_functions(self), **user_functions(), **self.values}


FUNCTION_AS_VALUE = "a function stands where a value is expected; call it with ()"


def function_names() -> frozenset[str]:
    """Every name that needs no variable."""
    return FUNCTIONS | frozenset(user_functions())


def new_uuid() -> str:
    """A random UUID, as text."""
    import uuid  # noqa: PLC0415 - asks for the platform, and needed only where a scenario wants one

    return str(uuid.uuid4())


def random_int(low: int, high: int) -> int:
    """A random whole number, both ends included."""
    import random  # noqa: PLC0415 - as above

    return random.randint(low, high)


def as_json(value: object) -> str:
    """``value`` as JSON text, not escaped for HTML."""
    return encode_exactly(value, json.dumps, ensure_ascii=False)


def as_base64(value: object) -> str:
    """Text (as UTF-8) or bytes as base64."""
    return base64.b64encode(_bytes(value)).decode("ascii")


def as_hex(value: object) -> str:
    """Text (as UTF-8) or bytes as hexadecimal digits."""
    return _bytes(value).hex()


def as_text(value: object) -> object:
    """How a value reads inside longer text: as JSON, so ``true`` and not ``True``."""
    return as_json(value) if value is None or isinstance(value, (bool, dict, list)) else value


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, (bytes, bytearray)) else str(as_text(value)).encode()


def _functions(variables: Variables) -> dict[str, Callable[..., object]]:
    def env(name: str) -> str:
        if name not in variables.env_names:
            raise ValueError(f"env({name!r}) is not allowed; list the name in the configuration first")
        if name not in os.environ:
            raise ValueError(f"the environment variable {name} is not set")
        return os.environ[name]

    return {
        "uuid": new_uuid,
        "now": lambda: datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "now_ms": lambda: time.time_ns() // 1_000_000,
        "random_int": random_int,
        "seq": lambda: next(variables.counter),
        "env": env,
    }
