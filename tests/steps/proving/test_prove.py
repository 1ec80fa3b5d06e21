"""A check of a green scenario that passes whatever comes is found, and a sound one is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from choreo_bdd_steps.proving.prove import Proof, Survivor
from choreo_bdd_steps.proving.report import as_json, as_text, proofs, recorded, texts_of
from choreo_bdd_steps.replaying.replay import find_scenario
from tests.support.http_service import http_service
from tests.support.project import LOADER, Project
from tests.support.runs import ROOT

pytestmark = [pytest.mark.process, pytest.mark.timeout(180)]
_CONFIGURATION = """\
timeout: 150ms
vacuity: ignore
profiles: {memory: {bus: {type: memory, correlation: {field: correlation_id}}}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path).file("choreo.yaml", _CONFIGURATION).file("features/steps/choreo.py", LOADER)


def corpus(project: Project, name: str) -> None:
    """A feature file of the corpus, and the schemas that it names."""
    project.feature((Path(__file__).parent / f"{name}.feature.txt").read_text("utf-8"), name)
    project.file("features/anything.json", "{}")
    project.file("features/object.json", '{"type": "object"}')
    project.file("features/loose.json", '{"type": "object", "properties": {"nowhere": {"type": "string"}}}')
    project.file("features/strict.json", '{"properties": {"total": {"const": 12}}, "required": ["total"]}')


@pytest.mark.parametrize(
    ("name", "planted"), [("vacuous", 20), ("vacuous_too", 20), ("vacuous_again", 20), ("vacuous_kept", 11)]
)
def test_each_of_the_planted_checks_is_found(project: Project, name: str, planted: int) -> None:
    corpus(project, name)
    recordings = recorded([Path("features")], "behave")
    [proof] = proofs(recordings)
    assert proof.unproven == []
    assert len(recordings) == planted
    scenarios = [find_scenario(each) for each in recordings]
    lines = {scenario.steps[-1].line for scenario in scenarios}
    assert lines <= {each.line for each in proof.survivors}, as_text([proof])


@pytest.mark.parametrize(
    ("name", "scenarios"), [("sound", 23), ("sound_too", 17), ("sound_kept", 6), ("sound_absences", 43)]
)
def test_odd_checks_that_are_sound_are_none(project: Project, name: str, scenarios: int) -> None:
    corpus(project, name)
    recordings = recorded([Path("features")], "behave")
    [proof] = proofs(recordings)
    assert len(recordings) == scenarios
    assert (proof.unproven, proof.survivors) == ([], []), as_text([proof])


@pytest.mark.parametrize(
    "check",
    [
        'I expect no "told" where name matches /(?=a)b/ for 30ms',
        'I expect no "told" where @topic is other for 30ms',
        'I expect no "told" for 30ms:\n      """\n      name: !all_of [!uuid, !length 3]\n      """',
        'the "told" message has not:\n      | field | value           |\n      | name  | matches /(?=a)b/ |',
    ],
)
def test_what_no_message_is_found_for_is_said(project: Project, check: str) -> None:
    service = '    Given a service that answers "asked" with "told":\n      | name |\n      | Ada  |\n'
    project.feature(
        f'Feature: F\n  Scenario: S\n{service}    When I publish "asked"\n    Then I expect "told"\n    And {check}\n'
    )
    [proof] = proofs(recorded([Path("features")], "behave"))
    [told] = proof.unproven
    assert told.startswith("S: line 8: no message could be made that it must not let pass"), told
    assert proof.survivors == []


def test_checks_of_a_response_are_proven_too(project: Project) -> None:
    with http_service() as url:
        api = f"api: {{type: http, url: '{url}'}}"
        project.file("choreo.yaml", _CONFIGURATION.replace("{bus:", f"{{{api}, bus:"))
        corpus(project, "responses")
        recordings = recorded([Path("features")], "behave")
        [proof] = proofs(recordings)
    lines = [find_scenario(each).steps[-1].line for each in recordings]
    assert [each.line for each in proof.survivors] == lines[2:], as_text([proof])
    assert proof.unproven == []


def test_the_sound_checks_of_the_order_pipeline_are_none(project: Project) -> None:
    for folder in ("features", "examples"):
        shutil.rmtree(project.folder / folder, ignore_errors=True)
        shutil.copytree(ROOT / folder, project.folder / folder)
    shutil.copy(ROOT / "choreo.yaml", project.folder / "choreo.yaml")
    found = proofs(
        recorded([Path("features/orders/settlement.feature"), Path("features/orders/phases.feature")], "behave")
    )
    assert [proof.survivors for proof in found] == [[], []]
    assert sum(proof.tried for proof in found) > 50
    assert [proof["score"] for proof in json.loads(as_json(found))] == [1.0, 1.0]


