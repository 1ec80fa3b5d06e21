"""What is asked of one field and can never hold together, or never fail: it would spoil no absence ever.

Shown by trying: the values that the parts name, their neighbours and one of each kind are all there is to tell apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain, pairwise
from math import floor
from pathlib import Path

from choreo_bdd.matchers import Matcher, Quantifier, at
from choreo_bdd.matchers.operators import is_number
from choreo_bdd.matchers.patterns.vacant import fits_nothing
from choreo_bdd.matchers.values.moments import moment
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.matching.body_matcher import equalling
from choreo_bdd_steps.language.matching.values import Builder
from choreo_bdd_steps.language.matching.wire import WireText, as_operand
from choreo_bdd_steps.language.paths import Field, Segment
from choreo_bdd_steps.language.syntax import Fields, Items, Literal, Node, Tagged
from choreo_bdd_steps.language.templates.functions import Variables, as_text

_ORDERING = frozenset({"gt", "ge", "lt", "le", "between", "before", "after"})
_UNDERSTOOD = _ORDERING | {"exists", "absent", "null", "not_null", "any", "type", "ne", "one_of", "not", "length"}
"""The tags of which the samples below hold a value that fits and one that does not, if there are any."""
_DECIDED = _UNDERSTOOD | {"uuid", "iso8601", "matches", "contains", "starts_with", "ends_with"}
"""The tags that one given value can be put to."""
_ONE_OF_EACH_KIND: tuple[object, ...] = (None, True, False, 0, 0.5, "", "a text", [], [0], {}, {"a": 0})
_LONGEST = 100

Asked = Iterable[tuple[Field, Node]]


def contradiction(asked: Asked) -> str | None:
    """What can never be true in it; ``None`` where nothing is known to be. All of it must hold of one message."""
    asked = tuple(asked)
    by_place = _by_place(chain.from_iterable(_parts(place, node) for place, node in asked))
    for place, node in asked:
        if place.envelope is not None and _fits_nothing(node):
            return f"{place.label} {_told([node])}, which can never be true"
    for label, equal in _around(asked).items():
        if len(equal) > 1 and not _one_text_is_all(equal):
            return f"{label} {_told(equal)}, which can never be true"
    for place, nodes in by_place.values():
        if _is_one(place) and (len(nodes) > 1 or _may_be_void(nodes[0])) and _never_together(nodes):
            return f"{place.label} {_told(nodes)}, which can never be true"
        for end in range(1, len(place.segments)):
            above, whole = by_place.get(place.segments[:end], (place, ()))
            if any(map(_has_no_parts, whole)) and any(map(_must_be_there, nodes)):
                return f"{above.label} {_told(whole)} and {place.label} would be a part of it, which can never be true"
    return None


def tautology(asked: Asked) -> str | None:
    """What can never be false in it, of which one part is to hold; ``None`` where nothing is known to be."""
    for place, nodes in _by_place(asked).values():
        if _is_one(place) and len(nodes) > 1 and _know(nodes):
            matchers = [_matcher(node) for node in nodes]
            samples = [sample for sample in _samples(nodes) if sample]
            missed = [each["f"] for each in samples if not any(matcher.match(each).matched for matcher in matchers)]
            if not missed:
                return f"{place.label} may have any value, which can never be false; write {place.label} exists"
            if (kind := _of_any(nodes, missed)) is not None:
                return (
                    f"{place.label} may be any {kind}, which can never be false of one; write {place.label} is a {kind}"
                )
    return None


def _of_any(nodes: Sequence[Node], missed: Sequence[object]) -> str | None:
    """The kind of which these accept every value, where all of them say more or less than what; ``n > 1 or n < 5``."""
    if not all(isinstance(node, Tagged) and node.tag in _ORDERING for node in nodes):
        return None
    kind, is_one = ("timestamp", _is_moment) if _speak_of_moments(nodes) else ("number", is_number)
    return None if any(map(is_one, missed)) else kind


def refuse_contradiction(asked: Asked, where: str, line: int | None = None) -> None:
    """Raise BodyError for what can never be true in it."""
    if problem := contradiction(asked):
        raise BodyError(f"in the {where} {problem}; keep one of them, or correct it", line)


def places_in(payload: Node | None, above: tuple[str, ...] = ()) -> Iterator[tuple[Field, Node]]:
    """The values of a doc string, each with its place, and the whole if it is one; what stands in a list is none."""
    match payload:
        case Fields(pairs):
            for key, node in pairs:
                if isinstance(key, Literal) and isinstance(key.value, str):
                    yield from places_in(node, (*above, key.value))
        case Literal() | Tagged():
            yield Field(".".join(above) or "the payload", above), payload


def _parts(place: Field, node: Node) -> Iterator[tuple[Field, Node]]:
    """What is asked of a place, one by one: all of ``all_of``, and the fields of an object among them."""
    match node:
        case Tagged("all_of", Items(nodes)):
            for each in nodes:
                yield from _parts(place, each)
        case Fields():
            for inner, each in places_in(node):
                label, segments = f"{place.label}.{inner.label}", (*place.segments, *inner.segments)
                yield from _parts(Field(label, segments, place.envelope), each)
        case _:
            yield place, node


def _by_place(asked: Asked) -> dict[tuple[Segment, ...], tuple[Field, Sequence[Node]]]:
    by_place: dict[tuple[Segment, ...], tuple[Field, list[Node]]] = {}
    for place, node in asked:
        if place.envelope is None:
            by_place.setdefault(place.segments, (place, []))[1].append(node)
    return {**by_place}


def _around(asked: Asked) -> dict[str, list[Literal]]:
    """What parts around the payload are to be equal to."""
    found: dict[str, list[Literal]] = {}
    for place, node in asked:
        if place.envelope is not None and isinstance(node, Literal) and node.value is not None:
            found.setdefault(place.label, []).append(node)
    return found


def _one_text_is_all(nodes: Sequence[Literal]) -> bool:
    """Whether a key or header may be equal to all of these: as numbers, as moments or as texts."""
    matchers = [_matcher(as_operand(node)) for node in nodes]
    texts = [_with(WireText(as_text(node.value))) for node in nodes]
    return any(all(each.match(text).matched for each in matchers) for text in texts)


def _is_one(place: Field) -> bool:
    """Whether it names one value, and not several or some of a list."""
    return not any(isinstance(each, Quantifier) for each in place.segments)


def _may_be_void(node: Node) -> bool:
    """Whether something alone may be what no value is, such as ``length < 0``, ``is not any`` or ``matches /a^/``."""
    return isinstance(node, Tagged) and node.tag in ("not", "length", "one_of", "matches")


def _fits_nothing(node: Node) -> bool:
    match node:
        case Tagged("matches", Literal(str() as pattern)):
            try:
                return fits_nothing(pattern)
            except re.error:
                return False  # told by itself
    return False


def _never_together(nodes: Sequence[Node]) -> bool:
    if any(map(_fits_nothing, nodes)):
        return True
    if _know(nodes):
        samples: list[dict[str, object]] | None = list(_samples(nodes))
    else:
        samples = next((values for node in nodes if (values := _only_values(node)) is not None), None)
    if samples is None:
        return False
    try:
        matchers = [_matcher(node) for node in nodes if _knows(node, _DECIDED)]
    except BodyError:
        return False  # what cannot be built is told by itself
    return not any(all(each.match(sample).matched for each in matchers) for sample in samples)


def _has_no_parts(node: Node) -> bool:
    """Whether a node accepts no object and no list."""
    if not _knows(node, _DECIDED - {"contains"}):
        return False
    return not _accepts_one(node, (each for each in _samples([node]) if isinstance(each.get("f"), (dict, list))))


def _must_be_there(node: Node) -> bool:
    """Whether a node accepts no absence."""
    return _knows(node, _DECIDED) and not _accepts_one(node, [{}])


def _accepts_one(node: Node, samples: Iterable[dict[str, object]]) -> bool:
    try:
        matcher = _matcher(node)
    except BodyError:
        return True  # what cannot be built is told by itself
    return any(matcher.match(each).matched for each in samples)


def _know(nodes: Sequence[Node]) -> bool:
    """Whether the samples of these hold a value for each answer they can give."""
    has_length = any(isinstance(node, Tagged) and node.tag == "length" for node in nodes)
    if has_length and _speak_of_moments(nodes):
        return False  # the same moment has texts of many lengths
    return all(_knows(node, _UNDERSTOOD) for node in nodes)


def _speak_of_moments(nodes: Sequence[Node]) -> bool:
    return any(_is_moment(value) for node in nodes for value in _named(node))


def _is_moment(value: object) -> bool:
    return moment(value) is not None


def _datetime(value: object) -> datetime | None:
    found = moment(value)
    return None if found is None else found[0]


def _knows(node: Node, tags: frozenset[str]) -> bool:
    match node:
        case Literal():
            return True
        case Tagged("length", argument):
            return "length" in tags and all(isinstance(each, int) and each <= _LONGEST for each in _named(argument))
        case Tagged(tag, Items(nodes)):
            return tag in tags and all(isinstance(each, Literal) and _knows(each, tags) for each in nodes)
        case Tagged(tag, argument):
            return tag in tags and (argument is None or _knows(argument, tags))
    return False


def _only_values(node: Node) -> list[dict[str, object]] | None:
    """The only payloads that a node accepts; None where they are many."""
    match node:
        case Literal() if _knows(node, frozenset()):
            return [_with(each) for each in _spellings(node.value)]
        case Tagged(tag="absent"):
            return [{}]
        case Tagged(tag="null"):
            return [_with(None)]
        case Tagged(tag="one_of", argument=Items(nodes=nodes)) if _knows(node, _UNDERSTOOD):
            values = [each.value for each in nodes if isinstance(each, Literal)]
            return [_with(each) for value in values for each in _spellings(value)]
    return None


def _spellings(value: object) -> list[object]:
    """A value, and a whole number as an integer and as a fraction, which are equal."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value == int(value):
        return [value, int(value)]
    return [value]


