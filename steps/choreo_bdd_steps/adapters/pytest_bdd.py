"""pytest-bdd: binds the vocabulary, collects feature files, and tells the engine about scenarios.

A ``pytest11`` plugin, so it is loaded at every start of pytest: whatever costs time is imported when it is first
needed. Proven on pytest-bdd 9.0.1 and pytest 9.2.
"""

from __future__ import annotations

import inspect
import os
import re
import types
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pytest_bdd import scenario as bind_scenario
from pytest_bdd import step
from pytest_bdd.parser import Feature, Scenario, Step
from pytest_bdd.parsers import StepParser
from pytest_bdd.scenario import scenario_wrapper_template_registry

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd_project.frameworks.pytest_bdd_model import (
    BUS,
    buses_of,
    is_of_its_row,
    locate,
    rename,
    scenario_of,
    tags_of,
    template_of,
)
from choreo_bdd_project.gherkin.errors import FeatureError, NoFeature
from choreo_bdd_project.gherkin.feature import read_feature
from choreo_bdd_project.gherkin.places import relative
from choreo_bdd_steps.errors import StepError

if TYPE_CHECKING:
    from choreo_bdd_steps.run.scenario_run import ScenarioRun
    from choreo_bdd_steps.run.session import Session

PROVEN_ON = "9.0.1"

_OWN_TAG = re.compile(r"(?:timeout|slow|bus)\(.*\)")
_SESSION: pytest.StashKey[Session] = pytest.StashKey()
_RUN: pytest.StashKey[ScenarioRun] = pytest.StashKey()
_POSITION: pytest.StashKey[int] = pytest.StashKey()
_PASSED: pytest.StashKey[int] = pytest.StashKey()


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
    _told_plainly(lambda: stash[_RUN].perform(stash[_POSITION]))


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


def pytest_bdd_before_scenario(request: pytest.FixtureRequest, feature: Feature, scenario: Scenario) -> None:
    """Begin the scenario; what it expects without publishing anything itself listens from now on."""
    __tracebackhide__ = True
    _told_plainly(lambda: _begin(request, feature, scenario))


def _begin(request: pytest.FixtureRequest, feature: Feature, scenario: Scenario) -> None:
    _scenario_names(Path(feature.filename))
    run = _session(request.config).scenario(_info(request.node, feature, scenario))
    request.node.stash[_RUN] = run
    run.listen()


def pytest_bdd_after_scenario(request: pytest.FixtureRequest) -> None:
    """Settle the scenario and report it."""
    __tracebackhide__ = True
    stash = request.node.stash
    run = stash.get(_RUN, None)
    if run is not None:
        _told_plainly(lambda: run.finish(passed=stash.get(_PASSED, 0)))


def pytest_bdd_after_step(request: pytest.FixtureRequest) -> None:
    """Note how far the scenario has come."""
    request.node.stash[_PASSED] = request.node.stash[_POSITION] + 1


def pytest_bdd_before_step(request: pytest.FixtureRequest, scenario: Scenario, step: Step) -> None:
    """Note which step is running."""
    request.node.stash[_POSITION] = next(index for index, each in enumerate(scenario.steps) if each is step)


def pytest_bdd_before_step_call(step: Step, feature: Feature, step_func: Callable[..., object]) -> None:
    """pytest-bdd would never await a coroutine, and the step would pass having done nothing."""
    if inspect.iscoroutinefunction(step_func):
        raise StepError(
            f"{relative(feature.filename)}:{step.line_number}",
            f"the step function {step_func.__name__!r} is `async def`, which pytest-bdd does not await; make it a "
            f"plain function and run coroutines with choreo_session.run(…)",
        )


