"""What was sent, received and expected in a scenario: masked, capped, and kept once however often it is mentioned."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from choreo_bdd.redaction import Redactor, are_innocent_json, is_innocent_json
from choreo_bdd_reporter.model.json_text import as_written, read_document
from choreo_bdd_reporter.model.limits import (
    STRING_MAX_BYTES,
    cap_body,
    cap_value,
    clean_text,
    compact_json,
    is_plain_json,
    json_safe,
    small_json,
)
from choreo_bdd_reporter.record.dead_letters import moved
from choreo_bdd_reporter.record.redactors import apply_redactors, has_redactors


class Values:
    """The values of one scenario, for ``results.json`` as they are, for its details as JSON texts in a table.

    Values are told apart by identity, for one payload stands behind several messages and expectations.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._looked: dict[int, _Look] = {}
        self._travelled: dict[bytes, _Look] = {}
        self._innocent: dict[str, bool] = {}
        self._texts: dict[str, _Value] = {}
        self._carried: dict[int, _Carried] = {}
        self._payloads: dict[str, int] = {}
        self._messages: list[dict[str, Any]] = []

    def shown(self, value: Any) -> tuple[Any, bool]:
        """A payload or shape within the limits of ``results.json``, and whether it was too large as a whole."""
        return self._value(self._look(value)).shown()

    def shown_payload(self, message: Any) -> tuple[Any, bool]:
        """The same for what a message carries."""
        return self._value(self._carried_by(message).payload).shown()

    def learn(self, value: Any) -> None:
        """Remember what is secret in a value, so that it is found in every other one."""
        if value is not None:
            self._learn(self._look(value))

    def learn_messages(self, messages: Sequence[Any]) -> None:
        """Remember what is secret in what messages carry."""
        several = {id(each): each for each in messages}  # one is heard, counted and met in turn
        self._look_at_bytes({raw for each in several.values() if (raw := _travelled_as(each)) is not None})
        for message in several.values():
            carried = self._carried_by(message)
            self._learn(carried.payload)
            if carried.headers:
                self.learn(carried.headers)

    def found_at(self, path: str, value: Any) -> Any:
        """The same for a value that was found at a dotted path, whose parts count as keys."""
        return cap_value(_finished(self._redactor.at_path(path, json_safe(value))))[0]

    def message(self, message: Any) -> int:
        """The place of a message in the table, -1 for none."""
        if message is None:
            return -1
        carried = self._carried_by(message)
        if carried.place < 0:
            carried.place = len(self._messages)
            self._messages.append(self._document(carried))
        return carried.place

    def table(self) -> dict[str, Any]:
        """``messages`` by place, with what is known of each; ``payload`` is a place among the JSON in ``payloads``."""
        return {"messages": self._messages, "payloads": list(self._payloads)}

    def _document(self, carried: _Carried) -> dict[str, Any]:
        redact, message = self._redactor.text, carried.message
        document: dict[str, Any] = {"topic": redact(clean_text(message.topic))}
        if message.transport is not None:
            document["transport"] = message.transport
        payload = self._value(carried.payload).text()
        document["payload"] = self._payloads.setdefault(payload, len(self._payloads))
        if carried.headers:
            document["headers"] = self.shown(carried.headers)[0]
            if (told := moved(carried.headers)) is not None:
                document["moved"] = self.shown(told)[0]
        if message.key is not None:
            document["key"] = redact(clean_text(str(message.key)))
        for name in ("partition", "offset", "size"):
            if (fact := getattr(message, name)) is not None:
                document[name] = fact
        if (broker_time := amount(message.broker_time)) is not None:
            document["broker_time"] = broker_time
        return document

    def _value(self, look: _Look) -> _Value:
        if look.value is None:
            text = None if has_redactors() else look.text
            look.value = self._known(text) or _Value(whole=_finished(self._redactor.value(json_safe(look.read()))))
        return look.value

    def _learn(self, look: _Look) -> None:
        if look.text is None and not look.is_learned:
            look.is_learned = True
            if look.source is not None:
                self._redactor.learn_secrets(json_safe(look.source))

    def _known(self, text: str | None) -> _Value | None:
        """The value with this JSON, if it is as nearly all are: small, and without anything to hide."""
        if text is None:
            return None
        found = self._texts.get(text)
        if found is None and is_plain_json(text) and not self._redactor.touches(text):
            found = self._texts[text] = _Value(text=text)
        return found

    def _look(self, value: Any) -> _Look:
        known = self._looked.get(id(value))
        if known is None:
            text = small_json(value)
            known = self._looked[id(value)] = _Look(
                value, text if text is not None and self._is_innocent(text) else None
            )
        return known

    def _look_at_bytes(self, travelled: Collection[bytes]) -> None:
        """Look at small payloads as they travelled: where all are innocent, as nearly always, none has to be read."""
        small = [raw for raw in travelled if len(raw) <= STRING_MAX_BYTES and raw.isascii()]
        lines = as_written(small)
        if lines is not None and are_innocent_json(lines):
            self._travelled = {raw: _Look(None, text) for raw, text in zip(small, lines.split("\n"), strict=True)}

    def _look_inside(self, message: Any) -> _Look:
        raw = _travelled_as(message)
        known = None if raw is None else self._travelled.get(raw)
        return self._look(message.payload) if known is None else known

    def _is_innocent(self, text: str) -> bool:
        known = self._innocent.get(text)
        if known is None:
            known = self._innocent[text] = is_innocent_json(text)
        return known

    def _carried_by(self, message: Any) -> _Carried:
        known = self._carried.get(id(message))
        if known is None:
            known = self._carried[id(message)] = _Carried(message, self._look_inside(message), message.headers)
        return known


class _Look:
    """What is known of a value, with the value itself, so that nothing else can take its place in memory.

    ``text`` is its JSON if it is small and surely hides nothing, and ``None`` if it has to be looked at. Without a
    ``source``, the value is what the text says.
    """

    __slots__ = ("is_learned", "source", "text", "value")

    def __init__(self, source: Any, text: str | None) -> None:
        self.source = source
        self.text = text
        self.is_learned = False
        self.value: _Value | None = None

    def read(self) -> Any:
        """The value itself."""
        return self.source if self.source is not None or self.text is None else read_document(self.text)


class _Carried:
    """What a message carries, decoded once, with the message, as above; ``place`` is that in the table, -1 before."""

    __slots__ = ("headers", "message", "payload", "place")

    def __init__(self, message: Any, payload: _Look, headers: Mapping[str, str]) -> None:
        self.message = message
        self.payload = payload
        self.headers = dict(headers) if headers else None
        self.place = -1


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
            self._shown = (read_document(self.text()), False) if self._innocent else cap_value(self._whole)
        return self._shown


def _finished(masked: Any) -> Any:
    """A masked value after the project's redactors."""
    return json_safe(apply_redactors(masked)) if has_redactors() else masked


def amount(value: float | None) -> float | None:
    """A measured number as the report holds it: finite and not negative."""
    if value is None or not math.isfinite(value):
        return None
    return float(value) if value > 0 else 0.0


def _travelled_as(message: Any) -> bytes | None:
    """The JSON that a message was; a message of another maker need not tell."""
    raw: bytes | None = getattr(message, "json", None)
    return raw
