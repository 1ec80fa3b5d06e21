"""Recordings as a file has them, each a line: read back, or refused with the place of the damage (docs/replay.md)."""

from __future__ import annotations

import base64
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from choreo_bdd.codecs.media import MediaBytes
from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.message import Kept, Message, NoPayload
from choreo_bdd.observers.traffic import Fenced, Heard, Lost, Sent
from choreo_bdd.transports.base import TransportCapabilities
from choreo_bdd_steps.recording import FAILED, FORMAT, PASSED, RecordedTransport, Recording

T = TypeVar("T")

_LINE_MAX = 64_000_000
_LONGEST_S = 10_000_000
"""No scenario takes four months, and beyond that a clock no longer tells milliseconds apart for long."""


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
    if type(version) is not int or version != FORMAT:  # true and 1.0 equal 1
        found = f"a recording of format {version}" if isinstance(version, int | float) else "no recording"
        raise RecordingError(
            f"{place}: expected a recording of format {FORMAT}, found {found}; run the scenario again to record it anew"
        )
    try:
        return Recording(
            nodeid=_is(str, told["nodeid"]),
            scenario=_is(str, told.get("scenario", told["nodeid"])),
            feature=_path(told["feature"]),
            line=_count(told["line"], 1),
            profile=_is(str, told["profile"]),
            outcome=_outcome(told["outcome"]),
            links={_is(str, name): _link(each) for name, each in _is(dict, told["links"]).items()},
            tokens=tuple(_is(str, each) for each in _is(list, told["tokens"])),
            acts={_position(index): _time(at) for index, at in _is(dict, told["acts"]).items()},
            reached={_position(index): _time(at) for index, at in _is(dict, told.get("reached", {})).items()},
            steps=_count(told.get("steps", 0)),
            variables=_is(dict, told["variables"]),
            masked=_count(told["masked"]),
        )
    except KeyError as error:
        raise RecordingError(f"{place}: the recording is damaged: {error.args[0]!r} is missing") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise RecordingError(f"{place}: the recording is damaged: {error}") from None


def _link(told: Any) -> RecordedTransport:
    _is(dict, told)
    return RecordedTransport(
        type=_is(str, told["type"]),
        capabilities=_capabilities(told["capabilities"]),
        heard=_in_order(told, "heard", partial(_heard, has_media=told["type"] == "http")),
        sent=_in_order(told, "sent", _sent),
        lost=_in_order(told, "lost", _lost),
        fenced=_in_order(told, "fenced", _fenced) if "fenced" in told else (),
        dropped=_count(told["dropped"]),
        former={
            name: tuple(_is(str, each) for each in _is(list, missed))
            for name, missed in _is(dict, told.get("former", {})).items()
        },
        remarks=_told(told, "remarks"),
        overlooked=_told(told, "overlooked"),
        listened={topic: _time(at) for topic, at in _is(dict, told["listened"]).items()},
    )


def _capabilities(told: Any) -> TransportCapabilities:
    known = {each.name for each in fields(TransportCapabilities)}
    if _is(dict, told).keys() - known:
        raise ValueError(f"expected the capabilities of a transport, which are {', '.join(sorted(known))}")
    return TransportCapabilities(**{name: _is(bool, each) for name, each in told.items()})


def _in_order(told: Mapping[str, Any], name: str, read: Callable[[Any], T]) -> tuple[T, ...]:
    """Entries of which none is earlier than the one before it."""
    entries = _is(list, told[name])
    found = tuple(map(read, entries))
    if any(before["at"] > after["at"] for before, after in pairwise(entries)):
        raise ValueError(
            f"expected each entry of {name!r} at its time, found one that is earlier than the one before it"
        )
    return found


def _told(told: Any, name: str) -> dict[str, str]:
    return {topic: _is(str, each) for topic, each in _is(dict, told.get(name, {})).items()}


