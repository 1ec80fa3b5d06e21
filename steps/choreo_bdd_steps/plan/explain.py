"""What a scenario will do, told ahead: phases, what is armed where, budgets, timeouts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from choreo_bdd_project.config import Config, ConfigError
from choreo_bdd_project.gherkin.errors import FeatureError
from choreo_bdd_project.gherkin.feature import parse_feature, read_feature
from choreo_bdd_project.gherkin.places import project_of
from choreo_bdd_project.gherkin.scenario import Scenario
from choreo_bdd_project.harnesses import build_contract
from choreo_bdd_project.own_steps import OwnSteps, read_own_steps
from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.language.extensions import declared
from choreo_bdd_steps.plan.plan import Plan, PlannedStep, make_plan
from choreo_bdd_steps.plan.settings import Settings, configuration, settings_for
from choreo_bdd_steps.vocabulary.expectation_spec import ExpectationSpec


def explain_file(path: Path, line: int | None = None, profile: str | None = None) -> str:
    """The plans of a feature file's scenarios, or of the one a line belongs to. Connects to nothing.

    Raises ``StepError`` where there is no scenario to read, ``FeatureError`` where there is no feature, and
    ``ConfigError`` for a broken configuration.
    """
    config = configuration(path.resolve().parent, profile, offline=True)
    build_contract(config)  # complains of a contract that a run could not begin with
    scenarios = read_feature(path).scenarios
    if line is not None:
        begins = max((each.begins_at for each in scenarios if each.begins_at <= line), default=None)
        scenarios = tuple(each for each in scenarios if each.begins_at == begins)
    if not scenarios:
        raise StepError(f"{path}:{line or 1}", "there is no scenario here")
    own = read_own_steps(project_of(path))
    with declared(own.matchers, own.functions):
        told = ["\n".join(_explain(config, each, own, f"{path.as_posix()}:{each.begins_at}")) for each in scenarios]
    return "\n\n".join(told)


def told_of(text: str, path: Path, line: int, config: Config, own: OwnSteps) -> list[str]:
    """What the plans of a text say of the step in a line, once for all rows and transports that say the same.

    Nothing where the text is no feature, or no scenario has the step.
    """
    try:
        scenarios = parse_feature(text, path).scenarios
    except FeatureError:
        return []
    told: dict[str, None] = {}
    for scenario in scenarios:
        if not any(step.line == line for step in scenario.steps):
            continue
        with declared(own.matchers, own.functions):
            plan = make_plan(own.marked(scenario.steps), scenario.transport or config.default_transport, config.called)
            told |= dict.fromkeys(_told(plan, line, _settings(config, scenario)))
    return list(told)


def _settings(config: Config, scenario: Scenario) -> Settings:
    try:
        return settings_for(config, scenario.tags)
    except ConfigError:
        return settings_for(config, ())  # lint tells what is wrong with the tag


def _told(plan: Plan, line: int, settings: Settings) -> Iterator[str]:
    step = next(each for each in plan.steps if each.call.line == line)
    opening = _opening(plan, [each for each in plan.steps if each.phase == step.phase])
    if opening is step:
        yield f"Phase {step.phase + 1} begins here. Armed and proven live before it:"
        yield from (f"- {_armed(plan, step, check, settings)}" for check in plan.checks(step.phase))
    elif opening is not None and step in plan.checks(step.phase):
        yield f"Phase {step.phase + 1}, armed before line {opening.call.line}: {_armed(plan, opening, step, settings)}"


def _explain(config: Config, scenario: Scenario, own: OwnSteps, place: str) -> Iterator[str]:
    settings = settings_for(config, scenario.tags)
    default = scenario.transport or config.default_transport
    plan = make_plan(own.marked(scenario.steps), default, config.called)
    used = plan.transports or (default,)
    yield f"{place}  {scenario.name}"
    yield (
        f"  profile {config.profile}; transport {', '.join(_transport(config, name) for name in used)}; "
        f"timeout {_duration(settings.timeout_s)}; a message over its budget {_slow(settings)}"
    )
    for phase, steps in groupby(plan.steps, key=lambda step: step.phase):
        yield f"  phase {phase + 1}"
        yield from _phase(plan, list(steps), settings)


def _phase(plan: Plan, steps: Sequence[PlannedStep], settings: Settings) -> Iterator[str]:
    opening = _opening(plan, steps)
    for step in steps:
        if step is opening:
            yield "    armed and proven live here:"
            yield from (f"      {_armed(plan, opening, check, settings)}" for check in plan.checks(step.phase))
        own = "" if step.act is not None else f"   ({_own(step)})"
        yield f"    line {step.call.line}: {step.call.keyword} {step.call.text}{own}"


def _own(step: PlannedStep) -> str:
    return "an act of your own: times count from its end, or from mark()" if step.is_own_act else "a step of your own"


def _opening(plan: Plan, steps: Sequence[PlannedStep]) -> PlannedStep | None:
    """The step before which the phase's checks are armed: its first publish or act, or the scenario's first step."""
    phase = steps[0].phase
    if not plan.checks(phase):
        return None
    return next((step for step in steps if step.triggers), steps[0])


def _armed(plan: Plan, opening: PlannedStep, check: PlannedStep, settings: Settings) -> str:
    spec, line = check.spec, f"line {check.call.line}"
    if spec is None:
        return f"{line}: cannot be armed: {check.unread}"
    places = [f"{_topic(each)} on {each.transport or check.default_transport}" for each in spec.parts]
    facts = [_often(spec), *_time(spec, settings, _last(plan, check.phase))]
    awaited = sorted(spec.needs & plan.assigned_between(opening.index, check.index))
    if awaited:
        facts.append(f"judged when {', '.join(awaited)} is known")
    return f"{line}: {(', then ' if spec.then else ', ').join(places)}: {'; '.join(facts)}"


def _often(spec: ExpectationSpec) -> str:
    if spec.is_rest:
        return "no other than earlier checks have taken"
    return ("another, " if spec.untaken else "") + str(spec.occurs)


def _topic(spec: ExpectationSpec) -> str:
    if spec.is_response:
        return f"the response of {spec.topic}"
    return "the reply" if spec.is_reply else f'"{spec.topic}"'


def _last(plan: Plan, phase: int) -> PlannedStep | None:
    return next((step for step in reversed(plan.steps) if step.phase == phase and step.triggers), None)


def _time(spec: ExpectationSpec, settings: Settings, last: PlannedStep | None) -> Iterator[str]:
    end = spec.chain[-1]
    if spec.is_response:
        yield (
            "it is there when the call ends"
            if end.budget_s is None
            else (f"budget {_duration(end.budget_s)} from when the request leaves")
        )
        return
    if end.budget_s is not None:
        what = "message" if spec.then and end.budget_topic == spec.topic else "publish"
        yield f"budget {_duration(end.budget_s)} from {_anchor(what, end.budget_topic, last)}"
    if end.earliest_s is not None:
        yield f"too early before {_duration(end.earliest_s)}"
    if end.occurs.waits_the_window_out:
        window = spec.patience(settings.timeout_s)
        since = "" if end.window_topic is None else f" from {_anchor('publish', end.window_topic, last)}"
        yield f"watched for {_duration(window)}{since}"
    else:
        yield f"timeout {_duration(spec.patience(settings.timeout_s))}"


def _anchor(what: str, topic: str | None, last: PlannedStep | None) -> str:
    if topic is not None:
        return f'the {what} of "{topic}"'
    if last is None or last.publishes:
        return "the phase's last publish"
    return f"the end of the {last.deed} in line {last.call.line}"


def _transport(config: Config, name: str) -> str:
    known = config.transports.get(name)
    return f"{name} (not in this profile)" if known is None else f"{name} ({known.type})"


def _slow(settings: Settings) -> str:
    return "fails" if settings.slow == "fail" else "passes with a warning"


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s"
