"""Messages read back: what the page shows of Gherkin, and the streams of several runs as one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from choreo_bdd_reporter.documents.cucumber_messages import TEST_ATTACHMENT, VERDICT_ATTACHMENT
from choreo_bdd_reporter.documents.results import feature_documents
from choreo_bdd_reporter.model.notices import notice
from choreo_bdd_reporter.read.bounded_files import open_text, parse
from choreo_bdd_reporter.read.gherkin_check import is_test, is_verdict
from choreo_bdd_reporter.read.shapes import fits

_REFERENCES = ("id", "pickleId", "pickleStepId", "testCaseId", "testCaseStartedId", "testStepId", "astNodeId")
_LISTS = ("astNodeIds", "pickleStepIds")


class Moment(TypedDict):
    """A time of day as messages tell it."""

    seconds: int
    nanos: int


class RunFinished(TypedDict):
    """The last message of a run."""

    success: bool
    timestamp: Moment


def gherkin_from_messages(path: Path) -> dict[str, Any] | None:
    """Features, steps, verdicts and attachments, as far as attachments of our own tell of them; else ``None``."""
    collector = _GherkinCollector()
    for attachment in _attachments(path):
        collector.add(attachment)
    if not collector.described:
        return None
    details = {row: _details(found) for row, found in collector.notes.items()}
    known = {"features": feature_documents(collector.described), "details": details}
    return {**known, "attachments": collector.attached} if collector.attached else known


class _GherkinCollector:
    """What attachments have told so far: features with a scenario each, ``notes`` and ``attached`` by row id."""

    def __init__(self) -> None:
        self.described: list[tuple[Any, Any]] = []
        self.notes: dict[str, dict[tuple[int, int], Any]] = {}
        self.attached: dict[str, list[Any]] = {}
        self._to_come: dict[str, Iterator[Any]] = {}

    def add(self, attachment: Any) -> None:
        name, case = attachment.get("fileName"), str(attachment.get("testCaseStartedId"))
        if name == TEST_ATTACHMENT:
            if is_test(body := _body(attachment)):
                self._add_test(body, case)
        elif name == VERDICT_ATTACHMENT:
            if is_verdict(body := _body(attachment)):
                self.notes.setdefault(body["nodeid"], {})[body["scenario"], body["handle"]] = body["note"]
        elif head := next(self._to_come.get(case, iter(())), None):
            _fill(head, str(attachment.get("body") or ""))

    def _add_test(self, body: Any, case: str) -> None:
        self.described.append((body["feature"], body["scenario"]))
        if body.get("attachments"):
            self.attached[body["nodeid"]] = body["attachments"]
            self._to_come[case] = iter(body["attachments"])


def _attachments(path: Path) -> Iterator[dict[str, Any]]:
    told = (envelope.get("attachment") for envelope in read_envelopes(path))
    return (attachment for attachment in told if isinstance(attachment, dict))


def _body(attachment: Mapping[str, Any]) -> Any:
    """The JSON in an attachment, ``None`` where there is none."""
    try:
        return json.loads(str(attachment.get("body")))
    except (ValueError, RecursionError):
        return None


def _fill(head: dict[str, Any], body: str) -> None:
    """Put a body where it belongs, without the line that says that something is missing."""
    if "text" in head:
        head["text"] = body.rpartition("\n")[0] if head.get("cut") else body
    elif not head.get("cut"):
        head["base64"] = body


def _details(notes: dict[tuple[int, int], Any]) -> list[dict[str, Any]]:
    """Notes by scenario and handle as lists; those of expectations that no step declared are not known."""
    scenarios = 1 + max(number for number, _ in notes)
    lengths = [1 + max((index for at, index in notes if at == number), default=-1) for number in range(scenarios)]
    return [
        {"handles": [notes.get((number, index), {}) for index in range(length)], "timeline": []}
        for number, length in enumerate(lengths)
    ]


def read_envelopes(path: Path) -> Iterator[dict[str, Any]]:
    """The messages of a stream, whose last line may be cut off; what can be no message is passed over."""
    try:
        file = open_text(path, errors="replace")
    except OSError as error:
        notice(f"{path} cannot be read and is left out ({error.strerror})")
        return
    with file as lines:
        for line in lines:
            try:
                envelope = parse(line)
            except (OSError, ValueError, RecursionError):
                return
            if isinstance(envelope, dict):
                yield envelope


def merged_envelopes(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """One stream of several: one beginning, one end, and ids that are told apart by the number of their stream."""
    ends: list[dict[str, Any]] = []
    for number, path in enumerate(paths):
        for envelope in read_envelopes(path):
            if "testRunFinished" in envelope:
                if fits(envelope["testRunFinished"], RunFinished):
                    ends.append(envelope["testRunFinished"])
            elif number == 0 or not {"meta", "testRunStarted"} & envelope.keys():
                try:
                    yield renamed(envelope, f"{number}-")
                except RecursionError:
                    notice(f"{path}: a message is nested too deeply and is left out")
    if ends:
        last = max((end["timestamp"] for end in ends), key=lambda at: (at["seconds"], at["nanos"]))
        yield {"testRunFinished": {**ends[0], "success": all(end["success"] for end in ends), "timestamp": last}}


def renamed(node: Any, prefix: str) -> Any:
    """A message whose ids and references have a prefix; there is one run only, so its id stays."""
    if isinstance(node, list):
        return [renamed(child, prefix) for child in node]
    if not isinstance(node, dict):
        return node
    return {name: _renamed_value(name, value, prefix) for name, value in node.items()}


def _renamed_value(name: str, value: Any, prefix: str) -> Any:
    if name in _REFERENCES and isinstance(value, str):
        return prefix + value
    if name in _LISTS and fits(value, list[str]):
        return [prefix + each for each in value]
    if name == "testRunStarted":
        return value
    return renamed(value, prefix)
