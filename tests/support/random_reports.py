"""Random small reports that are valid and hold whatever the schema allows: a page has to cope with each of them."""

from __future__ import annotations

import pickle
from functools import cache
from random import Random
from typing import Any

from choreo_bdd_reporter.documents.results import row_ids
from tests.support.page_builders import (
    Json,
    a_description,
    a_feature,
    a_handle,
    a_scope,
    a_span,
    a_step,
    a_stray,
    a_test,
    an_event,
    gherkin_of,
    results_of,
)

_TEXTS = (
    "", " ", "orders", "orders.created", "a b", "<root>", "<b>", "&amp;", "\u202eabc", "שלום", "🙂", "constructor",
    "__proto__", "toString", "null", "0", "x" * 300, "a\nb", "%0A", "#", "a::b", "orders/{id}", "\u2400", "'\"`", "…",
)  # fmt: skip
_NUMBERS = (0, 1, -1, 1.0, 0.5, -0.0, 1e-9, 1e21, 1e300, 2**53 + 1, -(2**70), 12.345678901234567)
_STEPS = (0, 0.0001, 0.5, 40, 5_000, -3)
"""From one event to the next: several at once, and a stamp of the kernel that is older than ours."""
_TIMES = (0, 0.0, 0.0004, 0.9996, 1, 59.9996, 999.9996, 60_000, 1e9)
_KINDS = ("missing", "mismatch", "type_mismatch", "predicate", "composed")
_OUTCOMES = ("passed", "failed", "errored", "skipped", "slow")
_SCOPES = ("pass", "fail", "timeout", "slow")
_ACTIONS = ("published", "received", "matched", "mismatched", "deadline", "correlation_skipped", "replied",
            "reply_failed")  # fmt: skip
_STATES = ("armed_no_match", "armed_matcher_mismatched", "replied", "reply_failed")
_TRANSPORTS = ("nats", "kafka", "a-1", "Z_")
_BUSES = {"nats": "nats", "a-1": "nats", "Z_": "kafka"}
_ENDS = ("2027-03-04T09:12:08.328500+00:00", "2027-03-04T08:12:00+00:00")
"""The second by a clock that was set back meanwhile."""
_WHY = ("late", "foreign", "no_id", "wrong_topic", "returned", "undecodable", "something else")
_MARKERS = (
    {"_truncated": True, "_original_bytes": 9_000, "_head": '{"a'}, {"_truncated": True, "_head": "<too deep>"},
    {"_unserialisable": True, "_repr": "b'\\x00a'"}, {"_unserialisable": True, "_repr": "1E+400"},
    {"_unserialisable": True, "_repr": "nan"}, {"_unserialisable": True, "_repr": {"_truncated": True, "_head": "b'"}},
)  # fmt: skip

_PAYLOADS = (
    "{}",
    "[1.0,-0.0,9007199254740993,1E+400]",
    '{"_unserialisable":true,"_repr":"b\'\\\\x00a\'"}',
    '"\\ud83d"',
)
_CLASSES = ("unknown_scope", "timeout_race", "no_correlation_field", "no_extractor")


def a_report(seed: int) -> tuple[Any, Any]:
    """Results and what stands beside them; the same for one seed, and a copy that may be changed."""
    made: tuple[Any, Any] = pickle.loads(_pickled(seed))
    return made


@cache
def _pickled(seed: int) -> bytes:
    """To draw a report takes some times as long as to read it."""
    return pickle.dumps(_Made(Random(seed)).report())


