"""What a page or messages tell beside the results, checked: what is damaged is left out, and named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from choreo_bdd_reporter.model.schema_types import ResultsTest
from choreo_bdd_reporter.read.shapes import fits

_PLACES_MAX = 100_000


class _Check(TypedDict):
    """The place of an expectation that a step declares."""

    scenario: int
    handle: int


class _Step(TypedDict):
    """A step as it ran."""

    keyword: str
    text: str
    status: str
    line: NotRequired[int | None]
    duration_ms: NotRequired[float | None]
    docstring: NotRequired[str | None]
    table: NotRequired[list[list[str]] | None]
    background: NotRequired[bool]
    message: NotRequired[str | None]
    checks: NotRequired[list[_Check] | None]


class _Scenario(TypedDict, total=False):
    """A scenario of a feature; ``nodeid`` is the row of its test."""

    nodeid: str | None
    name: str | None
    keyword: str | None
    line: int | None
    tags: list[str] | None
    inherited: list[str] | None
    rule: str | None
    description: str | None
    steps: list[_Step] | None


class _Head(TypedDict, total=False):
    """A feature without its scenarios."""

    uri: str | None
    name: str | None
    description: str | None
    keyword: str | None
    tags: list[str] | None
    line: int | None


class _Feature(_Head, total=False):
    """A feature."""

    scenarios: list[_Scenario] | None


class _Note(TypedDict, total=False):
    """What is known of an expectation beyond the results; ``messages`` are places in those of its scenario."""

    origin: str | None
    cause: str | None
    sentence: str | None
    messages: list[int] | None


class _Move(TypedDict):
    """How a dead letter was moved: the topics it was on before, the latest first, and why, in words."""

    origins: list[str]
    how: str


class _Message(TypedDict):
    """A message that a scenario has heard; ``payload`` is a place in the payloads of its scenario."""

    payload: int
    moved: NotRequired[_Move]


class _Span(TypedDict):
    """A piece of work of a service."""

    id: str
    parent: str
    service: str
    name: str
    kind: str
    topic: str | None
    error: str | None
    offset_ms: float
    duration_ms: float


class _Stray(TypedDict):
    """A message that met no expectation; ``message`` and ``handle`` are places, -1 for none."""

    why: str
    offset_ms: float
    detail: str
    message: int
    handle: int


class _Details(TypedDict, total=False):
    """What is known of a message scope beyond the results; ``transport`` is its only one."""

    transport: str | None
    handles: list[_Note] | None
    timeline: list[int] | None
    messages: list[_Message] | None
    payloads: list[str] | None
    surprises: list[dict[str, Any]] | None
    transport_failures: list[dict[str, Any]] | None
    left_out: dict[str, Any] | None
    spans: list[_Span] | None
    strays: list[_Stray] | None


class _Attempt(TypedDict):
    """An earlier attempt at a test, and the parts of it that are kept."""

    outcome: str
    reason: str | None
    test: NotRequired[ResultsTest]
    scenario: NotRequired[_Scenario]
    details: NotRequired[list[_Details]]
    attachments: NotRequired[list[_Attachment]]


class _Attachment(TypedDict, total=False):
    """An attachment: its ``text``, or its bytes as ``base64``; ``step`` is the place of the step that made it."""

    step: int | None
    text: str | None
    base64: str | None
    cut: bool


class _Exit(TypedDict, total=False):
    """How the run ended."""

    status: int | None
    interrupted: bool


class _Channels(TypedDict):
    """Channels of the contract."""

    spec: str
    touched: list[str]
    untouched: list[str]


class _Warning(TypedDict):
    """A step that proves nothing."""

    place: str
    nodeid: str
    reason: str


class _History(TypedDict):
    """Earlier runs: when each began, on which commit, whether in continuous integration; and the past of each test."""

    runs: list[list[Any]]
    ci: bool
    tests: dict[str, list[str]]


class _Test(TypedDict):
    """A test as an attachment of a message tells of it."""

    nodeid: str
    feature: _Head
    scenario: _Scenario
    attachments: NotRequired[list[_Attachment] | None]


class _Verdict(TypedDict):
    """What an attachment of a message tells of an expectation."""

    nodeid: str
    scenario: int
    handle: int
    note: _Note


_KNOWN: Mapping[str, Any] = {
    "features": list[_Feature] | None,
    "details": dict[str, list[_Details]] | None,
    "attempts": dict[str, list[_Attempt]] | None,
    "attachments": dict[str, list[_Attachment]] | None,
    "exit": _Exit | None,
    "channels": _Channels | None,
    "vacuity": list[_Warning] | None,
    "buses": dict[str, str] | None,
    "history": _History | None,
    "causation": str | None,
    "left_out": Any,
}


def checked(told: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What is sound of it, and the names of what is left out because it is not."""
    sound = {name: value for name, value in told.items() if name in _KNOWN and fits(value, _KNOWN[name])}
    details = sound.get("details") or {}
    if not all(_points_inside(each) for scopes in details.values() for each in scopes):
        del sound["details"]
    attempts = (each for repeated in (sound.get("attempts") or {}).values() for each in repeated)
    if not all(_points_inside(each) for attempt in attempts for each in attempt.get("details") or ()):
        del sound["attempts"]
    return sound, [name for name in told if name in _KNOWN and name not in sound]


def is_test(body: Any) -> bool:
    """Whether the body of an attachment tells of a test."""
    return fits(body, _Test) and isinstance(body["feature"].get("uri"), str)


def is_verdict(body: Any) -> bool:
    """Whether the body of an attachment tells of an expectation at a place that a report can have."""
    return fits(body, _Verdict) and all(0 <= body[name] < _PLACES_MAX for name in ("scenario", "handle"))


def _points_inside(details: _Details) -> bool:
    messages, payloads = details.get("messages") or (), details.get("payloads") or ()
    places = [*(details.get("timeline") or ())]
    for note in details.get("handles") or ():
        places += note.get("messages") or ()
    places += [stray["message"] for stray in details.get("strays") or ()]
    return all(-1 <= place < len(messages) for place in places) and all(
        0 <= message["payload"] < len(payloads) for message in messages
    )
