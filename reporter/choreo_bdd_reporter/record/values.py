"""What was sent, received and expected in a scenario: masked, capped, and kept once however often it is mentioned."""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple

from choreo_bdd.redaction import Redactor, is_innocent_json
from choreo_bdd_reporter.model.limits import (
    cap_body,
    cap_value,
    clean_text,
    compact_json,
    is_plain_json,
    json_safe,
    small_json,
)
from choreo_bdd_reporter.record.redactors import apply_redactors, has_redactors


class Values:
    """The values of one scenario, for ``results.json`` as they are, for its details as JSON texts in a table.

    Values are told apart by identity, for one payload stands behind several messages and expectations.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        # with the source itself, so that nothing else can take its place in memory
        self._known: dict[int, tuple[_Value, Any]] = {}
        self._texts: dict[int, tuple[str | None, Any]] = {}
        self._looked_at: dict[str, bool] = {}
        self._carried: dict[int, _Carried] = {}
        self._learned: set[int] = set()
        self._places: dict[int, tuple[int, Any]] = {}
        self._innocent: dict[str, _Value] = {}
        self._payloads: dict[str, int] = {}
        self._messages: list[dict[str, Any]] = []

    def shown(self, value: Any) -> tuple[Any, bool]:
        """A payload or shape within the limits of ``results.json``, and whether it was too large as a whole."""
        return self._value(value).shown()

    def learn(self, value: Any) -> None:
        """Remember what is secret in a value, so that it is found in every other one."""
        if value is None or id(value) in self._learned:
            return
        self._learned.add(id(value))
        if self._innocent_text(value) is None:
            self._redactor.learn_secrets(json_safe(value))

    def learn_message(self, message: Any) -> None:
        """Remember what is secret in what a message carries."""
        carried = self._carried_by(message)
        self.learn(carried.payload)
        if carried.headers:
            self.learn(carried.headers)

    def found_at(self, path: str, value: Any) -> Any:
        """The same for a value that was found at a dotted path, whose parts count as keys."""
        return cap_value(_finished(self._redactor.at_path(path, json_safe(value))))[0]

    def message(self, message: Any) -> int:
        """The place of a message in the table, -1 for none."""
        if message is None:
            return -1
        known = self._places.get(id(message))
        if known is None:
            known = self._places[id(message)] = (len(self._messages), message)
            self._messages.append(self._document(message))
        return known[0]

    def table(self) -> dict[str, Any]:
        """``messages`` by place, with what is known of each; ``payload`` is a place among the JSON in ``payloads``."""
        return {"messages": self._messages, "payloads": list(self._payloads)}

    def _document(self, message: Any) -> dict[str, Any]:
        redact, carried = self._redactor.text, self._carried_by(message)
        facts = {
            "topic": redact(clean_text(message.topic)),
            "transport": message.transport,
            "payload": self._payloads.setdefault(self._value(carried.payload).text(), len(self._payloads)),
            "headers": self.shown(carried.headers)[0] if carried.headers else None,
            "key": None if message.key is None else redact(clean_text(str(message.key))),
            "partition": message.partition,
            "offset": message.offset,
            "size": message.size,
            "broker_time": amount(message.broker_time),
        }
        return {name: fact for name, fact in facts.items() if fact is not None}

    def _value(self, value: Any) -> _Value:
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = (self._new(value), value)
        return known[0]

    def _new(self, value: Any) -> _Value:
        text = None if has_redactors() else self._innocent_text(value)
        found = None if text is None else self._innocent.get(text)
        if found is None:
            if text is None or not is_plain_json(text) or self._redactor.touches(text):
                return _Value(whole=_finished(self._redactor.value(json_safe(value))))
            # nearly all values are like this: small, and without anything to hide
            found = self._innocent[text] = _Value(text=text)
        return found

    def _innocent_text(self, value: Any) -> str | None:
        """JSON of a small value that surely hides nothing; ``None`` for one that has to be looked at."""
        known = self._texts.get(id(value))
        if known is None:
            text = small_json(value)
            known = self._texts[id(value)] = (text if text is not None and self._is_innocent(text) else None, value)
        return known[0]

    def _is_innocent(self, text: str) -> bool:
        known = self._looked_at.get(text)
        if known is None:
            known = self._looked_at[text] = is_innocent_json(text)
        return known

    def _carried_by(self, message: Any) -> _Carried:
        known = self._carried.get(id(message))
        if known is None:
            known = self._carried[id(message)] = _Carried(message, message.payload, dict(message.headers))
        return known


class _Carried(NamedTuple):
    """What a message carries, decoded once; with the message, so that nothing else can take its place in memory."""

    message: Any
    payload: Any
    headers: dict[str, str]


class _Value:
    """A masked value that is ready to be kept: innocent, with its JSON ``text``, or else ``whole``, to be cut."""

    __slots__ = ("_innocent", "_json", "_shown", "_whole")

    def __init__(self, *, text: str | None = None, whole: Any = None) -> None:
        self._innocent = text is not None
        self._json = text
        self._whole = whole
        self._shown: tuple[Any, bool] | None = None

    def text(self) -> str:
        """JSON of the value as the page shows it with its message; ``results.json`` has less room."""
        if self._json is None:
            self._json = compact_json(cap_body(self._whole))
        return self._json

    def shown(self) -> tuple[Any, bool]:
        """The value as ``results.json`` has it, and whether all of it had to be replaced."""
        if self._shown is None:
            self._shown = (json.loads(self.text()), False) if self._innocent else cap_value(self._whole)
        return self._shown


def _finished(masked: Any) -> Any:
    """A masked value after the project's redactors."""
    return json_safe(apply_redactors(masked)) if has_redactors() else masked


def amount(value: float | None) -> float | None:
    """A measured number as the report holds it: finite and not negative."""
    return None if value is None or not math.isfinite(value) else max(0.0, float(value))
