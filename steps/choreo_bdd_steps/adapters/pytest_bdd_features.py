"""Feature files as pytest collects them: which ones, and what runs from each."""

from __future__ import annotations

import types
import warnings
from collections import Counter
from collections.abc import Generator, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from pytest_bdd import scenario as bind_scenario
from pytest_bdd.exceptions import GherkinParseError

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd_project.frameworks.pytest_bdd_model import locate, rename, tags_of, template_of
from choreo_bdd_project.gherkin.errors import FeatureError, NoFeature
from choreo_bdd_project.gherkin.feature import Feature, read_feature
from choreo_bdd_project.gherkin.places import files_below, relative
from choreo_bdd_project.gherkin.scenario import OWN_TAG
from choreo_bdd_steps.errors import StepError, warn

_ASKED: pytest.StashKey[dict[str, tuple[str, str]]] = pytest.StashKey()
"""What was asked for by name in files that are collected as a whole: by argument, the file and the name."""


def is_wanted(path: Path, config: pytest.Config) -> bool:
    """Whether a feature file was asked for: by ``choreo_features``, by itself, or below a folder of such a project."""
    if _is_below(path, config.getini("choreo_features")):
        return True
    return _is_below(path, _named(config)) and has_asked(path, config)


def _is_below(path: Path, places: Iterable[Path]) -> bool:
    return not {path, *path.parents}.isdisjoint(places)


def _named(config: pytest.Config) -> frozenset[Path]:
    """What the command line names, or else the setting ``testpaths``."""
    if config.args_source is pytest.Config.ArgsSource.INVOCATION_DIR:
        return frozenset()
    return _places(tuple(map(str, config.args)), config.invocation_params.dir)


@lru_cache(maxsize=8)  # pytest looks at every file of a folder once for each one that is named there
def _places(args: tuple[str, ...], folder: Path) -> frozenset[Path]:
    return frozenset((folder / arg.split("::")[0]).resolve() for arg in args)


def begin_collection(config: pytest.Config) -> None:
    """Let pytest find names that it would take apart, and go on where a feature file cannot be read."""
    for folder in config.getini("choreo_features"):
        if not folder.exists():
            raise pytest.UsageError(f"choreo_features: there is no {relative(folder)}; name the folder of the features")
    _find_odd_names(config)
    config.pluginmanager.register(_Unread(config))


class _Unread:
    """Lets the others run where nothing but feature files could not be collected: those have failed by themselves."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._are_features: list[bool] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        if report.failed:
            self._are_features.append(isinstance(collector, FeatureFile))
        return report

    def pytest_collection_finish(self) -> None:
        if self._are_features and all(self._are_features):
            self._config.option.continue_on_collection_errors = True


def _find_odd_names(config: pytest.Config) -> None:
    """Let pytest find what has ``::`` in its name, where pytest ends the name of a file.

    A file of such a name cannot be asked for by itself, which is an error; its failures are found by ``--lf``.
    """
    named = {arg: split for arg in config.args if (split := _split(arg, config.invocation_params.dir))}
    for arg, (place, _) in named.items():
        if "::" in place:
            raise pytest.UsageError(
                f"{place} has :: in its name, where pytest ends the name of a file: rename it, or ask for its folder "
                f"and choose by -k (asked for: {arg})"
            )
    odd = {place for place, name in named.values() if "::" in name.partition("[")[0]}
    asked = {arg: (place, name) for arg, (place, name) in named.items() if place in odd}
    config.stash[_ASKED] = asked
    if asked:
        config.args[:] = dict.fromkeys(asked[arg][0] if arg in asked else arg for arg in config.args)
    last_failed = config.pluginmanager.getplugin("lfplugin")
    if hasattr(last_failed, "_last_failed_paths"):
        splits = (_split(str(nodeid), config.rootpath) for nodeid in last_failed.lastfailed)
        files = [config.rootpath / split[0] for split in splits if split is not None]
        last_failed._last_failed_paths.update(path for file in files for path in (file, *file.parents))


def _split(nodeid: str, folder: Path) -> tuple[str, str] | None:
    """The feature file that a node id begins with, and what it names there; ``None`` where there is no such file."""
    parts = nodeid.split("::")
    for end in range(1, len(parts) + 1):
        place = "::".join(parts[:end])
        if place.endswith(".feature") and (folder / place).is_file():
            return place, "::".join(parts[end:])
    return None


def drop_unasked(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the scenarios of files that had to be collected as a whole and were asked for by name."""
    asked, folder = config.stash.get(_ASKED, {}), config.invocation_params.dir
    whole = [(folder / arg).resolve() for arg in set(config.args) - {place for place, _ in asked.values()}]
    unasked: set[pytest.Item] = set()
    for place in {place for place, _ in asked.values()}:
        path = (folder / place).resolve()
        there = {item for item in items if item.path == path}
        kept = there if _is_below(path, whole) else set()
        for arg in (arg for arg, (file, _) in asked.items() if file == place):
            found = {item for item in there if asked[arg][1] in ("", item.name, item.name.split("[")[0])}
            if not found:
                raise pytest.UsageError(f"not found: {arg} (no scenario of that name in {place})")
            kept |= found
        unasked |= there - kept
    if unasked:
        config.hook.pytest_deselected(items=list(unasked))
        items[:] = [item for item in items if item not in unasked]


