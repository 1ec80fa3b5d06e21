"""What a scenario leaves behind in memory: nothing that has to wait for a collection."""

from __future__ import annotations

import gc
import weakref

from choreo_bdd_project.config import memory_config
from choreo_bdd_steps.run.opening import ScenarioInfo
from choreo_bdd_steps.run.session import Session
from choreo_bdd_steps.vocabulary.phrase import StepCall


def test_a_scenario_is_gone_as_soon_as_nobody_holds_it() -> None:
    steps = (
        StepCall('I publish "orders.placed"', "f.feature", 3, docstring='{"id": 1}'),
        StepCall('I expect "orders.placed" where id is 1', "f.feature", 4),
    )
    session = Session(memory_config())
    gc.disable()
    try:
        run = session.scenario(ScenarioInfo("s", "f.feature::s", steps))
        run.perform(0)
        run.perform(1)
        assert run.finish() is not None
        left = weakref.ref(run)
        del run
        assert left() is None
    finally:
        gc.enable()
        session.close()