def samples(nodes: Sequence[Node]) -> Iterator[object]:
    """The values that nodes about one place may tell apart."""
    return (each["f"] for each in _samples(nodes) if each)


def _samples(nodes: Sequence[Node]) -> Iterator[dict[str, object]]:
    values = [value for node in nodes for value in _named(node)]
    numbers = sorted({Decimal(str(each)) for each in values if is_number(each)})
    between = [(low + high) / 2 for low, high in pairwise(numbers)]
    lengths = {int(each) for each in numbers if each == int(each) and 0 <= each <= _LONGEST}
    texts = [part for value in values if isinstance(value, str) for part in (value, f"{value}!")]
    around = [each + step for each in numbers for step in (-1, 1)]
    whole = sorted({floor(each) + step for each in numbers for step in (-1, 0, 1)})
    moments = sorted({found for value in values if (found := _datetime(value)) is not None})
    shifted = [each + step * timedelta(seconds=1) for each in moments for step in (-1, 0, 1)]
    times = [each.isoformat() for each in (*shifted, *(low + (high - low) / 2 for low, high in pairwise(moments)))]
    yield {}
    for value in (*_ONE_OF_EACH_KIND, *values, *numbers, *whole, *between, *around, *texts, *times):
        yield _with(value)
    for length in sorted({max(each + step, 0) for each in lengths for step in (-1, 0, 1)}):
        # two of a kind: one of them may be what is excluded
        yield from (_with(letter * length) for letter in "xy")
        yield from (_with([item] * length) for item in (0, 1))
        yield _with({str(index): 0 for index in range(length)})


def _named(node: Node | None) -> Iterator[object]:
    match node:
        case Literal(value):
            yield value
        case Items(nodes):
            for each in nodes:
                yield from _named(each)
        case Tagged(_, argument):
            yield from _named(argument)


def _with(value: object) -> dict[str, object]:
    return {"f": value}


def _matcher(node: Node) -> Matcher:
    return at("f", equalling(Builder(Variables({}), Path()).value(node)))


def _told(nodes: Sequence[Node]) -> str:
    return "is to be " + " and ".join(
        equalling(Builder(Variables({}), Path()).value(node)).description for node in nodes
    )