def pytest_bdd_step_func_lookup_error(feature: Feature, step: Step) -> None:
    """Tell a step that is nearly one of ours what it probably should be."""
    from choreo_bdd_steps.lint.suggesting import suggestion  # noqa: PLC0415 - see the module's docstring

    __tracebackhide__ = True
    meant = suggestion(step.name)
    if meant is not None:
        place = f"{relative(feature.filename)}:{step.line_number}"
        pytest.fail(f"{place}: no step is defined as {step.name!r}; did you mean: {meant}", pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_bdd_apply_tag(tag: str, function: Callable[..., object]) -> bool | None:  # noqa: ARG001 - the hook's signature
    """Tags such as ``@timeout(5s)`` are settings of ours, not markers."""
    return True if _OWN_TAG.fullmatch(tag) else None


class _Markers(set[str]):
    """The markers pytest knows: above examples, pytest-bdd makes a marker of each tag without asking anybody."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or _OWN_TAG.fullmatch(str(name)) is not None


def pytest_configure() -> None:
    """Let ``--strict-markers`` pass our tags."""
    pytest.mark._markers = _Markers(pytest.mark._markers)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a scenario tagged ``@bus(nats,kafka)`` once on each of these transports; each row, where its tags differ."""
    template = scenario_wrapper_template_registry.get(metafunc.function)
    if template is None:
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
            "the fixture 'choreo' is for the steps of Gherkin scenarios; here use 'choreo_session'", pytrace=False
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
    """Close the session."""
    session = config.stash.get(_SESSION, None)
    if session is not None:
        session.close()


def _info(node: pytest.Item, feature: Feature, scenario: Scenario) -> Any:
    from choreo_bdd_steps.run.scenario_run import ScenarioInfo  # noqa: PLC0415 - see the module's docstring

    read = scenario_of(node, feature, scenario)
    return ScenarioInfo(transport=read.transport, name=read.name, nodeid=read.nodeid, steps=read.steps, tags=read.tags)


# --- collecting feature files -----------------------------------------------------------------------------------------


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> FeatureFile | None:
    """Collect a feature file that was asked for: by ``choreo_features``, or on the command line."""
    if file_path.suffix != ".feature" or not _is_wanted(file_path, parent.config):
        return None
    return FeatureFile.from_parent(parent, path=file_path)


def _is_wanted(path: Path, config: pytest.Config) -> bool:
    folders: list[Path] = [*config.getini("choreo_features"), *_named_on_command_line(config)]
    return any(path == folder or folder in path.parents for folder in folders)


def _named_on_command_line(config: pytest.Config) -> list[Path]:
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return []
    return [(config.invocation_params.dir / str(arg).split("::")[0]).resolve() for arg in config.args]


class FeatureFile(pytest.Module):
    """A feature file as pytest collects it: one test a scenario, one a row of an outline."""

    def _getobj(self) -> types.ModuleType:
        module = types.ModuleType(self.path.stem)
        module.__file__ = str(self.path)
        names = _scenario_names(self.path)
        for tag in _unregistered_tags(self.path, self.config):
            self.config.addinivalue_line("markers", f"{tag}: a tag of {self.path.name}")
        for name in names:
            test = bind_scenario(str(self.path), name, features_base_dir="")(_nothing_more)
            setattr(module, name, test)
        return module

    def funcnamefilter(self, name: str) -> bool:  # noqa: ARG002 - every member is a scenario
        """Every function here is a test."""
        return True

    def classnamefilter(self, name: str) -> bool:  # noqa: ARG002 - there are no classes here
        """There are no classes here."""
        return False

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """The scenarios, rows of outlines under the names behave gives them."""
        try:
            read_feature(self.path)
        except NoFeature as error:
            warnings.warn(pytest.PytestCollectionWarning(str(error)), stacklevel=1)
            return []
        except FeatureError as error:
            raise self.CollectError(str(error)) from error
        try:
            items = list(super().collect())
        except (StepError, pytest.Collector.CollectError):
            raise
        except Exception as error:
            raise self.CollectError(f"{relative(self.path)}: {error}") from error
        for item in items:
            if isinstance(item, pytest.Function):
                rename(item)
                locate(item)
        return items


def _nothing_more() -> None:
    """The body of a collected scenario: its steps are all of it."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run each scenario once, and only those the tag expression lets through."""
    items[:] = [item for item in items if is_of_its_row(item)]
    _drop_stubbed(config, items)
    expression = config.getini("choreo_tags")
    if not expression:
        return
    from cucumber_tag_expressions import parse  # noqa: PLC0415 - see the module's docstring

    wanted = parse(expression)
    scenarios = [item for item in items if template_of(item) is not None]
    deselected = [item for item in scenarios if not wanted.evaluate([f"@{tag}" for tag in tags_of(item)])]
    if deselected:
        config.hook.pytest_deselected(items=deselected)
        items[:] = [item for item in items if item not in deselected]


def _drop_stubbed(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out collected scenarios that a Python stub binds too."""
    stubbed = {
        (template.feature.filename, template.name)
        for item in items
        if not isinstance(item.parent, FeatureFile) and (template := template_of(item)) is not None
    }
    twice = [
        item
        for item in items
        if isinstance(item.parent, FeatureFile)
        and (template := template_of(item)) is not None
        and (template.feature.filename, template.name) in stubbed
    ]
    if twice:
        warnings.warn(
            pytest.PytestCollectionWarning(
                f"{len(twice)} scenario(s) are bound by a Python stub and collected directly; the stub's run, once"
            ),
            stacklevel=1,
        )
        config.hook.pytest_deselected(items=twice)
        items[:] = [item for item in items if item not in twice]


# --- what pytest-bdd would swallow ------------------------------------------------------------------------------------


def _scenario_names(path: Path) -> list[str]:
    """Names of what runs from a file; ``StepError`` where pytest-bdd would keep the last of two of one name."""
    feature = read_feature(path)
    counted = Counter(name for name, _ in feature.templates)
    for name, line in feature.templates:
        if counted[name] > 1:
            raise StepError(
                f"{relative(path)}:{line}",
                f"the feature has {counted[name]} scenarios named {name!r}, of which pytest-bdd would run only one; "
                f"give each its own name",
            )
    return [name for name, line in feature.templates if (name, line) not in feature.without_rows]


def _unregistered_tags(path: Path, config: pytest.Config) -> set[str]:
    """Tags of a file that would count as unknown markers."""
    text = path.read_text(encoding="utf-8")
    known = {str(line).split(":")[0].split("(")[0] for line in config.getini("markers")}
    lines = [line.split("#")[0] for line in text.splitlines() if line.strip().startswith("@")]
    tags = {word.removeprefix("@") for line in lines for word in line.split() if word.startswith("@")}
    return {tag for tag in tags if tag not in known and not _OWN_TAG.fullmatch(tag)}
