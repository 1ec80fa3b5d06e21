"""Lint: what is wrong with a feature file, told without a broker (spec/steps.md 8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from msgspec import structs

from choreo_bdd.asyncapi import AsyncApi
from choreo_bdd.exceptions import ChoreoError
from choreo_bdd_project.config import Config, find_config
from choreo_bdd_project.gherkin.errors import FeatureError
from choreo_bdd_project.gherkin.feature import Feature, parse_feature, read_feature
from choreo_bdd_project.gherkin.places import files_below, project_of, relative
from choreo_bdd_project.gherkin.scenario import Scenario
from choreo_bdd_project.harnesses import build_contract
from choreo_bdd_project.own_steps import OwnSteps, read_own_steps
from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.language.extensions import declared
from choreo_bdd_steps.lint.calling import calls
from choreo_bdd_steps.lint.captures import captures
from choreo_bdd_steps.lint.emptiness import every_element_of_nothing
from choreo_bdd_steps.lint.finding import Finding, Severity, as_code_quality, as_github, as_json, as_text
from choreo_bdd_steps.lint.rules import RULES, Subject
from choreo_bdd_steps.lint.slips import placeholders_of_others, services_below, texts_like_operators, words_of_others
from choreo_bdd_steps.lint.taken_names import taken_names
from choreo_bdd_steps.lint.topics import alien_topics, odd_letters, unfilled_topics, unknown_topics, unusable_topics
from choreo_bdd_steps.plan.asides import is_unrun, lost_tag, unrun_step
from choreo_bdd_steps.plan.plan import make_plan
from choreo_bdd_steps.plan.settings import configuration, settings_for
from choreo_bdd_steps.plan.vacuity import NO_SCENARIOS, without_rows

__all__ = [
    "Finding",
    "ProjectContext",
    "Severity",
    "as_code_quality",
    "as_github",
    "as_json",
    "as_text",
    "feature_files",
    "lint",
    "lint_text",
    "project_context",
]


_MANY = 10_000


def feature_files(paths: Iterable[Path]) -> list[Path]:
    """The feature files that paths name, folders searched through; ``StepError`` for a path that is not there."""
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise StepError(str(path), "there is no such file or folder")
        for each in files_below(path, ".feature") if path.is_dir() else [path]:
            found[each] = None
    return list(found)


def lint(files: Sequence[Path], *, profile: str | None = None) -> list[Finding]:
    """All findings, in order of place. Raises ``ConfigError`` for a broken configuration."""
    findings: set[Finding] = set()
    contexts: dict[tuple[Path | None, Path], ProjectContext] = {}
    for file in files:
        place = find_config(file.resolve().parent), project_of(file)
        if place not in contexts:  # documents and Python files are read once for all features beside them
            contexts[place] = project_context(file, profile)
        findings.update(_lint(partial(read_feature, file), file, replace(contexts[place], told={})))
    return sorted(findings)


@dataclass(frozen=True, slots=True)
class ProjectContext:
    """What stands around a feature file and lint holds it against.

    ``told`` is what was found in scenarios already: an editor asks again with every letter, of one of many.
    """

    config: Config
    contract: AsyncApi | None
    own_steps: OwnSteps
    told: dict[Scenario, tuple[Finding, ...]] = field(default_factory=dict, repr=False, compare=False)


def project_context(file: Path, profile: str | None = None) -> ProjectContext:
    """What stands around a file, whether it is there yet or not. Raises ``ConfigError``."""
    config = configuration(file.resolve().parent, profile, offline=True)
    return ProjectContext(config, build_contract(config), read_own_steps(project_of(file)))


def lint_text(text: str, file: Path, context: ProjectContext) -> list[Finding]:
    """All findings in a file's text as an editor has it, in order of place."""
    return sorted(set(_lint(lambda: parse_feature(text, file), file, context)))


