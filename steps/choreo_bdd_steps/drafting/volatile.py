"""Values of recorded messages: which of them change from time to time, and what can be expected of each."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from choreo_bdd.redaction import REDACTED
from choreo_bdd_steps.drafting.conversations import HEADERS, KEY, PAYLOAD, Conversation, Topic
from choreo_bdd_steps.language.reserved_names import CORRELATION_ID, FUNCTIONS, UNUSABLE
from choreo_bdd_steps.language.syntax import is_template
from choreo_bdd_steps.language.trees import MISSING, Path, at, label, leaves

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ID = re.compile(rf"{_UUID.pattern}|[0-9a-f]{{32}}|[0-9a-f]{{24}}|[0-7][0-9A-HJKMNP-TV-Z]{{25}}", re.IGNORECASE)
"""Ids as they are usually made: UUIDs with and without dashes, those of MongoDB, ULIDs."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EPOCH_S = (1_000_000_000, 10_000_000_000)
_EPOCH_UNITS = (1, 10**3, 10**6, 10**9)
_TAKEN = UNUSABLE | FUNCTIONS | {CORRELATION_ID, "trigger", "index"}
_ENOUGH = 3
"""So many equal values after equal triggers are no coincidence."""
_LEAVES_MAX = 60

Varying = frozenset[tuple[Topic, Path]]
"""Fields that were not the same each time."""
Row = tuple[str, str]
"""A field and what its cell says."""


def varying_fields(conversation: Conversation) -> Iterator[tuple[Topic, Path]]:
    """Fields that repeats have shown to vary: where they came but once, too, their value says nothing."""
    for index, topic in enumerate(conversation.topics):
        times = [each[index] for each in conversation.times]
        for path, value in leaves(times[0], empty=True):
            if any(_key(at(each, path)) != _key(value) for each in times):
                yield topic, path


def field_of(path: Path) -> str | None:
    """A place in a message as tables write it; ``None`` for the payload as a whole, or what no table can name."""
    if path[0] == KEY:
        return KEY
    if path[0] == HEADERS:
        return f"{HEADERS}.{path[1]}"
    return label(path[1:], quoted=True)


# --- the trigger --------------------------------------------------------------------------------------


class Trigger:
    """What set conversations off: one message a time, of which the first is what a scenario sends.

    ``variables`` are ids that no second one would have: by name, where they stand.
    """

    def __init__(self, times: Sequence[Any]) -> None:
        self.times = times
        self.first = times[0]
        self.variables: dict[str, Path] = {}
        """Each name, and where its value stands first."""
        self.named: dict[Path, str] = {}
        """Each place that holds the value of a variable."""
        self._changing = {path: self._all_differ(path) for path, _ in leaves(self.first)}
        for path, value in leaves(self.first):
            if isinstance(value, str) and self._is_id(value, path):
                self._name(path)

    def _all_differ(self, path: Path) -> bool:
        return len(self.times) > 1 and len({_key(at(each, path)) for each in self.times}) == len(self.times)

    def _is_constant(self, path: Path) -> bool:
        return len(self.times) > 1 and len({_key(at(each, path)) for each in self.times}) == 1

    def _is_id(self, value: str, path: Path) -> bool:
        if not value or _MOMENT.fullmatch(value) or self._is_constant(path):
            return False
        return self._changing[path] or _ID.fullmatch(value) is not None

    def _name(self, path: Path) -> None:
        known = next((name for name, there in self.variables.items() if self.follows(self._values(path), there)), None)
        if known is None:
            told = path[1:] if path[0] in (PAYLOAD, HEADERS) else ("key",)
            name = "_".join(str(part) for part in told if isinstance(part, str)).replace("-", "_") or "id"
            name = f"{name}_" if name in _TAKEN else name
            if not _PLAIN.fullmatch(name) or name in self.variables:
                return
            self.variables[name] = path
            known = name
        self.named[path] = known

    def _values(self, path: Path) -> list[Any]:
        return [at(each, path) for each in self.times]

    def is_now(self, path: Path, value: Any) -> bool:
        """Whether a moment is told that was another one each time."""
        return isinstance(value, str) and _MOMENT.fullmatch(value) is not None and not self._is_constant(path)

    def follows(self, values: Sequence[Any], path: Path) -> bool:
        """Whether the values are those at a place of the trigger, each time."""
        return all(value == at(each, path) for value, each in zip(values, self.times, strict=True))

    def sends(self, values: Sequence[Any]) -> bool:
        """Whether the values are those of a field that is another one each time, and is sent as it was the first."""
        return any(
            differs
            and path not in self.named
            and not self.is_now(path, at(self.first, path))
            and self.follows(values, path)
            for path, differs in self._changing.items()
        )

    def around(self, values: Sequence[Any]) -> str | None:
        """The values as a text around a variable, the same text each time."""
        if not all(isinstance(each, str) for each in values):
            return None
        for name, path in self.variables.items():
            parts = [each.partition(str(at(time, path))) for each, time in zip(values, self.times, strict=True)]
            before, found, after = parts[0]
            is_same = all(part[1] and (part[0], part[2]) == (before, after) for part in parts)
            if is_same and found and (len(values) > 1 or _ID.fullmatch(found)) and not is_template(before + after):
                return f"{before}{{{{ {name} }}}}{after}"
        return None

    def alike(self) -> list[int]:
        """The times whose trigger was the first one's but for what changes by itself."""
        stable = [_key([at(each, path) for path in self._stable()]) for each in self.times]
        return [index for index, key in enumerate(stable) if key == stable[0]]

    def _stable(self) -> list[Path]:
        return [
            path
            for path, value in leaves(self.first)
            if path not in self.named and not self._changing[path] and not self.is_now(path, value)
        ]


