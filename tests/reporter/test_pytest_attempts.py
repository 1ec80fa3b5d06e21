"""Subtests and repeated tests: pytest tells of them in an order of their own, and none of it may get lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from choreo_bdd_reporter.read.report import read_report
from tests.support.feature_samples import RERUN

pytestmark = pytest.mark.process
SUBTESTS = """
import unittest
from playing import play

def test_sub(subtests):
    for n in range(3):
        with subtests.test("part", n=n, login="token=hunter22x"):
            print(f"part {n} with password=hunter22x")
            play(f"s{n}")
            assert n != 1, "one is bad"

def test_skips_a_part(subtests):
    with subtests.test("part"):
        import pytest
        pytest.skip("not here")

class TestUnit(unittest.TestCase):
    def test_unit(self):
        for n in range(3):
            with self.subTest(n=n):
                play(f"u{n}")
                self.assertNotEqual(n, 1)
"""
CRASH_IS_RETRIED = """
@pytest.hookimpl(optionalhook=True)
def pytest_handlecrashitem(crashitem, report, sched):
    sched.mark_test_pending(crashitem)
    report.outcome = "rerun"
"""
CRASHES = """
import os, pathlib

def test_a():
    here = pathlib.Path("begun")
    if not here.exists():
        here.touch()
        os._exit(3)
"""
FLAKY = """
from playing import play
count = []
def test_flaky():
    count.append(1)
    play(f"f{len(count)}")
    assert len(count) == 3, "not yet, password=hunter22x"
def test_never():
    assert 0
def test_sub(subtests):
    with subtests.test(n=1):
        play("inside")
        assert 1 == 2
