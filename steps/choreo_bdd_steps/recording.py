"""A recording: what went over the transports while a scenario ran, as one line of JSON (docs/replay.md).

Times are seconds since the scenario opened its transports. Payloads are text where they are UTF-8, else base64. What is
secret is masked as in the report; ``masked`` counts the parts that are not what they were.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from msgspec import Struct, field

from choreo_bdd.message import NoPayload
from choreo_bdd.observers.traffic import Fenced, Heard, Lost, Sent, Traffic
from choreo_bdd.redaction import Redactor
from choreo_bdd.transports.base import TransportCapabilities

FORMAT = 2
PASSED, FAILED = "passed", "failed"
RECORD = "CHOREO_RECORD"
"""The environment variable that has scenarios which pass recorded, too, where it says ``all``."""


class RecordedTransport(Struct, frozen=True):
    """One transport's part; times count from the scenario's beginning."""

    type: str
    capabilities: TransportCapabilities
    heard: tuple[Heard, ...]
    sent: tuple[Sent, ...]
    lost: tuple[Lost, ...] = ()
    fenced: tuple[Fenced, ...] = ()
    dropped: int = 0
    former: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The ids that scenarios before it had, of what came, and the topics on which each was still owed a message."""
    remarks: Mapping[str, str] = field(default_factory=dict)
    """What the transport had to say of a topic when a message was missed."""
    overlooked: Mapping[str, str] = field(default_factory=dict)
    """What could not be heard of a pattern, and why."""
    listened: Mapping[str, float] = field(default_factory=dict)
    """Since when each topic or pattern was listened to for a check."""


class Recording(Struct, frozen=True):
    """One scenario's traffic, and what of it was drawn by chance.

    ``nodeid`` is the test's, ``scenario`` the one that the feature file gives it. ``tokens`` are the ids that were
    drawn, ``variables`` the values at the end, ``acts`` the moments that acts of the user's own counted from, by the
    position of their steps, ``reached`` those at which each of the ``steps`` was reached.
    """

    nodeid: str
    scenario: str
    feature: str
    line: int
    profile: str
    outcome: str
    links: Mapping[str, RecordedTransport]
    tokens: tuple[str, ...] = ()
    acts: Mapping[int, float] = field(default_factory=dict)
    reached: Mapping[int, float] = field(default_factory=dict)
    steps: int = 0
    variables: Mapping[str, Any] = field(default_factory=dict)
    masked: int = 0


def link_of(
    kind: str,
    capabilities: TransportCapabilities,
    traffic: Traffic,
    begun: float,
    former: Mapping[str, tuple[str, ...]],
) -> RecordedTransport:
    """One transport's traffic, its times counted from a loop time, in their order."""

    def since(at: float) -> float:
        return max(0.0, at - begun)  # what came before came before any check of this scenario, however long before

    heard = (
        each._replace(message=replace(each.message, received_at=since(each.message.received_at)))
        for each in traffic.heard
    )
    sent = (
        each._replace(at=since(each.at), failed_at=None if each.failed_at is None else since(each.failed_at))
        for each in traffic.sent
    )
    fenced = (each._replace(at=since(each.at), until=since(each.until)) for each in traffic.fenced)
    return RecordedTransport(
        kind,
        capabilities,
        heard=tuple(sorted(heard, key=lambda each: each.message.received_at)),
        sent=tuple(sorted(sent, key=lambda each: each.at)),
        lost=tuple(sorted((each._replace(at=since(each.at)) for each in traffic.lost), key=lambda each: each.at)),
        fenced=tuple(sorted(fenced, key=lambda each: each.at)),
        dropped=traffic.dropped,
        former=former,
        remarks=dict(traffic.remarks),
        overlooked=dict(traffic.overlooked),
        listened={topic: since(at) for topic, at in traffic.listened.items()},
    )


def as_line(recording: Recording, redactor: Redactor) -> str:
    """A recording as it is kept: one line, without what is secret."""
    writer = _Writer(redactor)
    for link in recording.links.values():
        for each in link.heard:
            writer.learn(each.message.payload, each.message.headers)
        for sent in link.sent:
            writer.learn(sent.payload, sent.headers)
    links = {name: writer.link(link) for name, link in recording.links.items()}
    document = {
        "choreo_recording": FORMAT,
        "nodeid": redactor.text(recording.nodeid),
        "scenario": redactor.text(recording.scenario),
        "feature": recording.feature,
        "line": recording.line,
        "profile": recording.profile,
        "outcome": recording.outcome,
        "tokens": list(recording.tokens),
        "acts": {str(index): at for index, at in recording.acts.items()},
        "reached": {str(index): round(at, 6) for index, at in recording.reached.items()},
        "steps": recording.steps,
        "variables": writer.variables(recording.variables),
        "links": links,
        "masked": writer.masked,
    }
    return json.dumps(document, ensure_ascii=True, separators=(",", ":"))


