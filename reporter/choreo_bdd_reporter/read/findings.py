"""What went wrong in an entry: each finding with its cause in a word or two and one plain sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from choreo_bdd.shared.counted import counted
from choreo_bdd_reporter.documents.tracebacks import has_traceback, line_of_exception
from choreo_bdd_reporter.model.schema_types import ResultsHandle, ResultsScenario
from choreo_bdd_reporter.read.entries import BROKEN_SCENARIOS, BROKEN_STEPS, BROKEN_TESTS, Entry

SHOWN_FINDINGS = 20
_WORST_FIRST = ("errored", "failed", "fail", "timeout", "slow", "pending")
_ABORTED = "aborted"
_CAUSES = {"silent_timeout": "nothing arrived", "near_miss": "wrong shape", "over_budget": "over budget"}

Finding = dict[str, Any]
"""``status``, ``cause`` and ``sentence``; ``topic``, ``part`` and ``handle`` or ``step`` where they are known."""


def outcome_of(entry: Entry) -> str:
    """The outcome as testers tell it apart: silence from a wrong message, and both from a late one."""
    outcome = str(entry.test["outcome"])
    if outcome != "failed":
        return outcome
    broken = [
        part["outcome"]
        for number, part in enumerate(entry.parts)
        if part["outcome"] in BROKEN_SCENARIOS and not _is_broken_off(entry, number, part)
    ]
    if broken:
        return "timeout" if all(each == "timeout" for each in broken) else "failed"
    return "slow" if _failed_by_budget(entry) else "failed"


def is_failing(entry: Entry) -> bool:
    """Whether the run counts the entry as broken, whatever word its outcome is shown under."""
    return entry.test["outcome"] in BROKEN_TESTS


def is_flaky(outcome: str, earlier: Iterable[str]) -> bool:
    """Whether a test has passed, in time or not, after an attempt at it that failed; all by their recorded outcomes."""
    return outcome in ("passed", "slow") and not BROKEN_TESTS.isdisjoint(earlier)


def is_unchecked(entry: Entry) -> bool:
    """Whether an expectation failed and nobody asked for its verdict."""
    failed_inside = any(part["outcome"] in BROKEN_SCENARIOS for part in entry.parts)
    return failed_inside and entry.test["outcome"] in ("passed", "slow")


def findings_of(entry: Entry) -> list[Finding]:
    """Worst and most certain first, at most ``SHOWN_FINDINGS``."""
    found = [*_handle_findings(entry), *_reply_findings(entry)]
    causes = {finding["cause"] for finding in found if finding["status"] not in ("slow", "pending")}
    explained = outcome_of(entry) == "slow" or (causes and not (causes == {_ABORTED} and _is_broken_elsewhere(entry)))
    if is_failing(entry) and not explained:
        found.insert(0, _test_finding(entry))
    return sorted(found, key=lambda finding: _WORST_FIRST.index(finding["status"]))[:SHOWN_FINDINGS]


def _is_broken_off(entry: Entry, number: int, part: ResultsScenario) -> bool:
    """Whether no expectation of a scope was missed but those that something else kept from being awaited."""
    broken = [index for index, handle in enumerate(part["handles"]) if handle["outcome"] in BROKEN_SCENARIOS]
    left = [_is_left(part, part["handles"][index], entry.note(number, index).get("cause")) for index in broken]
    return bool(left) and all(left) and _is_broken_elsewhere(entry)


def _is_left(part: ResultsScenario, handle: ResultsHandle, cause: str | None) -> bool:
    """Whether an expectation's scope ended before its time; where a transport is to blame, the cause says that."""
    return (cause or _cause(part, handle)) == _ABORTED or str(handle["reason"]).startswith(f"{_ABORTED}: ")


def _is_broken_elsewhere(entry: Entry) -> bool:
    """Whether a step broke that looked at no expectation or, without steps, an exception is told."""
    step = next((step for step in entry.steps if step.get("status") in BROKEN_STEPS), None)
    return bool(entry.test["traceback"]) if step is None else not step.get("checks")


