"""``asyncapi:`` in choreo.yaml: scenarios, lint and reports held against a document."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from choreo_bdd.observers import register_observer, unregister_observer
from choreo_bdd.scenario import Cause
from choreo_bdd_project.config import ConfigError, TransportConfig, memory_config
from choreo_bdd_steps.lint import Severity, feature_files, lint
from choreo_bdd_steps.plan.settings import configuration
from choreo_bdd_steps.replaying.virtual_loop import VirtualLoop
from choreo_bdd_steps.run.session import Session
from tests.support.project import LOADER, Project
from tests.support.step_bench import Bench

ROOT = Path(__file__).parents[2]
FORMATTER = "choreo_bdd_reporter.behave_formatter:ChoreoFormatter"
SPEC = """
asyncapi: 3.0.0
info: {title: Till, version: 1.0.0}
channels:
  asked:
    address: payments.requested
    messages: {asked: {payload: {$ref: '#/components/schemas/Payment'}}}
  taken:
    address: payments.taken
    messages: {taken: {payload: {$ref: '#/components/schemas/Payment'}}}
  receipt:
    address: receipts.{shop}
components:
  schemas:
    Payment:
      type: object
      required: [amount]
      properties:
        amount: {type: integer}
"""
PROJECT = "profiles: {memory: {bus: {type: memory, correlation: {field: correlation_id}}}}\ntimeout: 300ms\n"
MakeBench = Callable[..., Bench]


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "till.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def till(make_bench: MakeBench, spec: Path) -> Bench:
    """A bench whose messages are held against the document; what is requested is taken."""
    bench = make_bench(asyncapi=(spec,))
    bench.echo("payments.requested", "payments.taken")
    return bench


class TestScenarios:
    def test_messages_that_keep_it_pass(self, till: Bench) -> None:
        played = till.play(
            'When I publish "payments.requested"\namount: 5', 'Then I expect "payments.taken"\namount: 5'
        )
        assert played.error is None

    def test_a_publish_that_breaks_it_fails_its_step_before_anybody_hears_it(self, till: Bench) -> None:
        played = till.play('When I publish "payments.requested"\namount: five', 'Then I expect "payments.taken"')
        assert played.failed_step == 'I publish "payments.requested"'
        assert "play.feature:3" in str(played.error)
        assert (
            "the message on 'payments.requested' breaks its contract and was not sent:\n"
            "  amount: expected integer, got a string "
            "(till.yaml#/channels/asked/messages/asked: payload/properties/amount/type)"
        ) in str(played.error)
        assert till.heard == []

    def test_a_topic_nobody_describes_gets_the_likely_one(self, till: Bench) -> None:
        played = till.play('When I publish "payment.requested"\namount: 5', 'Then I expect "payments.taken"')
        assert "did you mean 'payments.requested'?" in str(played.error)

    def test_what_a_service_gets_wrong_is_the_cause(self, make_bench: MakeBench, spec: Path) -> None:
        bench = make_bench(asyncapi=(spec,))
        bench.echo("payments.requested", "payments.taken", amount="5")
        played = bench.play('When I publish "payments.requested"\namount: 5', 'Then I expect "payments.taken"')
        assert "contract broken: a message on 'payments.taken' breaks its contract: amount: expected" in str(
            played.error
        )

    def test_raw_bytes_go_out_as_they_are_for_negative_paths(self, till: Bench) -> None:
        with pytest.warns(UserWarning, match="1 matching without a correlation id"):  # raw bytes carry none
            played = till.play(
                'When I publish "payments.requested" as raw bytes:\n{"amount": "five"}',
                'Then I expect no "payments.taken" for 50ms',
            )
        assert till.heard == [("payments.requested", {"amount": "five"})]
        assert played.error is None

    def test_the_answer_to_a_request_needs_no_channel(self, spec: Path) -> None:
        bus = TransportConfig("bus", "memory", "the test", correlation_field="correlation_id", request_field="reply_to")
        session = Session(
            replace(memory_config(), transports={"bus": bus}, timeout_s=0.2, asyncapi=(spec,)),
            loop=VirtualLoop(),
        )
        bench = Bench(session)
        bench.service("payments.requested", lambda message: [(message["reply_to"], {"level": 5})])
        played = bench.play('When I request "payments.requested"\namount: 5', "Then I expect a reply where level is 5")
        session.close()
        assert played.error is None

    def test_a_stand_in_that_breaks_it_is_told_about(self, make_bench: MakeBench, spec: Path) -> None:
        bench = make_bench(asyncapi=(spec,))
        played = bench.play(
            'Given a service that answers "payments.requested" with "payments.taken"\namount: five',
            'When I publish "payments.requested"\namount: 5',
            'Then the service answered "payments.requested"',
        )
        assert "reply_failed" in str(played.error)


@pytest.mark.process
@pytest.mark.parametrize("framework", ["behave", "pytest"])
def test_topics_nobody_describes_may_be_warned_of_where_they_are_named(project: Project, framework: str) -> None:
    """Of a publish and of a stand-in alike, a message or several, once each."""
    project.file("choreo.yaml", f"{PROJECT}asyncapi: {{spec: till.yaml, unknown: warn}}\n").file("till.yaml", SPEC)
    ran = project.feature(
        """\
        Feature: Till
          Scenario: Paying
            Given a service that answers "payment.requested" with "payment.taken"
            When I publish 3 "payment.requested" messages
            Then I expect "payment.taken"
        """
    ).run(framework)
    assert ran.code == 0
    for line, topic, meant in ((3, "payment.taken", "payments.taken"), (4, "payment.requested", "payments.requested")):
        told = f"no channel of till.yaml describes {topic!r}; did you mean {meant!r}?"
        assert ran.text.count(f"a.feature:{line}: unknown topic: {told}") == 1
    assert "harness.py" not in ran


class TestCoverage:
    def test_channels_no_scenario_touched_are_known(self, till: Bench) -> None:
        assert list(till.session.untouched_channels) == ["payments.requested", "payments.taken", "receipts.{shop}"]
        till.play('When I publish "payments.requested"\namount: 5', 'Then I expect no "receipts.north" for 20ms')
        assert list(till.session.untouched_channels) == ["payments.taken", "receipts.{shop}"]
        till.play('When I publish "receipts.south"', 'Then I expect "receipts.*"')
        assert list(till.session.untouched_channels) == ["payments.taken"]

    def test_what_stand_ins_hear_and_say_counts(self, make_bench: MakeBench, spec: Path) -> None:
        bench = make_bench(asyncapi=(spec,))
        bench.play(
            'Given a service that answers "payments.requested" with "payments.taken"\namount: 5',
            'When I publish "payments.requested"\namount: 5',
            'Then the service answered "payments.requested"',
        )
        assert bench.session.untouched_channels == ("receipts.{shop}",)

    def test_observers_are_told_after_each_scenario(self, till: Bench) -> None:
        facts: dict[str, Any] = {}

        class Observer:
            def __call__(self, result: object, nodeid: str | None, completed: bool) -> None: ...

            def run_fact(self, key: str, value: object) -> None:
                facts[key] = value

        observer = Observer()
        register_observer(observer)
        try:
            till.play('When I publish "receipts.north"', 'Then I expect "receipts.north"')
        finally:
            unregister_observer(observer)
        assert facts["channels"] == {
            "spec": "till.yaml",
            "touched": ["receipts.{shop}"],
            "untouched": ["payments.requested", "payments.taken"],
        }

    def test_without_a_document_there_are_none(self, bench: Bench) -> None:
        assert bench.session.untouched_channels == ()


class TestLint:
    FEATURE = """
        Feature: Till
          Scenario: paying
            Given a service that answers "payment.requested" with "payments.takn":
              \"\"\"
              amount: 5
              \"\"\"
            And shop is "north"
            When I publish "payments.requestd":
              | field  | value |
              | amount | 5     |
            Then I expect "payments.taken"
            And I expect "receipts.{{ shop }}"
            And I expect "receipts.*"
            And I expect "till.>" where amount is 5
            And I expect in order:
              | topic          |
              | payments.taken |
              | receipt.north  |
            And from "payment.taken" to "receipts.x" takes at most 1s
            When I request "payments.requested"
            Then I expect a reply
    """

    def findings(self, project: Project, setting: str) -> list[tuple[int, str, Severity]]:
        project.file("choreo.yaml", f"{PROJECT}asyncapi: {setting}\n").file("till.yaml", SPEC).feature(self.FEATURE)
        return [
            (each.line, each.message, each.severity)
            for each in lint(feature_files([project.folder / "features"]))
            if each.rule == "unknown-topic"
        ]

    def test_unknown_topics_are_found_with_the_likely_ones(self, project: Project) -> None:
        found = self.findings(project, "till.yaml")
        told = [
            (line, re.findall(r"describes (\S+?)(?:;|$)(?: did you mean (\S+)\?)?", message)[0])
            for line, message, _ in found
        ]
        assert told == [
            (3, ("'payment.requested'", "'payments.requested'")),
            (3, ("'payments.takn'", "'payments.taken'")),
            (8, ("'payments.requestd'", "'payments.requested'")),
            (14, ("'till.>'", "")),
            (15, ("'receipt.north'", "'receipts.{shop}'")),
            (19, ("'payment.taken'", "'payments.taken'")),
        ]
        assert {severity for _, _, severity in found} == {Severity.ERROR}

    def test_they_may_be_warnings_or_nothing(self, project: Project) -> None:
        warned = self.findings(project, "{spec: till.yaml, unknown: warn}")
        assert {severity for _, _, severity in warned} == {Severity.WARNING}
        assert self.findings(project, "{spec: [till.yaml], unknown: ignore}") == []

    def test_without_a_document_no_topic_is_unknown(self, project: Project) -> None:
        project.file("choreo.yaml", PROJECT).feature(self.FEATURE)
        assert "unknown-topic" not in {each.rule for each in lint(feature_files([project.folder / "features"]))}

    def test_a_broken_document_is_one_error_of_the_configuration(self, project: Project) -> None:
        project.file("choreo.yaml", f"{PROJECT}asyncapi: till.yaml\n").feature(self.FEATURE)
        project.file("till.yaml", SPEC.replace("type: integer", "type: integr"))
        with pytest.raises(
            ConfigError, match=r"choreo\.yaml: asyncapi: till\.yaml#/components/schemas/Payment/properties"
        ):
            lint(feature_files([project.folder / "features"]))

    def test_a_missing_document_is_named_with_its_line(self, project: Project) -> None:
        project.file("choreo.yaml", f"{PROJECT}asyncapi: till.yaml\n")
        with pytest.raises(ConfigError, match=r"choreo\.yaml:3: asyncapi: the file .*till\.yaml does not exist"):
            Session(configuration(project.folder))


@pytest.fixture
def orders(project: Project) -> Project:
    """The order pipeline's features, held against its document."""
    for folder in ("features", "examples"):
        shutil.copytree(ROOT / folder, project.folder / folder, ignore=shutil.ignore_patterns("__pycache__", "phrases"))
    configured = (ROOT / "choreo.yaml").read_text("utf-8")
    return project.file("choreo.yaml", f"{configured}\nasyncapi: examples/orders/asyncapi.yaml\n")


