"""Recordings spoilt on purpose: messages withheld, changed, repeated, late, or put in where none was."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from choreo_bdd import topic_patterns
from choreo_bdd.message import Message
from choreo_bdd.observers.traffic import Heard
from choreo_bdd_steps.language.trees import MISSING, Path, at, put
from choreo_bdd_steps.recording import RecordedTransport, Recording


def withheld(recording: Recording) -> Recording:
    """Nothing comes but the scenario's own messages: as if these had brought about nothing."""
    own = {(sent.topic, sent.payload) for link in recording.links.values() for sent in link.sent}
    return _each_link(recording, lambda heard: (heard,) if (heard.message.topic, heard.message.payload) in own else ())


def changed(recording: Recording, topic: str, path: Path, value: Any) -> Recording:
    """Every message of a topic has another value in a field, or not the field at all."""

    def spoilt(heard: Heard) -> Iterable[Heard]:
        message = heard.message
        payload = _json(message.payload) if topic_patterns.matches(topic, message.topic) else MISSING
        if payload is MISSING or not _has_place(payload, path) or (value is MISSING and at(payload, path) is MISSING):
            return (heard,)
        return (heard._replace(message=replace(message, payload=_bytes(put(payload, path, value)))),)

    return _each_link(recording, spoilt)


def repeated(recording: Recording, topic: str, times: int) -> Recording:
    """Every message of a topic comes so often more."""

    def spoilt(heard: Heard) -> Iterable[Heard]:
        yield heard
        if topic_patterns.matches(topic, heard.message.topic):
            for number in range(times):
                at = heard.message.received_at + 1e-6 * (number + 1)
                yield heard._replace(message=replace(heard.message, received_at=at, offset=None))

    return _each_link(recording, spoilt)


def delayed(recording: Recording, topic: str, seconds: float) -> Recording:
    """Every message of a topic comes so much later."""

    def spoilt(heard: Heard) -> Iterable[Heard]:
        message = heard.message
        is_late = topic_patterns.matches(topic, message.topic)
        late = replace(message, received_at=message.received_at + seconds)
        return (heard._replace(message=late) if is_late else heard,)

    return _each_link(recording, spoilt)


def put_in(recording: Recording, link: str, message: Message, at: float) -> Recording:
    """One message more, so many seconds from the beginning."""
    there = recording.links[link]
    more = Heard(replace(message, received_at=at, offset=None, kept=None), (message.topic,))
    links = {**recording.links, link: replace(there, heard=tuple(_in_order([*there.heard, more])))}
    return replace(recording, links=links)


def with_others(recording: Recording, topic: str, path: Path) -> Iterator[Recording]:
    """The recording with each value in a field of a topic's messages that a check of it should refuse.

    Nothing where no message has the field's surroundings.
    """
    payloads = (
        _json(heard.message.payload)
        for link in recording.links.values()
        for heard in link.heard
        if topic_patterns.matches(topic, heard.message.topic)
    )
    values = [at(payload, path) for payload in payloads if _has_place(payload, path)]
    if values:
        given = next((value for value in values if value is not MISSING), MISSING)
        alternatives = ["spoilt"] if given is MISSING else others(given)
        yield from (changed(recording, topic, path, value) for value in alternatives)


def others(value: Any) -> Iterator[Any]:
    """Values that a check of a field should refuse: another one of its kind, one of another kind, none at all."""
    match value:
        case bool():
            yield not value
        case int() | float():
            yield -value - 1_000_003
            yield value + 1_000_003
        case str():
            yield f"{value} spoilt"
    yield MISSING
    yield None if value is not None else "spoilt"
    yield {"spoilt": True}


def _each_link(recording: Recording, spoil: Callable[[Heard], Iterable[Heard]]) -> Recording:
    def spoilt(link: RecordedTransport) -> RecordedTransport:
        return replace(link, heard=tuple(_in_order(new for heard in link.heard for new in spoil(heard))))

    return replace(recording, links={name: spoilt(link) for name, link in recording.links.items()})


def _in_order(heard: Iterable[Heard]) -> list[Heard]:
    return sorted(heard, key=lambda each: each.message.received_at)


def _json(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return MISSING


def _bytes(payload: Any) -> bytes:
    return json.dumps(payload, ensure_ascii=False).encode()


def _has_place(payload: Any, path: Path) -> bool:
    """Whether a payload has the field, or the object that it would be a field of."""
    holder = at(payload, path[:-1])
    return isinstance(holder, Mapping) if isinstance(path[-1], str) else at(payload, path) is not MISSING
