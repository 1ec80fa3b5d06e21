"""pytest-bdd: binds the vocabulary, collects feature files, and tells the engine about scenarios.

A ``pytest11`` plugin, so it is loaded at every start of pytest: whatever costs time is imported when it is first
needed. Proven on pytest-bdd 9.0.1 and pytest 9.2.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs
from pytest_bdd import step
from pytest_bdd.feature import features
from pytest_bdd.parser import Feature, Scenario, Step
from pytest_bdd.parsers import StepParser
from pytest_bdd.scenario import get_step_function, scenario_wrapper_template_registry

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd_project.frameworks.pytest_bdd_model import (
    BUS,
    buses_of,
    fill,
    is_of_its_row,
    scenario_of,
)
from choreo_bdd_project.gherkin.places import relative
from choreo_bdd_project.gherkin.scenario import OWN_TAG
from choreo_bdd_steps.adapters.pytest_bdd_features import (
    FeatureFile,
    begin_collection,
    drop_stubbed,
    drop_unasked,
    drop_unwanted,
    has_asked,
    is_asking,
    is_wanted,
    scenario_names,
    unasked,
)
from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.own_acts import is_act

if TYPE_CHECKING:
    from choreo_bdd_steps.run.scenario_run import ScenarioRun
    from choreo_bdd_steps.run.session import Session

PROVEN_ON = "9.0.1"

_SESSION: pytest.StashKey[Session] = pytest.StashKey()
_RUN: pytest.StashKey[ScenarioRun] = pytest.StashKey()
_POSITION: pytest.StashKey[int] = pytest.StashKey()
_PASSED: pytest.StashKey[int] = pytest.StashKey()
_BROKEN_OFF: pytest.StashKey[bool] = pytest.StashKey()
_BREAKS_OFF = (KeyboardInterrupt, SystemExit, pytest.exit.Exception)


# --- options ----------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """The library's options and settings."""
    group = parser.getgroup("choreo", "Gherkin for message-driven systems")
    group.addoption("--choreo-profile", metavar="NAME", help="profile of choreo.yaml to run with")
    group.addoption("--choreo-slow", choices=("fail", "warn"), help="what becomes of a step over its latency budget")
    parser.addini("choreo_features", "folders whose .feature files are collected directly", type="paths", default=[])
    parser.addini("choreo_tags", "tag expression that scenarios must satisfy, such as: not @slow", default="")


# --- steps ------------------------------------------------------------------------------------------------------------


class _Vocabulary(StepParser):
    """The whole vocabulary as one parser, so that looking a step up costs one fixture."""

    def __init__(self) -> None:
        super().__init__("choreo vocabulary")

    def is_matching(self, name: str) -> bool:
        from choreo_bdd_steps.vocabulary import recognise_text  # noqa: PLC0415 - see the module's docstring

        return recognise_text(name) is not None

    def parse_arguments(self, name: str) -> dict[str, Any]:  # noqa: ARG002 - the phrase reads its own parameters
        return {}


@step(_Vocabulary())
def _choreo_step(request: pytest.FixtureRequest) -> None:
    __tracebackhide__ = True
    stash = request.node.stash
    _told_plainly(lambda: _perform(stash))


def _perform(stash: pytest.Stash) -> None:
    __tracebackhide__ = True
    try:
        stash[_RUN].perform(stash[_POSITION])
    except Exception:
        raise
    except BaseException:  # Ctrl-C, pytest.exit(), the alarm of pytest-timeout
        stash[_BROKEN_OFF] = True
        raise


def _told_plainly(work: Callable[[], None]) -> None:
    """What the library complains about fails the test without a traceback: the message says it all."""
    __tracebackhide__ = True
    complaint = None
    try:
        work()
    except ChoreoError as error:
        complaint = str(error)
    if complaint is not None:
        pytest.fail(complaint, pytrace=False)


@pytest.hookimpl(tryfirst=True)  # whoever reports the scenario sees its steps filled in
def pytest_bdd_before_scenario(request: pytest.FixtureRequest, feature: Feature, scenario: Scenario) -> None:
    """Begin the scenario; what it expects without publishing anything itself listens from now on."""
    __tracebackhide__ = True
    _told_plainly(lambda: _begin(request, feature, scenario))


def _begin(request: pytest.FixtureRequest, feature: Feature, scenario: Scenario) -> None:
    if has_asked(Path(feature.filename), request.config):
        scenario_names(Path(feature.filename))
    elif not _uses_ours(request, scenario):
        return
    fill(request.node, scenario)
    run = _session(request.config).scenario(_info(request, feature, scenario))
    request.node.stash[_RUN] = run
    if not scenario.steps:
        run.note_vacuous(f"{relative(feature.filename)}:{scenario.line_number}")
    run.listen()


