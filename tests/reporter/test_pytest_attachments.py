"""``choreo_attach``: what plain tests and pytest-bdd steps attach is in the report, masked, with its name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from choreo_bdd_reporter.read.messages import gherkin_from_messages
from choreo_bdd_reporter.read.report import read_report
from choreo_bdd_reporter.record.attachments import ATTACHMENTS_MAX
from tests.support.feature_samples import RERUN

pytestmark = pytest.mark.process
PLAIN = """
import pytest

@pytest.fixture
def broker(choreo_attach):
    choreo_attach("up", name="before")
    yield
    choreo_attach("down", name="after")

def test_attaches(broker, choreo_attach):
    choreo_attach("password=opensesame and more", name="log of token=hunter22x")
    choreo_attach(b'{"qty": 2}', "application/json", "order.json")
    choreo_attach(b"\\x89PNG", mime_type="image/png")
    choreo_attach(b"token=hunter22y", "application/octet-stream")

def test_attaches_nothing(choreo_attach): pass

def test_in_subtest(subtests, choreo_attach):
    with subtests.test("part"):
        choreo_attach("inside")
"""
FLAKY = """
count = []
def test_flaky(choreo_attach):
    count.append(1)
    choreo_attach(f"try {len(count)}")
    assert len(count) == 3
"""
STEPS = """
from pytest_bdd import given, scenarios

scenarios("shop.feature")

@given("a shop")
def _(choreo_attach):
    choreo_attach("password=opensesame", name="shop.log")
    choreo_attach(b"\\x89PNG", "image/png")
    choreo_attach(b"\\x89" * 1_000_001, "image/png", "large.png")
    choreo_attach("x" * 65_537, name="long.log")
    choreo_attach("{}", "application/json", "choreo-bdd-test.json")
"""
FEATURE = "Feature: Shop\n  Scenario: one\n    Given a shop\n"


def attachments(suite: Any, *options: str) -> dict[str, list[dict[str, Any]]]:
    """What the page has of each test, by the part of its node id after the file."""
    suite.report(*options, in_process=False)
    found = read_report(suite.path / "out").gherkin.get("attachments", {})
    return {nodeid.partition("::")[2]: attached for nodeid, attached in found.items()}


@pytest.mark.parametrize("options", [(), ("-n2",)])
def test_what_a_plain_test_attaches_is_kept_masked_and_by_its_name(suite: Any, options: tuple[str, ...]) -> None:
    suite.pytester.makepyfile(PLAIN)
    found = attachments(suite, *options)
    assert sorted(found) == ["test_attaches", "test_in_subtest"]
    assert [(each["name"], each.get("text", each.get("base64"))) for each in found["test_attaches"]] == [
        ("before", "up"),
        ("log of token=<redacted>", "password=<redacted> and more"),
        ("order.json", '{"qty": 2}'),
        ("", "iVBORw=="),
        ("", "token=<redacted>"),
        ("after", "down"),
    ]
    assert [each["text"] for each in found["test_in_subtest"]] == ["inside"]
    assert not (suite.path / "out" / "messages.ndjson").exists()


@pytest.mark.parametrize("options", [(), ("-n2",)])
def test_of_a_test_that_is_run_again_the_last_attempt_counts(suite: Any, options: tuple[str, ...]) -> None:
    suite.pytester.makeconftest(RERUN)
    suite.pytester.makepyfile(FLAKY)
    (attached,) = attachments(suite, *options)["test_flaky"]
    assert attached["text"] == "try 3"


def test_more_than_a_report_keeps_is_told(suite: Any) -> None:
    suite.pytester.makepyfile(
        f"def test_much(choreo_attach):\n    for n in range({ATTACHMENTS_MAX} + 3): choreo_attach(str(n))"
    )
    *kept, note = attachments(suite)["test_much"]
    assert [each["text"] for each in kept] == [str(n) for n in range(ATTACHMENTS_MAX)]
    assert (note["name"], "20 attachments of a test; 3 more are left out" in note["text"]) == ("3 more, left out", True)


SEVERAL = """
import pytest
from pytest_bdd import given, scenarios, when