def channels(report: Path) -> Any:
    """What a report's page knows of channels."""
    found = re.search(r'<template id="choreo-gherkin">(.*?)</template>', (report / "index.html").read_text("utf-8"))
    assert found is not None
    return json.loads(found[1]).get("channels")


EVERYTHING = {
    "spec": "asyncapi.yaml",
    "touched": [
        "carrier.booking.{stage}", "fraud.checked", "notifications.sent", "orders.accepted", "orders.delayed",
        "orders.held", "orders.placed", "orders.rejected", "orders.settled", "orders.shipped",
    ],
    "untouched": [],
}  # fmt: skip


class TestOrders:
    def test_the_suite_passes_under_behave_and_touches_every_channel(self, orders: Project) -> None:
        ran = orders.behave("--tags=not @deliberate", "-f", FORMATTER, "-o", "report")
        assert ran.code == 0, ran.text
        assert channels(orders.folder / "report") == EVERYTHING

    def test_a_currency_that_does_not_exist_breaks_the_contract(self, orders: Project) -> None:
        ran = orders.behave("-f", "plain", "--tags=@deliberate", "--name=Settled in the wrong currency")
        assert f"{Cause.CONTRACT_BROKEN.value}: a message on 'orders.settled' breaks its contract" in ran
        assert 'settlement.currency: expected one of "EUR", "GBP", "USD"' in ran

    def test_lint_finds_nothing(self, orders: Project) -> None:
        assert lint(feature_files([orders.folder / "features"])) == []