def has_asked(path: Path, config: pytest.Config) -> bool:
    """Whether whoever runs a feature file wants this library: where it is only installed, nothing may change."""
    is_configured = bool(config.getini("choreo_features")) or _is_configured(path.parent)
    return is_configured or _is_configured(config.rootpath) or path in _named(config) or _has_our_steps(path.parent)


def unasked(config: pytest.Config) -> str | None:
    """What to tell where nothing was collected and feature files of a project of ours lie there: nobody named them."""
    if config.args_source is pytest.Config.ArgsSource.ARGS or config.getini("choreo_features"):
        return None
    files = files_below(config.invocation_params.dir, ".feature")
    if not any(has_asked(path, config) for path in files):
        return None
    folders = " ".join(sorted({path.relative_to(config.invocation_params.dir).parts[0] for path in files}))
    return (
        f"there are feature files here ({len(files)}), and none was asked for. Name them: pytest {folders}; or have a "
        f"bare pytest run them, by pytest.ini: [pytest] choreo_features = {folders}"
    )


def is_asking(item: pytest.Item) -> bool:
    """Whether a test is a scenario of a feature file whose project wants this library."""
    template = template_of(item)
    return template is not None and has_asked(Path(template.feature.filename), item.config)


@lru_cache(maxsize=1024)
def _has_our_steps(folder: Path) -> bool:
    """Whether behave would load our vocabulary there: from the nearest folder ``steps``, in this folder or above."""
    steps = next((place for each in (folder, *folder.parents) if (place := each / "steps").is_dir()), None)
    return steps is not None and any(b"choreo_bdd_steps" in path.read_bytes() for path in steps.glob("*.py"))


@lru_cache(maxsize=1024)
def _is_configured(folder: Path) -> bool:
    from choreo_bdd_project.config import find_config  # noqa: PLC0415 - see the module's docstring

    return find_config(folder) is not None


class FeatureFile(pytest.Module):
    """A feature file as pytest collects it: one test a scenario, one a row of an outline."""

    def _getobj(self) -> types.ModuleType:
        module = types.ModuleType(self.path.stem)
        module.__file__ = str(self.path)
        names = scenario_names(self.path)
        for tag in _unregistered_tags(self.path, self.config):
            self.config.addinivalue_line("markers", f"{tag}: a tag of {self.path.name}")
        for name in names:
            test = bind_scenario(str(self.path), name, features_base_dir="")(_nothing_more)
            setattr(module, name or " ", test)  # pytest loses a parametrised test whose name is empty
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
            self._tell_of_empty(read_feature(self.path))
        except NoFeature as error:
            warnings.warn(pytest.PytestCollectionWarning(str(error)), stacklevel=1)
            return []
        except (FeatureError, ChoreoError) as error:
            raise self.CollectError(str(error)) from error
        try:
            items = list(super().collect())
        except pytest.Collector.CollectError:
            raise
        except StepError as error:  # tells its place itself; a traceback would only hide it
            raise self.CollectError(str(error)) from error
        except GherkinParseError as error:
            raise self.CollectError(f"{relative(self.path)}:{error.line}: {error.message}") from error
        except Exception as error:
            raise self.CollectError(f"{relative(self.path)}: {error}") from error
        for item in items:
            if isinstance(item, pytest.Function):
                rename(item)
                locate(item)
        return items

    def _tell_of_empty(self, feature: Feature) -> None:
        """What has no test in it is collected without a word, and so nothing else would tell of it."""
        if feature.templates and not feature.without_rows:
            return
        from choreo_bdd_steps.plan import vacuity  # noqa: PLC0415 - see the module's docstring
        from choreo_bdd_steps.plan.settings import configuration  # noqa: PLC0415

        _require_run(self.path, feature)  # steps in the description are what is wrong, where there are some
        empty = [(line, vacuity.without_rows(name)) for name, line in feature.without_rows]
        empty += [] if feature.templates else [(feature.head.line, vacuity.NO_SCENARIOS)]
        policy = configuration(self.path.resolve().parent, offline=True).vacuity
        for line, reason in empty if policy != "ignore" else ():
            told = str(vacuity.VacuousStep(f"{relative(self.path)}:{line}", reason))
            if policy == "error":
                raise self.CollectError(told)
            warn(told, vacuity.VacuityWarning)


