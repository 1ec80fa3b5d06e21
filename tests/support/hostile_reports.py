"""Report folders that somebody has damaged, or has made to do harm."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from choreo_bdd_reporter.writer import write_documents
from tests.support.reports import HANDLE, SCENARIO, Place, at, edited, sound

Damage = Callable[[Path], object]
NODEID = "tests/test_gate.py::test_scan[eu]"
RUN: Place = ("run",)
TEST: Place = ("tests", 0)
DEEP = "[" * 100_000
HUGE = 10**400


def gherkin() -> dict[str, Any]:
    """What a report tells beside its results, of each kind something."""
    step = {
        "keyword": "Then", "text": "I expect", "line": 7, "status": "failed", "duration_ms": 1.0, "docstring": None,
        "table": None, "background": False, "message": "late", "checks": [{"scenario": 0, "handle": 0}],
    }  # fmt: skip
    scenario = {
        "nodeid": NODEID, "name": "scan", "keyword": "Scenario", "line": 5, "tags": ["@gate"], "inherited": [],
        "rule": None, "description": "", "steps": [step],
    }  # fmt: skip
    feature = {
        "uri": "gate.feature", "name": "Gate", "description": "", "keyword": "Feature", "tags": [], "line": 1,
        "scenarios": [scenario],
    }  # fmt: skip
    note = {"origin": "gate.feature:7", "cause": "nothing arrived", "sentence": "nothing came"}
    return {
        "features": [feature],
        "details": {NODEID: [{"handles": [note], "timeline": []}]},
        "attempts": {NODEID: [{"outcome": "failed", "reason": "late"}]},
        "exit": {"status": 1, "interrupted": False},
        "channels": {"spec": "asyncapi.yaml", "touched": ["scan"], "untouched": ["gate.opened"]},
        "vacuity": [{"place": "gate.feature:7", "nodeid": NODEID, "reason": "proves nothing"}],
    }


def write_whole(folder: Path) -> None:
    """A report as this library writes one, with a history of another run."""
    folder.mkdir(parents=True)
    (folder / "history.jsonl").write_text(past() + "\n", "utf-8")
    write_documents(sound("1.3"), gherkin(), folder, messages=[attachment("odd.json", "{}")])


def past(**facts: Any) -> str:
    """A line of a history."""
    line = {
        "history": 1, "started_at": "2027-01-01T00:00:00+00:00", "git_sha": None, "git_branch": None, "ci": False,
        "tests": {"tests/test_gate.py": {"test_scan[eu]": "p37"}},
    }  # fmt: skip
    return json.dumps({**line, **facts})


def attachment(name: str, body: Any) -> dict[str, Any]:
    """A Cucumber message as it stands in ``messages.ndjson``."""
    return {"attachment": {"fileName": name, "body": body, "testCaseStartedId": "1", "mediaType": "application/json"}}


def results(text: str | bytes) -> Damage:
    """Other text in the place of the results."""
    return lambda folder: (folder / "results.json").write_bytes(text.encode() if isinstance(text, str) else text)


def document(value: Any) -> Damage:
    return results(json.dumps(value))


def change(place: Place, name: str, value: Any) -> Damage:
    """One value of the results changed."""
    return document(edited(sound("1.3"), place, name, value))


def without(place: Place, name: str) -> Damage:
    def damage(folder: Path) -> None:
        report = sound("1.3")
        del at(report, place)[name]
        document(report)(folder)

    return damage


def many(last: Any, *place: str | int) -> Damage:
    """So many tests that not every one of them is checked against the schema, and one of them is odd."""

    def damage(folder: Path) -> None:
        report = sound("1.3")
        test = report["tests"][0]
        small = {**test, "scenarios": []}
        report["tests"] = [{**small, "nodeid": f"t.py::{number}"} for number in range(149)] + [test]
        if place:
            report = edited(report, ("tests", 149, *place[:-1]), str(place[-1]), last)
        else:
            report["tests"][149] = last
        document(report)(folder)

    return damage


def side(name: str, text: str | bytes) -> Damage:
    """Other text in a file beside the results."""
    return lambda folder: (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)


def page(told: str) -> Damage:
    return side("index.html", f'<!doctype html>\n<template id="choreo-gherkin">{told}</template>')


def told(**changes: Any) -> Damage:
    """A page that tells something odd beside the results."""
    return page(json.dumps({**gherkin(), **changes}))


def messages(*envelopes: Any) -> Damage:
    """Odd messages, and no page to read instead."""

    def damage(folder: Path) -> None:
        (folder / "index.html").unlink()
        lines = (each if isinstance(each, str) else json.dumps(each) for each in envelopes)
        (folder / "messages.ndjson").write_text("\n".join(lines) + "\n", "utf-8")

    return damage


def journal(*lines: Any) -> Damage:
    """A journal in the place of a report."""

    def damage(folder: Path) -> None:
        text = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines)
        (folder / ".partial.jsonl").write_text(text + "\n", "utf-8")

    return damage


def replaced(name: str, make: Callable[[Path], object]) -> Damage:
    """Something that is no file in the place of one."""

    def damage(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return damage


def sparse(name: str) -> Damage:
    """A file that is far larger than the disk, and takes nothing of it."""

    def damage(folder: Path) -> None:
        with (folder / name).open("wb") as file:
            file.truncate(50_000_000_000)

    return damage


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"in": [value]}
    return value


def step(**changes: Any) -> list[Any]:
    """Features with an odd step."""
    features: list[Any] = gherkin()["features"]
    features[0]["scenarios"][0]["steps"][0].update(changes)
    return features


_VERDICT = "choreo-bdd-verdict.json"
_HEAD = {"journal": 1, "started_at": "2027-01-01T00:00:00+00:00"}

REFUSED: dict[str, Damage] = {
    "empty": results(""),
    "cut off": results(json.dumps(sound("1.3"))[:500]),
    "null bytes": results(b"\0" * 100),
    "not utf-8": results(b'{"schema_version": "\xff\xfe"}'),
    "utf-16": results(json.dumps(sound("1.3")).encode("utf-16")),
    "byte order mark": results(b"\xef\xbb\xbf" + json.dumps(sound("1.3")).encode()),
    "deep nesting": results(DEEP),
    "closed deep nesting": results("[" * 3000 + "]" * 3000),
    "endless digits": results('{"run": ' + "9" * 100_000 + "}"),
    "html": results("<!doctype html>"),
    "null": document(None),
    "number": document(3),
    "text": document("results"),
    "list": document([]),
    "no keys": document({}),
    "only a version": document({"schema_version": "1.3"}),
    "version of tomorrow": document({**sound("1.3"), "schema_version": "99"}),
    "version as a number": document({**sound("1.3"), "schema_version": 1.3}),
    "version as a list": document({**sound("1.3"), "schema_version": ["1.3"]}),
    "version as an object": document({**sound("1.3"), "schema_version": {}}),
    "run is null": document({**sound("1.3"), "run": None}),
    "run is a list": document({**sound("1.3"), "run": []}),
    "tests are an object": document({**sound("1.3"), "tests": {}}),
    "tests are numbers": document({**sound("1.3"), "tests": [1, 2]}),
    "tests are lists": document({**sound("1.3"), "tests": [[]]}),
    "duration is text": change(RUN, "duration_ms", "long"),
    "duration is not a number": change(RUN, "duration_ms", float("nan")),
    "duration is null": change(TEST, "duration_ms", None),
    "began at no time": change(RUN, "started_at", "yesterday"),
    "began at a number": change(RUN, "started_at", 17),
    "totals are text": change(RUN, "totals", "many"),
    "a total is huge text": change(("run", "totals"), "total", "9" * 5000),
    "no totals": without(RUN, "totals"),
    "no node id": without(TEST, "nodeid"),
    "node id is a number": change(TEST, "nodeid", 5),
    "unknown outcome": change(TEST, "outcome", "exploded"),
    "outcome is a list": change(TEST, "outcome", []),
    "markers are text": change(TEST, "markers", "choreo"),
    "scenarios are null": change(TEST, "scenarios", None),
    "no handles": without(SCENARIO, "handles"),
    "handles are text": change(SCENARIO, "handles", "none"),
    "topic is null": change(HANDLE, "topic", None),
    "diagnosis is text": change(HANDLE, "diagnosis", "late"),
    "diagnosis of no kind": change(HANDLE, "diagnosis", {}),
    "failures are null": change(HANDLE, "failures", None),
    "timeline is an object": change(SCENARIO, "timeline", {}),
    "workers are text": change(RUN, "xdist", {"workers": "two", "incomplete_workers": []}),
    "one test of many is null": many(None),
    "one test of many has no keys": many({}),
    "one test of many ended oddly": many("exploded", "outcome"),
    "one test of many has a number for a node id": many(7, "nodeid"),
    "one test of many has no scenarios": many(None, "scenarios"),
    "one test of many has odd handles": many([{"topic": "t"}], "scenarios", 0, "handles"),
    "one test of many has an odd latency": many("late", "scenarios", 0, "handles", 0, "latency_ms"),
    "one test of many has an odd event": many([{"action": 1}], "scenarios", 0, "timeline"),
    "results are a folder": replaced("results.json", Path.mkdir),
    "results lead nowhere": replaced("results.json", lambda path: path.symlink_to("nowhere")),
    "results lead to themselves": replaced("results.json", lambda path: path.symlink_to(path.name)),
    "results are of 50 GB": sparse("results.json"),
    "results are missing": replaced("results.json", lambda _path: None),
    "results are a pipe": replaced("results.json", os.mkfifo),
    "results are endless": replaced("results.json", lambda path: path.symlink_to("/dev/zero")),
    "journal of nothing": journal(""),
    "journal of a list": journal([]),
    "journal of tomorrow": journal({**_HEAD, "journal": 99}),
    "journal without a time": journal({"journal": 1}),
    "journal of an odd time": journal({**_HEAD, "started_at": "yesterday", "environment": {}}),
    "journal of an odd environment": journal({**_HEAD, "environment": [1]}),
    "journal is deep": journal(DEEP),
    "negative latency": change(HANDLE, "latency_ms", -1e308),
    "a time without a zone": change(RUN, "started_at", "2027-01-02T03:04:05"),
    "endless number in a payload": results(
        json.dumps(edited(sound("1.3"), HANDLE, "actual", {"n": 1.5})).replace('"n": 1.5', '"n": 1e999')
    ),
}
"""What is no report: every command refuses it."""

OUT_OF_RANGE: dict[str, Damage] = {
    "huge duration": change(RUN, "duration_ms", 1e308),
    "huge integer duration": change(RUN, "duration_ms", HUGE),
    "huge latency": change(HANDLE, "latency_ms", HUGE),
    "huge attempts": change(HANDLE, "attempts", HUGE),
}
"""What the schema allows, and nobody can calculate with."""

LEFT_OUT: dict[str, Damage] = {
    "page is binary": side("index.html", bytes(range(256)) * 100),
    "page tells nothing": page(""),
    "page tells a list": page("[]"),
    "page tells half": page('{"features": ['),
    "page tells deeply": page('{"features": ' + DEEP),
    "page tells a deep value": told(details={NODEID: nested(400)}),
    "features are text": told(features="none"),
    "features are numbers": told(features=[1, 2]),
    "features hold null": told(features=[None]),
    "scenarios are numbers": told(features=[{"scenarios": [1]}]),
    "scenario without keys": told(features=[{"scenarios": [{}]}]),
    "scenarios are an object": told(features=[{"scenarios": {"a": 1}}]),
    "node id is a list": told(features=[{"scenarios": [{"nodeid": [], "steps": []}]}]),
    "steps are text": told(features=[{"scenarios": [{"nodeid": NODEID, "steps": "none"}]}]),
    "step without keys": told(features=[{"scenarios": [{"nodeid": NODEID, "steps": [{"status": "undefined"}]}]}]),
    "step with an odd status": told(features=step(status=["failed"])),
    "step checks numbers": told(features=step(checks=[1])),
    "step checks nothing": told(features=step(checks=[{}])),
    "step checks what is not there": told(features=step(checks=[{"scenario": HUGE, "handle": -HUGE}])),
    "details are a list": told(details=[1]),
    "details of a test are a number": told(details={NODEID: 1}),
    "details hold numbers": told(details={NODEID: [1]}),
    "notes are text": told(details={NODEID: [{"handles": "note"}]}),
    "notes are numbers": told(details={NODEID: [{"handles": [1]}]}),
    "what was heard is a number": told(details={NODEID: [{"handles": [], "timeline": 3}]}),
    "what was heard are numbers": told(details={NODEID: [{"handles": [], "timeline": [3]}]}),
    "messages are numbers": told(details={NODEID: [{"handles": [], "messages": [1], "payloads": [2]}]}),
    "attempts are a list": told(attempts=[1]),
    "attempts of a test are a number": told(attempts={NODEID: 1}),
    "attempts hold text": told(attempts={NODEID: ["failed"]}),
    "exit is text": told(exit="1"),
    "exit has an odd status": told(exit={"status": "one", "interrupted": "no"}),
    "channels are text": told(channels="all"),
    "channels touch nothing": told(channels={"spec": 1}),
    "channels hold numbers": told(channels={"spec": "a", "touched": [1], "untouched": [None]}),
    "warnings are text": told(vacuity="none"),
    "warnings lack keys": told(vacuity=[{}]),
    "attachments are a list": told(attachments=[1]),
    "attachments of a test are a number": told(attachments={NODEID: 1}),
    "attachments hold numbers": told(attachments={NODEID: [1]}),
    "messages are no json": messages("{", "]"),
    "messages are lists": messages([], 1, None, "text"),
    "messages are deep": messages(DEEP, '{"a":' * 900 + "1" + "}" * 900),
    "attachment is text": messages({"attachment": "text"}),
    "attachment has a number for a body": messages(attachment(_VERDICT, 5)),
    "verdict of nothing": messages(attachment(_VERDICT, "{}"), attachment(_VERDICT, "[]")),
    "verdict of a far scenario": messages(
        attachment(_VERDICT, json.dumps({"nodeid": NODEID, "scenario": 10**9, "handle": 10**9, "note": {}}))
    ),
    "verdict of a scenario before": messages(
        attachment(_VERDICT, json.dumps({"nodeid": NODEID, "scenario": -5, "handle": -5, "note": 3}))
    ),
    "test of nothing": messages(attachment("choreo-bdd-test.json", "{}"), attachment("choreo-bdd-test.json", "null")),
    "run finished oddly": messages({"testRunFinished": 1}, {"testRunFinished": {"timestamp": "now"}}),
    "references are numbers": messages({"pickle": {"id": 1, "astNodeIds": 5, "steps": [{"astNodeIds": [1]}]}}),
    "messages are a folder": replaced("messages.ndjson", Path.mkdir),
    "messages are endless": replaced("messages.ndjson", lambda path: path.symlink_to("/dev/zero")),
    "page is a pipe": replaced("index.html", os.mkfifo),
    "history is binary": side("history.jsonl", bytes(range(256)) * 100),
    "history is deep": side("history.jsonl", DEEP + "\n"),
    "history of tomorrow": side("history.jsonl", past(history=2)),
    "history with a huge number": side("history.jsonl", past(tests={"a.py": {"x": "p" + "9" * 5000}})),
    "history with numbers": side("history.jsonl", past(tests={"a.py": {"x": 5}})),
    "history of an odd time": side("history.jsonl", past(started_at=5)),
    "history with an endless number": side("history.jsonl", past(ci="NaN") + "\n" + '{"history": 1e999}'),
    "history is a folder": replaced("history.jsonl", Path.mkdir),
    "history is of 50 GB": sparse("history.jsonl"),
    "page is of 50 GB": sparse("index.html"),
    "page tells of a test again and again": told(features=gherkin()["features"] * 1000),
    "mark is of 50 GB": sparse(".harness-report"),
    "recordings are of 50 GB": sparse("recordings.jsonl"),
    "history is endless": replaced("history.jsonl", lambda path: path.symlink_to("/dev/zero")),
    "huge number in a payload": change(HANDLE, "actual", {"n": HUGE}),
    "deep payload": change(HANDLE, "actual", nested(400)),
    "the last moment": change(RUN, "started_at", "9999-12-31T23:59:59.999999+00:00"),
    "the last day": change(RUN, "started_at", "9999-12-31T23:59:59+00:00"),
    "the first day": change(RUN, "started_at", "0001-01-01T00:00:00+14:00"),
    "half surrogates": change(TEST, "log", "\ud800::\udfff"),
    "a log that steers": change(TEST, "log", "\x1b]0;x\x07\n::error::x"),
    "an odd clock": change((*SCENARIO, "timeline", 0), "wall_clock", "0001-01-01T00:00:00+14:00"),
    "the last clock": change((*SCENARIO, "timeline", 0), "wall_clock", "9999-12-31T23:59:59-14:00"),
    "a huge offset": change((*SCENARIO, "timeline", 0), "offset_ms", 1e300),
    "a payload as deep as can be read": change(HANDLE, "actual", nested(450)),
    "twice the same test": document({**sound("1.3"), "tests": sound("1.3")["tests"] * 2}),
    "foreign files": side("results.json.bak", b"\0"),
}
"""What is a report for all that: the damage is left out, or shown as it is."""