class _Writer:
    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self.masked = 0

    def learn(self, payload: bytes, headers: Mapping[str, str]) -> None:
        """What a message shows to be secret is hidden in all others, too."""
        self._redactor.learn_secrets([_json(payload), dict(headers)])

    def link(self, link: RecordedTransport) -> dict[str, Any]:
        return {
            "type": link.type,
            "capabilities": asdict(link.capabilities),
            "heard": [self._heard(each) for each in link.heard],
            "sent": [self._sent(each) for each in link.sent],
            "lost": [self._lost(each) for each in link.lost],
            "fenced": [
                {"at": each.at, "until": each.until, "on": [*map(self._text, each.topics)]} for each in link.fenced
            ],
            "dropped": link.dropped,
            "former": {self._text(each): [*map(self._text, missed)] for each, missed in link.former.items()},
            "remarks": self._told(link.remarks),
            "overlooked": self._told(link.overlooked),
            "listened": {self._text(topic): at for topic, at in link.listened.items()},
        }

    def _told(self, told: Mapping[str, str]) -> dict[str, str]:
        return {self._text(topic): self._text(words) for topic, words in told.items()}

    def variables(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        plain = {name: value for name, value in variables.items() if _is_plain(value)}
        shown: dict[str, Any] = self._redactor.value(plain)
        self.masked += shown != plain
        return shown

    def _heard(self, heard: Heard) -> dict[str, Any]:
        message = heard.message
        return _without_none(
            {
                "at": message.received_at,
                "topic": self._text(message.topic),
                **self._body(message.payload, message.headers, message.key),
                "partition": message.partition,
                "offset": message.offset,
                "broker_time": message.broker_time,
                "order": message.order,
                "lane": message.lane,
                "leftover": message.is_leftover or None,
                "on": [self._text(topic) for topic in heard.subscribed],
            }
        )

    def _lost(self, lost: Lost) -> dict[str, Any]:
        topic = None if lost.topic is None else self._text(lost.topic)
        reason = self._redactor.text(lost.reason)
        return _without_none(
            {
                "at": lost.at,
                "reason": reason,
                "topic": topic,
                "unanswered": lost.is_unanswered or None,
                "untold": lost.is_untold or None,
            }
        )

    def _sent(self, sent: Sent) -> dict[str, Any]:
        body = self._body(sent.payload, sent.headers, sent.key)
        return _without_none(
            {
                "at": sent.at,
                "topic": self._text(sent.topic),
                **body,
                "unheard": None if sent.unheard is None else self._text(sent.unheard),
                "failed": None if sent.failed is None else self._text(sent.failed),
                "failed_at": sent.failed_at,
                "never_left": sent.never_left or None,
            }
        )

    def _body(self, payload: bytes, headers: Mapping[str, str], key: str | None) -> dict[str, Any]:
        shown: dict[str, str] = self._redactor.value(dict(headers))
        self.masked += shown != dict(headers)
        return {
            **self._payload(payload),
            "headers": shown or None,
            "key": None if key is None else self._text(key),
        }

    def _payload(self, payload: bytes) -> dict[str, Any]:
        if isinstance(payload, NoPayload):
            return {"none": True}
        if self._is_secret_in_utf_16(payload):
            self.masked += 1
            return {"text": ""}
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            as_text = payload.decode("latin-1")
            if self._redactor.text(as_text) != as_text:
                self.masked += 1
                return {"text": ""}
            return {"base64": base64.b64encode(payload).decode("ascii")}
        shown = self._redactor.document(text)
        self.masked += shown != text
        return {"text": shown}

    def _is_secret_in_utf_16(self, payload: bytes) -> bool:
        """Whether there is something to mask in what is read as UTF-16 or UTF-32, as JSON may be."""
        encoding = json.detect_encoding(payload)
        if encoding.startswith("utf-8"):
            return False
        text = payload.decode(encoding, "replace")
        return bool(self._redactor.document(text) != text)

    def _text(self, text: str) -> str:
        shown = self._redactor.text(text)
        self.masked += shown != text
        return shown


def _json(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return None


def _is_plain(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _without_none(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}