"""


@pytest.mark.parametrize("options", [(), ("-n2",)])
def test_a_subtest_that_fails_fails_its_test_and_keeps_its_scenarios(suite: Any, options: tuple[str, ...]) -> None:
    suite.pytester.makepyfile(SUBTESTS)
    tests = suite.tests(*options, in_process=False)
    assert {name: test["outcome"] for name, test in tests.items()} == {
        "test_sub": "failed", "test_skips_a_part": "passed", "TestUnit::test_unit": "failed",
    }  # fmt: skip
    assert [scenario["name"] for scenario in tests["test_sub"]["scenarios"]] == ["s0", "s1", "s2"]
    assert [scenario["name"] for scenario in tests["TestUnit::test_unit"]["scenarios"]] == ["u0", "u1", "u2"]
    assert "subtest [part] (n=1, login='token=<redacted>" in tests["test_sub"]["traceback"]
    assert "one is bad" in tests["test_sub"]["traceback"]
    assert [f"part {n} with password=<redacted>" in tests["test_sub"]["stdout"] for n in range(3)] == [True] * 3
    assert "hunter22x" not in (suite.path / "out" / "results.json").read_text()


@pytest.mark.parametrize("options", [(), ("-n2",)])
def test_earlier_attempts_are_told_and_the_last_one_counts(suite: Any, options: tuple[str, ...]) -> None:
    suite.pytester.makeconftest(RERUN)
    suite.pytester.makepyfile(FLAKY)
    tests = suite.tests(*options, in_process=False)
    flaky, never = tests["test_flaky"], tests["test_never"]
    assert (flaky["outcome"], never["outcome"]) == ("passed", "failed")
    assert [scenario["name"] for scenario in flaky["scenarios"]] == ["f3"]
    assert flaky["log"].splitlines() == [
        "[attempt 1 of 3 failed: AssertionError: not yet, password=<redacted>]",
        "[attempt 2 of 3 failed: AssertionError: not yet, password=<redacted>]",
    ]
    assert "[attempt 2 of 3 failed: assert 0]" in never["log"]
    assert never["traceback"].count("test_never") == 1


@pytest.mark.parametrize("options", [(), ("-n2",)])
def test_each_attempt_is_kept_whole(suite: Any, options: tuple[str, ...]) -> None:
    suite.pytester.makeconftest(RERUN)
    suite.pytester.makepyfile(test_f=FLAKY)
    (test,) = suite.report(*options, "-k", "flaky", in_process=False)["tests"]
    attempts = read_report(suite.path / "out").gherkin["attempts"]["test_f.py::test_flaky"]
    kept = [attempt["test"] for attempt in attempts]
    assert [each["outcome"] for each in kept] == ["failed", "failed"]
    assert [scenario["name"] for each in (*kept, test) for scenario in each["scenarios"]] == ["f1", "f2", "f3"]
    assert all(scenario["timeline"] for each in kept for scenario in each["scenarios"])
    assert ["not yet" in each["traceback"] for each in kept] == [True, True]
    assert [each["stdout"] for each in (*kept, test)] == ["", "", ""]
    assert "hunter22x" not in (suite.path / "out" / "index.html").read_text()


def test_a_test_that_another_worker_repeats_after_a_crash_is_one_test(suite: Any) -> None:
    suite.pytester.makeconftest(RERUN + CRASH_IS_RETRIED)
    suite.pytester.makepyfile(test_f=CRASHES)
    (test,) = suite.report("-n1", in_process=False)["tests"]
    assert (test["outcome"], test["worker_id"]) == ("passed", "gw1")
    (first,) = read_report(suite.path / "out").gherkin["attempts"]["test_f.py::test_a"]
    assert (first["test"]["outcome"], first["test"]["worker_id"]) == ("errored", "gw0")
    assert "crashed" in first["reason"]


def test_a_journal_has_every_attempt(suite: Any) -> None:
    suite.pytester.makeconftest(RERUN)
    suite.pytester.makepyfile(test_f=f"{FLAKY}\ndef test_last():\n    import os\n    os._exit(3)\n")
    suite.run("--harness-report=out", "-k", "flaky or last", in_process=False)
    report = read_report(suite.path / "out")
    outcomes = {test["nodeid"]: test["outcome"] for test in report.results["tests"]}
    assert outcomes == {"test_f.py::test_flaky": "passed", "test_f.py::test_last": "errored"}
    attempts = report.gherkin["attempts"]["test_f.py::test_flaky"]
    assert [each["test"]["scenarios"][0]["name"] for each in attempts] == ["f1", "f2"]


def test_subtests_told_before_their_test_belong_to_its_attempt(suite: Any) -> None:
    suite.pytester.makeconftest(RERUN)
    suite.pytester.makepyfile(FLAKY)
    test = suite.tests()["test_sub"]
    assert (test["outcome"], [scenario["name"] for scenario in test["scenarios"]]) == ("failed", ["inside"])
    assert test["traceback"].count("subtest (n=1)") == 1


def test_of_a_test_that_is_collected_twice_the_worst_outcome_counts(suite: Any) -> None:
    suite.pytester.makepyfile("n = []\ndef test_a():\n    n.append(1)\n    assert len(n) > 1, 'first'")
    name = "test_of_a_test_that_is_collected_twice_the_worst_outcome_counts.py"
    (test,) = suite.report("--keep-duplicates", name, name)["tests"]
    assert (test["outcome"], test["log"]) == ("failed", "[attempt 1 of 2 failed: AssertionError: first]")
    assert test["traceback"].count("AssertionError: first") == 1


def test_the_page_knows_the_attempts(suite: Any) -> None:
    suite.pytester.makeconftest(RERUN)
    suite.pytester.makepyfile(test_f="n = []\ndef test_a():\n    n.append(1)\n    assert len(n) > 1")
    suite.report()
    page = (suite.path / "out" / "index.html").read_text()
    gherkin = json.loads(page.partition('<template id="choreo-gherkin">')[2].partition("</template>")[0])
    (attempt,) = gherkin["attempts"]["test_f.py::test_a"]
    assert attempt["outcome"] == "failed"
    assert "assert 1 > 1" in attempt["reason"]


@pytest.mark.parametrize("options", [(), ("-n2",)])
def test_facts_of_the_run_are_gathered_from_every_process(suite: Any, options: tuple[str, ...]) -> None:
    suite.pytester.makepyfile(
        """
        import pytest
        from choreo_bdd.observers import note_run_fact
        said = []
        @pytest.mark.parametrize("n", range(4))
        def test_a(n):
            said.append({"nodeid": f"a{n}", "place": "f:1", "reason": "password=hunter22x is never checked"})
            note_run_fact("vacuity", list(said))
        """
    )
    suite.report(*options, in_process=False)
    page = (suite.path / "out" / "index.html").read_text()
    gherkin = json.loads(page.partition('<template id="choreo-gherkin">')[2].partition("</template>")[0])
    assert sorted(warning["nodeid"] for warning in gherkin["vacuity"]) == ["a0", "a1", "a2", "a3"]
    assert {warning["reason"] for warning in gherkin["vacuity"]} == {"password=<redacted> is never checked"}
