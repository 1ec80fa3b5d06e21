"""Replay: a scenario as its feature file has it now, on the traffic that was recorded."""

from __future__ import annotations

import itertools
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.redaction import Redactor
from choreo_bdd.shared.minted import claim
from choreo_bdd.transports.base import Transport
from choreo_bdd_project.config import Config, TransportConfig
from choreo_bdd_project.gherkin.feature import Feature, read_feature
from choreo_bdd_project.gherkin.places import project_of
from choreo_bdd_project.gherkin.scenario import Scenario
from choreo_bdd_project.own_steps import OwnSteps, read_own_steps
from choreo_bdd_steps.errors import CheckFailed, StepError
from choreo_bdd_steps.language.extensions import declared
from choreo_bdd_steps.lint.suggesting import did_you_mean
from choreo_bdd_steps.plan.plan import PlannedStep
from choreo_bdd_steps.plan.settings import configuration
from choreo_bdd_steps.recorded_file import RecordingError
from choreo_bdd_steps.recording import Recording
from choreo_bdd_steps.replaying.script import Script
from choreo_bdd_steps.replaying.virtual_loop import VirtualLoop
from choreo_bdd_steps.run.opening import ScenarioInfo
from choreo_bdd_steps.run.scenario_run import ScenarioRun
from choreo_bdd_steps.run.session import Session
from choreo_bdd_steps.vocabulary.acts import SetSeveral, SetText, SetUnique


class Replayed(Struct, frozen=True):
    """A scenario judged anew: ``failures`` are what its failing steps say, by line, in order; none where all pass.

    ``passed`` are the lines of the steps that passed, ``skipped`` of those that only a live run can carry out, and
    ``undefined`` of those among them that no Python code of the project defines.
    """

    recording: Recording
    scenario: Scenario
    passed: tuple[int, ...]
    skipped: tuple[int, ...]
    undefined: tuple[int, ...]
    failures: Mapping[int, str]

    @property
    def line(self) -> int | None:
        """Where its first failing step stands; ``None`` if none fails."""
        return next(iter(self.failures), None)

    @property
    def failure(self) -> str | None:
        """What that step says."""
        return next(iter(self.failures.values()), None)


def find_scenario(recording: Recording) -> Scenario:
    """The scenario as its file has it now; once what its configuration shows to be secret is declared.

    Raises ``RecordingError`` where it has none.
    """
    path = Path(recording.feature)
    feature = _feature_at(path)
    named = recording.scenario.partition("::")[2]
    # a recording has the name without what is secret in it
    names = [(Redactor().text(each.nodeid).partition("::")[2], each) for each in feature.scenarios]
    fitting = [(name, each) for name, each in names if named == name or _is_numbered(named, name)]
    longest = max((len(name) for name, _ in fitting), default=0)
    found = [each for name, each in fitting if len(name) == longest]
    if len(found) != 1:
        found = [each for each in feature.scenarios if any(step.line == recording.line for step in each.steps)]
    if len(found) != 1:
        raise RecordingError(
            f"{path}: there is no scenario {named!r} any more; the recording is of it, so keep its name while you edit"
        )
    if not found[0].steps:  # the first step misspelt, all of them are its description
        raise RecordingError(
            f"{path}:{found[0].line}: the scenario has no steps any more, so there is nothing to judge; a step begins "
            f"with Given, When, Then, And, But or *"
        )
    return found[0]


def _feature_at(path: Path) -> Feature:
    """What a recording names: it may come from anywhere, so of what is no feature nothing is shown."""
    if path.suffix == ".feature":
        try:
            return read_feature(path)
        except ChoreoError as error:
            raise RecordingError(str(error)) from error
    try:
        found = read_feature(path) if path.is_file() else None  # a device might never end
    except (ChoreoError, OSError, ValueError):
        found = None
    if found is None or not found.scenarios:
        raise RecordingError(f"{path}: expected the feature file of the recording, and this is none that can be read")
    return found


def _is_numbered(named: str, name: str) -> bool:
    """Whether it is the name with the parameters that pytest puts behind rows of examples that look alike."""
    return named.startswith(f"{name}[") and named.endswith("]")


class ReplayContext(Struct, frozen=True):
    """What stands around a recorded scenario now: configuration, and the user's own Python, read and not run."""

    config: Config
    own_steps: OwnSteps


