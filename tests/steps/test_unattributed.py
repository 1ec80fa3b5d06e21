"""``unattributed`` in choreo.yaml: what a message without an id does to an absence or a count (spec/steps.md 5)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from choreo_bdd_project.config import load_config
from choreo_bdd_schemas import config_schema
from choreo_bdd_steps.replaying.virtual_loop import VirtualLoop
from choreo_bdd_steps.run.session import Session
from tests.support.step_bench import Bench

MakeBench = Callable[[str], Bench]
SPEAK = "And somebody else's service speaks"
ONE_BUS = ('When I publish "start"', SPEAK, 'Then I expect no "bad" for 50ms')
TWO_BUSES = (*ONE_BUS, 'And I expect no "bad" on other for 50ms')


@pytest.fixture
def bench_with(tmp_path: Path) -> Iterator[MakeBench]:
    """A bench of a project with two buses and this line in its choreo.yaml."""
    sessions: list[Session] = []

    def make(line: str) -> Bench:
        path = tmp_path / "choreo.yaml"
        buses = "".join(f"    {name}: {{type: memory, correlation: {{field: id}}}}\n" for name in ("bus", "other"))
        path.write_text(f"{line}\nprofiles:\n  p:\n{buses}", encoding="utf-8")
        sessions.append(Session(load_config(path, schema=config_schema()), loop=VirtualLoop()))
        return Bench(sessions[-1])

    yield make
    for session in sessions:
        session.close()


@pytest.mark.parametrize("steps", [ONE_BUS, TWO_BUSES], ids=["one bus", "two buses"])
@pytest.mark.parametrize(
    ("line", "outcome", "is_named"),
    [
        ("", "pass", True),
        ("unattributed: warn", "pass", True),
        ("unattributed: fail", "fail", True),
        ("unattributed: ignore", "pass", False),
    ],
)
def test_an_absence_does_with_a_message_without_an_id_what_the_configuration_says(
    bench_with: MakeBench, line: str, outcome: str, is_named: bool, steps: tuple[str, ...]
) -> None:
    bench = bench_with(line)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        played = bench.play(*steps, own={SPEAK.partition(" ")[2]: lambda run: bench.say("bad", {"n": 1})})
    assert played.outcomes[0] == outcome
    told = [played.handles[0].reason, *(str(each.message) for each in warned)]
    assert any("without a correlation id" in each for each in told) is is_named
