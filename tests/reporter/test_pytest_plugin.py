from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd_reporter import page, writer

RUN = pytest.mark.process
ALL_OUTCOMES = """
import pytest
from playing import play

def test_passed():
    print("out password=x1")
    play("first"); play("second")

def test_unasserted():
    play("unnoticed", amount=6)

def test_slow():
    play("late", budget_ms=1)

def test_failed():
    play("wrong", amount=6).assert_passed()

def test_skipped_inside():
    pytest.skip("not today")

@pytest.mark.skip(reason="never")
def test_skipped_outside(): pass

@pytest.mark.xfail(reason="known bug")
def test_xfail(): assert 0

@pytest.mark.xfail(reason="fixed?")
def test_xpass(): pass

@pytest.mark.xfail(reason="fixed", strict=True)
def test_strict_xpass(): pass

@pytest.fixture
def broken_setup(): raise OSError("no broker")

@pytest.fixture
def broken_teardown():
    yield
    raise OSError("no disconnect")

def test_setup_error(broken_setup): pass
def test_teardown_error(broken_teardown): pass
def test_failure_and_teardown_error(broken_teardown): assert 1 == 2

class TestGroup:
    @pytest.mark.choreo(timeout_ms=200, tags=["gate"])
    @pytest.mark.parametrize("n", [1])
    def test_in_class(self, n): pass
"""


def test_every_outcome_is_told_apart(suite: Any) -> None:
    suite.pytester.makepyfile(ALL_OUTCOMES)
    tests = suite.tests()
    assert {name: test["outcome"] for name, test in tests.items()} == {
        "test_passed": "passed",
        "test_unasserted": "passed",
        "test_slow": "slow",
        "test_failed": "failed",
        "test_skipped_inside": "skipped",
        "test_skipped_outside": "skipped",
        "test_xfail": "skipped",
        "test_xpass": "passed",
        "test_strict_xpass": "failed",
        "test_setup_error": "errored",
        "test_teardown_error": "errored",
        "test_failure_and_teardown_error": "failed",
        "TestGroup::test_in_class[1]": "passed",
    }
    assert [scenario["name"] for scenario in tests["test_passed"]["scenarios"]] == ["first", "second"]
    assert tests["test_unasserted"]["scenarios"][0]["outcome"] == "fail"
    assert tests["test_skipped_inside"]["skip_reason"] == "Skipped: not today"
    assert tests["test_xfail"]["skip_reason"] == "xfail: known bug"
    assert tests["test_xfail"]["traceback"] is None
    assert "no broker" in tests["test_setup_error"]["traceback"]
    assert "no disconnect" in tests["test_teardown_error"]["traceback"]
    both = tests["test_failure_and_teardown_error"]["traceback"]
    assert both.index("1 == 2") < both.index("no disconnect")
    assert tests["test_setup_error"]["duration_ms"] == 0.0
    grouped = tests["TestGroup::test_in_class[1]"]
    assert (grouped["name"], grouped["class"]) == ("test_in_class[1]", "TestGroup")
    assert grouped["file"] == "test_every_outcome_is_told_apart.py"
    assert grouped["markers"] == ["parametrize", "choreo"]
    assert grouped["choreo_meta"] == {"timeout_ms": 200, "tags": ["gate"]}


