"""What a collected scenario is to pytest: the template it is made from, its row, its transport, its tags and its name.

Reaches into pytest and pytest-bdd where they have no public way; proven on pytest-bdd 9.0.1 and pytest 9.2.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from pytest_bdd.parser import ScenarioTemplate
from pytest_bdd.scenario import scenario_wrapper_template_registry

from choreo_bdd_project.gherkin.bus_tags import buses, name_on

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


def row_tags(item: Any) -> tuple[str, ...]:
    """Tags that stand above the examples a scenario is a row of."""
    return tuple(mark.name for mark in getattr(getattr(item, "callspec", None), "marks", ()))


def inherited_tags(scenario: Any, feature: Any = None) -> tuple[str, ...]:
    """Tags that apply, outermost first."""
    rule_tags = scenario.rule.tags if scenario.rule is not None else ()
    return (*(feature or scenario.feature).tags, *rule_tags, *scenario.tags)


def tags_of(item: pytest.Item) -> list[str] | None:
    """All tags that apply to a scenario, as tag expressions want them; ``None`` for a test that is none."""
    template = template_of(item)
    if template is None:
        return None
    rule_tags = template.rule.tags if template.rule is not None else set()
    return [f"@{tag}" for tag in (*template.tags, *template.feature.tags, *rule_tags, *row_tags(item))]


def bus_of(item: Any) -> str | None:
    """The transport that a tag ``@bus(…)`` has it run on; ``None`` for the configured one."""
    call = getattr(item, "callspec", None)
    return None if call is None else call.params.get(BUS)


def buses_of(template: ScenarioTemplate, row_tags: Iterable[str]) -> tuple[str | None, ...]:
    """The transports a scenario, or a row of it, runs on in turn; ``None`` is wherever the configuration says."""
    return buses((*inherited_tags(template), *row_tags)) or (None,)


def is_of_its_row(item: pytest.Item) -> bool:
    """Whether a row is to run on the transport it was given: rows of one outline need not name the same ones."""
    template = template_of(item)
    return template is None or bus_of(item) in buses_of(template, row_tags(item))


def rename(item: pytest.Function) -> None:
    """Give a row of an outline, or a scenario's run on one of several buses, the name it has under behave."""
    template, bus = template_of(item), bus_of(item)
    if template is None:
        return
    row = _row_name(item, template)
    if bus is not None:
        _give_name(item, name_on(row or template.name, bus))
    elif row is not None:
        _give_name(item, row)


def _row_name(item: Any, template: ScenarioTemplate) -> str | None:
    call = getattr(item, "callspec", None)
    if call is None or _EXAMPLE not in call.params:
        return None
    row, rows = call.params[_EXAMPLE], sum(len(examples.examples) for examples in template.examples)
    position = call.indices[_EXAMPLE] % rows  # pytest counts on from bus to bus
    for group, examples in enumerate(template.examples, start=1):
        if position < len(examples.examples):
            return f"{template.render(row).name} -- @{group}.{position + 1} {examples.name or ''}".strip()
        position -= len(examples.examples)
    return None


def _give_name(item: Any, name: str) -> None:
    """There is no public way; pytest keeps the node id in ``_id`` from 9.2 on, in ``_nodeid`` before."""
    if hasattr(item, "_id"):
        item._id = item.parent.id.child(name)
    else:
        item._nodeid = f"{item.parent.nodeid}::{name}"
    item.name = name


def locate(item: Any) -> None:
    """Point at the scenario, and keep ``pytest -v`` from reading the dot of `@1.2` as a part of the node id."""
    template = template_of(item)
    if template is not None:
        item.location = (item.location[0], (template.line_number or 1) - 1, f"{template.keyword}: {item.name}")
