"""behave: binds the vocabulary, and tells the engine about scenarios. Proven on behave 1.3.3.

In ``features/steps/choreo.py``::

    from choreo_bdd_steps.adapters.behave import use_choreo

    use_choreo()

behave loads it however little it is to run, so what a run needs is imported when the first scenario asks for it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import behave
from behave.matchers import get_step_matcher_factory
from behave.model_type import Status
from behave.parser import ParserError, parse_file
from behave.runner import the_step_registry
from msgspec import structs

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd_project.frameworks.behave_model import expand, scenario_of
from choreo_bdd_project.gherkin.bus_tags import buses
from choreo_bdd_project.gherkin.places import relative
from choreo_bdd_project.gherkin.scenario import Scenario
from choreo_bdd_project.gherkin.step import Step
from choreo_bdd_steps.adapters.behave_features import (
    UNREADABLE_STEP,
    fail_unreadable,
    is_outline,
    require_run,
    runs_nothing,
    watch_features,
)
from choreo_bdd_steps.adapters.behave_matching import PhraseMatcher, first_match, given
from choreo_bdd_steps.errors import CheckFailed, StepError
from choreo_bdd_steps.own_acts import act, is_act
from choreo_bdd_steps.vocabulary import PHRASES, Phrase, recognised

if TYPE_CHECKING:
    from choreo_bdd_steps.run.scenario_run import ScenarioInfo, ScenarioRun
    from choreo_bdd_steps.run.session import Session

PROVEN_ON = "1.3.3"
_DEFINES = ("choreo.profile", "choreo.slow", "choreo.chronicle")
_OF_OURS = re.compile(r"choreo[._-]", re.IGNORECASE)

__all__ = [
    "PROVEN_ON",
    "act",
    "before_scenario",
    "expand_buses",
    "read_feature",
    "scenario_run",
    "start_choreo",
    "use_choreo",
]

_sessions: WeakKeyDictionary[Any, Session] = WeakKeyDictionary()


def use_choreo() -> None:
    """Make the vocabulary available to this project's features; calling it again changes nothing."""
    factory = get_step_matcher_factory()
    users_own = factory.current_matcher
    factory.register_step_matcher_class(PhraseMatcher.NAME, PhraseMatcher, override=True)
    try:
        factory.use_step_matcher(PhraseMatcher.NAME)
        for phrase in PHRASES:
            # the decorators of the package itself: those of behave.step_registry land in a dead registry
            behave.step(phrase.regex)(_step_function(phrase))
        factory.use_step_matcher("parse")
        behave.step(UNREADABLE_STEP)(fail_unreadable)
    finally:
        factory.use_step_matcher(users_own.NAME)
    _watch_own_steps()
    watch_features(_start_for_empty)


def _watch_own_steps() -> None:
    """Have functions declared with ``@act`` run between what comes before and after an act, and none end the run."""
    find = the_step_registry.find_match
    if not isinstance(find, partial):
        the_step_registry.find_match = partial(_find_watched, find)


def _find_watched(find: Callable[[Any], Any], step: Any) -> Any:
    known = recognised(step.name)
    match = find(step) if known is None else first_match(step, known[0])
    if match is None:
        _suggest(step)
    elif match.func is not None and match.func.__module__ not in (__name__, fail_unreadable.__module__):
        held = _held(match.func)
        match.func = _accompanied(held, step.name) if is_act(held) else held
    return match


def _suggest(step: Any) -> None:
    """Have formatters tell of an undefined step what it probably should be, beside the Python that behave proposes."""
    from choreo_bdd_steps.lint.suggesting import undefined  # noqa: PLC0415 - see the module's docstring

    if (told := undefined(step.name)) is not None:
        step.error_message = f"{relative(step.filename)}:{step.line}: {told}"


def _held(function: Callable[..., object]) -> Callable[..., object]:
    """What a step exits is its scenario, as under pytest: behave would end there, and often green."""

    @wraps(function)
    def step(context: Any, *arguments: Any, **parameters: Any) -> object:
        try:
            return function(context, *arguments, **parameters)
        except SystemExit as error:
            told = f"a step has called sys.exit({_told(error.code)}); to fail, let it raise an error"
            raise StepError(_place(context.scenario), told) from error

    return step


def _told(code: object) -> str:
    return "" if code is None else repr(code)


