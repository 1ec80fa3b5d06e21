"""What one phase of a pytest test contributes to the report, as plain data that can travel on a test report.

The process that runs a test makes the part and attaches it to pytest's own report of the phase. So a serial run, a
parallel one and a run with crashed workers all reach the report in the same way: phase report by phase report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd.redaction import Redactor
from choreo_bdd_reporter.frameworks.pytest.shared import ATTACHED, choreo_meta
from choreo_bdd_reporter.model.json_text import document_json, read_document
from choreo_bdd_reporter.model.limits import clean_text
from choreo_bdd_reporter.model.tests import Feature, GherkinScenario, RecordedScenario, Step
from choreo_bdd_reporter.record.masking import masked, masked_feature, masked_gherkin
from choreo_bdd_reporter.record.output import CapturedOutput
from choreo_bdd_reporter.record.recorder import TestRecord

PhaseFacts = dict[str, Any]

_ATTRIBUTE = "choreo_bdd_part"
_EARLIER_SECTIONS = pytest.StashKey[int]()
"""How much of what pytest has captured is of earlier attempts at the test."""


def attach(report: pytest.TestReport, part: PhaseFacts) -> None:
    """Put a part on a report; as JSON text, which every serialisation of reports can carry."""
    setattr(report, _ATTRIBUTE, document_json(part))


def detach(report: pytest.TestReport) -> PhaseFacts | None:
    """Take the part off a report; ``None`` for a report that has none, such as that of a crash."""
    text = report.__dict__.pop(_ATTRIBUTE, None)
    part: PhaseFacts | None = None if text is None else read_document(text)
    return part


def facts_of_phase(
    item: pytest.Item,
    report: pytest.TestReport,
    record: TestRecord,
    gherkin: tuple[Feature, GherkinScenario] | None,
    output: CapturedOutput,
) -> PhaseFacts:
    """The part of one phase: facts, failure text, captured text and the scenarios finished since the last one."""
    redactor = record.redactor
    if report.when == "setup":  # for all phases, which share a redactor
        _learn_parameters(item, redactor)
    before = (redactor.fields, redactor.stream_matches)
    part: PhaseFacts = {
        # first: its tables name secrets that failure text and output repeat
        "gherkin": None if gherkin is None else shown_gherkin(redactor, *gherkin),
        **_failure(report, redactor),
        "attachments": _attachments(item, redactor),
        "scenarios": [_sent(scenario) for scenario in record.scenarios],
        **item_facts(item, redactor),
    }
    own = [redactor.fields - before[0], redactor.stream_matches - before[1]]
    part["redacted"] = [own[0] + record.redacted_fields, own[1] + record.redacted_text]
    matches = redactor.stream_matches
    # captured text of all phases so far: pytest repeats earlier sections in each report, also those of earlier attempts
    streams = _streams(report.sections[item.stash.get(_EARLIER_SECTIONS, 0) :])
    is_last = report.when == "teardown"
    if is_last:
        item.stash[_EARLIER_SECTIONS] = len(report.sections)
    part["streams"] = output.take(item.nodeid, streams, redactor, failed=report.failed, last=is_last)
    part["streams_redacted"] = redactor.stream_matches - matches
    part["sections"] = len(report.sections)
    return part


def _attachments(item: pytest.Item, redactor: Redactor) -> list[dict[str, Any]]:
    attached = item.stash.get(ATTACHED, None)
    return [] if attached is None else attached.take(redactor)


def is_subtest(report: pytest.TestReport) -> bool:
    """Whether a report is of a subtest: of ``subtests``, or of unittest's ``subTest``."""
    return getattr(report, "context", None) is not None


def complete_subtest(report: pytest.TestReport, redactor: Redactor, output: CapturedOutput) -> None:
    """Add to the part of a subtest what pytest adds to its report last: its name, and what it printed itself."""
    part = detach(report)
    if part is None:
        return
    before = redactor.stream_matches
    if part["traceback"] is not None:
        part["traceback"] = f"subtest {redactor.text(_subtest_name(report))}\n{part['traceback']}"
    part["redacted"][1] += redactor.stream_matches - before
    before = redactor.stream_matches
    streams = _streams(report.sections[part["sections"] :])
    of_subtest = f"{report.nodeid} {_subtest_name(report)}"
    part["streams"] = output.take(of_subtest, streams, redactor, failed=report.failed)
    part["streams_redacted"] = redactor.stream_matches - before
    attach(report, part)


