"""Recordings as a file has them, each a line: read back, or refused with the place of the damage (docs/replay.md)."""

from __future__ import annotations

import base64
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from choreo_bdd.codecs.media import MediaBytes
from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.message import Kept, Message, NoPayload
from choreo_bdd.observers.traffic import Fenced, Heard, Lost, Sent
from choreo_bdd.transports.base import TransportCapabilities
from choreo_bdd_steps.recording import FORMAT, RecordedTransport, Recording

T = TypeVar("T")

_LINE_MAX = 64_000_000


class RecordingError(ChoreoError):
    """A recording cannot be read; the message names the file, the line, and what was expected."""


def read_recordings(path: Path) -> Iterator[Recording]:
    """The recordings of a file, line by line. Raises ``RecordingError`` for what is none, or of another version.

    The journal of a run that broke off has them, too: those of a test in its line.
    """
    is_journal = False
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(_LINE_MAX + 1):
                number += 1
                if len(line) > _LINE_MAX:
                    raise RecordingError(f"{path}:{number}: the line is longer than {_LINE_MAX} bytes")
                if is_journal and not line.endswith(b"\n"):
                    return  # it broke off here
                if line.strip():
                    place = f"{path}:{number}"
                    told = _read(line, place)
                    is_journal = is_journal or (isinstance(told, dict) and "journal" in told)
                    of_line = _of_journal(told, place) if is_journal else (told,)
                    yield from (_recording(each, place) for each in of_line)
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror}") from error


def _read(line: bytes, place: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{place}: this line is damaged, it is no JSON: {error}") from None


def _of_journal(told: Any, place: str) -> Sequence[Any]:
    found = told.get("recordings", []) if isinstance(told, dict) else None
    if not isinstance(found, list):
        raise RecordingError(f"{place}: this line is damaged, it is none of a journal")
    return found


def _recording(told: Any, place: str) -> Recording:
    version = told.get("choreo_recording") if isinstance(told, dict) else None
    if version != FORMAT:
        found = "no recording" if version is None else f"a recording of format {version!r}"
        raise RecordingError(f"{place}: expected a recording of format {FORMAT}, found {found}")
    try:
        return Recording(
            nodeid=_is(str, told["nodeid"]),
            feature=_path(told["feature"]),
            line=_is(int, told["line"]),
            profile=_is(str, told["profile"]),
            outcome=_is(str, told["outcome"]),
            links={_is(str, name): _link(each) for name, each in _is(dict, told["links"]).items()},
            tokens=tuple(_is(str, each) for each in _is(list, told["tokens"])),
            acts={int(index): _number(at) for index, at in _is(dict, told["acts"]).items()},
            variables=_is(dict, told["variables"]),
            masked=_is(int, told["masked"]),
        )
    except KeyError as error:
        raise RecordingError(f"{place}: the recording is damaged: {error.args[0]!r} is missing") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise RecordingError(f"{place}: the recording is damaged: {error}") from None


def _link(told: Any) -> RecordedTransport:
    _is(dict, told)
    return RecordedTransport(
        type=_is(str, told["type"]),
        capabilities=TransportCapabilities(
            **{name: _is(bool, each) for name, each in _is(dict, told["capabilities"]).items()}
        ),
        heard=tuple(_heard(each, has_media=told["type"] == "http") for each in _is(list, told["heard"])),
        sent=tuple(map(_sent, _is(list, told["sent"]))),
        lost=tuple(map(_lost, _is(list, told["lost"]))),
        fenced=tuple(map(_fenced, _is(list, told.get("fenced", [])))),
        dropped=_is(int, told["dropped"]),
        former={
            name: tuple(_is(str, each) for each in _is(list, missed))
            for name, missed in _is(dict, told.get("former", {})).items()
        },
        remarks=_told(told, "remarks"),
        overlooked=_told(told, "overlooked"),
    )


def _told(told: Any, name: str) -> dict[str, str]:
    return {topic: _is(str, each) for topic, each in _is(dict, told.get(name, {})).items()}


def _heard(told: Any, *, has_media: bool) -> Heard:
    """``has_media``: what its body is its header says, as over HTTP."""
    _is(dict, told)
    payload, headers = _payload(told), _headers(told)
    message = Message(
        topic=_is(str, told["topic"]),
        payload=MediaBytes(payload, headers.get("content-type", "")) if has_media else payload,
        received_at=_number(told["at"]),
        headers=headers,
        key=_maybe(str, told, "key"),
        partition=_maybe(int, told, "partition"),
        offset=_maybe(int, told, "offset"),
        broker_time=_number(told["broker_time"]) if "broker_time" in told else None,
        order=_maybe(int, told, "order"),
        lane=_maybe(str, told, "lane"),
        kept=Kept(lambda: None, is_leftover=True) if told.get("leftover") else None,
    )
    return Heard(message, tuple(_is(str, each) for each in _is(list, told["on"])))


def _sent(told: Any) -> Sent:
    _is(dict, told)
    return Sent(
        _number(told["at"]),
        _is(str, told["topic"]),
        _payload(told),
        _headers(told),
        _maybe(str, told, "key"),
        _maybe(str, told, "unheard"),
        _maybe(str, told, "failed"),
        _number(told["failed_at"]) if "failed_at" in told else None,
        never_left=bool(_maybe(bool, told, "never_left")),
    )


def _lost(told: Any) -> Lost:
    _is(dict, told)
    return Lost(
        _number(told["at"]),
        _is(str, told["reason"]),
        _maybe(str, told, "topic"),
        bool(_maybe(bool, told, "unanswered")),
        bool(_maybe(bool, told, "untold")),
    )


def _fenced(told: Any) -> Fenced:
    _is(dict, told)
    return Fenced(_number(told["at"]), _number(told["until"]), tuple(_is(str, each) for each in _is(list, told["on"])))


def _headers(told: Mapping[str, Any]) -> Mapping[str, str]:
    return {name: _is(str, value) for name, value in _is(dict, told.get("headers", {})).items()}


def _maybe(kind: type[T], told: Mapping[str, Any], name: str) -> T | None:
    return _is(kind, told[name]) if name in told else None


def _payload(told: Mapping[str, Any]) -> bytes:
    if told.get("none"):
        return NoPayload()
    if "base64" in told:
        return base64.b64decode(_is(str, told["base64"]), validate=True)
    return _is(str, told["text"]).encode()


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"expected a number, found {type(value).__name__}")
    if not math.isfinite(value):
        raise ValueError(f"expected a finite number, found {value}")
    return float(value)


def _path(value: Any) -> str:
    """The path of a feature: a recording may come from anywhere, and errors quote the file."""
    text = _is(str, value)
    if not text.endswith(".feature"):
        raise ValueError(f"expected the path of a .feature file, found {text!r}")
    if b"\0" in os.fsencode(text):
        raise ValueError("expected a path, found a null character in it")
    return text


def _is(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"expected {kind.__name__}, found {type(value).__name__}")
    return value