def _heard(told: Any, *, has_media: bool) -> Heard:
    """``has_media``: what its body is its header says, as over HTTP."""
    _is(dict, told)
    payload, headers = _payload(told), _headers(told)
    message = Message(
        topic=_is(str, told["topic"]),
        payload=MediaBytes(payload, headers.get("content-type", "")) if has_media else payload,
        received_at=_time(told["at"]),
        headers=headers,
        key=_maybe(str, told, "key"),
        partition=_count(told["partition"]) if "partition" in told else None,
        offset=_count(told["offset"]) if "offset" in told else None,
        broker_time=_number(told["broker_time"]) if "broker_time" in told else None,
        order=_maybe(int, told, "order"),
        lane=_maybe(str, told, "lane"),
        kept=Kept(lambda: None, is_leftover=True) if _maybe(bool, told, "leftover") else None,
    )
    return Heard(message, tuple(_is(str, each) for each in _is(list, told["on"])))


def _sent(told: Any) -> Sent:
    _is(dict, told)
    at, never_left = _time(told["at"]), bool(_maybe(bool, told, "never_left"))
    failed_at = _time(told["failed_at"]) if "failed_at" in told else None
    if failed_at is not None and failed_at < at and not never_left:
        raise ValueError("expected a message to fail after it left, found one that failed before")
    return Sent(
        at,
        _is(str, told["topic"]),
        _payload(told),
        _headers(told),
        _maybe(str, told, "key"),
        _maybe(str, told, "unheard"),
        _maybe(str, told, "failed"),
        failed_at,
        never_left=never_left,
    )


def _lost(told: Any) -> Lost:
    _is(dict, told)
    return Lost(
        _time(told["at"]),
        _is(str, told["reason"]),
        _maybe(str, told, "topic"),
        bool(_maybe(bool, told, "unanswered")),
        bool(_maybe(bool, told, "untold")),
    )


def _fenced(told: Any) -> Fenced:
    _is(dict, told)
    at, until = _time(told["at"]), _time(told["until"])
    if until < at:
        raise ValueError("expected the broker to answer after it was asked, found an answer before")
    return Fenced(at, until, tuple(_is(str, each) for each in _is(list, told["on"])))


def _headers(told: Mapping[str, Any]) -> Mapping[str, str]:
    return {name: _is(str, value) for name, value in _is(dict, told.get("headers", {})).items()}


def _maybe(kind: type[T], told: Mapping[str, Any], name: str) -> T | None:
    return _is(kind, told[name]) if name in told else None


def _payload(told: Mapping[str, Any]) -> bytes:
    if len(told.keys() & {"none", "text", "base64"}) != 1:
        raise ValueError("expected one payload: text, base64 or none")
    if "none" in told:
        if told["none"] is not True:
            raise ValueError("expected true of a message without a payload")
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


def _time(value: Any) -> float:
    """Seconds since the scenario began."""
    seconds = _number(value)
    if not 0 <= seconds <= _LONGEST_S:
        raise ValueError(f"expected a time from 0 to {_LONGEST_S:,} seconds, found {seconds:g}")
    return seconds


def _count(value: Any, least: int = 0) -> int:
    if _is(int, value) < least:
        raise ValueError(f"expected a number from {least} on, found one below")
    return int(value)


def _position(text: str) -> int:
    """Of a step in its scenario."""
    if not (text.isascii() and text.isdigit()) or text != str(int(text)):
        raise ValueError("expected the position of a step, a number from 0 on")
    return int(text)


def _outcome(value: Any) -> str:
    if _is(str, value) not in (PASSED, FAILED):
        raise ValueError(f"expected the outcome {PASSED!r} or {FAILED!r}, found another one")
    return str(value)


def _path(value: Any) -> str:
    text = _is(str, value)
    if b"\0" in os.fsencode(text):
        raise ValueError("expected a path, found a null character in it")
    return text


def _is(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"expected {kind.__name__}, found {type(value).__name__}")
    return value
