"""Cucumber Messages: what Gherkin knows of a run, in the protocol that the tools of that world read."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from gherkin.stream.id_generator import IdGenerator

from choreo_bdd_reporter.documents.gherkin import FeatureMessages, made_up, read_feature
from choreo_bdd_reporter.model.clock import epoch_seconds
from choreo_bdd_reporter.model.host_and_versions import reporter_version
from choreo_bdd_reporter.model.json_text import document_json

PROTOCOL_VERSION = "34.2.0"
TEST_ATTACHMENT = "choreo-bdd-test.json"
VERDICT_ATTACHMENT = "choreo-bdd-verdict.json"

_RUN = "run"
_STATUS = {
    "passed": "PASSED", "slow": "PASSED", "failed": "FAILED", "errored": "FAILED", "skipped": "SKIPPED",
    "undefined": "UNDEFINED", "untested": "SKIPPED",
}  # fmt: skip
_BAD = ("FAILED", "UNDEFINED")
_BESIDE = "a hook, a fixture or a clean-up"
_FACTS = ("topic", "transport", "outcome", "latency_ms", "budget_ms", "attempts", "expected", "actual", "failure")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class GherkinTest:
    """A test as the journal has it, by its row id: ``gherkin`` is not empty."""

    row: str
    test: Json
    gherkin: Json
    details: Any
    attachments: Sequence[Json] = ()


def envelopes(run: Json, parts: Iterable[Json], tests: Iterable[GherkinTest]) -> Iterator[dict[str, Any]]:
    """The messages of a run, in order; ``parts`` is the Gherkin of all tests, which are gone through afterwards."""
    ids = IdGenerator()
    features, scenarios = _features(parts)
    yield _meta()
    read = {uri: read_feature(uri, hidden, ids) for uri, hidden in features.items()}
    for feature in read.values():
        yield from feature.envelopes
        feature.envelopes.clear()
    if not scenarios:
        return
    started = epoch_seconds(run["started_at"])
    yield {"testRunStarted": {"id": _RUN, "timestamp": _timestamp(started)}}
    for each in tests:
        yield from _TestMessages(each, ids, started).all(read[each.gherkin["feature"]["uri"]])
    failed = run["totals"]["failed"] + run["totals"]["errored"]
    ended = _timestamp(max(started, epoch_seconds(run["finished_at"])))  # the clock may have been set back
    yield {"testRunFinished": {"testRunStartedId": _RUN, "success": not failed, "timestamp": ended}}


def _features(parts: Iterable[Json]) -> tuple[dict[str, list[tuple[int, str]]], int]:
    """The features with their hidden lines, and how many scenarios they have."""
    features: dict[str, list[tuple[int, str]]] = {}
    count = 0
    for part in parts:
        features.setdefault(part["feature"]["uri"], []).extend((number, line) for number, line in part["hidden"])
        count += 1
    return features, count


def _meta() -> dict[str, Any]:
    return {
        "meta": {
            "protocolVersion": PROTOCOL_VERSION,
            "implementation": {"name": "choreo-bdd", "version": reporter_version()},
            "runtime": {"name": platform.python_implementation(), "version": platform.python_version()},
            "os": {"name": platform.system(), "version": platform.release()},
            "cpu": {"name": platform.machine()},
        }
    }


class _TestMessages:
    """The messages of one test."""

    def __init__(self, source: GherkinTest, ids: IdGenerator, run_started: float) -> None:
        self._source = source
        self._ids = ids
        self._scenario = source.gherkin["scenario"]
        self._case = ids.get_next_id()
        self._attempt = ids.get_next_id()
        self._now = source.gherkin["started"] or run_started

    def all(self, feature: FeatureMessages) -> Iterator[dict[str, Any]]:
        uri, test = self._source.gherkin["feature"]["uri"], self._source.test
        pickle = feature.take_pickle(self._scenario)
        if pickle is None:
            document, pickle = made_up(self._source.gherkin["feature"], self._scenario, self._ids)
            yield from ({"gherkinDocument": document}, {"pickle": pickle})
        steps = [{"id": self._ids.get_next_id(), "pickleStepId": step["id"]} for step in pickle["steps"]]
        hooks = list(self._hooks())
        yield from (
            {"hook": {"id": hook["hookId"], "name": _BESIDE, "sourceReference": {"uri": uri}}} for hook in hooks
        )
        case = {"id": self._case, "pickleId": pickle["id"], "testRunStartedId": _RUN}
        yield {"testCase": {**case, "testSteps": [*steps, *hooks]}}
        started = {"id": self._attempt, "attempt": 0, "testCaseId": self._case, "timestamp": _timestamp(self._now)}
        worker = {} if test["worker_id"] is None else {"workerId": test["worker_id"]}
        yield {"testCaseStarted": {**started, **worker}}
        yield self._attachment(TEST_ATTACHMENT, {"nodeid": self._source.row, **self._shown()})
        by_step = self._by_step(len(steps))
        for each in by_step.pop(-1, ()):
            yield self._placed(_attached(each))
        for place, (step, ran) in enumerate(zip(steps, self._scenario["steps"], strict=True)):
            yield from self._step(step["id"], ran, by_step.get(place, ()))
        for hook in hooks:
            failed = {"status": "errored", "duration_ms": 0.0, "message": test["traceback"], "checks": ()}
            yield from self._step(hook["id"], failed)
        ended = {"testCaseStartedId": self._attempt, "timestamp": _timestamp(self._now), "willBeRetried": False}
        yield {"testCaseFinished": ended}

    def _by_step(self, steps: int) -> dict[int, list[Json]]:
        """What was attached, by the place of its step; -1 where it has none."""
        found: dict[int, list[Json]] = {}
        for each in self._source.attachments:
            place = each.get("step", -1)
            found.setdefault(place if 0 <= place < steps else -1, []).append(each)
        return dict(sorted(found.items()))

    def _hooks(self) -> Iterator[dict[str, Any]]:
        """A step for what failed beside the steps: readers of the protocol see no other verdict than that of steps."""
        told = any(_STATUS[step["status"]] in _BAD for step in self._scenario["steps"])
        if self._source.test["outcome"] in ("failed", "errored") and not told:
            yield {"id": self._ids.get_next_id(), "hookId": self._ids.get_next_id()}

    def _shown(self) -> dict[str, Any]:
        """What the protocol has no place for; of attachments, all but the bodies, which follow in their order."""
        scenario = {**self._source.gherkin["scenario"], "nodeid": self._source.row}
        in_order = chain.from_iterable(self._by_step(len(scenario["steps"])).values())
        heads = [{**each, _content(each): None} for each in in_order]
        shown = {"feature": self._source.gherkin["feature"], "scenario": scenario}
        return {**shown, "attachments": heads} if heads else shown

    def _step(self, step: str, ran: Json, attached: Iterable[Json] = ()) -> Iterator[dict[str, Any]]:
        place = {"testCaseStartedId": self._attempt, "testStepId": step}
        yield {"testStepStarted": {**place, "timestamp": _timestamp(self._now)}}
        for each in attached:
            yield self._placed({**_attached(each), "testStepId": step})
        for check in ran["checks"]:
            yield self._attachment(VERDICT_ATTACHMENT, self._verdict(check), step)
        self._now += ran["duration_ms"] / 1000
        result: dict[str, Any] = {"duration": _duration(ran["duration_ms"]), "status": _STATUS[ran["status"]]}
        if ran["message"]:
            result["message"] = ran["message"]
        yield {"testStepFinished": {**place, "testStepResult": result, "timestamp": _timestamp(self._now)}}

    def _verdict(self, check: Json) -> dict[str, Any]:
        """What the engine says of an expectation, without the messages behind it."""
        number, index = check["scenario"], check["handle"]
        handle = self._source.test["scenarios"][number]["handles"][index]
        note = {
            key: value for key, value in self._source.details[number]["handles"][index].items() if key != "messages"
        }
        facts = {name: handle[name] for name in _FACTS if handle.get(name) is not None}
        return {"nodeid": self._source.row, **check, **facts, "note": note}

    def _attachment(self, name: str, body: Json, step: str | None = None) -> dict[str, Any]:
        content = {"body": document_json(body), "contentEncoding": "IDENTITY"}
        place = {} if step is None else {"testStepId": step}
        return self._placed({**content, "mediaType": "application/json", "fileName": name, **place})

    def _placed(self, attachment: Json) -> dict[str, Any]:
        return {"attachment": {**attachment, "testCaseStartedId": self._attempt}}


def _content(attachment: Json) -> str:
    return "text" if "text" in attachment else "base64"


def _attached(attachment: Json) -> dict[str, Any]:
    """What a test attached, as the protocol has it; a line says what is missing."""
    body, media_type, encoding = attachment[_content(attachment)], attachment["media_type"], "IDENTITY"
    if body is None:
        body, media_type = f"[left out: {attachment['size']} bytes are too many for a report]", "text/plain"
    elif "base64" in attachment:
        encoding = "BASE64"
    elif attachment["cut"]:
        body += f"\n[cut: the first part of {attachment['size']} bytes]"
    # the names of our own attachments are how they are found again
    is_named = attachment["name"] not in ("", TEST_ATTACHMENT, VERDICT_ATTACHMENT)
    name = {"fileName": attachment["name"]} if is_named else {}
    return {"body": body, "contentEncoding": encoding, "mediaType": media_type, **name}


def _timestamp(seconds: float) -> dict[str, int]:
    whole = int(seconds)
    return {"seconds": whole, "nanos": int((seconds - whole) * 1e9)}


def _duration(milliseconds: float) -> dict[str, int]:
    return _timestamp(milliseconds / 1000)
