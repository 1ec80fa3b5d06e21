"""Facts about a run as a whole, put together from several processes or shards."""

from __future__ import annotations

from typing import Any

from choreo_bdd import observers
from choreo_bdd_reporter.model.run_facts import merged_facts
from choreo_bdd_reporter.record.recorder import Recorder


def channels(spec: str, touched: list[str], untouched: list[str]) -> dict[str, Any]:
    return {"channels": {"spec": spec, "touched": touched, "untouched": untouched}}


def test_a_channel_is_touched_when_one_of_them_has_touched_it() -> None:
    one, other = channels("a.yaml", ["x"], ["y", "z"]), channels("a.yaml", ["z"], ["x", "y"])
    assert merged_facts([one, {}, other]) == channels("a.yaml", ["x", "z"], ["y"])


def test_documents_are_named_once_each() -> None:
    assert merged_facts([channels("a", ["x"], []), channels("b", [], ["y"])]) == channels("a, b", ["x"], ["y"])


def test_without_facts_there_are_none() -> None:
    assert merged_facts([{}, {"features": []}]) == {}


def test_the_recorder_keeps_what_was_said_last() -> None:
    recorder = Recorder()
    recorder.start()
    try:
        observers.note_run_fact("channels", 1)
        observers.note_run_fact("channels", 2)
    finally:
        recorder.stop()
    observers.note_run_fact("channels", 3)
    assert recorder.facts == {"channels": 2}


def test_warnings_of_vacuous_steps_are_gathered_and_each_is_told_once() -> None:
    first, second = ({"nodeid": n, "place": "a.feature:3", "reason": "checks nothing"} for n in ("a", "b"))
    assert merged_facts([{"vacuity": [first]}, {}, {"vacuity": [first, second]}]) == {"vacuity": [first, second]}


def test_secrets_in_what_is_said_of_the_run_are_masked() -> None:
    recorder = Recorder()
    recorder.run_fact("vacuity", [{"reason": "token=hunter22x"}])
    assert recorder.facts == {"vacuity": [{"reason": "token=<redacted>"}]}


def test_transports_of_all_shards_keep_the_kind_of_their_bus() -> None:
    assert merged_facts([{"buses": {"main": "nats"}}, {}, {"buses": {"main": "nats", "log": "kafka"}}]) == {
        "buses": {"main": "nats", "log": "kafka"}
    }
