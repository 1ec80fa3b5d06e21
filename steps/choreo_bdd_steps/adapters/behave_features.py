"""Feature files as behave reads them: which ones, and what is told of those it cannot read or that run nothing."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial, partialmethod
from typing import Any

from behave import parser
from behave.model import ScenarioOutline
from behave.parser import ParserError
from behave.runner import ModelRunner
from behave.runner_util import FeatureListParser, FileLocationParser

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd_project.gherkin.places import relative
from choreo_bdd_project.gherkin.refusals import UNENDED_ROW

UNREADABLE_STEP = "this file can be read"
_MARK = re.compile(r'^[ \t]*("""|\'\'\'|```)', re.MULTILINE)
_SCENARIO = f"Scenario: A file is read before it runs\nGiven {UNREADABLE_STEP}\n"
_unread: dict[str, str] = {}
"""Why files could not be read."""


def watch_features(begin: Callable[[Any], None]) -> None:
    """Have behave find files of any name, tell as we do of those it cannot read, and ``begin`` once all are read."""
    read = FeatureListParser.parse
    if isinstance(read, partial):
        return
    FeatureListParser.parse = partial(_listed, read)
    parser.parse_file = partial(_parsed, parser.parse_file)
    ModelRunner.run_hook = partialmethod(_begun, ModelRunner.run_hook, begin)


def _listed(read: Callable[..., list[Any]], text: str, here: str | None = None) -> list[Any]:
    """A list of files, such as that of the formatter ``rerun``, with those that have ``[x]`` in their names."""
    found: list[Any] = []
    for line in text.splitlines():
        as_written = FileLocationParser.parse(os.path.normpath(os.path.join(here or "", line.strip())))
        found += [as_written] if os.path.isfile(as_written.filename) else read(line, here)
    return found


def _parsed(parse: Callable[..., Any], filename: str, *arguments: Any, **parameters: Any) -> Any:
    """A feature; where behave cannot read it, one that fails with our words for it: the others run all the same."""
    try:
        with _unended_rows() as unended:
            feature = parse(filename, *arguments, **parameters)
    except (ParserError, UnicodeDecodeError, KeyError) as error:  # a KeyError is a language that there is not
        return _unreadable(filename, _wrong_with(filename) or unended.told_of(filename) or str(error))
    if (told := unended.told_of(filename)) is not None:
        return _unreadable(filename, _wrong_with(filename) or told)
    if _may_be_unended(filename) and (told := _wrong_with(filename)) is not None:
        return _unreadable(filename, told)
    if feature is None:
        print(f"warning: {_wrong_with(filename) or filename}", file=sys.stderr)
    return feature


def _may_be_unended(filename: str) -> bool:
    """Whether a doc string may have no end: behave takes it, and all steps below it, away without a word."""
    with open(filename, encoding="utf-8") as file:
        marks = Counter(_MARK.findall(file.read()))
    return any(count % 2 for count in marks.values())


class _UnendedRows(logging.Filter):
    """What behave only logs: that it has taken the last letter of a row for the | at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[int] = []

    def told_of(self, filename: str) -> str | None:
        """The first of them, in our words."""
        return f"{relative(filename)}:{self.lines[0]}: {UNENDED_ROW}" if self.lines else None

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the line, and have the record not shown."""
        if not str(record.msg).startswith("Malformed table row") or not isinstance(record.args, tuple):
            return True
        self.lines.append(int(str(record.args[-1])))
        return False


@contextmanager
def _unended_rows() -> Iterator[_UnendedRows]:
    found, logger = _UnendedRows(), logging.getLogger("behave")
    logger.addFilter(found)
    try:
        yield found
    finally:
        logger.removeFilter(found)


def _unreadable(filename: str, told: str) -> Any:
    """A feature in the place of one that cannot be read: its one step fails and says why.

    It runs whichever features, tags or names are chosen: nobody knows what the file would have held.
    """
    place = re.match(rf"{re.escape(relative(filename))}:(\d+): ", told)
    above = "\n" * (int(place[1]) - 1) if place else ""
    feature = parser.parse_feature(f"{above}Feature: {os.path.basename(filename)}\n{_SCENARIO}", filename=filename)
    _unread[feature.filename] = told
    for each in (feature, *feature.scenarios):
        each.should_run = each.should_run_with_name_select = _always
    return feature


def _always(_config: Any = None) -> bool:
    return True


def fail_unreadable(context: Any) -> None:
    """The step of a feature that cannot be read."""
    raise FeatureUnreadable(_unread[context.feature.filename])


class FeatureUnreadable(ParserError, ChoreoError, AssertionError):  # type: ignore[misc] # behave ships no types
    """A feature cannot be read: it fails, or ends a run that carries out nothing, in our words."""

    def __init__(self, told: str) -> None:
        Exception.__init__(self, told)

    def __str__(self) -> str:
        return str(self.args[0])


def _require_readable(features: Iterable[Any]) -> None:
    for feature in features:
        if feature.should_run is _always:
            raise FeatureUnreadable(_unread[feature.filename])


def _wrong_with(filename: str) -> str | None:
    """What lint tells of a file that behave cannot read; ``None`` where only behave takes offence at it."""
    from choreo_bdd_project.gherkin.errors import FeatureError  # noqa: PLC0415 - only what is wrong is read twice
    from choreo_bdd_project.gherkin.feature import read_feature  # noqa: PLC0415

    try:
        feature = read_feature(filename)
    except FeatureError as error:
        return str(error)
    return next((f"{relative(filename)}:{each.line}: {each.reason}" for each in feature.refusals), None)


def _begun(runner: Any, run_hook: Callable[..., Any], begin: Callable[[Any], None], name: str, *arguments: Any) -> Any:
    passed = run_hook(runner, name, *arguments)
    if name == "before_all" and runner.config.dry_run:
        _require_readable(runner.features)  # no step is carried out, which would fail
    if name == "before_all" and not runner.aborted and not runner.config.dry_run:
        begin(runner.context)
    return passed


def runs_nothing(features: Iterable[Any], config: Any) -> Iterator[tuple[Any, Any]]:
    """Scenarios without steps, outlines without rows and, with ``None`` beside them, features without scenarios."""
    for feature in features:
        scenarios = feature.walk_scenarios(with_outlines=True)
        if not scenarios and feature.should_run(config):
            yield feature, None
        for each in scenarios:
            runs = each.scenarios if is_outline(each) else each.all_steps
            if not any(True for _ in runs) and each.should_run(config):
                yield feature, each


def is_outline(scenario: Any) -> bool:
    """Whether this is written once, and runs with each row of its examples."""
    return isinstance(scenario, ScenarioOutline)


def require_run(feature: Any, scenario: Any) -> None:
    """``StepError`` for what is written as a step and is none: it stands in a description."""
    described = [*feature.description, *(scenario.description if scenario is not None else ())]
    if described:
        from choreo_bdd_steps.plan import asides  # noqa: PLC0415 - few features have one

        asides.require_run(feature.filename, map(str.strip, described))
