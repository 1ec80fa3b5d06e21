"""What a collected scenario is to pytest: template, row, transport, tags and name.

Reaches into pytest and pytest-bdd where they have no public way; proven on pytest-bdd 9.0.1 and pytest 9.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pytest_bdd.parser import ScenarioTemplate
from pytest_bdd.scenario import scenario_wrapper_template_registry

from choreo_bdd_project.gherkin.bus_tags import buses, name_on
from choreo_bdd_project.gherkin.errors import FeatureError
from choreo_bdd_project.gherkin.feature import FeatureHead, read_feature
from choreo_bdd_project.gherkin.places import relative
from choreo_bdd_project.gherkin.scenario import Scenario, filled, filled_tags, row_name
from choreo_bdd_project.gherkin.step import Step

BUS = "_choreo_bus"
"""The parameter that says which transport a scenario runs on."""
_EXAMPLE = "_pytest_bdd_example"


def template_of(item: pytest.Item) -> ScenarioTemplate | None:
    """The scenario as pytest-bdd has parsed it; ``None`` for a test that is no scenario."""
    function: Any = getattr(item, "obj", None)
    try:
        return scenario_wrapper_template_registry.get(function)
    except TypeError:  # not everything a plugin calls a test can be weakly referenced
        return None


def head_of(feature: Any) -> FeatureHead:
    """What stands above a feature's scenarios."""
    return FeatureHead(
        file=relative(feature.filename),
        name=feature.name or "",
        line=feature.line_number,
        keyword=feature.keyword,
        description=feature.description or "",
        tags=tuple(sorted(feature.tags)),
    )


def scenario_of(item: pytest.Item, feature: Any, scenario: Any) -> Scenario:
    """A scenario as pytest-bdd runs it in a test."""
    written, background = _as_written(item), _background_lines(feature, scenario)
    media_types = {} if written is None else {step.line: step.media_type for step in written.steps}
    return Scenario(
        name=scenario.name or "",
        nodeid=item.nodeid,
        line=scenario.line_number if written is None else written.line,
        begins_at=scenario.line_number,
        keyword=scenario.keyword,
        tags=_tags(item, written),
        steps=tuple(
            _step(step, feature, media_types.get(step.line_number), background=step.line_number in background)
            for step in scenario.steps
        ),
        rule=None if scenario.rule is None else scenario.rule.name,
        description=scenario.description or "",
        transport=bus_of(item),
        nodeid_in_feature=None if written is None else written.nodeid,
    )


def ahead_of(item: pytest.Item) -> tuple[FeatureHead, Scenario] | None:
    """A scenario that has not begun to run, below its feature; ``None`` for a test that is no scenario."""
    template = template_of(item)
    if template is None:
        return None
    scenario = template.render(_row(item) or {})
    fill(item, scenario)
    return head_of(template.feature), scenario_of(item, template.feature, scenario)


def fill(item: pytest.Item, scenario: Any) -> None:
    """Fill in the row of an outline as Gherkin does; pytest-bdd takes ``< 3 and n is <n>`` for one placeholder."""
    template, row = template_of(item), _row(item)
    if template is None or not row:
        return
    scenario.name = filled(template.name, row)
    for step, written in zip(scenario.steps, template.steps, strict=True):
        step.name = filled(written.name, row)
        step.docstring = None if written.docstring is None else filled(written.docstring, row)
        for cell, cell_written in zip(_cells(step), _cells(written), strict=True):
            cell.value = filled(cell_written.value, row)


def _cells(step: Any) -> list[Any]:
    return [] if step.datatable is None else [cell for row in step.datatable.rows for cell in row.cells]


def tags_of(item: pytest.Item) -> tuple[str, ...]:
    """Tags that apply to a scenario, outermost first; none to a test that is no scenario."""
    return _tags(item, _as_written(item))


def _tags(item: pytest.Item, written: Scenario | None) -> tuple[str, ...]:
    template = template_of(item)
    if template is None:
        return ()
    if written is not None:
        return written.tags
    marks = tuple(mark.name for mark in getattr(getattr(item, "callspec", None), "marks", ()))
    return (*_inherited(template), *filled_tags((*sorted(template.tags), *marks), _row(item) or {}))


def bus_of(item: Any) -> str | None:
    """The transport that a tag ``@bus(…)`` has it run on; ``None`` for the configured one."""
    call = getattr(item, "callspec", None)
    return None if call is None else call.params.get(BUS)