def _failed_by_budget(entry: Entry) -> bool:
    slow = {
        (number, index)
        for number, part in enumerate(entry.parts)
        for index, handle in enumerate(part["handles"])
        if handle["outcome"] == "slow"
    }
    broken = [step for step in entry.steps if step.get("status") in BROKEN_STEPS]
    if not broken:
        return bool(slow) and "[SLOW]" in (entry.test["traceback"] or "")
    return all(
        any((check["scenario"], check["handle"]) in slow for check in step.get("checks") or ()) for step in broken
    )


def _handle_findings(entry: Entry) -> Iterator[Finding]:
    for number, part in enumerate(entry.parts):
        for index, handle in enumerate(part["handles"]):
            if handle["outcome"] != "pass":
                note = entry.note(number, index)
                finding = {
                    "status": handle["outcome"],
                    "cause": note.get("cause") or _cause(part, handle),
                    "sentence": note.get("sentence") or _sentence(handle),
                    "topic": handle["topic"],
                    "part": number,
                    "handle": index,
                }
                transport = handle.get("transport") or entry.bus(number)
                yield finding | ({"transport": transport} if transport else {})


def _cause(part: ResultsScenario, handle: ResultsHandle) -> str:
    if not part["completed_normally"] and handle["outcome"] == "timeout":
        return _ABORTED
    kind = handle["diagnosis"]["kind"]
    return _CAUSES.get(kind, str(kind))


def _sentence(handle: ResultsHandle) -> str:
    topic, outcome, latency, budget = handle["topic"], handle["outcome"], handle["latency_ms"], handle["budget_ms"]
    if outcome == "slow" and latency is not None and budget is not None:
        over = _ms(latency - budget)
        return f"the message on '{topic}' took {_ms(latency)}, {over} over the budget of {_ms(budget)}"
    if outcome == "timeout":
        return f"no message arrived on '{topic}' within {_ms(latency or 0.0)}"
    if outcome == "fail" and handle["attempts"]:
        count, reason = handle["attempts"], handle["reason"]
        return f"{counted(count, 'message')} arrived on '{topic}', none matched" + (f": {reason}" if reason else "")
    return str(handle["reason"] or f"the expectation on '{topic}' was not met")


def _ms(value: float) -> str:
    return f"{value:.3g} ms" if value < 100 else f"{value:.0f} ms"


def _reply_findings(entry: Entry) -> Iterator[Finding]:
    for number, part in enumerate(entry.parts):
        for reply in part["replies"]:
            if reply["state"] == "reply_failed":
                trigger, answer = reply["trigger_topic"], reply["reply_topic"]
                error = reply["builder_error"] or "an error"
                yield {
                    "status": "errored",
                    "cause": "reply failed",
                    "sentence": f"the reply to '{trigger}' failed with {error}; nothing was published on '{answer}'",
                    "topic": answer,
                    "part": number,
                }


def _suggested(entry: Entry, text: str) -> str | None:
    """What the run has said of a sentence that nobody defines, where it knew what was meant."""
    told = f"no step is defined as {text!r}; "
    lines = (entry.test["traceback"] or "").splitlines()
    return next((line[line.index(told) :] for line in lines if told in line), None)


def _test_finding(entry: Entry) -> Finding:
    """No expectation explains the verdict: the step's own message does, or the exception in its traceback."""
    broken = ((index, step) for index, step in enumerate(entry.steps) if step.get("status") in BROKEN_STEPS)
    index, step = next(broken, (None, None))
    said = line_of_exception(entry.test["traceback"]) or "it failed without a message"
    status = str(entry.test["outcome"])
    if step is None:
        return {"status": status, "cause": "error" if status == "errored" else "failed", "sentence": said}
    if step["status"] == "undefined":
        sentence = _suggested(entry, str(step["text"])) or f'no step matches "{step["keyword"].strip()} {step["text"]}"'
        return {"status": status, "cause": "undefined step", "sentence": sentence, "step": index}
    return {"status": status, "cause": "step failed", "sentence": _said(step.get("message")) or said, "step": index}


def _said(message: Any) -> str:
    """The first line of what a step says was wrong, or the exception that its traceback ends with."""
    text = str(message or "").strip("\n")
    if has_traceback(text):
        return line_of_exception(text)
    return next(iter(text.strip().splitlines()), "")
