"""From behave's model of what it ran to ours. Proven with behave 1.3.3."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from behave.model_type import Status

from choreo_bdd.redaction import Redactor
from choreo_bdd_project.frameworks.behave_model import head_of, scenario_of
from choreo_bdd_project.gherkin import step as project
from choreo_bdd_project.gherkin.places import relative
from choreo_bdd_project.gherkin.scenario import scenario_nodeid
from choreo_bdd_reporter.frameworks.gherkin import feature_of, gherkin_of, step_of
from choreo_bdd_reporter.model.limits import clean_text
from choreo_bdd_reporter.model.schema_types import TestOutcome
from choreo_bdd_reporter.model.tests import SESSION_NODEID, GherkinScenario, Step, StepStatus, Test
from choreo_bdd_reporter.record.masking import masked, masked_feature, masked_gherkin, masked_or_none
from choreo_bdd_reporter.record.output import CapturedOutput
from choreo_bdd_reporter.record.recorder import TestRecord

_STEP_STATUS: dict[Status, StepStatus] = {
    Status.passed: "passed",
    Status.xfailed: "passed",
    Status.xpassed: "passed",
    Status.pending_warn: "passed",
    Status.failed: "failed",
    Status.error: "errored",
    Status.hook_error: "errored",
    Status.cleanup_error: "errored",
    Status.pending: "errored",
    Status.undefined: "undefined",
    Status.untested_undefined: "undefined",
    Status.skipped: "skipped",
}
_RAISED_BESIDE = ("HOOK-ERROR in ", "CLEANUP-ERROR in ")
"""How behave begins a line that it prints about what raised beside the steps, and says nowhere else."""
_STOPPED = "not run: behave had stopped at the first failure, as --stop asks"


def _uri(feature: Any) -> str:
    return clean_text(relative(feature.filename))


def was_selected(scenario: Any, config: Any) -> bool:
    """Whether a scenario that was not run should have been."""
    return scenario.status is Status.untested and bool(scenario.should_run(config))


def ran_test(
    feature: Any,
    scenario: Any,
    nodeid: str,
    record: TestRecord,
    output: CapturedOutput,
    *,
    steps: Sequence[Any] | None,
    stopped: bool,
) -> Test:
    """The test of a scenario; ``steps`` are those of an earlier attempt, which the scenario has forgotten.

    With ``stopped`` behave passed it over because it had been asked to.
    """
    ran = list(scenario.all_steps if steps is None else steps)
    redactor = record.redactor
    if scenario._row is not None:  # an example's cells stand in names and steps without their heading
        redactor.learn_secrets(dict(scenario._row.items()))
    # first: its tables name secrets that output repeats
    gherkin = masked_gherkin(redactor, _gherkin(feature, scenario, ran))
    outcome = "skipped" if stopped else _outcome(scenario, record)
    traceback = masked_or_none(redactor, _failure_text(scenario, ran))
    captured = scenario.captured
    printed = {"stdout": captured.stdout, "stderr": captured.stderr, "log": captured.log}
    kept = output.take(nodeid, printed, redactor, failed=outcome in ("failed", "errored"))
    return Test(
        nodeid=nodeid,
        file=_uri(feature),
        name=masked(redactor, scenario.name.strip()),
        outcome=outcome,
        markers=tuple(sorted(masked(redactor, str(tag)) for tag in scenario.effective_tags)),
        duration_ms=max(0.0, scenario.duration * 1000),
        traceback=traceback,
        stdout=kept["stdout"],
        stderr=kept["stderr"],
        log=kept["log"],
        skip_reason=_STOPPED if stopped else _skip_reason(scenario, redactor) if outcome == "skipped" else None,
        scenarios=record.scenarios,
        feature=masked_feature(redactor, feature_of(head_of(feature))),
        gherkin=gherkin,
    )


def _outcome(scenario: Any, record: TestRecord) -> TestOutcome:
    status = _STEP_STATUS.get(scenario.status, "untested")
    if status == "skipped":
        return "skipped"
    if status == "failed":
        return "failed"
    if status != "passed":
        return "errored"
    slow = any(item.document["outcome"] == "slow" for item in record.scenarios)
    return "slow" if slow else "passed"


def _failure_text(scenario: Any, steps: Iterable[Any]) -> str | None:
    parts = [] if not scenario.error_message else [scenario.error_message]
    for step in steps:
        if step.status in (Status.undefined, Status.untested_undefined):
            parts.append(step.error_message or f"{step.location}: undefined step: {step.keyword} {step.name}")
        elif step.error_message:
            parts.append(f"{step.location}: {step.keyword} {step.name}\n{step.error_message}")
    if not parts and _STEP_STATUS.get(scenario.status) == "errored":
        parts = [line for line in scenario.captured.stdout.splitlines() if line.startswith(_RAISED_BESIDE)]
        parts = parts or ["a hook or a clean-up function raised"]
    return "\n\n".join(parts) or None


def _skip_reason(scenario: Any, redactor: Redactor) -> str:
    return f"Skipped: {masked(redactor, scenario.skip_reason)}" if scenario.skip_reason else "Skipped"


def container_test(feature: Any, container: Any) -> Test:
    """A feature or rule whose own hooks or clean-ups failed, as an errored test beside its scenarios."""
    uri = _uri(feature)
    name = f"{container.keyword}: {container.name}"
    text = container.error_message or "a clean-up function raised"
    return Test(
        nodeid=clean_text(scenario_nodeid(uri, name, container.line)),
        file=uri,
        name=masked(Redactor(), name),
        outcome="errored",
        traceback=masked(Redactor(), text),
    )


def aborted_before_start() -> Test:
    """An errored test that stands for a run without any."""
    text = "the run was broken off before its first feature: the before_all hook failed, or the user stopped it"
    return Test(nodeid=SESSION_NODEID, file="", name="", outcome="errored", traceback=text)


def _gherkin(feature: Any, scenario: Any, ran: Iterable[Any]) -> GherkinScenario:
    read = scenario_of(feature, scenario)
    steps = (_step(step, each) for step, each in zip(read.steps, ran, strict=True))
    effective = map(str, scenario.effective_tags)
    return gherkin_of(read, tags=tuple(str(tag) for tag in scenario.tags), effective=effective, steps=steps)


def _step(step: project.Step, ran: Any) -> Step:
    return step_of(
        step,
        status=_STEP_STATUS.get(ran.status, "untested"),
        duration_ms=max(0.0, ran.duration * 1000),
        message=_message(ran),
    )


def _message(ran: Any) -> str | None:
    text = ran.error_message or ""
    said = text.removeprefix("ASSERT FAILED: ")
    return said or ("AssertionError without a message" if text else None)