# --- what is expected ---------------------------------------------------------------------------------


class Expected:
    """What can be expected of one message: a cell for each field, or of all its payload at once.

    ``left_out`` counts fields of which nothing is expected.
    """

    def __init__(self, times: Sequence[Any], trigger: Trigger, varying: Collection[Path]) -> None:
        self._times = times
        self._trigger = trigger
        self._varying = varying
        self._alike = trigger.alike()
        self.left_out = 0
        self.rows = list(self._rows())

    @property
    def whole(self) -> str | None:
        """What is expected of a payload that has no fields: a doc string; ``None`` where there are fields."""
        payload = self._times[0][PAYLOAD]
        if isinstance(payload, Mapping | list):
            return None
        cell = self._cell((PAYLOAD,), payload)
        kinds = {"a uuid": "!uuid", "a timestamp": "!iso8601", "exists": "!any"}
        return kinds.get(cell, f"!type {cell.removeprefix('a ')}" if cell.startswith("a ") else cell)

    def _rows(self) -> Iterator[Row]:
        places = [place for place in leaves(self._times[0], empty=True) if place[0] != (PAYLOAD,)]
        self.left_out += max(0, len(places) - _LEAVES_MAX)
        for path, value in places[:_LEAVES_MAX]:
            if any(at(each, path) is MISSING for each in self._times):
                continue
            field = field_of(path)
            if field is None:
                self.left_out += 1
            else:
                yield field, self._cell(path, value)
        yield from self._ends(self._times[0][PAYLOAD], (PAYLOAD,))

    def _ends(self, node: Any, path: Path) -> Iterator[Row]:
        """That lists which were of one length each time have nothing more."""
        for name, value in (
            node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, list) else ()
        ):
            yield from self._ends(value, (*path, name))
        if isinstance(node, list) and node:
            others = [at(each, path) for each in self._times]
            end = field_of((*path, len(node)))
            if end is not None and all(isinstance(each, list) and len(each) == len(node) for each in others):
                yield end, "absent"

    def _cell(self, path: Path, value: Any) -> str:
        values = [at(each, path) for each in self._times]
        named = next(
            (name for name, at_ in self._trigger.variables.items() if self._trigger.follows(values, at_)), None
        )
        if named is not None:
            return f"{{{{ {named} }}}}"
        if self._is_same(path, values) and not (isinstance(value, str) and is_template(value)):
            return as_json(value)
        around = self._trigger.around(values)
        return _kind(values) if around is None else as_json(around)

    def _is_same(self, path: Path, values: Sequence[Any]) -> bool:
        """Whether the value is what it is for a reason: it never was another one, or it follows from the trigger."""
        value = values[0]
        if isinstance(value, str) and (REDACTED in value or _MOMENT.fullmatch(value)):
            return False
        if path not in self._varying:
            return len(values) > 1 or not _looks_volatile(value)
        alike = [_key(values[index]) for index in self._alike]
        return self._trigger.sends(values) or (len(alike) >= _ENOUGH and len(set(alike)) == 1)


def _looks_volatile(value: Any) -> bool:
    """Whether a value that came but once looks as if no second one were the same."""
    if isinstance(value, str):
        return _ID.fullmatch(value) is not None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and any(_EPOCH_S[0] <= abs(value) / unit < _EPOCH_S[1] for unit in _EPOCH_UNITS)


def _kind(values: Sequence[Any]) -> str:
    """What all of them are."""
    kinds = {_kind_of(each) for each in values}
    if kinds <= {"a uuid", "a timestamp", "a string"} and len(kinds) > 1:
        return "a string"
    return kinds.pop() if len(kinds) == 1 else "exists"


def _kind_of(value: Any) -> str:
    match value:
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str() if _UUID.fullmatch(value):
            return "a uuid"
        case str() if _MOMENT.fullmatch(value):
            return "a timestamp"
        case str():
            return "a string"
        case _:
            return "exists"


def as_json(value: Any, *, indent: int | None = None) -> str:
    """JSON whose texts stay on their lines, whatever a parser of features takes for the end of one."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    if text.isascii():
        return text
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