def _uses_ours(request: pytest.FixtureRequest, scenario: Scenario) -> bool:
    """Whether a step is ours, and not only worded like it, as those of a project that does not use us may be."""
    from choreo_bdd_steps.vocabulary import recognise_text  # noqa: PLC0415 - see the module's docstring

    alike = [each for each in scenario.steps if recognise_text(each.name) is not None]
    found = [get_step_function(request=request, step=each) for each in alike]
    return any(each is not None and each.step_func is _choreo_step for each in found)


def pytest_bdd_after_scenario(request: pytest.FixtureRequest) -> None:
    """Settle the scenario and report it."""
    __tracebackhide__ = True
    stash = request.node.stash
    run = stash.get(_RUN, None)
    if run is not None:
        _attach_lines(request, run, passed=stash.get(_PASSED, 0))
        at_once = _BROKEN_OFF in stash or isinstance(sys.exc_info()[1], _BREAKS_OFF)
        _told_plainly(lambda: run.finish(passed=stash.get(_PASSED, 0), at_once=at_once))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Let go of the scenario, which its fixtures are done with: pytest keeps every test to the end of the run."""
    try:
        return (yield)
    finally:
        if _RUN in item.stash:
            del item.stash[_RUN]


def _attach_lines(request: pytest.FixtureRequest, run: ScenarioRun, *, passed: int) -> None:
    """Let the report of a scenario that failed show what the services wrote meanwhile."""
    wrote = run.service_lines() if passed < run.length else ""
    if wrote and request.config.pluginmanager.has_plugin("choreo_bdd"):
        request.getfixturevalue("choreo_attach")(wrote, name="what the services wrote while this scenario ran")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Start the services of a run before its first scenario, so that the time they need is no scenario's."""
    if any(is_asking(item) for item in getattr(session, "items", ())):
        with contextlib.suppress(ChoreoError):  # each scenario tells it
            _session(session.config)


def pytest_bdd_after_step(request: pytest.FixtureRequest) -> None:
    """Note how far the scenario has come; from the end of an act times count."""
    __tracebackhide__ = True
    stash = request.node.stash
    stash[_PASSED] = stash[_POSITION] + 1
    run = stash.get(_RUN, None)
    if run is not None and run.is_act(stash[_POSITION]):
        _told_plainly(run.end_act)


def pytest_bdd_step_error(request: pytest.FixtureRequest, exception: BaseException) -> None:
    """Let the report have an act that has failed."""
    stash = request.node.stash
    run = stash.get(_RUN, None)
    if run is not None and run.is_act(stash[_POSITION]):
        run.fail_act(exception)


def pytest_bdd_before_step(request: pytest.FixtureRequest, scenario: Scenario, step: Step) -> None:
    """Note which step is running."""
    request.node.stash[_POSITION] = next(index for index, each in enumerate(scenario.steps) if each is step)


def pytest_bdd_before_step_call(
    request: pytest.FixtureRequest, step: Step, feature: Feature, step_func: Callable[..., object]
) -> None:
    """Listen before an act. pytest-bdd would never await a coroutine, and the step would pass having done nothing."""
    __tracebackhide__ = True
    run = request.node.stash.get(_RUN, None)
    if run is None:
        return
    if inspect.iscoroutinefunction(step_func):
        raise StepError(
            f"{relative(feature.filename)}:{step.line_number}",
            f"the step function {step_func.__name__!r} is `async def`, which pytest-bdd does not await; make it a "
            f"plain function and run coroutines with choreo_session.run(…)",
        )
    position = request.node.stash[_POSITION]
    if run.is_act(position):
        _told_plainly(lambda: run.begin_act(position))


def pytest_bdd_step_func_lookup_error(request: pytest.FixtureRequest, feature: Feature, step: Step) -> None:
    """Tell a step that is nearly one of ours what it probably should be."""
    from choreo_bdd_steps.lint.suggesting import undefined  # noqa: PLC0415 - see the module's docstring

    __tracebackhide__ = True
    if _RUN not in request.node.stash:
        return
    told = undefined(step.name)
    if told is not None:
        pytest.fail(f"{relative(feature.filename)}:{step.line_number}: {told}", pytrace=False)


