"""Acts of the user's own: they begin phases, and budgets and absences count from their end."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from choreo_bdd_steps.lint import lint
from choreo_bdd_steps.plan.explain import explain_file
from choreo_bdd_steps.run.acting import UndeclaredAct
from choreo_bdd_steps.run.scenario_run import ScenarioRun
from tests.support.project import LOADER, Project
from tests.support.step_bench import Bench

CALL = "When I call the front door"
Deed = Callable[[ScenarioRun], object]


def call(bench: Bench, *, takes_s: float, topic: str = "x", after_s: float | None = None, marked: bool = False) -> Deed:
    """An act that takes its time; the event comes so much later, or with ``None`` while it is under way."""

    def deed(run: ScenarioRun) -> None:
        if after_s is None:
            bench.say(topic, {})
        bench.pass_time(takes_s)
        if marked:
            run.mark()
            bench.pass_time(takes_s)
        if after_s is not None:
            bench.pass_time(after_s)
            bench.say(topic, {})

    return deed


@pytest.fixture
def open_bench(make_bench: Callable[..., Bench]) -> Bench:
    """A bench without correlation, as a service that knows no test id speaks."""
    return make_bench(correlation=None, timeout_s=1.0)


def test_a_budget_counts_from_the_end_of_the_act(open_bench: Bench) -> None:
    event = "And the event follows"

    def follow(run: ScenarioRun) -> None:
        open_bench.pass_time(0.05)
        open_bench.say("x", {})

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndeclaredAct)
        played = open_bench.play(
            CALL,
            event,
            'Then I expect "x" within 200ms',
            acts={CALL.partition(" ")[2]: call(open_bench, takes_s=0.3, topic="other")},
            own={event.partition(" ")[2]: follow},
        )
    assert played.passed().handles[0].latency_ms == pytest.approx(50)


def test_a_budget_counts_from_the_mark_where_the_act_sets_one(open_bench: Bench) -> None:
    deed = call(open_bench, takes_s=0.25, after_s=0.0, marked=True)
    played = open_bench.play(CALL, 'Then I expect "x" within 200ms', acts={CALL.partition(" ")[2]: deed})
    assert played.outcomes == ["slow"]
    assert played.handles[0].latency_ms == pytest.approx(250)  # not from the beginning, and not from the end


def test_an_act_reaches_from_its_beginning_to_its_mark_in_the_report(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(correlation=None, timeout_s=10.0, in_real_time=True)
    deed = call(bench, takes_s=0.1, after_s=0.0, marked=True)
    played = bench.play(CALL, 'Then I expect "x"', acts={CALL.partition(" ")[2]: deed}).passed()
    assert played.result is not None
    (act,) = played.result.spans
    assert (act.kind, act.name, act.error) == ("act", "I call the front door", None)
    mark_ms = (act.ended - act.began) * 1000
    seen_ms = played.handles[0].latency_ms
    assert 100 <= mark_ms <= mark_ms + seen_ms <= (time.time() - act.began) * 1000


def test_an_act_that_has_failed_is_in_the_report_with_its_error(open_bench: Bench) -> None:
    def slam(_run: ScenarioRun) -> None:
        raise ConnectionError("the door is shut")

    played = open_bench.play(CALL, 'Then I expect "x"', acts={CALL.partition(" ")[2]: slam})
    assert played.result is not None
    assert [act.error for act in played.result.spans] == ["ConnectionError: the door is shut"]


def test_what_comes_before_the_act_has_ended_took_no_time_and_says_so(open_bench: Bench) -> None:
    deed = call(open_bench, takes_s=0.1)
    played = open_bench.play(CALL, 'Then I expect "x" within 50ms', acts={CALL.partition(" ")[2]: deed}).passed()
    (handle,) = played.handles
    assert handle.latency_ms == 0
    assert handle.diagnosis is not None
    assert "before the act had ended" in handle.diagnosis.text


def test_an_absence_after_the_second_act_does_not_see_the_message_of_the_first(open_bench: Bench) -> None:
    second = "When I call it again"
    played = open_bench.play(
        CALL,
        'Then I expect "x"',
        second,
        'Then I expect no "x" for 50ms',
        acts={
            CALL.partition(" ")[2]: call(open_bench, takes_s=0.0),
            second.partition(" ")[2]: call(open_bench, takes_s=0.0, topic="other"),
        },
    )
    assert played.passed().outcomes == ["pass", "pass"]


def test_an_absence_counts_from_the_end_of_the_act(open_bench: Bench) -> None:
    speak, late = "And somebody speaks", call(open_bench, takes_s=0.0)
    played = open_bench.play(
        CALL,
        speak,
        'Then I expect no "x" for 100ms',
        acts={CALL.partition(" ")[2]: call(open_bench, takes_s=0.2, topic="other")},
        own={speak.partition(" ")[2]: late},
    )
    assert played.outcomes == ["fail"]


@pytest.mark.parametrize("check", ['no "x" for 50ms', 'exactly 0 "x" messages within 50ms'])
def test_an_absence_sees_what_comes_while_the_act_is_under_way(open_bench: Bench, check: str) -> None:
    deed = call(open_bench, takes_s=0.05)
    played = open_bench.play(CALL, f"Then I expect {check}", acts={CALL.partition(" ")[2]: deed})
    assert played.outcomes == ["fail"]


def test_mark_outside_an_act_says_how_to_declare_one(open_bench: Bench) -> None:
    played = open_bench.play(
        'When I publish "x"',
        "And I mark",
        'Then I expect "x" within 1s',
        own={"I mark": lambda run: run.mark()},
    )
    assert "write @act" in played.message


def test_the_run_says_once_that_a_step_could_be_an_act_when_a_budget_counts_over_it(open_bench: Bench) -> None:
    steps = (CALL, 'Then I expect "x" within 1s')
    own = {CALL.partition(" ")[2]: call(open_bench, takes_s=0.0)}
    with pytest.warns(UndeclaredAct, match=r"counts over 'I call the front door' .*write @act"):
        open_bench.play(*steps, own=own).passed()
    open_bench.play(*steps, own=own).passed()  # a second warning would be an error here
    assert [each for each in open_bench.session.warnings if "@act" in each] == open_bench.session.warnings[-1:]


def test_each_step_that_could_be_an_act_is_told_of(open_bench: Bench) -> None:
    deed = call(open_bench, takes_s=0.0)
    for text in ("I call the front door", "I call the back door"):
        with pytest.warns(UndeclaredAct, match=text):
            open_bench.play(f"When {text}", 'Then I expect "x" within 1s', own={text: deed}).passed()


@pytest.mark.parametrize(
    "steps",
    [(CALL, 'When I publish "x"', 'Then I expect "x" within 1s'), (CALL, 'Then I expect "x"')],
    ids=["before the publish", "no budget"],
)
def test_a_step_that_no_budget_counts_over_is_left_in_peace(open_bench: Bench, steps: tuple[str, ...]) -> None:
    open_bench.play(*steps, own={CALL.partition(" ")[2]: call(open_bench, takes_s=0.0)})
    assert [each for each in open_bench.session.warnings if "@act" in each] == []


FEATURE = """
    Feature: An HTTP call as the act
      Scenario: the event is in its budget
        When I call the front door, which takes 1600 ms, and an event follows 60 ms later
        Then I expect "x" within 1500ms

      Scenario: the second call leads to nothing
        When I call the front door, which takes 10 ms, and an event follows 10 ms later
        Then I expect "x" within 1500ms
        When I call the front door, which takes 10 ms, and an event follows 1500 ms later
        Then I expect no "x" for 100ms
