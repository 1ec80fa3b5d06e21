"""Recordings spoilt on purpose: messages withheld, changed, repeated, late, or put in where none was."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import structs

from choreo_bdd import topic_patterns
from choreo_bdd.matchers import Quantifier
from choreo_bdd.message import Message
from choreo_bdd.observers.traffic import Heard
from choreo_bdd_steps.language.trees import MISSING, Path, at, put
from choreo_bdd_steps.proving.making import Made, merged
from choreo_bdd_steps.proving.naming import Named, Place
from choreo_bdd_steps.recording import RecordedTransport, Recording

T = TypeVar("T")

_ALTERNATIVES = 5
"""So many values at most are tried in a place: those of a number."""
_OF_ITS_KIND = 1
"""So many of them are, whatever the value is."""
_SINGLE_MAX = 20
_STATUSES = ("599", "100")
"""No service answers either."""


def withheld(recording: Recording) -> Recording:
    """Nothing comes but the scenario's own messages: as if these had brought about nothing."""
    own = _own(recording)
    return _each_link(recording, lambda heard: (heard,) if _is_own(heard, own) else ())


def repeated(recording: Recording, topic: str, times: int) -> Recording:
    """Every message of a topic comes so often more."""

    def spoilt(heard: Heard) -> Iterable[Heard]:
        yield heard
        if topic_patterns.matches(topic, heard.message.topic):
            for number in range(times):
                at = heard.message.received_at + 1e-6 * (number + 1)
                yield heard._replace(message=structs.replace(heard.message, received_at=at, offset=None))

    return _each_link(recording, spoilt)


def delayed(recording: Recording, topic: str, seconds: float) -> Recording:
    """Every message of a topic comes so much later."""

    def spoilt(heard: Heard) -> Iterable[Heard]:
        message = heard.message
        is_late = topic_patterns.matches(topic, message.topic)
        late = structs.replace(message, received_at=message.received_at + seconds)
        return (heard._replace(message=late) if is_late else heard,)

    return _each_link(recording, spoilt)


def put_in(recording: Recording, link: str, message: Message, at: float, times: int) -> Recording:
    """A message more, so many times, so many seconds from the beginning."""
    there = recording.links[link]
    hearing = (message.topic, *(each for each in there.listened if topic_patterns.matches(each, message.topic)))
    more = [
        Heard(structs.replace(message, received_at=at + 1e-6 * number, offset=None, kept=None), hearing)
        for number in range(times)
    ]
    links = {**recording.links, link: structs.replace(there, heard=tuple(_in_order([*there.heard, *more])))}
    return structs.replace(recording, links=links)


def with_others(
    recording: Recording, topic: str, named: Named, *, but_own: bool, of_its_kind: bool
) -> Iterator[Recording]:
    """The recording with each value that a check should refuse in what it names of a topic's messages.

    In all of them, and in each by itself: a check may hold one against another. With ``but_own`` what the scenario
    itself has said stays as it is, and so does its id where something else would do. Nothing where no message has the
    surroundings of such a place. ``of_its_kind`` leaves out values of other kinds, and none at all.
    """
    own, hits = _own(recording), _on(recording, topic)
    ids = _fields_with(recording.tokens, hits)
    for places in [_alternatives(named.places, ids)] if named.places else _each_field(hits, ids):
        concerned = [each for each in hits if any(_has_place(each.message, place) for place in places)]
        chosen = [each for each in concerned if not (but_own and _is_own(each, own))]
        if concerned:
            yield from (
                _changed(recording, chosen, places, nth)
                for nth in range(_OF_ITS_KIND if of_its_kind else _ALTERNATIVES)
            )
        if len(chosen) > 1:
            yield from (_changed(recording, [each], places, 0) for each in chosen[:_SINGLE_MAX])


def with_what_it_refuses(recording: Recording, topic: str, made: Made) -> Recording | None:
    """Messages of a topic say what a check must not let pass; ``None`` where none is an object that could.

    What the scenario itself has said stays as it is.
    """
    own = _own(recording)
    concerned = {id(each) for each in _on(recording, topic) if _object(each)}

    def spoilt(heard: Heard) -> Iterable[Heard]:
        if id(heard) in concerned and not _is_own(heard, own):
            there = heard.message
            said = _bytes(merged(_object(heard), made.payload))
            headers, key = {**there.headers, **made.headers}, made.key or there.key
            return (heard._replace(message=structs.replace(there, payload=said, headers=headers, key=key)),)
        return (heard,)

    return _each_link(recording, spoilt) if concerned else None


def came_on(recording: Recording, topic: str) -> int:
    """How many messages came on a topic."""
    return len(_on(recording, topic))


