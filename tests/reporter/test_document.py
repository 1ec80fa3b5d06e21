from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from choreo_bdd.redaction import Redactor
from choreo_bdd_reporter.documents.results import (
    described,
    document_of,
    feature_documents,
    run_document,
    with_more_scenarios,
)
from choreo_bdd_reporter.model.schema_types import ResultsRun
from choreo_bdd_reporter.model.tests import Feature, GherkinScenario, RecordedScenario, Run, Step, Test
from choreo_bdd_reporter.record.masking import masked_gherkin
from choreo_bdd_reporter.record.tables import masked_table

RunBlock = Callable[..., ResultsRun]


def scenario(outcome: str = "pass", *, stage: list[str] | None = None, **facts: Any) -> RecordedScenario:
    document: Any = {"name": "s", "outcome": outcome, "handles": [{"outcome": outcome}], "timeline": []}
    if stage is not None:
        document["stage"] = {"bridge_class": "B", "transports": stage, "correlation_ids": {}}
    return RecordedScenario(document=document, **facts)


@pytest.fixture
def run_block(empty_run: Run) -> RunBlock:
    """The run's part of the results, for tests with these scenarios."""

    def block(*scenarios: RecordedScenario) -> ResultsRun:
        documents = [document_of(each) for each in a_test_each(*scenarios)]
        facts = [document.facts for document in documents]
        return run_document(empty_run, [each.test["outcome"] for each in documents], facts, truncated=False)

    return block


def a_test_each(*scenarios: RecordedScenario) -> list[Test]:
    return [
        Test(nodeid=str(n), file="", name="", outcome="passed", scenarios=(each,)) for n, each in enumerate(scenarios)
    ]


@pytest.mark.parametrize(
    ("scenarios", "transports"),
    [
        ([], {"transport": None}),
        ([scenario(transport="MockTransport")] * 2, {"transport": "MockTransport"}),
        (
            [scenario(transport="MockTransport"), scenario(transport="NatsTransport")],
            {"transport": None, "transports": ["MockTransport", "NatsTransport"]},
        ),
        ([scenario(stage=["queue", "mqtt"])], {"transport": None, "transports": ["mqtt", "queue"]}),
        (
            [scenario(stage=["queue"]), scenario(transport="MockTransport")],
            {"transport": None, "transports": ["MockTransport", "queue"]},
        ),
    ],
)
def test_the_run_names_its_transports(
    run_block: RunBlock, scenarios: list[RecordedScenario], transports: dict[str, Any]
) -> None:
    block = run_block(*scenarios)
    assert {key: block[key] for key in ("transport", "transports") if key in block} == transports


def test_the_redaction_version_is_given_only_where_ids_were_hashed(run_block: RunBlock) -> None:
    assert "redaction_version" not in run_block(scenario())["redactions"]
    assert run_block(scenario(stage=["a"]))["redactions"]["redaction_version"] == "v1"


def test_the_allowlist_of_any_scenario_is_named(run_block: RunBlock) -> None:
    assert run_block(scenario())["allowlist_path"] is None
    block = run_block(scenario(), scenario(allowlist_path="config/allowlist.yaml"))
    assert block["allowlist_path"] == "config/allowlist.yaml"


def test_totals_count_each_test_once(empty_run: Run) -> None:
    outcomes = ("passed", "passed", "failed", "errored", "skipped", "slow")
    totals = run_document(empty_run, outcomes, [], truncated=False)["totals"]
    assert totals == {"passed": 2, "failed": 1, "errored": 1, "skipped": 1, "slow": 1, "total": 6}


def test_too_many_scenarios_of_a_test_are_cut_visibly_and_the_failed_one_stays(run_block: RunBlock) -> None:
    (test,) = a_test_each(scenario())
    document = document_of(replace(test, scenarios=(*[scenario()] * 104, scenario("fail")), log="before"))
    assert document.facts.truncated
    assert [each["outcome"] for each in document.test["scenarios"]].count("fail") == 1
    assert len(document.test["scenarios"]) == len(document.details) == 100
    assert document.test["log"] == "before\n[5 more scenarios not shown: limit 100 a test]"


