"""The interfaces of a ``types.d.ts``, as far as data needs them, and a look at values through them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_INTERFACE = re.compile(r"^  interface (\w+) \{\n(.*?)^  \}", re.MULTILINE | re.DOTALL)
_ALIAS = re.compile(r"^  type (\w+) = ([^;]+);", re.MULTILINE)
_MEMBER = re.compile(r"^    (\w+)(\??): (.+);$", re.MULTILINE)
_SCALARS: Mapping[str, Any] = {"string": str, "number": (int, float), "boolean": bool, "null": type(None)}


@dataclass(frozen=True, slots=True)
class Declared:
    """Members by interface, each with its type and whether it may be missing; ``seen`` fills while values are read."""

    members: dict[str, dict[str, tuple[str, bool]]]
    aliases: dict[str, str]
    seen: set[tuple[str, str]] = field(default_factory=set)

    def faults(self, value: Any, wanted: str, at: str = "") -> list[str]:
        """What a value has that its type does not know, or lacks; the places are paths from ``at``."""
        return list(self._faults(value, wanted.strip(), at))

    def _faults(self, value: Any, wanted: str, at: str) -> Iterator[str]:
        wanted = self.aliases.get(wanted, wanted)
        choices = _split(wanted, "|")
        if len(choices) > 1:
            tried = [self.faults(value, choice, at) for choice in choices]
            yield from [] if [] in tried else [f"{at}: {value!r:.60} is none of {wanted}"]
        elif wanted == "any":
            return
        elif wanted.endswith("[]"):
            yield from self._list(value, wanted[:-2], at)
        elif wanted.startswith("["):
            yield from self._tuple(value, _split(wanted[1:-1], ","), at)
        elif wanted.startswith("Record<"):
            yield from self._record(value, _split(wanted[7:-1], ",")[1], at)
        elif wanted in self.members:
            yield from self._object(value, wanted, at)
        elif wanted.startswith("'"):
            yield from [] if value == wanted.strip("'") else [f"{at}: {value!r:.60} is not {wanted}"]
        else:
            fits = isinstance(value, _SCALARS[wanted]) and (wanted == "boolean" or not isinstance(value, bool))
            yield from [] if fits else [f"{at}: {value!r:.60} is no {wanted}"]

    def _list(self, value: Any, wanted: str, at: str) -> Iterator[str]:
        if not isinstance(value, list | tuple):
            yield f"{at}: {value!r:.60} is no list"
            return
        for index, item in enumerate(value):
            yield from self._faults(item, wanted, f"{at}[{index}]")

    def _tuple(self, value: Any, wanted: list[str], at: str) -> Iterator[str]:
        if not isinstance(value, list | tuple) or len(value) != len(wanted):
            yield f"{at}: {value!r:.60} is not {len(wanted)} values"
            return
        for index, (item, kind) in enumerate(zip(value, wanted, strict=True)):
            yield from self._faults(item, kind, f"{at}[{index}]")

    def _record(self, value: Any, wanted: str, at: str) -> Iterator[str]:
        for name, item in value.items():
            yield from self._faults(item, wanted, f"{at}[{name}]")

    def _object(self, value: Any, wanted: str, at: str) -> Iterator[str]:
        if not isinstance(value, Mapping):
            yield f"{at}: {value!r:.60} is no {wanted}"
            return
        members = self.members[wanted]
        yield from (f"{at}: {wanted} knows no {name}" for name in value if name not in members)
        for name, (kind, is_optional) in members.items():
            if name in value:
                self.seen.add((wanted, name))
                yield from self._faults(value[name], kind, f"{at}.{name}")
            elif not is_optional:
                yield f"{at}: {name} of {wanted} is missing"


def read_declared(text: str) -> Declared:
    """The interfaces and aliases of a declaration file."""
    members = {
        name: {member: (kind, bool(optional)) for member, optional, kind in _MEMBER.findall(body)}
        for name, body in _INTERFACE.findall(text)
    }
    return Declared(members, dict(_ALIAS.findall(text)))


def _split(text: str, sign: str) -> list[str]:
    """Parts at a sign that no bracket surrounds."""
    parts, depth = [""], 0
    for letter in text:
        depth += {"[": 1, "<": 1, "(": 1, "]": -1, ">": -1, ")": -1}.get(letter, 0)
        if letter == sign and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]