class ReplayContexts:
    """Reads what stands around recordings once for each folder and profile."""

    def __init__(self) -> None:
        self._known: dict[tuple[Path, str], ReplayContext] = {}

    def of(self, recording: Recording) -> ReplayContext:
        """What stands around one. Raises ``ConfigError``."""
        folder = Path(recording.feature).resolve().parent
        key = (folder, recording.profile)
        if key not in self._known:
            own_steps = read_own_steps(project_of(Path(recording.feature)))
            self._known[key] = ReplayContext(configuration(folder, recording.profile, offline=True), own_steps)
        return self._known[key]


def replay(recording: Recording, scenario: Scenario, context: ReplayContext, *, to_the_end: bool = False) -> Replayed:
    """Judge a scenario on its recording; ``to_the_end`` judges the steps behind a failing one, too."""
    config, own = context.config, context.own_steps
    script = Script(recording)
    tokens = itertools.chain(recording.tokens, iter(lambda: os.urandom(12).hex(), None))

    def recorded(_: Config, transport: TransportConfig) -> Transport:
        part = script.transports.get(transport.name)
        if part is None:
            raise RecordingError(
                f"the recording holds nothing of the transport {transport.name!r}, which the scenario did not use then"
            )
        return part

    def token(_: int) -> str:
        claim(made := next(tokens))
        return made

    session = Session(
        config,
        make_transport=recorded,
        loop=VirtualLoop(),
        token=token,
        former={name: link.former for name, link in recording.links.items()},
    )
    info = ScenarioInfo(scenario.name, scenario.nodeid, own.marked(scenario.steps), scenario.tags, scenario.transport)
    try:
        with declared(own.matchers, own.functions), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _judged(session, info, recording, scenario, script, own=own, to_the_end=to_the_end)
    finally:
        session.close()


def _judged(
    session: Session,
    info: ScenarioInfo,
    recording: Recording,
    scenario: Scenario,
    script: Script,
    *,
    own: OwnSteps,
    to_the_end: bool,
) -> Replayed:
    run = ScenarioRun(session, info)
    passed: list[int] = []
    skipped: list[int] = []
    undefined: list[int] = []
    failures: dict[int, str] = {}
    for name in recording.variables.keys() - _set_by_steps(run):
        run.set_variable(name, recording.variables[name])  # a step of the user's own has set it
    # of a scenario with more steps, or fewer, nobody knows when each would have been reached
    reached = recording.reached if recording.steps == len(run.plan.steps) else {}
    for index, step in enumerate(run.plan.steps):
        if index in reached:
            session.run(script.reach(reached[index]))
        try:
            if step.act is None:
                _refuse_misspelt(step, own)
                skipped.append(step.call.line)
                undefined += [] if own.define(step.call.text.strip()) else [step.call.line]
                _pass_over(session, run, index, script)
                continue
            run.perform(index)
        except (CheckFailed, StepError, ChoreoError) as error:
            failures[step.call.line] = str(error)
            if not to_the_end:
                break
            continue
        passed.append(step.call.line)
        for name, value in _drawn(step, recording.variables):
            run.set_variable(name, value)
    run.finish(passed=len(passed), at_once=True)
    return Replayed(recording, scenario, tuple(passed), tuple(skipped), tuple(undefined), failures)


def _refuse_misspelt(step: PlannedStep, own: OwnSteps) -> None:
    """A sentence of ours with a typing error is no step of the user's own, which could be passed over."""
    text = step.call.text.strip()
    meant = None if own.define(text) else did_you_mean(text)
    if meant is not None:
        raise StepError(f"{step.call.file}:{step.call.line}", f"no step is defined as {text!r}; {meant}")


def _pass_over(session: Session, run: ScenarioRun, index: int, script: Script) -> None:
    """A step of the user's own does nothing here; one declared an act counts from when it did."""
    if not run.is_act(index):
        return
    run.begin_act(index)
    moment = script.cue(None, None)
    if moment is not None:
        session.run(_until(moment.done))
    run.end_act()


async def _until(moment: Any) -> None:
    await moment


def _set_by_steps(run: ScenarioRun) -> set[str]:
    return {name for step in run.plan.steps for name in step.assigns}


def _drawn(step: PlannedStep, recorded: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The variables of a step whose values no second run would draw again: as they were."""
    match step.act:
        case SetUnique(name=name):
            names: tuple[str, ...] = (name,)
        case SetText(name=name, text=text) if "(" in text and "{{" in text:
            names = (name,)
        case SetSeveral(table=table):
            names = tuple(row[0].strip() for row in table[1:] if "{{" in row[1] and "(" in row[1])
        case _:
            names = ()
    yield from ((name, recorded[name]) for name in names if name in recorded)