def _subtest_name(report: Any) -> str:
    message, values = report.context.msg, report.context.kwargs
    named = ", ".join(f"{name}={value}" for name, value in values.items())
    return " ".join(text for text in (message and f"[{message}]", named and f"({named})") if text) or "(unnamed)"


def item_facts(item: pytest.Item, redactor: Redactor) -> PhaseFacts:
    """Who a test is; its parameters, which may be secrets, stand in its name."""
    cls = getattr(item, "cls", None)
    return {
        "nodeid": redactor.text(clean_text(item.nodeid)),
        "file": clean_text(_file(item)),
        "name": redactor.text(clean_text(item.name)),
        "class": None if cls is None else cls.__name__,
        "markers": [redactor.text(marker.name) for marker in item.iter_markers()],
        "choreo_meta": _meta(item, redactor),
    }


def _meta(item: pytest.Item, redactor: Redactor) -> dict[str, Any] | None:
    meta = choreo_meta(item)
    if meta is None or "tags" not in meta:
        return meta
    return {**meta, "tags": [redactor.text(tag) for tag in meta["tags"]]}


def _learn_parameters(item: pytest.Item, redactor: Redactor) -> None:
    """A parameter called ``password`` stands without its name in the node id, and perhaps in what the test prints."""
    parameters = getattr(getattr(item, "callspec", None), "params", None)
    if parameters:
        redactor.learn_secrets(parameters)


def _sent(scenario: RecordedScenario) -> dict[str, Any]:
    """The scenario's fields by name; what they hold is its own and need not be copied."""
    return {each.name: getattr(scenario, each.name) for each in fields(scenario)}


def scenarios_of(part: PhaseFacts) -> list[RecordedScenario]:
    """The scenarios of a part."""
    return [RecordedScenario(**scenario) for scenario in part["scenarios"]]


def read_gherkin(shown: list[dict[str, Any]]) -> tuple[Feature, GherkinScenario]:
    """The Gherkin side from plain data."""
    feature, scenario = shown
    steps = tuple(Step(**{**step, "table": _tuples(step["table"])}) for step in scenario["steps"])
    hidden = tuple((number, line) for number, line in feature["hidden"])
    return Feature(**{**feature, "tags": tuple(feature["tags"]), "hidden": hidden}), GherkinScenario(
        **{**scenario, "tags": tuple(scenario["tags"]), "inherited": tuple(scenario["inherited"]), "steps": steps}
    )


def _tuples(table: list[list[str]] | None) -> tuple[tuple[str, ...], ...] | None:
    return None if table is None else tuple(tuple(row) for row in table)


def shown_gherkin(redactor: Redactor, feature: Feature, scenario: GherkinScenario) -> list[dict[str, Any]]:
    """The Gherkin side as plain data, masked."""
    shown = asdict(masked_gherkin(redactor, scenario))
    return [asdict(masked_feature(redactor, feature)), shown]


def _file(item: pytest.Item) -> str:
    return _within(item.path, item.config.rootpath) or Path(item.location[0]).as_posix()


@lru_cache(maxsize=256)
def _within(path: Path, root: Path) -> str | None:
    """Asked for every phase of every test, and slow to find out."""
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return None


def _failure(report: pytest.TestReport, redactor: Redactor) -> PhaseFacts:
    if report.outcome == "skipped":
        return {"traceback": None, "skip_reason": masked(redactor, skip_reason(report))}
    if report.outcome == "failed":
        return {"traceback": masked(redactor, report.longreprtext), "skip_reason": None}
    return {"traceback": None, "skip_reason": None}


def skip_reason(report: pytest.TestReport) -> str:
    """Why a phase was skipped; an expected failure gives its reason, not its traceback."""
    expected = getattr(report, "wasxfail", None)
    if expected is not None:
        return f"xfail: {expected}" if expected else "xfail"
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    return report.longreprtext


def _streams(sections: Sequence[tuple[str, str]]) -> dict[str, str]:
    return {
        name: "".join(text for title, text in sections if title.startswith(f"Captured {name}"))
        for name in ("stdout", "stderr", "log")
    }
