"""Values with numbers that a script would spell in another way, as a JSON text that the page reads digit by digit.

A script has no integers beyond 2⁵³, no ``1.0`` beside ``1`` and no ``-0.0`` that it would write so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from typing import Any

from choreo_bdd_reporter.documents.results import row_ids
from choreo_bdd_reporter.page.embed import ascii_json
from choreo_bdd_reporter.read.entries import Json

JUDGED = ("expected", "failure", "failures")
_INTEGER_MAX = 2**53 - 1
_FIXED_MIN = 1e-4
"""Below it Python writes an exponent."""
_NOTHING: Json = {}


def exact(part: Json, notes: Json, judged: Sequence[str] = JUDGED) -> Json:
    """What the notes of a message scope have to say of such values, nothing in most of them.

    ``judged`` are the members of its handles that may hold values.
    """
    found = {
        "handles": _respelled(part["handles"], judged),
        "notes": _respelled(notes.get("handles") or (), ("differences",)),
        "strays": _respelled(notes.get("strays") or (), ("differences",)),
    }
    return {"exact": ascii_json(found)} if any(found.values()) else _NOTHING


def with_exact(results: Json, gherkin: Json) -> Json:
    """The document beside results that are embedded as they are, with such values of all of their tests."""
    judged = (*JUDGED, "actual")
    known, attempts = gherkin.get("details") or {}, gherkin.get("attempts") or {}

    def noted(test: Json, notes: Sequence[Json]) -> list[Json]:
        padded = chain(notes, repeat(_NOTHING))
        return [{**note, **exact(part, note, judged)} for part, note in zip(test["scenarios"], padded, strict=False)]

    tests = zip(row_ids(results["tests"]), results["tests"], strict=True)
    details = {row: found for row, test in tests if any(found := noted(test, known.get(row) or ()))}
    again = {
        row: [
            {**each, "details": noted(each["test"], each.get("details") or ())} if "test" in each else each
            for each in found
        ]
        for row, found in attempts.items()
    }
    added = (("details", {**known, **details}), ("attempts", again))
    return {**gherkin, **{name: value for name, value in added if value}}


def _respelled(items: Iterable[Json], names: Sequence[str]) -> dict[int, Json]:
    """Those members of items in which such numbers are, by the place of the item."""
    found = ((place, {name: item.get(name) for name in names}) for place, item in enumerate(items))
    return {place: kept for place, kept in found if _is_respelled(kept)}


def _is_respelled(value: Any) -> bool:
    values = [value]  # of others, may be nested as deeply as they like
    for each in values:
        kind = type(each)
        if kind is dict:
            values += each.values()
        elif kind is list:
            values += each
        elif kind is float:
            if each.is_integer() or abs(each) < _FIXED_MIN:
                return True
        elif kind is int and abs(each) > _INTEGER_MAX:
            return True
    return False
