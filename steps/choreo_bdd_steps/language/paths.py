"""Field names in tables and conditions: paths into the payload, and ``@`` names around it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from msgspec import Struct

from choreo_bdd.matchers import Quantifier, parse_path
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.syntax import is_template

Segment = str | int | Quantifier

ENVELOPE_NAMES = ("key", "partition", "status", "topic")
_HEADERS = "@headers"
_FOREIGN = re.compile(r"\$$|\$[.\[]|/|(?:[^'\"]*\.)?\*+(?=[.\[]|$)|[^'\"]*\w\(\d+\)")  # JSONPath, JSON pointer
_SIGNS = re.compile(r"[!#%&()+,\-./:;<=>^`{|}~\\]+")


class Field(Struct, frozen=True):
    """A place in a message: ``segments`` into the payload, or the name of an ``envelope`` part (``headers.x``).

    With ``is_template`` its label is yet to be rendered, and read again.
    """

    label: str
    segments: tuple[Segment, ...] = ()
    envelope: str | None = None
    is_template: bool = False


def parse_field(text: str, line: int | None = None) -> Field:
    """Read ``order.items[0].sku``, ``'key.with.dots'.x``, ``items[*]``, ``items[?]``, ``@key``, ``@headers.<name>``.

    A payload field that begins with @ is written in quotes. Raises BodyError.
    """
    label = text.strip()
    if label.startswith("@"):
        return Field(label, envelope=_envelope(label, line), is_template=is_template(label))
    if is_template(label):
        return Field(label, (label,), is_template=True)
    if _FOREIGN.match(label):
        raise BodyError(
            f"{label!r} is a path of another language; write names joined by dots, as in order.items[0].sku or "
            f"items[*].sku, or quote a field of that name: '{label}'",
            line,
        )
    if _SIGNS.fullmatch(label):
        raise BodyError(f"{label!r} is no name; quote a field of that name: '{label}'", line)
    try:
        return Field(label, parse_path(label))
    except ValueError as error:
        raise BodyError(str(error), line) from error


def envelope_name(key: str, line: int | None) -> str | None:
    """The envelope part that a doc string's top-level key names, or None for a payload field.

    Raises BodyError for what looks like a misspelt one.
    """
    if not key.startswith("@"):
        return None
    if key[1:] in ENVELOPE_NAMES or key == _HEADERS or key.startswith(f"{_HEADERS}."):
        return key[1:]
    if close := get_close_matches(key, [f"@{name}" for name in (*ENVELOPE_NAMES, "headers")], n=1, cutoff=0.75):
        raise BodyError(f"there is no {key}; did you mean {close[0]}?", line)
    return None


def header_names(headers: object, line: int | None) -> Mapping[str, object]:
    """The parts ``headers.<name>`` of a ``@headers`` object. Raises BodyError when it is no object."""
    if not isinstance(headers, Mapping):
        raise BodyError("@headers takes an object of header names and values", line)
    return {f"headers.{name}": value for name, value in headers.items()}


def envelope_path(name: str) -> tuple[str, ...]:
    """Where an envelope part stands among all that is around a payload: ``("@headers", "x")``, ``("@key",)``."""
    head, dot, header = name.partition(".")
    return (f"@{head}", header) if dot else (f"@{head}",)


def _envelope(label: str, line: int | None) -> str:
    name = label[1:]
    if name in ENVELOPE_NAMES or (name.startswith("headers.") and len(name) > len("headers.")):
        return name
    raise BodyError(
        f"there is no {label}; use @key, @headers.<name>, @partition, @topic, of a response @status, "
        f"or quote a payload field of that name: '{label}'",
        line,
    )