def test_the_run_is_described(suite: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_ENV", "staging")
    suite.pytester.makepyfile("from playing import play\ndef test_a(): play('a')")
    run = suite.report("--harness-report-project-name=shop")["run"]
    assert run["totals"] == {"passed": 1, "failed": 0, "errored": 0, "skipped": 0, "slow": 0, "total": 1}
    assert (run["project_name"], run["environment"], run["transport"]) == ("shop", "staging", "MockTransport")
    assert run["xdist"] is None
    assert run["started_at"] < run["finished_at"]


def test_captured_output_is_there_once(suite: Any) -> None:
    suite.pytester.makepyfile(
        """
        import logging, pytest, sys
        @pytest.fixture
        def noisy():
            print("from setup")
            yield
            print("from teardown")
        def test_a(noisy):
            print("from call")
            print("to stderr", file=sys.stderr)
            logging.warning("to log")
        """
    )
    test = suite.tests()["test_a"]
    assert test["stdout"] == "from setup\nfrom call\nfrom teardown\n"
    assert test["stderr"] == "to stderr\n"
    assert test["log"].count("to log") == 1


SECRETS = """
from playing import play
def test_a():
    print("password=opensesame token hunter22")
    play("a", password="letmein99").assert_passed()
"""


def test_no_secret_of_a_test_reaches_the_report(suite: Any) -> None:
    suite.pytester.makepyfile(SECRETS)
    results = suite.report()
    test = results["tests"][0]
    written = (suite.path / "out" / "results.json").read_text()
    assert test["stdout"] == "password=<redacted> token <redacted>\n"
    assert test["outcome"] == "failed"
    for secret in ("opensesame", "hunter22", "letmein99"):
        # the traceback quotes the source line that holds the literal; there it is masked as well
        assert secret not in written
    assert results["run"]["redactions"]["fields"] > 0
    assert results["run"]["redactions"]["stream_matches"] > 0


@pytest.mark.process
def test_streams_can_be_left_as_they_are_but_payloads_not(suite: Any) -> None:
    suite.pytester.makepyfile(SECRETS)
    test = suite.report("--harness-report-no-stream-redact")["tests"][0]
    assert test["stdout"] == "password=opensesame token hunter22\n"
    assert test["scenarios"][0]["handles"][0]["actual"]["password"] == "<redacted>"


@pytest.mark.process
def test_a_scope_that_raises_is_reported_as_not_completed(suite: Any) -> None:
    suite.pytester.makepyfile(
        """
        import asyncio
        from choreo_bdd import Harness
        from choreo_bdd.matchers import eq
        from choreo_bdd.transports import MockTransport

        async def broken():
            harness = Harness(MockTransport())
            await harness.connect()
            async with harness.scenario("broken") as s:
                s.expect("t", eq(1))
                raise ValueError("oops")

        def test_a(): asyncio.run(broken())
        """
    )
    (scenario,) = suite.tests()["test_a"]["scenarios"]
    assert scenario["completed_normally"] is False
    assert scenario["handles"][0]["outcome"] == "timeout"


@pytest.mark.process
def test_a_scenario_outside_any_test_gets_a_test_of_its_own(suite: Any) -> None:
    suite.pytester.makeconftest(
        """
        from playing import play
        def pytest_collection_finish(): play("collected")
        """
    )
    suite.pytester.makepyfile("def test_a(): pass")
    results = suite.report()
    assert [(test["nodeid"], test["file"], test["outcome"]) for test in results["tests"]][-1] == (
        "<session>", "", "passed",
    )  # fmt: skip
    assert results["tests"][-1]["scenarios"][0]["name"] == "collected"
    assert results["run"]["totals"]["total"] == 2


def test_async_tests_that_share_a_loop_get_their_own_scenarios(suite: Any) -> None:
    suite.pytester.makepyfile(
        """
        import pytest
        from playing import scenario
        pytestmark = pytest.mark.asyncio(loop_scope="session")
        async def test_a(): await scenario("a")
        async def test_b(): await scenario("b")
        """
    )
    suite.pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    suite.run("--harness-report=out", "-p", "asyncio")
    tests = json.loads((suite.path / "out" / "results.json").read_text())["tests"]
    assert [(t["name"], [s["name"] for s in t["scenarios"]]) for t in tests] == [("test_a", ["a"]), ("test_b", ["b"])]


def test_a_file_that_cannot_be_collected_is_an_errored_test(suite: Any) -> None:
    suite.pytester.makepyfile(test_ok="def test_a(): pass", test_bad="import nowhere_to_be_found")
    results = suite.report("--continue-on-collection-errors")
    errored = [test for test in results["tests"] if test["outcome"] == "errored"]
    assert [test["nodeid"] for test in errored] == ["test_bad.py"]
    assert "nowhere_to_be_found" in errored[0]["traceback"]
    assert results["run"]["totals"]["total"] == 2


def test_a_directory_no_report_may_go_to_ends_the_run_before_any_test(suite: Any) -> None:
    (suite.path / "out").mkdir()
    (suite.path / "out" / "thesis.txt").write_text("x")
    suite.pytester.makepyfile("def test_a(): raise SystemExit('must not run')")
    result = suite.run("--harness-report=out")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--harness-report: */out is not empty and has no sentinel file*"])
    assert (suite.path / "out" / "thesis.txt").read_text() == "x"


@pytest.mark.process
@pytest.mark.parametrize("args", [[], ["--harness-report="], ["--harness-report=out", "--harness-report-disable"]])
def test_no_report_is_written_unless_asked_for(suite: Any, args: list[str]) -> None:
    suite.pytester.makepyfile("def test_a(): pass")
    before = {path.name for path in suite.path.iterdir()}
    suite.run(*args).assert_outcomes(passed=1)
    new = {path.name for path in suite.path.iterdir()} - before
    assert new <= {"__pycache__"}


@pytest.mark.process
def test_the_environment_variable_asks_for_a_report_and_the_option_wins(
    suite: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.pytester.makepyfile("def test_a(): pass")
    monkeypatch.setenv("HARNESS_REPORT_DIR", "from-variable")
    suite.run()
    assert (suite.path / "from-variable" / "results.json").is_file()
    suite.run("--harness-report=from-option")
    assert (suite.path / "from-option" / "results.json").is_file()
    monkeypatch.setenv("HARNESS_REPORT_DIR", "")
    suite.pytester.makeini("[pytest]\nharness_report = from-ini")
    suite.run()
    assert (suite.path / "from-ini" / "results.json").is_file()


@pytest.mark.process
@pytest.mark.parametrize("option", ["--collect-only", "--setup-only", "--setup-plan"])
def test_a_run_that_runs_no_test_leaves_the_old_report(suite: Any, option: str) -> None:
    suite.pytester.makepyfile("def test_a(): pass")
    before = suite.report()
    suite.run("--harness-report=out", option)
    assert json.loads((suite.path / "out" / "results.json").read_text()) == before


def test_the_place_of_the_report_is_said_at_the_end(suite: Any) -> None:
    suite.pytester.makepyfile("def test_a(): pass")
    result = suite.run("--harness-report=out")
    result.stdout.fnmatch_lines([f"choreo report: {suite.path / 'out' / 'index.html'}"])


@pytest.mark.process
def test_where_the_page_could_not_be_written_the_results_are_named(suite: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **_options: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(page, "write_page", broken)
    suite.pytester.makepyfile("def test_a(): pass")
    result = suite.run("--harness-report=out", "-W", "default")
    result.stdout.fnmatch_lines([f"choreo report: {suite.path / 'out' / 'results.json'}"])


@pytest.mark.thorough
def test_the_exit_and_an_interruption_reach_the_page_data(suite: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def write(results: object, gherkin: dict[str, Any], stream: object, **_: object) -> None:
        seen.append(gherkin["exit"])

    monkeypatch.setattr(page, "write_page", write)
    suite.pytester.makepyfile("import pytest\ndef test_a(): pytest.exit('enough')")
    suite.run("--harness-report=out")
    suite.pytester.makepyfile("def test_a(): assert 0")
    suite.run("--harness-report=out")
    suite.pytester.makepyfile("import nowhere_to_be_found")
    suite.run("--harness-report=out")
    assert seen == [
        {"status": 2, "interrupted": True},
        {"status": 1, "interrupted": False},
        {"status": 2, "interrupted": False},
    ]


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(writer, "_replace", broken)


@pytest.mark.usefixtures("full_disk")
def test_a_report_that_cannot_be_written_changes_nothing_about_the_run(suite: Any) -> None:
    suite.pytester.makepyfile("def test_a(): pass")
    result = suite.run("--harness-report=out", "-W", "default")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*choreo-bdd report: the report was not written (OSError: disk full)"])
    assert "choreo report:" not in result.stdout.str()


@pytest.mark.usefixtures("full_disk")
def test_where_warnings_are_errors_a_notice_goes_to_stderr(suite: Any) -> None:
    suite.pytester.makepyfile("def test_a(): pass")
    result = suite.run("--harness-report=out", "-W", "error")
    assert result.ret == 0
    result.stderr.fnmatch_lines(["choreo-bdd report: the report was not written (OSError: disk full)"])


@pytest.mark.parametrize(
    ("marker", "complaint"),
    [
        ("timeout_ms='5s'", "timeout_ms='5s' is no number of milliseconds"),
        pytest.param("timeout_ms=True", "timeout_ms=True is no number of milliseconds", marks=RUN),
        pytest.param("timeout_ms=float('nan')", "timeout_ms=nan is no number of milliseconds", marks=RUN),
        pytest.param("tags='abc'", "tags='abc' is no list of strings", marks=RUN),
        pytest.param("tag=['a']", "unknown argument 'tag'; it takes the keywords timeout_ms and tags", marks=RUN),
        pytest.param("200", "positional arguments; it takes the keywords timeout_ms and tags", marks=RUN),
    ],
)
def test_a_marker_no_report_could_hold_is_a_usage_error(suite: Any, marker: str, complaint: str) -> None:
    suite.pytester.makepyfile(f"import pytest\n@pytest.mark.choreo({marker})\ndef test_a(): pass")
    result = suite.run("--harness-report=out")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"::test_a: marker choreo: {complaint}" in result.stderr.str()
    assert suite.run().ret == pytest.ExitCode.OK  # without a report it may be a marker of somebody else's


def test_the_marker_is_known_and_its_nearest_use_counts(suite: Any) -> None:
    suite.pytester.makepyfile(
        """
        import pytest
        pytestmark = pytest.mark.choreo(timeout_ms=5, tags=["far"])
        @pytest.mark.choreo(timeout_ms=0)
        def test_near(): pass
        @pytest.mark.choreo
        def test_bare(): pass
        def test_far(): pass
        """
    )
    tests = suite.tests("--strict-markers")
    assert tests["test_near"]["choreo_meta"] == {"timeout_ms": 0}
    assert tests["test_bare"]["choreo_meta"] is None
    assert tests["test_far"]["choreo_meta"] == {"timeout_ms": 5, "tags": ["far"]}


STAND_IN = """
def pytest_addoption(parser):
    parser.addoption("--harness-report", action="store", default=None)
"""


@pytest.mark.process
@pytest.mark.parametrize("where", ["plugin", "conftest"])
def test_it_steps_aside_for_a_plugin_with_the_same_options(suite: Any, where: str) -> None:
    suite.pytester.makepyfile(test_a="def test_a(): pass", **{"standin" if where == "plugin" else "conftest": STAND_IN})
    args = ("-p", "standin") if where == "plugin" else ()
    suite.pytester.syspathinsert()
    result = suite.run("--harness-report=out", *args)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["choreo-bdd: another plugin already provides --harness-report*"])
    assert not (suite.path / "out").exists()


def test_another_option_named_chronicle_takes_no_report_away(suite: Any) -> None:
    suite.pytester.makepyfile(test_a="def test_a(pytestconfig): assert pytestconfig.option.chronicle == 'theirs'")
    suite.pytester.makeconftest("def pytest_addoption(parser): parser.addoption('--chronicle')")
    result = suite.run("--harness-report=out", "--chronicle=theirs")
    result.assert_outcomes(passed=1)
    assert (suite.path / "out" / "results.json").exists()


def test_another_plugin_with_the_same_options_is_not_spoken_of_where_no_report_is_asked_for(suite: Any) -> None:
    suite.pytester.makepyfile(test_a="def test_a(): pass", conftest=STAND_IN)
    assert "another plugin" not in suite.run().stdout.str()


def test_the_options_are_in_the_help(suite: Any) -> None:
    text = suite.run("--help").stdout.str()
    for option in ("--harness-report=DIR", "--harness-report-disable", "--harness-report-no-stream-redact"):
        assert option in text


@pytest.mark.process
def test_a_pytest_start_without_report_imports_nothing_heavy(suite: Any) -> None:
    suite.pytester.makepyfile(
        """
        import sys
        def test_a():
            heavy = {"jinja2", "behave", "jsonschema", "nats", "aiokafka", "aio_pika", "redis"} & set(sys.modules)
            own = {name for name in sys.modules if name.startswith("choreo_bdd")}
            assert (heavy, sorted(own)) == (set(), OWN)
        """.replace(
            "OWN",
            repr(
                [
                    "choreo_bdd_reporter",
                    "choreo_bdd_reporter.frameworks",
                    "choreo_bdd_reporter.frameworks.pytest",
                    "choreo_bdd_reporter.frameworks.pytest.plugin",
                    "choreo_bdd_reporter.frameworks.pytest.shared",
                    "choreo_bdd_reporter.model",
                    "choreo_bdd_reporter.model.notices",
                    "choreo_bdd_reporter.pytest_plugin",
                    "choreo_bdd_reporter.record",
                    "choreo_bdd_reporter.record.redactors",
                ]
            ),
        )
    )
    suite.run(in_process=False).assert_outcomes(passed=1)


@pytest.mark.process
def test_what_an_interrupted_run_left_does_not_stop_the_next(suite: Any) -> None:
    suite.pytester.makepyfile("def test_a(): pass")
    suite.report()
    (suite.path / "out" / ".results.json.tmp").write_text("{")
    Path(suite.path / "out" / "_partial").mkdir()
    assert suite.report()["run"]["totals"]["passed"] == 1


@pytest.mark.process
def test_a_plugin_that_fails_at_the_end_does_not_cost_the_report(suite: Any) -> None:
    suite.pytester.makeconftest("def pytest_sessionfinish(): raise OSError('no uploads today')")
    suite.pytester.makepyfile("def test_a(): assert 0")
    results = suite.report(in_process=False)
    assert results["run"]["totals"]["failed"] == 1


@pytest.mark.process
def test_the_configuration_of_the_project_can_ask_for_the_report(suite: Any, read_report: Any) -> None:
    suite.pytester.makepyfile("def test_a(): pass")
    (suite.path / "choreo.yaml").write_text("report: {dir: told}\n")
    suite.run()
    assert read_report(suite.path / "told")["run"]["totals"]["passed"] == 1
    suite.run("--harness-report=out")
    assert (suite.path / "out" / "results.json").is_file()
    (suite.path / "choreo.yaml").write_text("report: {dir: [1]}\n")
    suite.run()
    assert sorted(path.name for path in suite.path.iterdir() if path.is_dir() and path.name != "__pycache__") == [
        "out", "told",
    ]  # fmt: skip