def _nothing_more() -> None:
    """The body of a collected scenario: its steps are all of it."""


def _tag_expression(text: str) -> Any:
    """A tag expression; one that cannot be read is a usage error, before any test runs."""
    from cucumber_tag_expressions import TagExpressionError, parse  # noqa: PLC0415 - see the module's docstring

    try:
        return parse(text)
    except TagExpressionError as error:
        reason = " ".join(str(error).split())
        raise pytest.UsageError(
            f"choreo_tags: {text!r} is no tag expression, such as: @smoke and not @slow ({reason})"
        ) from error


def drop_unwanted(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the scenarios that the setting ``choreo_tags`` does not let through."""
    expression = config.getini("choreo_tags")
    if not expression:
        return
    wanted = _tag_expression(expression)
    scenarios = [item for item in items if template_of(item) is not None]
    deselected = {item: None for item in scenarios if not wanted.evaluate([f"@{tag}" for tag in tags_of(item)])}
    if deselected:
        config.hook.pytest_deselected(items=list(deselected))
        items[:] = [item for item in items if item not in deselected]


def drop_stubbed(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out collected scenarios that a Python stub binds too."""
    stubbed = {
        (template.feature.filename, template.name)
        for item in items
        if not isinstance(item.parent, FeatureFile) and (template := template_of(item)) is not None
    }
    twice = {
        item: None
        for item in items
        if isinstance(item.parent, FeatureFile)
        and (template := template_of(item)) is not None
        and (template.feature.filename, template.name) in stubbed
    }
    if twice:
        warnings.warn(
            pytest.PytestCollectionWarning(
                f"{len(twice)} scenario(s) are bound by a Python stub and collected directly; the stub's run, once"
            ),
            stacklevel=1,
        )
        config.hook.pytest_deselected(items=list(twice))
        items[:] = [item for item in items if item not in twice]


def scenario_names(path: Path) -> list[str]:
    """Names of what runs from a file; ``StepError`` where pytest-bdd would run less than is written."""
    feature = read_feature(path)
    _require_run(path, feature)
    counted = Counter(name for name, _ in feature.templates)
    for name, line in feature.templates:
        if counted[name] > 1:
            raise StepError(
                f"{relative(path)}:{line}",
                f"the feature has {counted[name]} scenarios named {name!r}, of which pytest-bdd would run only one; "
                f"give each its own name",
            )
    return [name for name, line in feature.templates if (name, line) not in feature.without_rows]


def _require_run(path: Path, feature: Feature) -> None:
    """``StepError`` for what is written as a step and is none to pytest-bdd; behave takes small letters, too."""
    if feature.asides:
        from choreo_bdd_steps.plan import asides  # noqa: PLC0415 - see the module's docstring

        asides.require_run(path, (text for text, _ in feature.asides))


def _unregistered_tags(path: Path, config: pytest.Config) -> set[str]:
    """Tags of a file that would count as unknown markers."""
    text = path.read_text(encoding="utf-8")
    known = {str(line).split(":")[0].split("(")[0] for line in config.getini("markers")}
    lines = [line.split("#")[0] for line in text.splitlines() if line.strip().startswith("@")]
    tags = {word.removeprefix("@") for line in lines for word in line.split() if word.startswith("@")}
    return {tag for tag in tags if tag not in known and not OWN_TAG.fullmatch(tag)}
