"""The quick way in: a report of today's version that is sound in every part is read in one go.

What is read here is what the schema of version 1.3 takes without a word to say, and nothing that it refuses; a test
holds both against each other. Anything else, sound or not, goes through ``schemas``, which is slower, knows every
version, and says what is wrong where.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from choreo_bdd_chronicle.check import documents
from choreo_bdd_chronicle.check.decoding import DEPTH_MAX, is_deeper

_Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Some = Annotated[int, Meta(ge=1, le=2**63 - 1)]
_Milliseconds = Annotated[float, Meta(ge=0, lt=2.0**63)]
_Offset = Annotated[float, Meta(gt=-(2.0**63), lt=2.0**63)]
_Moment = Annotated[
    str,
    Meta(
        pattern=r"\A[0-9]{4}-(0[1-9]|1[0-2])-[0-3][0-9]T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
        r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])\Z"
    ),
]
_Name = Annotated[str, Meta(pattern=r"\A[a-zA-Z0-9_-]{1,64}\Z")]
_Hash = Annotated[str, Meta(pattern=r"\Asha256:[0-9a-f]{16}\Z")]


class Totals(documents.Totals, kw_only=True, gc=False, forbid_unknown_fields=True):
    """How many tests came out how."""

    passed: _Count
    failed: _Count
    errored: _Count
    skipped: _Count
    slow: _Count
    total: _Count


class Redactions(Struct, kw_only=True, gc=False, forbid_unknown_fields=True):
    """How often something was masked."""

    fields: _Count
    stream_matches: _Count
    redaction_version: Annotated[str, Meta(pattern=r"\Av[0-9]+\Z")] | UnsetType = UNSET


class Workers(Struct, kw_only=True, gc=False, forbid_unknown_fields=True):
    """Processes that shared the tests."""

    workers: _Some
    incomplete_workers: list[str]


class Run(documents.Run, kw_only=True, gc=False, forbid_unknown_fields=True):
    """The facts of a test session."""

    started_at: _Moment
    finished_at: _Moment
    duration_ms: _Milliseconds
    totals: Totals
    allowlist_path: str | None
    xdist: Workers | None
    truncated: bool
    redactions: Redactions
    transport: str | UnsetType | None = UNSET
    transports: list[_Name] | UnsetType = UNSET


class Planned(Struct, kw_only=True, gc=False, forbid_unknown_fields=True):
    """What a test was marked with."""

    timeout_ms: _Milliseconds | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET


class Mismatch(Struct, kw_only=True, gc=False, forbid_unknown_fields=True):
    """Where a message was not as expected."""

    kind: Literal["missing", "mismatch", "type_mismatch", "predicate", "composed"]
    path: str
    expected: Any
    actual: Any = UNSET
    children: list[Mismatch] | UnsetType = UNSET


class Matched(Struct, kw_only=True, gc=False, forbid_unknown_fields=True, tag_field="kind", tag="matched"):
    """A message met the expectation."""

    kind: ClassVar[str] = "matched"


class OverBudget(Struct, kw_only=True, gc=False, forbid_unknown_fields=True, tag_field="kind", tag="over_budget"):
    """It met it, and late."""

    kind: ClassVar[str] = "over_budget"
    latency_ms: _Milliseconds
    budget_ms: _Milliseconds


class NearMiss(Struct, kw_only=True, gc=False, forbid_unknown_fields=True, tag_field="kind", tag="near_miss"):
    """Messages came, and none was right."""

    kind: ClassVar[str] = "near_miss"
    attempts: _Some
    deadline_ms: _Milliseconds


class Silence(Struct, kw_only=True, gc=False, forbid_unknown_fields=True, tag_field="kind", tag="silent_timeout"):
    """No message came."""

    kind: ClassVar[str] = "silent_timeout"
    topic: str
    deadline_ms: _Milliseconds


class Pending(Struct, kw_only=True, gc=False, forbid_unknown_fields=True, tag_field="kind", tag="pending"):
    """The scenario ended before it was known."""

    kind: ClassVar[str] = "pending"


class Handle(documents.Handle, kw_only=True, gc=False, forbid_unknown_fields=True):
    """An expectation and what became of it."""

    outcome: Literal["pass", "fail", "timeout", "slow", "pending"]
    latency_ms: _Milliseconds | None
    budget_ms: _Milliseconds | None
    matcher_description: str
    expected: Any
    attempts: _Count
    reason: str
    truncated: bool
    failure: Mismatch | None
    failures: list[Mismatch]
    failures_dropped: _Count
    diagnosis: Matched | OverBudget | NearMiss | Silence | Pending
    correlation_id: _Hash | UnsetType = UNSET


class Event(documents.Event, kw_only=True, gc=False, forbid_unknown_fields=True):
    """Something that happened."""

    offset_ms: _Offset
    wall_clock: _Moment
    action: Literal[
        "published", "received", "matched", "mismatched", "deadline", "correlation_skipped", "replied", "reply_failed"
    ]
    detail: Annotated[str, Meta(max_length=120)]
    topic: str | UnsetType = UNSET
    transport: _Name | UnsetType = UNSET
    logical_topic: str | UnsetType = UNSET
    source: Literal["publish", "expect", "reply", "scope"] | UnsetType = UNSET


class Reply(Struct, kw_only=True, gc=False, forbid_unknown_fields=True):
    """A stand-in's answer."""

    trigger_topic: str
    reply_topic: str
    state: Literal["armed_no_match", "armed_matcher_mismatched", "replied", "reply_failed"]
    matcher_description: str
    candidate_count: _Count
    match_count: _Count
    reply_published: bool
    builder_error: str | None
    correlation_overridden: bool
    trigger_transport: str | UnsetType | None = UNSET
    response_transport: str | UnsetType | None = UNSET