def test_scenarios_that_come_late_are_added_up_to_the_limit(run_block: RunBlock) -> None:
    (test,) = a_test_each(scenario(transport="MockTransport"))
    more = with_more_scenarios(document_of(test), [scenario("fail", stage=["a"])] * 120)
    assert [each["outcome"] for each in more.test["scenarios"]] == ["pass", *["fail"] * 99]
    assert (more.facts.single, more.facts.staged, more.facts.truncated) == (("MockTransport",), ("a",), True)


def test_a_run_is_truncated_as_soon_as_anything_is_left_out(run_block: RunBlock) -> None:
    assert run_block(scenario())["truncated"] is False
    assert run_block(scenario(), scenario(truncated=True))["truncated"] is True


def gherkin_test(*origins: str | None, outcome: str = "pass") -> Test:
    handles = [{"origin": origin} for origin in origins]
    document: Any = {
        "name": "s",
        "outcome": outcome,
        "handles": [{"outcome": outcome} for _ in origins],
        "timeline": [],
    }
    steps = (
        Step(keyword="When", text="I publish", line=6, status="passed"),
        Step(keyword="Then", text="I expect", line=7, status="passed", docstring="{}", table=(("a",),)),
    )
    return Test(
        nodeid="features/x.feature::buy", file="features/x.feature", name="buy", outcome="passed",
        scenarios=(RecordedScenario(document=document, details={"handles": handles, "timeline": []}),),
        feature=Feature(uri="features/x.feature", name="Shop", tags=("@shop",)),
        gherkin=GherkinScenario(name="buy", keyword="Scenario", line=5, rule="big ones", steps=steps),
    )  # fmt: skip


def test_the_page_gets_features_with_their_steps() -> None:
    test = gherkin_test(None)
    tests = (test, replace(test, nodeid="other"), *a_test_each(scenario()))
    parts = ((each.nodeid, document_of(each).gherkin) for each in tests)
    (feature,) = feature_documents(described(nodeid, part) for nodeid, part in parts if part)
    assert (feature["uri"], feature["name"], feature["tags"]) == ("features/x.feature", "Shop", ["@shop"])
    assert [each["nodeid"] for each in feature["scenarios"]] == ["features/x.feature::buy", "other"]
    assert feature["scenarios"][0]["rule"] == "big ones"
    assert feature["scenarios"][0]["steps"][1]["table"] == [["a"]]


def steps_of(test: Test) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = document_of(test).gherkin["scenario"]["steps"]
    return steps


def test_a_step_knows_the_expectations_it_declared() -> None:
    steps = steps_of(gherkin_test("features/x.feature:8", "features/x.feature:7"))
    assert [step["checks"] for step in steps] == [[], [{"scenario": 0, "handle": 1}]]


def test_another_file_of_a_similar_name_is_not_the_origin() -> None:
    steps = steps_of(gherkin_test("features/ax.feature:7", "y.feature:7", None))
    assert [step["checks"] for step in steps] == [[], []]


def test_a_step_that_passed_over_budget_is_slow() -> None:
    steps = steps_of(gherkin_test("features/x.feature:7", outcome="slow"))
    assert [step["status"] for step in steps] == ["passed", "slow"]


def test_secrets_in_gherkin_are_masked() -> None:
    step = Step(
        keyword="When", text='password is "hunter22"', line=1, status="failed", docstring='{"token": "abc123"}',
        table=(("field", "value"), ("user.password", "s3cr3t-1"), ("name", "bob")), message="not s3cr3t-1",
    )  # fmt: skip
    redactor = Redactor()
    (masked,) = masked_gherkin(redactor, GherkinScenario(name="", keyword="", line=1, steps=(step,))).steps
    assert masked.text == 'password is "<redacted>"'
    assert masked.docstring == '{"token": "<redacted>"}'
    assert masked.table == (("field", "value"), ("user.password", "<redacted>"), ("name", "bob"))
    assert masked.message == "not <redacted>"


def test_a_column_of_secrets_is_masked_below_its_heading() -> None:
    table = (("user", "password"), ("bob", "x"), ("eve", ""))
    assert masked_table(Redactor(), table) == (("user", "password"), ("bob", "<redacted>"), ("eve", ""))
    assert masked_table(Redactor(), ()) == ()