def test_a_sound_absence_is_seen_to_be_one_however_ids_travel(project: Project) -> None:
    buses = {
        "path": "{field: data.order.id}",
        "prefixed": "{field: data.id, prefix: ACME-}",
        "header": "{header: x-request-id}",
        "traced": "{header: traceparent}",
        "untold": "none",
    }
    profile = "".join(f"    {name}: {{type: memory, correlation: {each}}}\n" for name, each in buses.items())
    project.file("choreo.yaml", f"timeout: 150ms\ndefault_transport: path\nprofiles:\n  memory:\n{profile}")
    project.file(
        "features/environment.py",
        "from choreo_bdd_steps.adapters.behave import expand_buses\n\n\n"
        "def before_all(context):\n    expand_buses(context)\n",
    )
    project.feature(
        f"""\
        @bus({",".join(buses)})
        Feature: F
          Scenario: S
            When I publish "orders.placed":
              | field | value |
              | total | 7     |
            Then I expect no "orders.rejected" where total is 7 for 50ms
        """
    )
    recordings = recorded([Path("features")], "behave")
    [proof] = proofs(recordings)
    assert len(recordings) == len(buses)
    assert (proof.unproven, proof.survivors) == ([], []), as_text([proof])
    assert proof.tried == len(buses)


def test_no_score_below_all_reads_as_all() -> None:
    proof = Proof("a.feature", tried=400, survivors=[Survivor("a.feature", 1, "Then …", "it came twice")])
    assert as_text([proof]).endswith("a.feature  399 of 400 noticed  > 99 %")


def test_the_command_tells_the_place_and_the_score(project: Project) -> None:
    project.feature(
        """\
        Feature: F
          Scenario: S
            Given a service that answers "asked" with "told":
              | field | value |
              | total | 12    |
            When I publish "asked"
            Then I expect "told":
              | field | value |
              | total | !any_of [!absent, !any] |
        """
    )
    ran = project._run("choreo_bdd", "prove", "features", "--with", "pytest", "--json", "proof.json")
    assert ran.code == 1
    assert "features/a.feature:7: still passes although the field total of 'told' was changed" in ran
    assert json.loads((project.folder / "proof.json").read_text("utf-8"))[0]["tried"] >= 3
    assert project._run("choreo_bdd", "prove", "features", "--with", "pytest", "--min-score", "0.5").code == 0
    assert "there is no such file" in project._run("choreo_bdd", "prove", "nowhere")


_REQUESTS = """\
Feature: F
  Scenario: S
    When I request "quote.asked"
    Then I expect a reply where price is 5
    When I request "stock.asked"
    Then I expect a reply where price is 5
    And the reply has:
      | field | value |
      | of    | stock.asked |
    When I request "stock.asked"
    Then I expect a reply:
      | field | value |
      | price | !any_of [!absent, !any] |
"""
_ANSWERS = """\
import json
from choreo_bdd_steps.adapters.behave import start_choreo

def before_all(context):
    session = start_choreo(context)
    bus = session.transport("bus")

    def answer(topic, payload):
        asked = json.loads(payload)
        told = {"correlation_id": asked["correlation_id"], "price": 5, "of": topic}
        bus.publish(asked["reply_to"], json.dumps(told).encode())

    async def listen():
        bus.subscribe("quote.asked", answer)
        bus.subscribe("stock.asked", answer)

    session.run(listen())
"""


def test_a_check_of_a_reply_is_spoilt_by_its_own_reply(project: Project) -> None:
    to_a_field = "correlation: {field: correlation_id}, request: {field: reply_to}"
    project.file("choreo.yaml", _CONFIGURATION.replace("correlation: {field: correlation_id}", to_a_field))
    project.file("features/environment.py", _ANSWERS).feature(_REQUESTS)
    [proof] = proofs(recorded([Path("features")], "behave"))
    assert proof.unproven == []
    told = [(each.line, each.spoilt) for each in proof.survivors]
    assert told == [(11, "the field price of the reply to 'stock.asked' was changed")]


@pytest.mark.parametrize("change", ["\n", "  Scenario: T\n", None])
def test_a_feature_that_was_changed_since_it_ran_is_not_proven(project: Project, change: str | None) -> None:
    service = '    Given a service that answers "a" with "b"\n'
    project.feature(f'Feature: F\n  Scenario: S\n{service}    When I publish "a"\n    Then I expect "b"\n')
    file, as_run = Path("features/a.feature"), texts_of([Path("features")])
    recordings = recorded([Path("features")], "behave")
    assert proofs(recordings, as_run)[0].unproven == []
    if change is None:
        file.unlink()
    else:
        file.write_text(change + file.read_text("utf-8"), "utf-8")
    [proof] = proofs(recordings, as_run)
    assert (proof.tried, len(proof.unproven)) == (0, 1)
    wanted = "S: its file was changed since it ran" if change else "S: features/a.feature cannot be read any more"
    assert wanted in as_text([proof])


def test_a_red_feature_is_nothing_to_prove(project: Project) -> None:
    project.feature('Feature: F\n  Scenario: S\n    When I publish "a"\n    Then I expect "b"\n')
    ran = project._run("choreo_bdd", "prove", "features/a.feature")
    assert "not proven: S: it does not pass" in ran
    assert ran.code == 2
