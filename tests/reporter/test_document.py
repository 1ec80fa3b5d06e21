from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from choreo_bdd.redaction import Redactor
from choreo_bdd_reporter import document as document_module
from choreo_bdd_reporter.document import capped, gherkin_document, results_document
from choreo_bdd_reporter.masking import masked_gherkin, masked_table
from choreo_bdd_reporter.model import Feature, GherkinScenario, RecordedScenario, Run, Step, Test, TestOutcome

RunOf = Callable[..., Run]


def scenario(outcome: str = "pass", *, stage: list[str] | None = None, **facts: Any) -> RecordedScenario:
    document: dict[str, Any] = {"name": "s", "outcome": outcome, "handles": [{"outcome": outcome}]}
    if stage is not None:
        document["stage"] = {"bridge_class": "B", "transports": stage, "correlation_ids": {}}
    return RecordedScenario(document=document, **facts)


def run_block(run: Run) -> dict[str, Any]:
    block: dict[str, Any] = results_document(run, truncated=False)["run"]
    return block


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
    run_of: RunOf, scenarios: list[RecordedScenario], transports: dict[str, Any]
) -> None:
    block = run_block(run_of(*scenarios))
    assert {key: block[key] for key in ("transport", "transports") if key in block} == transports


def test_the_redaction_version_is_given_only_where_ids_were_hashed(run_of: RunOf) -> None:
    assert "redaction_version" not in run_block(run_of(scenario()))["redactions"]
    assert run_block(run_of(scenario(stage=["a"])))["redactions"]["redaction_version"] == "v1"


def test_the_allowlist_of_any_scenario_is_named(run_of: RunOf) -> None:
    assert run_block(run_of(scenario()))["allowlist_path"] is None
    run = run_of(scenario(), scenario(allowlist_path="config/allowlist.yaml"))
    assert run_block(run)["allowlist_path"] == "config/allowlist.yaml"


def test_totals_count_each_test_once(empty_run: Run) -> None:
    outcomes: tuple[TestOutcome, ...] = ("passed", "passed", "failed", "errored", "skipped", "slow")
    tests = tuple(Test(nodeid=str(n), file="", name="", outcome=each) for n, each in enumerate(outcomes))
    totals = run_block(replace(empty_run, tests=tests))["totals"]
    assert totals == {"passed": 2, "failed": 1, "errored": 1, "skipped": 1, "slow": 1, "total": 6}


def test_too_many_scenarios_of_a_test_are_cut_visibly_and_the_failed_one_stays(run_of: RunOf) -> None:
    run = run_of(scenario())
    crowded = replace(run.tests[0], scenarios=(*[scenario()] * 104, scenario("fail")), log="before")
    kept, truncated = capped(replace(run, tests=(crowded,)))
    assert truncated
    assert [item.document["outcome"] for item in kept.tests[0].scenarios].count("fail") == 1
    assert len(kept.tests[0].scenarios) == 100
    assert kept.tests[0].log == "before\n[5 more scenarios not shown: limit 100 a test]"


def test_too_many_tests_set_truncated_and_failures_stay(run_of: RunOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_module, "TESTS_MAX", 3)
    run = run_of(*[scenario()] * 9)
    last = replace(run.tests[-1], outcome="failed")
    kept, truncated = capped(replace(run, tests=(*run.tests[:-1], last)))
    assert truncated
    assert [test.outcome for test in kept.tests] == ["passed", "passed", "failed"]


def test_a_run_within_the_limits_is_not_truncated(run_of: RunOf) -> None:
    assert capped(run_of(scenario())) == (run_of(scenario()), False)
    assert capped(run_of(scenario(truncated=True)))[1]


def gherkin_test(*origins: str | None, outcome: str = "pass") -> Test:
    handles = [{"origin": origin} for origin in origins]
    document = {"name": "s", "outcome": outcome, "handles": [{"outcome": outcome} for _ in origins]}
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


def test_the_page_gets_features_with_their_steps_and_the_exit(empty_run: Run) -> None:
    test = gherkin_test(None)
    run = replace(empty_run, tests=(test, replace(test, nodeid="other")), exit_status=1, interrupted=True)
    gherkin = gherkin_document(run)
    (feature,) = gherkin["features"]
    assert (feature["uri"], feature["name"], feature["tags"]) == ("features/x.feature", "Shop", ["@shop"])
    assert [each["nodeid"] for each in feature["scenarios"]] == ["features/x.feature::buy", "other"]
    assert feature["scenarios"][0]["rule"] == "big ones"
    assert feature["scenarios"][0]["steps"][1]["table"] == [["a"]]
    assert gherkin["exit"] == {"status": 1, "interrupted": True}
    assert list(gherkin["details"]) == ["features/x.feature::buy", "other"]


@pytest.mark.parametrize("origin", ["features/x.feature:7", "/repo/features/x.feature:7", "x.feature:7"])
def test_a_step_knows_the_expectations_it_declared(empty_run: Run, origin: str) -> None:
    run = replace(empty_run, tests=(gherkin_test("features/x.feature:8", origin),))
    steps = gherkin_document(run)["features"][0]["scenarios"][0]["steps"]
    assert [step["checks"] for step in steps] == [[], [{"scenario": 0, "handle": 1}]]


def test_another_file_of_a_similar_name_is_not_the_origin(empty_run: Run) -> None:
    run = replace(empty_run, tests=(gherkin_test("features/ax.feature:7", "y.feature:7", None),))
    steps = gherkin_document(run)["features"][0]["scenarios"][0]["steps"]
    assert [step["checks"] for step in steps] == [[], []]


def test_a_step_that_passed_over_budget_is_slow(empty_run: Run) -> None:
    run = replace(empty_run, tests=(gherkin_test("features/x.feature:7", outcome="slow"),))
    steps = gherkin_document(run)["features"][0]["scenarios"][0]["steps"]
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