class Stage(Struct, kw_only=True, gc=False, forbid_unknown_fields=True):
    """What joins several transports."""

    bridge_class: Annotated[str, Meta(pattern=r"\A[A-Za-z][A-Za-z0-9_]{0,127}\Z")]
    transports: list[_Name]
    correlation_ids: dict[_Name, _Hash]


class Scenario(documents.Scenario, kw_only=True, gc=False, forbid_unknown_fields=True):
    """One exercised message flow."""

    outcome: Literal["pass", "fail", "timeout", "slow"]
    duration_ms: _Milliseconds
    handles: Sequence[Handle]
    timeline: Sequence[Event]
    timeline_dropped: _Count
    replies: list[Reply]
    summary_text: str
    stage: Stage | UnsetType = UNSET


class Test(documents.Test, kw_only=True, gc=False, forbid_unknown_fields=True, rename={"class_name": "class"}):
    """One test."""

    file: str
    name: str
    class_name: str | None
    markers: list[str]
    choreo_meta: Planned | None
    outcome: Literal["passed", "failed", "errored", "skipped", "slow"]
    duration_ms: _Milliseconds
    traceback: str | None
    stdout: str
    stderr: str
    log: str
    skip_reason: str | None
    worker_id: str | None
    scenarios: Sequence[Scenario]


class Document(Struct, kw_only=True, gc=False, forbid_unknown_fields=True):
    """A whole report, its tests as they were written."""

    schema_version: Literal["1.3"]
    run: Run
    tests: Sequence[Raw]


_DOCUMENT = msgspec.json.Decoder(Document)
_TEST = msgspec.json.Decoder(Test)
_DEPTH_OF_TEST = 2
"""A test is within the report and its list of tests; nothing else in it may be of any depth."""


class UnsureError(Exception):
    """A report has to be looked at closer: it is of another version, odd somewhere, or wrong."""


def sound(body: bytes) -> tuple[Run, Iterator[Test]]:
    """The run and the tests of a report that is sound beyond doubt. Raises ``UnsureError``, also at any of the tests.

    Each test is read when it is asked for: a large report as a whole is more than a processor has at hand.
    """
    with _unsure():
        document = _DOCUMENT.decode(body)
    names_transport = document.run.transport is not UNSET or document.run.transports is not UNSET
    if not names_transport:
        raise UnsureError
    return document.run, _tests(document.tests)


def _tests(written: Sequence[Raw]) -> Iterator[Test]:
    with _unsure():
        for each in written:
            if is_deeper(bytes(each), DEPTH_MAX - _DEPTH_OF_TEST):
                raise UnsureError
            yield _TEST.decode(each)


@contextmanager
def _unsure() -> Iterator[None]:
    try:
        yield
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise UnsureError from problem
