"""behave's model, and the runs that ``@bus(…)`` adds to it. Proven on behave 1.3.3."""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from behave.model import Rule, ScenarioOutline, copy_and_reset_steps
from msgspec import structs

from choreo_bdd_project.gherkin.bus_tags import buses, name_on
from choreo_bdd_project.gherkin.errors import FeatureError
from choreo_bdd_project.gherkin.places import relative
from choreo_bdd_project.gherkin.scenario import Scenario, scenario_nodeid, unfilled_tags
from choreo_bdd_project.gherkin.step import Step

if TYPE_CHECKING:
    from choreo_bdd_project.gherkin.feature import FeatureHead

_ESCAPES = re.compile(r"\\+n?|\s")

_counted: WeakKeyDictionary[Any, Counter[str]] = WeakKeyDictionary()
_escaped: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


def head_of(feature: Any) -> FeatureHead:
    """What stands above a feature's scenarios."""
    from choreo_bdd_project.gherkin.feature import FeatureHead  # noqa: PLC0415 - of reports

    return FeatureHead(
        file=relative(feature.filename),
        name=feature.name,
        line=feature.line,
        keyword=feature.keyword,
        description="\n".join(feature.description),
        tags=tuple(str(tag) for tag in feature.tags),
    )


def scenario_of(feature: Any, scenario: Any) -> Scenario:
    """A scenario as behave runs it, hooks included that changed it."""
    outline = scenario.parent if isinstance(scenario.parent, ScenarioOutline) else None
    return Scenario(
        name=scenario.name.strip(),
        nodeid=nodeid_of(feature, scenario),
        line=scenario.line,
        begins_at=(outline or scenario).line,
        keyword=scenario.keyword,
        tags=tags_of(scenario),
        steps=tuple(_steps(scenario)),
        rule=_rule(scenario.parent if outline is None else outline.parent),
        description="\n".join(scenario.description),
        transport=getattr(scenario, "choreo_bus", None),
    )


def nodeid_of(feature: Any, scenario: Any) -> str:
    """The node id of a scenario; the first time after ``before_feature``, whose hooks may change tables of examples."""
    if feature not in _counted:
        _counted[feature] = Counter(each.name.strip() for each in feature.walk_scenarios())
    name = scenario.name.strip()
    path = relative(feature.filename)
    return scenario_nodeid(path, name, scenario.line, duplicate=_counted[feature][name] > 1)


def tags_of(item: Any) -> tuple[str, ...]:
    """Tags that apply, outermost first; a row of an outline carries the outline's own already."""
    inherited = tags_of(item.parent) if item.parent is not None else ()
    own = () if isinstance(item, ScenarioOutline) else tuple(str(tag) for tag in item.tags)
    return (*inherited, *_dropped(item), *own)


def _dropped(row: Any) -> tuple[str, ...]:
    """Tags of ours that behave has dropped, because the examples have no column for them."""
    outline, cells = getattr(row, "parent", None), getattr(row, "_row", None)
    if not isinstance(outline, ScenarioOutline) or cells is None:
        return ()
    tags = [
        *outline.tags,
        *(tag for each in outline.examples if each.table and cells in each.table.rows for tag in each.tags),
    ]
    return unfilled_tags(map(str, tags), cells.headings)


def expand(container: Any) -> None:
    """Have each scenario of a feature that is tagged ``@bus(nats,kafka)`` run on every one of these transports."""
    expanded: list[Any] = []
    for item in container.run_items:
        if isinstance(item, ScenarioOutline):
            item._scenarios = [each for row in item.scenarios for each in _on_each_bus(row)]
        elif hasattr(item, "run_items"):
            expand(item)
        expanded += [item] if isinstance(item, ScenarioOutline) or hasattr(item, "run_items") else _on_each_bus(item)
    container.run_items[:] = expanded
    # readers of the model, such as parallel runners, look here for what has become of a scenario
    container.scenarios[:] = [item for item in expanded if not isinstance(item, Rule)]


def _on_each_bus(scenario: Any) -> list[Any]:
    named = () if hasattr(scenario, "choreo_bus") else buses(tags_of(scenario))
    return [_on_bus(scenario, bus) for bus in named] or [scenario]


def _on_bus(scenario: Any, bus: str) -> Any:
    run = copy.copy(scenario)
    run.name, run.choreo_bus = name_on(scenario.name, bus), bus
    # editors and parallel runners ask for a scenario by the name in its file
    run.should_run_with_name_select = lambda config: (
        scenario.should_run_with_name_select(config) or (config.name_re.search(run.name) is not None)
    )
    run.steps = copy_and_reset_steps(scenario.steps)
    if scenario._background_steps is not None:
        run._background_steps = copy_and_reset_steps(scenario._background_steps)
    return run


def _rule(parent: Any) -> str | None:
    return parent.name if parent is not None and parent.type == "rule" else None


def _steps(scenario: Any) -> list[Step]:
    background = {id(step) for step in scenario.background_steps}
    found = [_step(step, background=id(step) in background) for step in scenario.all_steps]
    if all(step.docstring is None for step in found) and not _has_escapes(scenario.feature):
        return found  # two parsers read the same there, and a second one takes its time
    written = _as_written(scenario)
    if [_sentence(step) for step in written] != [_sentence(step) for step in found]:
        return found  # a hook has changed the scenario
    return [_with_body(step, source) for step, source in zip(found, written, strict=True)]


def _has_escapes(feature: Any) -> bool:
    if feature not in _escaped:
        try:
            _escaped[feature] = b"\\" in Path(feature.filename).read_bytes()
        except OSError:
            _escaped[feature] = True
    return _escaped[feature]


def _as_written(scenario: Any) -> Sequence[Step]:
    """The steps from the file itself: behave drops the media types, and reads escapes of its own."""
    from choreo_bdd_project.gherkin.feature import read_feature  # noqa: PLC0415 - most features need no second parser

    try:
        runs = read_feature(scenario.filename).at(scenario.line)
    except FeatureError:
        return ()
    return runs[0].steps if runs else ()


def _sentence(step: Step) -> tuple[int, str]:
    return step.line, step.text.strip().removesuffix(":")  # which behave takes away above a body


def _with_body(step: Step, source: Step) -> Step:
    return step if _bare(step) != _bare(source) else structs.replace(source, text=step.text)


def _bare(step: Step) -> tuple[object, ...]:
    """What two parsers agree on in a body that nobody has changed."""
    table = None if step.table is None else [[_ESCAPES.sub("", cell) for cell in row] for row in step.table]
    return None if step.docstring is None else _ESCAPES.sub("", step.docstring), table


def _step(step: Any, *, background: bool) -> Step:
    table = None if step.table is None else [list(step.table.headings), *(list(row.cells) for row in step.table.rows)]
    return Step(
        text=step.name,
        file=relative(step.filename),
        line=step.line,
        keyword=step.keyword,
        docstring=None if step.text is None else str(step.text),
        table=table,
        background=background,
    )
