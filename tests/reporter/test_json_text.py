"""Documents are the same JSON whoever writes them."""

from __future__ import annotations

import datetime as dt
import enum
import json
import uuid
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from choreo_bdd_reporter.model.json_text import document_json, foreign_json, read_document
from choreo_bdd_reporter.model.limits import compact_json

DOCUMENTS: dict[str, Any] = {
    "numbers": [0, -1, 2**53 + 1, 2**64, -(2**1000), 0.1, -0.0, 1e16, 1e-7, 5e-324, 1.7976931348623157e308],
    "texts": ["", 'a"b\\c/\n\t\0', "\x7f", "é", "\u2028", "😀", "\ud800", "</script>", "::error::"],
    "shapes": {"a": [None, True, False, {}, [], (1, 2)], "7": {"b": [[]]}},
    "keys": {"": 1, "é": 2, "a.b": 3, "\ud83d": 4},
}


class _Colour(enum.Enum):
    RED = "red"


class _Size(enum.IntEnum):
    SMALL = 1


@dataclass
class _Order:
    total: int = 1


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_reads_back_as_it_was(name: str) -> None:
    text = document_json(DOCUMENTS[name])
    assert text.isascii()
    assert text.isprintable()
    as_standard = json.loads(json.dumps(DOCUMENTS[name]))
    assert json.loads(text) == as_standard
    assert read_document(text) == as_standard
    assert repr(read_document(text)) == repr(as_standard)


@pytest.mark.parametrize(
    "value", [float("nan"), [1.0, float("inf")], {"a": None, "b": 1e16}, {"a": None, "b": (1,)}, "\x7f", "é", "\ud800"]
)
def test_what_others_wrote_is_left_to_the_standard_library_where_it_may_differ(value: Any) -> None:
    assert foreign_json(value) is None
    assert foreign_json({"a": [value, 1]}) is None


def test_nothing_is_told_from_no_number() -> None:
    assert foreign_json({"a": [None, 1.5], "b": "null"}) == '{"a":[null,1.5],"b":"null"}'


@pytest.mark.parametrize(
    "value",
    [
        *DOCUMENTS.values(), *map(chr, range(128)), 1e15, 1e16, 1e22, 10**22, 1e-4, 1e-5, 123456789012345680.0,
        _Size.SMALL, Counter("aab"), (1, (2,)), {1: 2}, {True: 1}, {None: 1}, {2.5: 1},
    ],
)  # fmt: skip
def test_what_holds_nothing_is_written_as_the_standard_library_does(value: Any) -> None:
    document = {"a": [value, None]}
    assert foreign_json(document) in (compact_json(document), None)


@pytest.mark.parametrize(
    "value",
    [
        float("nan"), float("inf"), Decimal("1.5"), b"raw", bytearray(b"raw"), {1}, _Colour.RED, _Order(),
        dt.date(2026, 1, 1), dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.timedelta(1), uuid.UUID(int=7), {b"k": 1},
        {uuid.UUID(int=7): 1},
    ],
)  # fmt: skip
def test_beside_nothing_what_json_has_no_form_for_is_left_to_the_standard_library(value: Any) -> None:
    assert foreign_json([value, None]) is None