def _accompanied(function: Callable[..., object], text: str) -> Callable[..., object]:
    @wraps(function)
    def step(context: Any, *arguments: Any, **parameters: Any) -> object:
        steps = list(context.scenario.all_steps)
        index = next((index for index, each in enumerate(steps) if each.status is Status.untested), None)
        if index is None or steps[index].name != text:
            raise _not_seen_ahead(context, "an act")
        run = scenario_run(context)
        run.begin_act(index)
        try:
            returned = function(context, *arguments, **parameters)
        except BaseException as error:
            run.fail_act(error)
            raise
        run.end_act()
        return returned

    return step


def _step_function(phrase: Phrase) -> Callable[..., None]:
    def step(context: Any, **parameters: str) -> None:
        try:
            scenario_run(context).perform(_position(context, phrase, parameters))
        except (StepError, CheckFailed) as error:
            raise error.with_traceback(None) from None  # the message says it all
        except ChoreoError as error:
            raise StepError(_place(context.scenario), str(error)) from None

    step.__doc__ = phrase.doc
    return step


def _position(context: Any, phrase: Phrase, parameters: Mapping[str, str]) -> int:
    """Which step of the scenario is running: the first without a verdict, unless that is another step."""
    for index, step in enumerate(context.scenario.all_steps):
        if step.status is Status.untested:
            known = recognised(step.name)
            if known is not None and known[0] is phrase and given(known[1]) == parameters:
                return index
            break
    raise _not_seen_ahead(context, "a step of the choreo vocabulary")


def _not_seen_ahead(context: Any, what: str) -> StepError:
    return StepError(
        _place(context.scenario),
        f"{what} was run by execute_steps(): it was not seen ahead, so nothing listened for its message in time. Write "
        f"the step into the scenario itself",
    )


def _place(scenario: Any) -> str:
    return f"{relative(scenario.filename)}:{scenario.line}"


def start_choreo(context: Any) -> Session:
    """The session of this run; made, and closed after the run, when it is first asked for."""
    config = context.config
    session = _sessions.get(config)
    if session is None:
        from choreo_bdd_steps.plan.settings import configuration  # noqa: PLC0415 - see the module's docstring
        from choreo_bdd_steps.run.session import Session  # noqa: PLC0415 - as above

        _require_known(config.userdata)
        profile = config.userdata.get("choreo.profile") or os.environ.get("CHOREO_PROFILE")
        session = _sessions[config] = Session(
            configuration(_start(config), profile), slow=config.userdata.get("choreo.slow")
        )
        context.add_cleanup(session.close, layer="testrun")
        context.add_cleanup(_tell, session.warnings, layer="testrun")
        expand_buses(context)
        _tell_of_empty(context, session)
    return session


def _require_known(userdata: Iterable[str]) -> None:
    """Raise ConfigError for a define of ours that nobody reads: the run would be another than was asked for."""
    for name in userdata:
        if _OF_OURS.match(name) and name not in _DEFINES:
            from difflib import get_close_matches  # noqa: PLC0415 - see the module's docstring

            from choreo_bdd_project.config_file import ConfigError  # noqa: PLC0415 - as above

            close = get_close_matches(name.lower(), _DEFINES, n=1, cutoff=0.85)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(_DEFINES)}"
            if close or name.startswith("choreo."):  # `choreo_env` may well be the project's own
                raise ConfigError(f"-D {name}: there is no such setting; {hint}")


def _start_for_empty(context: Any) -> None:
    """Begin the session for features of which no step will: those that run nothing are told of all the same."""
    if context.config not in _sessions and any(runs_nothing(context._runner.features, context.config)):
        start_choreo(context)


def _tell(warnings: list[str]) -> None:
    """behave keeps to itself what passing scenarios write, warnings included."""
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)


def _tell_of_empty(context: Any, session: Session) -> None:
    """What runs no step passes under behave, and no hook of ours runs in it."""
    for feature, scenario in runs_nothing(context._runner.features, context.config):
        try:
            require_run(feature, scenario)
            _note_vacuous(session, feature, scenario)
        except StepError as error:  # behave keeps to itself what is written while a step passes
            context.add_cleanup(_fail_run, context, error, layer="testrun")