def _alternatives(places: Sequence[Place], ids: Container[object]) -> Sequence[Place]:
    return places if len(places) == 1 else [place for place in places if place[0] not in ids]


def _each_field(hits: Sequence[Heard], ids: Container[object]) -> list[Sequence[Place]]:
    fields = dict.fromkeys(name for each in hits for name in _object(each))
    return [[(name,)] for name in fields if name not in ids]


def _fields_with(tokens: Sequence[str], hits: Sequence[Heard]) -> set[object]:
    """The fields of these payloads that hold an id of the scenario's: without it a message is not its own."""
    holding = ((name, json.dumps(value)) for each in hits for name, value in _object(each).items())
    return {name for name, text in holding if any(token in text for token in tokens)}


def _object(heard: Heard) -> Mapping[str, Any]:
    payload = _json(heard.message.payload)
    return payload if isinstance(payload, dict) else {}


def _changed(recording: Recording, which: Sequence[Heard], places: Sequence[Place], nth: int) -> Recording:
    """These messages have another value in each of these places: the so-many-th of those that a check should refuse."""
    chosen = {id(each) for each in which}

    def spoilt(heard: Heard) -> Iterable[Heard]:
        message = heard.message
        for place in places if id(heard) in chosen else ():
            message = _with_other(message, place, nth)
        return (heard._replace(message=message),)

    return _each_link(recording, spoilt)


def _with_other(message: Message, place: Place, nth: int) -> Message:
    match place:
        case ("@key",):
            return structs.replace(message, key=_pick(_of_text(message.key), nth))
        case ("@status",):
            return structs.replace(message, headers={**message.headers, ":status": _pick(_STATUSES, nth)})
        case ("@headers", str() as name):
            there = message.headers.get(name)
            rest = {each: value for each, value in message.headers.items() if each != name}
            other = _pick(_of_text(there), nth)
            return structs.replace(message, headers=rest if other is None else {**rest, name: other})
    payload = _json(message.payload)
    for path in _paths(payload, place):
        there = at(payload, path)
        payload = put(payload, path, _pick(["spoilt"] if there is MISSING else list(others(there)), nth))
    return message if payload is MISSING else structs.replace(message, payload=_bytes(payload))


def _pick(alternatives: Sequence[T], nth: int) -> T:
    return alternatives[min(nth, len(alternatives) - 1)]


def _of_text(there: str | None) -> list[str | None]:
    return ["spoilt"] if there is None else [f"{there} spoilt", None]


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
        case list():
            yield [*value, "spoilt"]
    yield MISSING
    yield None if value is not None else "spoilt"
    yield {"spoilt": True}


def _each_link(recording: Recording, spoil: Callable[[Heard], Iterable[Heard]]) -> Recording:
    def spoilt(link: RecordedTransport) -> RecordedTransport:
        return structs.replace(link, heard=tuple(_in_order(new for heard in link.heard for new in spoil(heard))))

    return structs.replace(recording, links={name: spoilt(link) for name, link in recording.links.items()})


def _in_order(heard: Iterable[Heard]) -> list[Heard]:
    return sorted(heard, key=lambda each: each.message.received_at)


def _json(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return MISSING


def _bytes(payload: Any) -> bytes:
    return json.dumps(payload, ensure_ascii=False).encode()


def _has_place(message: Message, place: Place) -> bool:
    """Whether a message has a place, or what it would stand in."""
    if place[0] in ("@key", "@status", "@headers"):
        return True
    payload = _json(message.payload)
    return payload is not MISSING and any(True for _ in _paths(payload, place))


def _paths(payload: Any, place: Place) -> Iterator[Path]:
    """Each path that a place stands for in a payload which has it, or the object that it would be a field of."""
    for index, segment in enumerate(place):
        if isinstance(segment, Quantifier):
            elements = at(payload, [part for part in place[:index] if not isinstance(part, Quantifier)])
            for number in range(len(elements) if isinstance(elements, list) else 0):
                yield from _paths(payload, (*place[:index], number, *place[index + 1 :]))
            return
    path = tuple(part for part in place if not isinstance(part, Quantifier))
    holder = at(payload, path[:-1])
    if isinstance(holder, Mapping) if isinstance(path[-1], str) else at(payload, path) is not MISSING:
        yield path


def _on(recording: Recording, topic: str) -> list[Heard]:
    heard = (each for link in recording.links.values() for each in link.heard)
    return [each for each in heard if topic_patterns.matches(topic, each.message.topic)]


def _own(recording: Recording) -> set[tuple[str, bytes]]:
    return {(sent.topic, sent.payload) for link in recording.links.values() for sent in link.sent}


def _is_own(heard: Heard, own: Container[tuple[str, bytes]]) -> bool:
    """Whether it is a message that the scenario itself has published."""
    return (heard.message.topic, heard.message.payload) in own