"""
OWN = """
    import threading, time

    def follow(session, milliseconds):
        bus = session.transport("bus")

        async def tell():
            bus.publish("x", b"{}")

        def later():
            try:
                session.run(tell())
            except RuntimeError:
                pass  # the run is over

        timer = threading.Timer(milliseconds / 1000, later)
        timer.daemon = True
        timer.start()
"""
SENTENCE = "I call the front door, which takes {a:d} ms, and an event follows {b:d} ms later"
DECORATORS = {
    "above": ("@act\n", ""),
    "below": ("", "@act\n"),
}


def behave_project(project: Project, where: str) -> Project:
    above, below = DECORATORS[where]
    text = f"""import time
from behave import when
from choreo_bdd_steps import act
from choreo_bdd_steps.adapters.behave import start_choreo
from own_support import follow

{above}@when("{SENTENCE}")
{below}def call(context, a, b):
    time.sleep(a / 1000)
    context.choreo.mark()
    follow(start_choreo(context), b)
"""
    project.file("features/steps/choreo.py", LOADER)
    (project.folder / "features/steps/own.py").write_text(text, "utf-8")
    return project.file("own_support.py", OWN)


def pytest_project(project: Project, where: str) -> Project:
    above, below = DECORATORS[where]
    text = f"""import time
from pytest_bdd import parsers, when
from choreo_bdd_steps import act
from own_support import follow

{above}@when(parsers.parse("{SENTENCE}"))
{below}def call(choreo, choreo_session, a, b):
    time.sleep(a / 1000)
    choreo.mark()
    follow(choreo_session, b)
"""
    project.file("own_support.py", OWN)
    (project.folder / "conftest.py").write_text(text, "utf-8")
    return project


@pytest.mark.process
@pytest.mark.parametrize("where", DECORATORS)
@pytest.mark.parametrize(("framework", "make"), [("behave", behave_project), ("pytest", pytest_project)])
def test_a_declared_step_is_an_act_under_both_frameworks(
    project: Project, framework: str, make: Callable[[Project, str], Project], where: str
) -> None:
    ran = make(project, where).feature(FEATURE).run(framework)
    assert ran.code == 0, ran.text
    assert "UndeclaredAct" not in ran


def test_lint_and_explain_know_acts(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.folder)
    behave_project(project, "above").feature(
        """
        Feature: Acts
          Scenario: one
            When I call the front door, which takes 1 ms, and an event follows 1 ms later
            Then I expect "x" within 300ms
            When I call the front door, which takes 1 ms, and an event follows 1 ms later
        """
    )
    feature = Path("features/a.feature")
    assert [(each.line, each.rule) for each in lint([feature])] == [(5, "unchecked-publish")]
    told = explain_file(feature)
    assert "phase 2" in told
    assert "budget 300 ms from the end of the act in line 3" in told
    assert "(an act of your own" in told