def _note_vacuous(session: Session, feature: Any, scenario: Any) -> None:
    from choreo_bdd_steps.plan import vacuity  # noqa: PLC0415 - see the module's docstring

    if scenario is not None:
        reason = vacuity.without_rows(scenario.name) if is_outline(scenario) else vacuity.NO_STEPS
        session.scenario(_info_of(scenario_of(feature, scenario), ())).note_vacuous(_place(scenario), reason)
    elif session.config.vacuity == "error":
        raise StepError(_place(feature), vacuity.NO_SCENARIOS)
    elif session.config.vacuity == "warn":
        session.warnings.append(f"{_place(feature)}: {vacuity.NO_SCENARIOS}")


def expand_buses(context: Any) -> None:
    """Have each scenario tagged ``@bus(nats,kafka)`` run on every one of these transports, under a name of its own.

    For ``before_all``, where ``start_choreo`` does it, too; once a feature runs it is too late and nothing happens.
    """
    if getattr(context, "feature", None) is None:
        for feature in context._runner.features:
            expand(feature)


def _start(config: Any) -> Path:
    """Where to look for the configuration: from the features upwards."""
    for path in config.paths or ():
        place = Path(str(path).split(":")[0]).resolve()
        if place.exists():
            return place if place.is_dir() else place.parent
    return Path.cwd()


def scenario_run(context: Any) -> ScenarioRun:
    """The running scenario, for plain Python steps: its variables, and the session behind it."""
    run: ScenarioRun | None = getattr(context, "choreo", None)
    if run is None:
        info, session = _info(context), start_choreo(context)
        if buses(info.tags) and info.transport is None:
            raise StepError(
                _place(context.scenario),
                "a scenario with the tag @bus(…) runs on several transports, which has to be arranged before the "
                "first feature runs: let environment.py call choreo_bdd_steps.adapters.behave.expand_buses(context) "
                "in before_all(context)",
            )
        run = context.choreo = session.scenario(info)
        context.add_cleanup(_finish, context, run, layer="scenario")
    return run


def _finish(context: Any, run: ScenarioRun) -> None:
    scenario = context.scenario
    statuses = [step.status for step in scenario.all_steps]
    passed = next((index for index, status in enumerate(statuses) if status is not Status.passed), len(statuses))
    wrote = run.service_lines() if passed < len(statuses) else ""
    if wrote:
        context.attach("text/plain", f"what the services wrote while this scenario ran\n{wrote}".encode())
    try:
        run.finish(passed=passed, at_once=context._runner.aborted)
    except StepError as error:
        scenario.set_status(Status.failed)
        _fail_run(context, error)


def _fail_run(context: Any, error: StepError) -> None:
    """An error raised where no step runs would break formatters; told so, it fails the run."""
    print(f"error: {error}", file=sys.stderr)
    context._runner.hook_failures += 1


def before_scenario(context: Any) -> None:
    """Call it from ``before_scenario`` where a scenario's own Python steps act before its first library step."""
    scenario_run(context).listen()


def read_feature(path: Path) -> list[tuple[int, ScenarioInfo]]:
    """A feature file's scenarios as they would be run, each with the line it (or its outline) begins at.

    Raises ``StepError`` if there is no such file, or no feature in it.
    """
    try:
        feature = parse_file(str(path))
    except OSError as error:
        raise StepError(str(path), f"cannot be read: {error.strerror}") from error
    except (ParserError, UnicodeDecodeError) as error:
        raise StepError(str(path), f"is not a feature file: {error}") from error
    if feature is None:
        raise StepError(str(path), "holds no feature")
    expand(feature)
    runs = [scenario_of(feature, scenario) for scenario in feature.walk_scenarios()]
    return [(run.begins_at, _info_of(run, run.steps)) for run in runs]


def _info(context: Any) -> ScenarioInfo:
    require_run(context.feature, context.scenario)
    scenario, registry = scenario_of(context.feature, context.scenario), context._runner.step_registry

    def declared(step: Any) -> bool:
        match = None if recognised(step.name) is not None else registry.find_match(step)
        return match is not None and is_act(match.func)

    pairs = zip(scenario.steps, context.scenario.all_steps, strict=True)
    steps = tuple(structs.replace(each, is_act=True) if declared(step) else each for each, step in pairs)
    return _info_of(scenario, steps)


def _info_of(scenario: Scenario, steps: Sequence[Step]) -> ScenarioInfo:
    from choreo_bdd_steps.run.opening import ScenarioInfo  # noqa: PLC0415 - see the module's docstring

    return ScenarioInfo(
        name=scenario.name,
        nodeid=scenario.nodeid,
        steps=steps,
        tags=scenario.tags,
        transport=scenario.transport,
    )