class _Made:
    """Draws each part from one source of chance."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._pick = rng.choice

    def report(self) -> tuple[Any, Any]:
        tests = [self._test(number) for number in range(self._rng.randrange(7))]
        is_stage = any(scope.get("stage") for test in tests for scope in test["scenarios"])
        buses: Json = {"transport": None, "transports": sorted(_TRANSPORTS)} if is_stage else {"transport": "nats"}
        broken_off = {"workers": 2, "incomplete_workers": self._pick(([], ["gw1"]))}
        facts = {"xdist": self._pick((None, broken_off)), "truncated": self._pick((True, False)),
                 "project_name": self._maybe(self._text), "git_sha": self._maybe(self._text),
                 "environment": self._maybe(self._text), "duration_ms": self._pick(_TIMES),
                 "finished_at": self._pick(_ENDS)}  # fmt: skip
        results = results_of(tests, **facts, **buses)
        if not is_stage:
            del results["run"]["transports"]
        return results, self._gherkin(tests)

    def _maybe(self, draw: Any) -> Any:
        return draw() if self._rng.random() < 0.6 else None

    def _text(self) -> str:
        return self._pick(_TEXTS)

    def _value(self, depth: int = 0) -> Any:
        kind = self._rng.randrange(7 if depth < 3 else 4)
        if kind < 2:
            return self._text()
        if kind < 4:
            return self._pick((*_NUMBERS, None, True, False))
        if kind == 4:
            return [self._value(depth + 1) for _ in range(self._rng.randrange(4))]
        if kind == 5:
            return {self._text(): self._value(depth + 1) for _ in range(self._rng.randrange(4))}
        return self._pick(_MARKERS)

    def _failure(self, depth: int = 0) -> Json:
        found: Json = {"kind": self._pick(_KINDS), "path": self._pick((*_TEXTS, "all_of", "any_of", "a.0.b")),
                       "expected": self._pick((self._value(), {"gt": self._value()}, {"in": self._value()})),
                       "actual": self._value()}  # fmt: skip
        if depth < 3 and self._rng.random() < 0.3:
            found["children"] = [self._failure(depth + 1) for _ in range(self._rng.randrange(3))]
        return found

    def _handle(self, *, on_stage: bool) -> Json:
        outcome = self._pick(_SCOPES)
        failures = [self._failure() for _ in range(self._rng.randrange(3))] if outcome == "fail" else []
        where = {"transport": self._pick(_TRANSPORTS)} if on_stage else {}
        latency, budget = self._pick(_TIMES), self._pick((None, *_TIMES))
        return a_handle(
            self._text(), outcome, latency, latency if outcome == "slow" else budget,
            expected=self._value(), actual=self._maybe(self._value), attempts=max(1, len(failures)),
            matcher_description=self._text(), reason=self._text(), truncated=self._pick((True, False)),
            failure=failures[-1] if failures else None, failures=failures, failures_dropped=self._pick((0, 3)), **where,
        )  # fmt: skip

    def _event(self, at: float, *, on_stage: bool) -> Json:
        where = {"transport": self._pick(_TRANSPORTS), "source": self._pick(("publish", "expect", "reply", "scope"))}
        action = self._pick(_ACTIONS)
        topic = None if on_stage and self._rng.random() < 0.1 else self._text()
        detail = self._pick((*(text[:100] for text in _TEXTS), "trigger=orders", "reply=orders", "timeout_ms=5"))
        return an_event(at, action, topic, detail, **(where if on_stage else {}))

    def _scope(self) -> Json:
        on_stage = self._rng.random() < 0.4
        at, timeline = 0.0, []
        for _ in range(self._rng.randrange(12)):
            at = max(0, at + self._pick(_STEPS))
            timeline.append(self._event(at, on_stage=on_stage))
        handles = [self._handle(on_stage=on_stage) for _ in range(self._rng.randrange(4))]
        hashes = dict.fromkeys(self._rng.sample(_TRANSPORTS, 2), "sha256:0123456789abcdef")
        stage = {"stage": {"bridge_class": "B", "transports": sorted(_TRANSPORTS), "correlation_ids": hashes}}
        replies = [self._reply(on_stage=on_stage) for _ in range(self._rng.randrange(3))]
        return a_scope(
            self._pick(_SCOPES), handles, timeline, name=self._text(), correlation_id=self._maybe(self._text),
            completed_normally=self._pick((True, False)), timeline_dropped=self._pick((0, 7)), replies=replies,
            summary_text=self._text(), duration_ms=self._pick(_TIMES), **(stage if on_stage else {}),
        )  # fmt: skip

    def _reply(self, *, on_stage: bool) -> Json:
        sides = ("trigger_transport", "response_transport") if on_stage else ()
        return {
            "trigger_topic": self._text(), "reply_topic": self._text(), "state": self._pick(_STATES),
            "matcher_description": self._text(), "candidate_count": 2, "match_count": 1,
            "reply_published": self._pick((True, False)), "builder_error": self._maybe(self._text),
            "correlation_overridden": self._pick((True, False)), **{side: self._pick(_TRANSPORTS) for side in sides},
        }  # fmt: skip

    def _test(self, number: int) -> Json:
        name = self._text()
        return a_test(
            name, self._pick(_OUTCOMES), [self._scope() for _ in range(self._rng.randrange(3))],
            nodeid=self._pick((f"f::{name}", f"f::{number}", name)), file=self._pick((*_TEXTS, "features/a.feature")),
            duration_ms=self._pick(_TIMES), markers=[self._text()], traceback=self._maybe(self._text),
            stdout=self._text(), stderr=self._text(), log=self._text(), skip_reason=self._maybe(self._text),
            choreo_meta=self._pick((None, {"tags": [self._text()]}, {"timeout_ms": 0})),
            worker_id=self._pick((None, "gw0", "gw1")), **{"class": self._maybe(self._text)},
        )  # fmt: skip

    def _gherkin(self, tests: list[Json]) -> Any:
        if self._rng.random() < 0.3:
            return {}
        rows = dict(zip(row_ids(tests), tests, strict=True))
        described = [
            a_description(row, self._text(), [self._step() for _ in range(self._rng.randrange(3))],
                          tags=[self._text()], rule=self._maybe(self._text), description=self._text())
            for row in rows if self._rng.random() < 0.7
        ]  # fmt: skip
        details = {row: [self._notes(scope) for scope in test["scenarios"]] for row, test in rows.items()}
        attempts = {row: [self._attempt(test) for _ in range(self._rng.randrange(1, 3))]
                    for row, test in rows.items() if self._rng.random() < 0.4}  # fmt: skip
        features = [a_feature(self._text(), described)] if described else []
        attachments = {row: [self._attachment() for _ in range(self._rng.randrange(3))] for row in rows}
        return gherkin_of(features, details, attempts=attempts, buses=self._pick(({}, _BUSES)),
                          attachments=attachments, **self._of_the_run(list(rows)))  # fmt: skip

    def _of_the_run(self, rows: list[str]) -> Json:
        """What is told of the whole: how it ended, its contract, what proves nothing, and the runs before."""
        runs = [[f"2027-03-0{day}T08:00:00+00:00", self._maybe(self._text), True] for day in range(1, 4)]
        past = {row: ["".join(self._rng.choices("psfek.", k=3)), self._pick(("", "0 X", "W"))] for row in rows}
        told = {
            "exit": {"status": self._pick((None, 0, 1, 2)), "interrupted": self._pick((True, False))},
            "channels": {"spec": self._text(), "touched": [self._text()], "untouched": [self._text(), "unseen"]},
            "vacuity": [{"place": "a.feature:7", "nodeid": row, "reason": self._text()} for row in rows[:2]],
            "history": {"runs": runs, "ci": self._pick((True, False)), "tests": past},
            "causation": self._text(), "left_out": {"timelines": 3},
        }  # fmt: skip
        return {name: told[name] for name in told if self._rng.random() < 0.5}

    def _attachment(self) -> Json:
        content = self._pick(
            ({"text": self._text()}, {"base64": "iVBORw0KGgo="}, {"base64": None}, {"text": '{"a":1e400}'})
        )
        kind = self._pick(("text/plain", "application/json", "image/png", "text/x-ansi", "", "application/zip"))
        return {"name": self._text(), "media_type": kind, "size": self._pick((0, 9, 9_000_000)),
                "cut": self._pick((True, False)), "step": self._pick((None, 0, 7)), **content}  # fmt: skip

    def _attempt(self, test: Json) -> Json:
        """One that came before, with all that it did or with its outcome alone."""
        outcome = self._pick(_OUTCOMES)
        kept = {"test": {**test, "outcome": outcome}, "details": [self._notes(each) for each in test["scenarios"]]}
        return {"outcome": outcome, "reason": self._maybe(self._text), **(self._maybe(lambda: kept) or {})}

    def _step(self) -> Json:
        status = self._pick(("passed", "failed", "errored", "skipped", "undefined", "untested"))
        return a_step("Given", self._text(), status, docstring=self._maybe(self._text), message=self._maybe(self._text))

    def _notes(self, scope: Json) -> Json:
        messages = [
            {"topic": self._text(), "payload": place, "headers": {self._text(): self._text()}} for place in range(2)
        ]
        strays = [
            a_stray(self._pick(_WHY), self._pick(_TIMES), self._pick((-1, 0, 1)), -1, differences=[self._failure()])
            for _ in range(self._rng.randrange(3))
        ]
        failed = {"transport": self._pick(_TRANSPORTS), "topic": self._text(), "reason": self._text()}
        seen = {"topic": self._text(), "classification": self._pick((*_CLASSES, self._text())), "size": 43, "count": 2}
        outer = a_span(self._text() or "s", self._pick(_TIMES), id="a" * 16, topic=self._maybe(self._text))
        inner = a_span(
            "t", self._pick(_TIMES), id="b" * 16, parent=self._pick(("a" * 16, "b" * 16)), error="ValueError"
        )
        return {
            "surprises": [seen] * self._rng.randrange(2), "transport_failures": [failed] * self._rng.randrange(2),
            "left_out": self._pick(({}, {"handles": 3, "replies": 2, "transport_failures": 1, "strays": 4})),
            "transport": self._pick((None, *_TRANSPORTS)),
            "handles": [{"cause": self._maybe(self._text), "sentence": self._maybe(self._text),
                         "differences": [self._failure()]} for _ in scope["handles"]],
            "timeline": [self._pick((-1, 0, 1)) for _ in scope["timeline"]], "messages": messages,
            "payloads": [self._pick(_PAYLOADS), '"a"'], "strays": strays, "spans": [outer, inner],
        }  # fmt: skip