def _lint(read: Callable[[], Feature], file: Path, context: ProjectContext) -> Iterator[Finding]:
    try:
        feature = read()
    except FeatureError as error:
        yield Finding(relative(file), error.line, "unreadable-feature", error.reason)
        return
    own_steps, told = context.own_steps, context.told
    if len(told) > _MANY:
        told.clear()
    lines: dict[str, set[int]] = defaultdict(set)
    for scenario in feature.scenarios:
        if scenario not in told:
            with declared(own_steps.matchers, own_steps.functions):
                told[scenario] = tuple(_lint_scenario(context, scenario, relative(file)))
        lines[scenario.name].add(scenario.begins_at)
    yield from _at_their_rows([(each, told[each]) for each in feature.scenarios])
    yield from _lint_frame(feature, relative(file))
    yield from _unused_columns(feature, relative(file), {each.rule for found in told.values() for each in found})
    for name, places in lines.items():
        for line in sorted(places)[1:]:
            message = f"the name {name!r} is taken by the scenario in line {min(places)}; pytest-bdd would run only one"
            yield Finding(relative(file), line, "duplicate-name", message)


def _at_their_rows(told: Iterable[tuple[Scenario, Iterable[Finding]]]) -> Iterator[Finding]:
    """What is wrong with some rows of an outline only stands in those rows, and not in the step that they fill."""
    rows: dict[int, dict[int, set[Finding]]] = defaultdict(lambda: defaultdict(set))
    for scenario, found in told:
        rows[scenario.begins_at][scenario.line].update(found)
    for outline in rows.values():
        of_all = set.intersection(*outline.values())
        yield from of_all
        for line, found in outline.items():
            for each in found - of_all:
                yield structs.replace(
                    each, line=line, message=f"in line {each.line}, as this row fills it: {each.message}"
                )


def _lint_frame(feature: Feature, file: str) -> Iterator[Finding]:
    """What stands around the steps of scenarios."""
    for text, line in feature.asides:
        if is_unrun(text):
            yield Finding(file, line, "unrun-step", unrun_step(text))
        elif (lost := lost_tag(text)) is not None:
            yield Finding(file, line, "bad-tag", lost, Severity.WARNING)
    for each in feature.refusals:
        severity = Severity.ERROR if each.by_all else Severity.WARNING
        yield Finding(file, each.line, "refused", each.reason, severity)
    if not feature.templates:
        yield Finding(file, 1, "empty-feature", NO_SCENARIOS)
    for name, line in feature.without_rows:
        yield Finding(file, line, "outline-without-rows", without_rows(name), Severity.WARNING)


def _unused_columns(feature: Feature, file: str, told: Container[str]) -> Iterator[Finding]:
    """Columns that nothing names; not where a placeholder that is misspelt is told of already."""
    for name, line in () if "unfilled-placeholder" in told else feature.unused_columns:
        message = f"nothing of the outline names <{name}>, so that its rows differ in nothing by it"
        yield Finding(file, line, "unused-column", message, Severity.WARNING)


def _lint_scenario(context: ProjectContext, scenario: Scenario, file: str) -> Iterator[Finding]:
    config, own_steps = context.config, context.own_steps
    plan = make_plan(own_steps.marked(scenario.steps), scenario.transport or config.default_transport, config.called)
    try:
        settings = settings_for(config, scenario.tags)
    except (ChoreoError, ValueError):
        settings = settings_for(config, ())  # the rule on tags tells what is wrong
    subject = Subject(scenario, file, plan, settings, config, own_steps)
    for rule in (
        *RULES,
        calls,
        captures,
        every_element_of_nothing,
        placeholders_of_others,
        services_below,
        texts_like_operators,
        words_of_others,
        unfilled_topics,
        unusable_topics,
        alien_topics,
        odd_letters,
        taken_names,
    ):
        yield from rule(subject)
    if context.contract is not None:
        yield from unknown_topics(subject, context.contract)
