"""``causation`` in choreo.yaml: reports are told in which header messages name what they came of."""

from __future__ import annotations

from pathlib import Path

from choreo_bdd import observers
from choreo_bdd_project.config import load_config
from choreo_bdd_schemas import config_schema
from choreo_bdd_steps.replaying.virtual_loop import VirtualLoop
from choreo_bdd_steps.run.session import Session
from tests.support.step_bench import Bench


def test_reports_are_told_the_header_that_names_causes(tmp_path: Path) -> None:
    told: dict[str, object] = {}

    class Listener:
        def __call__(self, *_: object) -> None: ...

        def run_fact(self, key: str, value: object) -> None:
            told[key] = value

    path = tmp_path / "choreo.yaml"
    path.write_text("causation: x-caused-by\nprofiles: {p: {bus: {type: memory}}}\n", encoding="utf-8")
    listener = Listener()
    observers.register_observer(listener)
    session = Session(load_config(path, schema=config_schema()), loop=VirtualLoop())
    try:
        Bench(session).play('When I publish "start"', 'Then I expect "start"')
    finally:
        session.close()
        observers.unregister_observer(listener)
    assert told["causation"] == "x-caused-by"
