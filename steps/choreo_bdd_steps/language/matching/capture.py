"""Reading one value out of a message that has arrived."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from choreo_bdd.matchers import MISSING, Quantifier, walk
from choreo_bdd.matchers.values.paths import step
from choreo_bdd.message import Message, MessageRecord
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.paths import Segment, envelope_path, parse_field
from choreo_bdd_steps.language.templates.functions import as_text

_HEADERS = "headers."
_PARTS = re.compile(r"[.\[]")


def lookup(path: str, message: MessageRecord) -> object:
    """The value at ``path`` of a message; ``items[*].sku`` gives a list, ``@key`` and the like what stands around.

    Raises BodyError when nothing is there.
    """
    place = parse_field(path)
    if place.envelope is None:
        return _value(message.payload, place.segments, path)
    found = walk(envelope_of(message, [place.envelope]), envelope_path(place.envelope))
    if found is MISSING:
        raise BodyError(f"the message on {message.topic!r} has no {path}")
    return found


def envelope_of(message: Message | MessageRecord, asked: Iterable[str]) -> dict[str, object]:
    """What stands around the payload, under the names a body uses; what the message lacks is left out.

    Of what is ``asked`` for, ``headers.x-death[0].reason`` is a place in a header that holds a list or an object.
    """
    around: dict[str, object] = {"@topic": message.topic, "@key": message.key, "@partition": message.partition}
    status = message.headers.get(":status")
    around["@status"] = None if status is None else int(status)
    headers: dict[str, object] = dict(message.headers)
    for name in asked:
        path = name.removeprefix(_HEADERS)
        if path != name and path not in headers and (inner := _inside(message.headers, path)) is not MISSING:
            headers[path] = inner
    return {"@headers": headers} | {name: part for name, part in around.items() if part is not None}


def _inside(headers: Mapping[str, str], path: str) -> object:
    """The value at a place in a header, whose name may have dots itself; what is neither list nor object, as text."""
    for at in (place.start() for place in reversed(list(_PARTS.finditer(path)))):
        header, rest = headers.get(path[:at]), path[at:]
        if header is None:
            continue
        try:
            found: object = json.loads(header)
            for part in parse_field(f"x{rest}").segments[1:]:
                found = MISSING if isinstance(part, Quantifier) else step(found, part)
        except (ValueError, BodyError):
            return MISSING
        return found if found is MISSING or isinstance(found, (dict, list)) else str(as_text(found))
    return MISSING


def _value(node: object, segments: Sequence[Segment], path: str) -> object:
    for position, segment in enumerate(segments):
        if isinstance(segment, Quantifier):
            return _elements(node, segment, segments[position + 1 :], path)
        node = step(node, segment)
        if node is MISSING:
            raise BodyError(f"the message has no field {path!r}; nothing is at {segment!r}")
    return node


def _elements(node: object, which: Quantifier, rest: Sequence[Segment], path: str) -> list[object]:
    if which is Quantifier.SOME:
        raise BodyError(f"{path!r} names no single value; use [0], or [*] for all of them")
    if not isinstance(node, list):
        raise BodyError(f"the message has no list for the [*] of {path!r}, but {type(node).__name__}")
    return [_value(element, rest, path) for element in node]