scenarios("shop.feature")

@pytest.fixture(autouse=True)
def _around(choreo_attach):
    choreo_attach("before")
    yield
    choreo_attach("after")

@given("a shop")
def _(choreo_attach): choreo_attach("opened")

@when("it breaks")
def _(choreo_attach):
    choreo_attach("broke")
    assert 1 == 2
"""


def test_an_attachment_names_its_step_and_one_of_a_fixture_none(suite: Any) -> None:
    (suite.path / "shop.feature").write_text(f"{FEATURE}    When it breaks\n")
    suite.pytester.makepyfile(test_shop=SEVERAL)
    (found,) = attachments(suite).values()
    assert [(each["text"], each.get("step")) for each in found] == [
        ("before", None), ("opened", 0), ("broke", 1), ("after", None),
    ]  # fmt: skip
    again = gherkin_from_messages(suite.path / "out" / "messages.ndjson")
    assert again is not None
    ((*others, last),) = again["attachments"].values()
    assert [(each["text"], each.get("step")) for each in (*others, last)] == [
        ("before", None), ("after", None), ("opened", 0), ("broke", 1),
    ]  # fmt: skip


def test_without_a_report_it_does_nothing(suite: Any) -> None:
    suite.pytester.makepyfile("def test_a(choreo_attach): choreo_attach('x', 'text/plain', 'y')")
    suite.run().assert_outcomes(passed=1)


def test_data_of_another_type_is_refused_with_the_way_to_give_it(suite: Any) -> None:
    suite.pytester.makepyfile("def test_a(choreo_attach): choreo_attach({'qty': 2})")
    result = suite.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("*TypeError: choreo_attach: the data is of type dict; it takes bytes or str*")


def test_what_was_attached_before_a_crash_is_recovered(suite: Any) -> None:
    suite.pytester.makepyfile(
        "import os\ndef test_a(choreo_attach): choreo_attach('kept', name='a')\ndef test_b(): os._exit(3)"
    )
    suite.run("--harness-report=out", in_process=False)
    ((attached,),) = read_report(suite.path / "out").gherkin["attachments"].values()
    assert (attached["name"], attached["text"]) == ("a", "kept")


def test_steps_of_pytest_bdd_attach_to_their_scenario_and_to_cucumber_messages(suite: Any) -> None:
    (suite.path / "shop.feature").write_text(FEATURE)
    suite.pytester.makepyfile(test_shop=STEPS)
    found = attachments(suite)
    messages = suite.path / "out" / "messages.ndjson"
    envelopes = [json.loads(line) for line in messages.read_text().splitlines()]
    ours, log, picture, large, long, reserved = [each["attachment"] for each in envelopes if "attachment" in each]
    (step,) = [each["testStepStarted"]["testStepId"] for each in envelopes if "testStepStarted" in each]
    case = {"testCaseStartedId": ours["testCaseStartedId"], "testStepId": step}
    assert {each["step"] for each in found["test_one"]} == {0}
    assert log == {
        "body": "password=<redacted>", "contentEncoding": "IDENTITY", "mediaType": "text/plain",
        "fileName": "shop.log", **case,
    }  # fmt: skip
    assert picture == {"body": "iVBORw==", "contentEncoding": "BASE64", "mediaType": "image/png", **case}
    assert large["body"] == "[left out: 1000001 bytes are too many for a report]"
    assert (large["fileName"], large["mediaType"]) == ("large.png", "text/plain")
    assert long["body"].endswith("xxx\n[cut: the first part of 65537 bytes]")
    assert "fileName" not in reserved
    again = gherkin_from_messages(messages)
    assert again is not None
    assert list(again["attachments"].values()) == [found["test_one"]]