class _OwnTags:
    """Tags such as ``@timeout(5s)`` are settings of ours, not markers, once a feature of the run asks for us."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def is_ours(self, tag: str) -> bool:
        """Whether a tag is a setting of ours."""
        return OWN_TAG.fullmatch(tag) is not None and any(has_asked(Path(each), self._config) for each in features)

    @pytest.hookimpl(tryfirst=True)
    def pytest_bdd_apply_tag(self, tag: str, function: Callable[..., object]) -> bool | None:  # noqa: ARG002 - the hook's signature
        """Make no marker of it."""
        return True if self.is_ours(tag) else None


class _Markers(set[str]):
    """The markers pytest knows: above examples, pytest-bdd makes a marker of each tag without asking anybody."""

    def __init__(self, known: set[str], own: _OwnTags) -> None:
        super().__init__(known)
        self._own = own

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or self._own.is_ours(str(name))


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Let nothing that pytest prints of a message steer the terminal; where a project asks for choreo."""
    from choreo_bdd_project.config import find_config  # noqa: PLC0415 - see the module's docstring

    if find_config(session.config.rootpath) is not None:
        from choreo_bdd_steps.adapters.pytest_terminal import clean_terminal  # noqa: PLC0415 - as above

        clean_terminal(session.config)


def pytest_configure(config: pytest.Config) -> None:
    """Let ``--strict-markers`` pass our tags."""
    own = _OwnTags(config)
    config.pluginmanager.register(own)
    pytest.mark._markers = _Markers(pytest.mark._markers, own)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a scenario tagged ``@bus(nats,kafka)`` once on each of these transports; each row, where its tags differ."""
    if not scenario_wrapper_template_registry:
        return
    template = scenario_wrapper_template_registry.get(metafunc.function)
    if template is None or not has_asked(Path(template.feature.filename), metafunc.config):
        return
    named = buses_of(template)
    if any(named):
        metafunc.fixturenames.append(BUS)
        metafunc.parametrize(BUS, named, indirect=True)


@pytest.fixture
def _choreo_bus(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# --- fixtures ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def choreo_session(request: pytest.FixtureRequest) -> Session:
    """The session of this run: its transports, and ``run`` for coroutines."""
    return _session(request.config)


@pytest.fixture
def choreo(request: pytest.FixtureRequest) -> ScenarioRun:
    """The running scenario, for plain Python steps: its variables."""
    run: ScenarioRun | None = request.node.stash.get(_RUN, None)
    if run is None:
        pytest.fail(
            "the fixture 'choreo' is for the steps of Gherkin scenarios, in a project that has a choreo.yaml or of a "
            "scenario with a step of choreo; elsewhere use 'choreo_session'",
            pytrace=False,
        )
    return run


def _session(config: pytest.Config) -> Session:
    if _SESSION not in config.stash:
        from choreo_bdd_steps.plan.settings import configuration  # noqa: PLC0415 - see the module's docstring
        from choreo_bdd_steps.run.session import Session  # noqa: PLC0415 - see the module's docstring

        profile = config.getoption("--choreo-profile") or os.environ.get("CHOREO_PROFILE")
        slow = config.getoption("--choreo-slow")
        config.stash[_SESSION] = Session(configuration(config.rootpath, profile), slow=slow)
    return config.stash[_SESSION]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close the session; where xdist's workers had theirs, stop the services that these have shared."""
    session = config.stash.get(_SESSION, None)
    if session is not None:
        session.close()
    if config.pluginmanager.has_plugin("dsession"):
        from choreo_bdd_steps.services.of_this_run import end_shared_services  # noqa: PLC0415 - as above

        end_shared_services()


def _info(request: pytest.FixtureRequest, feature: Feature, scenario: Scenario) -> Any:
    from choreo_bdd_steps.run.scenario_run import ScenarioInfo  # noqa: PLC0415 - see the module's docstring
    from choreo_bdd_steps.vocabulary import recognise_text  # noqa: PLC0415 - see the module's docstring

    def declared(step: Step) -> bool:
        found = None if recognise_text(step.name) is not None else get_step_function(request, step)
        return found is not None and is_act(found.step_func)

    read = scenario_of(request.node, feature, scenario)
    pairs = zip(read.steps, scenario.steps, strict=True)
    steps = [structs.replace(each, is_act=declared(step)) for each, step in pairs]
    return ScenarioInfo(
        transport=read.transport,
        name=read.name,
        nodeid=read.nodeid,
        steps=steps,
        tags=read.tags,
        nodeid_in_feature=read.nodeid_in_feature,
    )


# --- collecting feature files -----------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Prepare for names and feature files that pytest would stumble over."""
    begin_collection(session.config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> FeatureFile | None:
    """Collect a feature file that was asked for: by ``choreo_features``, or on the command line."""
    if file_path.suffix != ".feature" or not is_wanted(file_path, parent.config):
        return None
    return FeatureFile.from_parent(parent, path=file_path)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run each scenario once, and only those the tag expression lets through."""
    if not scenario_wrapper_template_registry:  # tests that are no scenarios pay for no look at each
        return
    items[:] = [item for item in items if not is_asking(item) or is_of_its_row(item)]
    drop_unasked(config, items)
    drop_stubbed(config, items)
    drop_unwanted(config, items)


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    """Tell of feature files where nothing was found to run."""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and (told := unasked(config)):
        terminalreporter.write_line(told)
