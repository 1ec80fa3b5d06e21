"""What is loaded when: nothing of ours while a message is under way, where it would count as its latency."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RUN = """
import sys
from pathlib import Path
from choreo_bdd.transports.memory import MockTransport
from choreo_bdd_project.config import memory_config
from choreo_bdd_project.gherkin.feature import parse_feature
from choreo_bdd_steps.run.opening import ScenarioInfo
from choreo_bdd_steps.run.session import Session

loaded, publish = set(), MockTransport.publish

def publishing(self, *arguments, **named):
    loaded.update(sys.modules if not loaded else ())
    return publish(self, *arguments, **named)

MockTransport.publish = publishing
scenario = parse_feature(Path(sys.argv[1]).read_text("utf-8"), sys.argv[1]).scenarios[0]
session = Session(memory_config())
run = session.scenario(ScenarioInfo(scenario.name, scenario.nodeid, scenario.steps))
for index in range(len(scenario.steps)):
    run.perform(index)
assert run.finish(passed=len(scenario.steps)).passed
session.close()
assert loaded
print(*sorted(name for name in set(sys.modules) - loaded if name.startswith("choreo")))
"""
FEATURE = """
Feature: every kind of check
  Scenario: s
    Given a service that answers "orders.placed" with "orders.paid":
      | field | value              |
      | id    | {{ trigger.id }}   |
      | note  | PAID since "today" |
    And order_id is a unique id
    When I publish "orders.placed":
      | field | value          |
      | id    | {{ order_id }} |
      | n     | 3              |
    Then I expect "orders.placed" within 2s:
      | field | value          |
      | id    | {{ order_id }} |
      | n     | between 1 and 5 |
    And I expect "orders.paid" within 2s:
      | field | value          |
      | id    | {{ order_id }} |
      | note  | matches /PA.*/  |
    And I expect no "orders.failed" for 50ms
    And I keep "id" of "orders.paid" as paid
"""


@pytest.mark.thorough
def test_from_the_first_publish_on_a_passing_scenario_loads_nothing_of_ours(tmp_path: Path) -> None:
    feature = tmp_path / "a.feature"
    feature.write_text(FEATURE, "utf-8")
    ran = subprocess.run([sys.executable, "-c", RUN, str(feature)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == ""
