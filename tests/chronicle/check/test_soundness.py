"""The quick way in takes nothing that the schema would not take without a word to say, and reads what it reads."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from choreo_bdd_chronicle.check import RefusedReportError, check_report, checking
from choreo_bdd_chronicle.check.decoding import DEPTH_MAX, decode, is_deeper
from choreo_bdd_chronicle.check.schemas import checker
from choreo_bdd_chronicle.check.soundness import UnsureError, sound
from tests.chronicle.reports import body, event, handle, late, one_test, report, scenario, timed_out
from tests.chronicle.test_robustness import mutated

FAILURE: Any = {
    "kind": "composed", "path": "items", "expected": [1, {"a": None}],
    "children": [{"kind": "mismatch", "path": "items[0]", "expected": 1, "actual": 2.5}],
}  # fmt: skip
REPLY: Any = {
    "trigger_topic": "a", "reply_topic": "b", "state": "replied", "matcher_description": "", "candidate_count": 1,
    "match_count": 1, "reply_published": True, "builder_error": None, "correlation_overridden": False,
    "trigger_transport": None, "response_transport": "kafka",
}  # fmt: skip
STAGE: Any = {"bridge_class": "B", "transports": ["nats"], "correlation_ids": {"nats": "sha256:" + "a" * 16}}
FAILED: Any = {
    "outcome": "fail", "failure": FAILURE, "failures": [FAILURE],
    "diagnosis": {"kind": "near_miss", "attempts": 1, "deadline_ms": 5},
}  # fmt: skip


def whole() -> dict[str, Any]:
    """A report that has everything a report of today's version may have."""
    handles = [
        handle(correlation_id="sha256:" + "0" * 16, expected=None, latency_ms=3),
        handle(**FAILED),
        handle(outcome="pending", latency_ms=None, diagnosis={"kind": "pending"}),
        handle("absence", 50.0, actual=None), late(), timed_out(budget_ms=10),
    ]  # fmt: skip
    full = scenario(
        handles, stage=STAGE, replies=[REPLY], timeline=[event(transport="nats", logical_topic="x", source="reply")]
    )
    test = one_test([full]) | {"choreo_meta": {"timeout_ms": 1, "tags": ["a"]}, "markers": ["m"], "class": "C"}
    full_report = report(
        tests=[test, one_test([])],
        transports=["nats"],
        xdist={"workers": 2, "incomplete_workers": ["gw1"]},
        redactions={"fields": 1, "stream_matches": 0, "redaction_version": "v1"},
    )
    return deepcopy(full_report)  # what is changed in one is not in the next


def slowly(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The records as the way reads them that knows every version; ``None`` for a report that is refused."""

    def unsure(_body: bytes) -> None:
        raise UnsureError

    with monkeypatch.context() as changed:
        changed.setattr(checking, "sound", unsure)
        try:
            return check_report(sent)
        except RefusedReportError:
            return None


def goes_quickly(sent: bytes) -> bool:
    """Whether a report is sound beyond doubt, to its last test."""
    try:
        for _ in sound(sent)[1]:
            pass
    except UnsureError:
        return False
    return True


def test_a_report_with_everything_goes_the_quick_way_and_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = body(whole())
    assert goes_quickly(sent)
    assert check_report(sent) == slowly(sent, monkeypatch)


@pytest.mark.thorough
def test_only_what_the_schema_takes_goes_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    draw, quick = random.Random(5), 0
    for number in range(1500):
        sent = mutated(draw, whole() if number % 2 else None)
        if not goes_quickly(sent):
            continue
        quick += 1
        document = decode(sent)
        judged = checker(document["schema_version"])
        assert judged is not None
        assert judged.judge(document) == ([], []), sent
        try:
            found: Any = check_report(sent)
        except RefusedReportError:
            found = None
        assert found == slowly(sent, monkeypatch), sent
    assert quick > 100


LOOKED_AT_CLOSER: dict[str, Callable[[Any], object]] = {
    "another version": lambda found: found.update(schema_version="1.2"),
    "an unknown key": lambda found: found["tests"][0].update(colour="red"),
    "an unknown key of a diagnosis": lambda found: one_handle(found)["diagnosis"].update(colour="red"),
    "a count as 1.0": lambda found: one_handle(found).update(attempts=1.0),
    "a stage of nothing": lambda found: found["tests"][0]["scenarios"][0].update(stage=None),
    "no transport named": lambda found: (found["run"].pop("transport"), found["run"].pop("transports")),
    "beyond 64 bits": lambda found: one_handle(found).update(latency_ms=2**63 - 1),
    "a line's end in a name": lambda found: found["run"].update(transports=["nats\n"]),
    "half a pair": lambda found: found["run"].update(hostname="\ud800"),
    "digits of another script": lambda found: found["run"].update(started_at="٢٠٢٦-01-01T00:00:00Z"),
    "nested deep": lambda found: one_handle(found).update(actual=json.loads("[" * 201 + "]" * 201)),
}


def one_handle(document: Any) -> Any:
    return document["tests"][0]["scenarios"][0]["handles"][0]


@pytest.mark.parametrize("case", LOOKED_AT_CLOSER)
def test_what_is_odd_is_looked_at_closer(case: str) -> None:
    document = whole()
    LOOKED_AT_CLOSER[case](document)
    assert not goes_quickly(body(document))


@pytest.mark.parametrize("is_too_deep", [False, True])
def test_both_ways_agree_how_deep_is_too_deep(is_too_deep: bool) -> None:
    document, around = whole(), 7
    levels = DEPTH_MAX - around + is_too_deep
    one_handle(document)["actual"] = json.loads("[" * levels + "]" * levels)
    sent = body(document)
    assert goes_quickly(sent) is not is_too_deep
    assert is_deeper(sent, DEPTH_MAX) is is_too_deep