def test_channels_that_different_processes_have_touched_are_counted_together(project: Project) -> None:
    project.file("choreo.yaml", f"{PROJECT}asyncapi: till.yaml\n").file("till.yaml", SPEC)
    for name, topic in (("one", "payments.requested"), ("two", "payments.taken")):
        publish = f'When I publish "{topic}":\n      | amount |\n      | 5      |'
        steps = f'{publish}\n    Then I expect no "receipts.n" for 10ms'
        project.file(f"features/{name}.feature", f"Feature: {name}\n  Scenario: s\n    {steps}\n")
    ran = project.pytest("features", "--harness-report=report", "-n", "2", "--dist=loadfile", "-v")
    assert ran.code == 0, ran.text
    assert ("[gw0]" in ran, "[gw1]" in ran) == (True, True)
    found = channels(project.folder / "report")
    assert (found["touched"], found["untouched"]) == (["payments.requested", "payments.taken"], ["receipts.{shop}"])


def test_the_features_of_a_new_project_need_no_document(project: Project) -> None:
    project.file("choreo.yaml", PROJECT).file("features/steps/choreo.py", LOADER)
    project.feature('Feature: f\n  Scenario: s\n    When I publish "anything"\n    Then I expect "anything"\n')
    ran = project.behave("-f", FORMATTER, "-o", "report")
    assert ran.code == 0, ran.text
    assert channels(project.folder / "report") is None
