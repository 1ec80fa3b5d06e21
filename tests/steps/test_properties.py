"""Bodies as runs meet them: read and written alike, exact about every field, and never able to crash a scenario."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from choreo_bdd_project.config import memory_config
from choreo_bdd_steps.errors import CheckFailed, StepError
from choreo_bdd_steps.language import Variables, parse_expectation, parse_field, parse_payload
from choreo_bdd_steps.language.matching.body_matcher import BodyMatcher
from choreo_bdd_steps.replaying.virtual_loop import VirtualLoop
from choreo_bdd_steps.run.scenario_run import ScenarioInfo
from choreo_bdd_steps.run.session import Session
from choreo_bdd_steps.vocabulary.phrase import StepCall
from tests.steps.language.test_properties import JSON, TEXT
from tests.support.examples import examples

HERE = Path(__file__).parent
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="{}%\ue000\ue001"), min_size=1)
PATHS = st.lists(NAMES | st.integers(0, 2), min_size=1, max_size=4).filter(lambda path: isinstance(path[0], str))
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9, width=16) | st.sampled_from(["", "a", "1"])
PAYLOADS = st.dictionaries(
    st.sampled_from("abcd"),
    st.recursive(
        SCALARS,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, min_size=1)
        ),
        max_leaves=6,
    ),
    min_size=1,
)
Path_ = tuple[str | int, ...]


def expecting(payload: object, style: str) -> BodyMatcher:
    """What a doc string in one style, or a table, expects of a payload."""
    if style == "table":
        assert isinstance(payload, dict)
        table = [["field", "value"], *([name, json.dumps(value)] for name, value in payload.items())]
        return parse_expectation(None, table, None, base_dir=HERE).build(Variables())[0]
    text = json.dumps(payload) if style == "json" else yaml.safe_dump(payload, allow_unicode=True)
    return parse_expectation(text, None, None, base_dir=HERE).build(Variables())[0]


def leaves(node: Any, path: Path_ = ()) -> Iterator[Path_]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else None
    if items is None:
        yield path
    else:
        for key, value in items:
            yield from leaves(value, (*path, key))


def changed(payload: Any, path: Path_, change: Any) -> Any:
    """A copy in which ``change`` was done to the container of a leaf."""
    other = copy.deepcopy(payload)
    node = other
    for part in path[:-1]:
        node = node[part]
    change(node, path[-1])
    return other


def is_same(one: object, other: object) -> bool:
    """As JSON sees it: 1 is 1.0, but not true."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


@pytest.mark.thorough
@given(PAYLOADS, st.sampled_from(["json", "yaml", "table"]), st.data())
@examples(300)
def test_whichever_leaf_is_changed_or_missing_the_verdict_flips_and_names_it(
    payload: dict[str, Any], style: str, data: st.DataObject
) -> None:
    matcher = expecting(payload, style)
    assert matcher.match(payload).matched
    path = data.draw(st.sampled_from(list(leaves(payload))))
    (leaf,) = [value for each, value in _values(payload) if each == path]
    other = data.draw(SCALARS.filter(lambda value: not is_same(value, leaf)))
    for mutated in (changed(payload, path, lambda node, key: node.__setitem__(key, other)), _without(payload, path)):
        assert not matcher.match(mutated).matched
        assert any(str(path[0]) in failure.path for failure in matcher.closeness(mutated).differences)


@given(PAYLOADS, st.sampled_from(["json", "yaml", "table"]), st.data())
def test_a_field_more_anywhere_changes_nothing(payload: dict[str, Any], style: str, data: st.DataObject) -> None:
    # a cell's literal means equality; a doc string is a subset all the way down
    containers = [()] if style == "table" else [(), *{path[:-1] for path in leaves(payload)}]
    path = data.draw(st.sampled_from([each for each in containers if isinstance(_at(payload, each), dict)]))
    more = changed(payload, (*path, "more"), lambda node, key: node.__setitem__(key, 1))
    assert expecting(payload, style).match(more).matched


def _values(payload: Any) -> Iterator[tuple[Path_, Any]]:
    for path in leaves(payload):
        yield path, _at(payload, path)


def _at(node: Any, path: Path_) -> Any:
    for part in path:
        node = node[part]
    return node


def _without(payload: Any, path: Path_) -> Any:
    return changed(payload, path, lambda node, key: node.__delitem__(key))


def in_blocks(node: Any, indent: str = "") -> str:
    """Block-style YAML as people write it, one line a field or element."""
    if isinstance(node, dict) and node:
        return "".join(f"\n{indent}{json.dumps(key)}: {in_blocks(value, indent + '  ')}" for key, value in node.items())
    if isinstance(node, list) and node:
        return "".join(f"\n{indent}- {in_blocks(value, indent + '  ')}" for value in node)
    return json.dumps(node)


@given(st.fixed_dictionaries({"v": JSON}))
def test_yaml_says_what_it_was_written_from(payload: dict[str, Any]) -> None:
    assert parse_payload(in_blocks(payload), None, base_dir=HERE).build(Variables())[0].payload == payload


def written(path: list[str | int]) -> str:
    """A path as an author writes it who quotes every name."""
    parts = [f"[{part}]" if isinstance(part, int) else ".'" + part.replace("'", "''") + "'" for part in path]
    return "".join(parts).removeprefix(".")


@given(PATHS)
def test_a_path_is_read_as_it_was_written(path: list[str | int]) -> None:
    assert parse_field(written(path)).segments == tuple(path)


@given(PATHS.filter(lambda path: not any(part for part in path if isinstance(part, int))), SCALARS)
def test_what_a_table_writes_at_a_path_it_finds_there(path: list[str | int], value: object) -> None:
    table = [["field", "value"], [written(path), json.dumps(value)]]
    (message,) = parse_payload(None, table, base_dir=HERE).build(Variables())
    assert _at(message.payload, tuple(path)) == value
    assert parse_expectation(None, table, None, base_dir=HERE).build(Variables())[0].match(message.payload).matched


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    session = Session(structs.replace(memory_config(), timeout_s=0.001, vacuity="ignore"), loop=VirtualLoop())
    yield session
    session.close()


TABLES = st.lists(st.lists(TEXT, min_size=2, max_size=2), max_size=3).map(lambda rows: [["field", "value"], *rows])


@given(docstring=TEXT | st.none(), table=TABLES | st.none(), publishes=st.booleans())
@examples(200, deadline=None)
def test_whatever_stands_below_a_step_the_run_goes_on(
    session: Session, docstring: str | None, table: list[list[str]] | None, publishes: bool
) -> None:
    bare = StepCall('I publish "a"', "f.feature", 3), StepCall('I expect no "b" for 1ms', "f.feature", 9)
    steps = [
        structs.replace(step, docstring=docstring, table=table) if publishes == (step is bare[0]) else step
        for step in bare
    ]
    run = session.scenario(ScenarioInfo("s", "f.feature::s", steps))
    complaint = "f.feature:"
    try:
        for index in range(len(steps)):
            run.perform(index)
    except (StepError, CheckFailed) as error:
        complaint = str(error)
    assert complaint.startswith("f.feature:")
    run.finish()
    after = session.scenario(ScenarioInfo("s", "f.feature::after", [StepCall('I publish "a"', "f.feature", 3)]))
    after.perform(0)
    assert after.finish() is not None