def buses_of(template: ScenarioTemplate) -> tuple[str | None, ...]:
    """The transports that the rows of a scenario run on; ``None`` is wherever the configuration says."""
    try:
        runs = read_feature(template.feature.filename).begun_at(template.line_number)
    except FeatureError:
        return buses((*_inherited(template), *sorted(template.tags))) or (None,)
    return tuple(dict.fromkeys(run.transport for run in runs)) or (None,)


def is_of_its_row(item: pytest.Item) -> bool:
    """Whether a row is to run on the transport it was given: rows of one outline need not name the same ones."""
    return template_of(item) is None or bus_of(item) in (buses(tags_of(item)) or (None,))


def rename(item: pytest.Function) -> None:
    """Give a row of an outline, or a run on one of several buses, the name it has under behave.

    Parameters of the user's own, of a fixture say, stand behind it as pytest has them.
    """
    template = template_of(item)
    if template is None:
        return
    bus, row = bus_of(item), _row_name(item, template)
    if bus is None and row is None:
        _give_name(item, item.name.lstrip())
        return
    name = row or template.name
    name = name if bus is None else name_on(name, bus)
    own = _own_parameters(item, bus)
    _give_name(item, f"{name}[{'-'.join(own)}]" if own else name)


def locate(item: Any) -> None:
    """Point at the scenario, and keep ``pytest -v`` from reading the dot of ``@1.2`` as a part of the node id."""
    template = template_of(item)
    if template is not None:
        item.location = (item.location[0], (template.line_number or 1) - 1, f"{template.keyword}: {item.name}")


def _as_written(item: pytest.Item) -> Scenario | None:
    """The scenario from its file: pytest-bdd drops media types, and keeps tags without their order."""
    template = template_of(item)
    if template is None:
        return None
    try:
        runs = read_feature(template.feature.filename).begun_at(template.line_number)
    except FeatureError:
        return None
    lines, position = list(dict.fromkeys(run.line for run in runs)), _position(item, template) or 0
    if position >= len(lines):
        return None
    of_row = [run for run in runs if run.line == lines[position]]
    return next((run for run in of_row if run.transport == bus_of(item)), of_row[0])


def _inherited(template: ScenarioTemplate) -> tuple[str, ...]:
    rule_tags = template.rule.tags if template.rule is not None else ()
    return (*sorted(template.feature.tags), *sorted(rule_tags))


def _row(item: Any) -> Mapping[str, str] | None:
    call = getattr(item, "callspec", None)
    return None if call is None else call.params.get(_EXAMPLE)


def _position(item: Any, template: ScenarioTemplate) -> int | None:
    """Which row of its outline a scenario is, all examples counted through."""
    if _row(item) is None:
        return None
    rows = sum(len(examples.examples) for examples in template.examples)
    position: int = item.callspec.indices[_EXAMPLE] % rows  # pytest counts on from bus to bus
    return position


def _row_name(item: Any, template: ScenarioTemplate) -> str | None:
    row, position = _row(item), _position(item, template)
    if row is None or position is None:
        return None
    for group, examples in enumerate(template.examples, start=1):
        if position < len(examples.examples):
            return row_name(filled(template.name, row), group, position + 1, filled(examples.name or "", row))
        position -= len(examples.examples)
    return None


def _own_parameters(item: Any, bus: str | None) -> list[str]:
    """The ids of parameters that are neither the row nor the transport."""
    ids = list(item.callspec._idlist)
    row = _row(item)
    ours = [bus, None if row is None else "-".join(row.values())]
    for each in ours:
        if each in ids:
            ids.remove(each)
    return ids


def _give_name(item: Any, name: str) -> None:
    """There is no public way; pytest keeps the node id in ``_id`` from 9.2 on, in ``_nodeid`` before.

    Made as pytest reads it from its cache, else ``--lf`` does not know a name with ``[`` or ``::`` again.
    """
    nodeid = f"{item.parent.nodeid}::{name}"
    if hasattr(item, "_id"):
        item._id = type(item._id).parse(nodeid)
    else:
        item._nodeid = nodeid
    item.name = name


def _background_lines(feature: Any, scenario: Any) -> set[int]:
    owners = (feature, scenario.rule)
    backgrounds = [owner.background for owner in owners if owner is not None and owner.background is not None]
    return {step.line_number for background in backgrounds for step in background.steps}


def _step(step: Any, feature: Any, media_type: str | None, *, background: bool) -> Step:
    table = None if step.datatable is None else [[str(cell) for cell in row] for row in step.datatable.raw()]
    return Step(
        text=step.name,
        file=relative(feature.filename),
        line=step.line_number,
        keyword=step.keyword.strip(),
        docstring=step.docstring,
        media_type=media_type,
        table=table,
        background=background,
    )
