"""Looking ahead: what is armed when, and which message counts for which check (rules 1 to 11)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from choreo_bdd import observers
from choreo_bdd.transports import MockTransport
from choreo_bdd_steps.plan.plan import Plan
from choreo_bdd_steps.run.scenario_run import ScenarioRun
from tests.support.step_bench import Bench

# --- rules 1, 2: phases, armed before their first publish -------------------------------------------------------------


def test_a_check_hears_what_a_service_says_in_the_same_turn_as_the_publish(bench: Bench) -> None:
    bench.echo("a", "x", ok=True)
    bench.play('When I publish "a"', 'Then I expect "x" where ok is true').passed()


def test_all_checks_of_a_phase_listen_before_its_first_publish(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {"of": "a"})])
    bench.service("b", lambda _: [("x", {"of": "b"})])
    played = bench.play(
        'When I publish "a"',
        'And I publish "b"',
        'Then I expect "x" where of is "b"',
        'And I expect "x" where of is "a"',
    )
    assert played.passed().outcomes == ["pass", "pass"]


def test_variables_of_earlier_steps_are_known_when_a_check_is_armed(bench: Bench) -> None:
    bench.echo("a", "x.7")
    bench.play(
        'Given id is "7"', 'When I publish "a":\n  id: "{{ id }}"', 'Then I expect "x.{{ id }}" where id is "{{ id }}"'
    ).passed()


def test_a_publish_may_stand_under_given(bench: Bench) -> None:
    bench.echo("a", "x")
    bench.play('Given I publish "a"', 'Then I expect "x"').passed()


# --- rule 3: proven live before the publish ---------------------------------------------------------------------------


class SlowToSubscribe(MockTransport):
    """Confirms a subscription only after a while, and delivers nothing to it before."""

    def __init__(self, *, refuses: bool = False) -> None:
        super().__init__()
        self._refuses = refuses

    def subscribe(self, topic: str, callback: Any) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()

        def confirm() -> None:
            if self._refuses:
                ready.set_exception(RuntimeError("permission denied"))
                ready.exception()  # nobody awaits that of a watch
            else:
                MockTransport.subscribe(self, topic, callback)
                ready.set_result(None)

        loop.call_later(0.05, confirm)
        return ready


def test_nothing_is_published_before_the_subscriptions_are_proven_live(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(transport=SlowToSubscribe())
    played = bench.play('When I publish "x"', 'Then I expect "x"')
    assert played.passed().outcomes == ["pass"]


def test_a_subscription_that_is_refused_fails_the_publish_with_transport_topic_and_reason(
    make_bench: Callable[..., Bench],
) -> None:
    transport = SlowToSubscribe(refuses=True)
    bench = make_bench(transport=transport)
    played = bench.play('When I publish "a"', 'Then I expect "x"')
    assert played.failed_step == 'I publish "a"'
    assert played.message.startswith("features/play.feature:3: ")
    assert "SlowToSubscribe" in played.message
    assert "'x'" in played.message
    assert "permission denied" in played.message
    assert transport.sent() == []


# --- rule 4: a phase has its own messages -----------------------------------------------------------------------------

TWO_PHASES = ('When I publish "a"', 'Then I expect "x"', 'When I publish "b"', 'Then I expect "x"')


def second_phase_on_old_message(bench: Bench) -> list[str]:
    """``a`` is answered, ``b`` is not: the second check must not live on the first one's message."""
    bench.echo("a", "x")
    return bench.play(*TWO_PHASES).outcomes


def test_a_message_of_the_first_phase_never_satisfies_the_second(bench: Bench) -> None:
    assert second_phase_on_old_message(bench) == ["pass", "timeout"]


def test_that_test_can_fail_it_notices_when_arming_ignores_phases(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_check = Plan.checks

    def checks_of_all_phases(plan: Plan, phase: int) -> Any:
        return every_check(plan, 0) + every_check(plan, 1) if phase == 0 else ()

    monkeypatch.setattr(Plan, "checks", checks_of_all_phases)
    assert second_phase_on_old_message(bench) == ["pass", "pass"]


def test_both_phases_pass_when_both_acts_are_answered(bench: Bench) -> None:
    bench.echo("a", "x")
    bench.echo("b", "x")
    assert bench.play(*TWO_PHASES).passed().outcomes == ["pass", "pass"]


def test_counts_of_a_phase_leave_out_earlier_phases(bench: Bench) -> None:
    bench.echo("a", "x")
    bench.play(
        'When I publish 3 "a" messages',
        'Then I expect exactly 3 "x" messages within 50ms',
        'When I publish "a"',
        'Then I expect exactly 1 "x" message within 50ms',
    ).passed()


def test_a_publish_after_what_a_service_answered_begins_a_phase_of_its_own(bench: Bench) -> None:
    played = bench.play(
        'Given a service that answers "a" with "x"',
        'When I publish "a"',
        'Then the service answered "a"',
        'When I publish "b"',
        'Then I expect "x"',
    )
    assert played.outcomes == ["timeout"]


def test_an_absence_in_the_second_phase_ignores_the_first(bench: Bench) -> None:
    bench.echo("a", "x")
    bench.play(
        'When I publish "a"', 'Then I expect "x"', 'When I publish "b"', 'Then I expect no "x" for 50ms'
    ).passed()


# --- rule 6: variables not known yet ----------------------------------------------------------------------------------


def test_a_check_that_names_a_variable_kept_from_an_earlier_message_is_held_and_judged_then(bench: Bench) -> None:
    bench.service("a", lambda _: [("accepted", {"id": 7}), ("settled", {"id": 7, "total": 3})])
    played = bench.play(
        'When I publish "a"',
        'Then I expect "accepted"',
        'And I keep "id" of "accepted" as id',
        'And I expect "settled" where id is {{ id }}',
    )
    assert played.passed().outcomes == ["pass", "pass"]


def test_a_held_check_does_not_take_a_message_with_another_value(bench: Bench) -> None:
    bench.service("a", lambda _: [("accepted", {"id": 7}), ("settled", {"id": 8})])
    played = bench.play(
        'When I publish "a"',
        'Then I expect "accepted"',
        'And I keep "id" of "accepted" as id',
        'And I expect "settled" where id is {{ id }}',
    )
    assert played.outcomes == ["pass", "fail"]
    assert "id: expected 7, got 8" in played.message


def test_the_latency_of_a_held_message_is_that_of_its_arrival(bench: Bench) -> None:
    bench.service("a", lambda _: [("accepted", {"id": 7}), ("settled", {"id": 7})])
    played = bench.play(
        'When I publish "a"',
        'Then I expect "accepted"',
        "And I wait 100ms",
        'And I keep "id" of "accepted" as id',
        'And I expect "settled" where id is {{ id }} within 60ms',
    )
    assert played.passed().outcomes == ["pass", "pass"]


def test_a_variable_that_is_set_anew_ahead_has_its_new_value_in_the_check(bench: Bench) -> None:
    bench.echo("a", "x", colour="blue")
    bench.play(
        'Given colour is "red"',
        'When I publish "a"',
        'And colour is "blue"',
        'Then I expect "x" where colour is "{{ colour }}"',
    ).passed()


def test_a_held_absence_is_judged_by_what_came_within_its_window(bench: Bench) -> None:
    bench.service("a", lambda _: [("accepted", {"id": 7}), ("refunded", {"id": 7})])
    played = bench.play(
        'When I publish "a"',
        'Then I expect "accepted"',
        'And I keep "id" of "accepted" as id',
        'And I expect no "refunded" where id is {{ id }} for 50ms',
    )
    assert played.outcomes == ["pass", "fail"]


@pytest.mark.parametrize(
    ("check", "outcome"),
    [('I expect "late" where id is {{ id }}', "pass"), ('I expect no "late" where id is {{ id }} for 50ms', "fail")],
)
def test_a_message_after_the_window_does_not_decide_a_held_check_before_its_variable_is_known(
    bench: Bench, check: str, outcome: str
) -> None:
    bench.service("a", lambda _: [("accepted", {"id": 7}), ("late", {"id": 7})])
    bench.echo("a", "late", after_s=0.3, id=8)
    played = bench.play(
        'When I publish "a"',
        'Then I expect "accepted"',
        "And I wait 400ms",
        'And I keep "id" of "accepted" as id',
        f"And {check}",
    )
    assert played.outcomes == ["pass", outcome]


def test_a_held_check_does_not_count_what_came_after_its_window(bench: Bench) -> None:
    bench.echo("a", "accepted", id=7)
    bench.echo("a", "x", after_s=0.3, id=7)
    played = bench.play(
        'When I publish "a"',
        'Then I expect "accepted"',
        "And I wait 400ms",
        'And I keep "id" of "accepted" as id',
        'And I expect "x" where id is {{ id }}',
    )
    assert played.outcomes == ["pass", "timeout"]
    assert "too late" in played.message


def test_a_topic_with_a_variable_not_known_when_its_phase_begins_names_variable_step_and_line(bench: Bench) -> None:
    bench.echo("a", "accepted", id=7)
    played = bench.play(
        'When I publish "a"',
        'Then I expect "accepted"',
        'And I keep "id" of "accepted" as id',
        'And I expect "x.{{ id }}"',
    )
    assert played.failed_step == 'I publish "a"'
    assert played.message.startswith("features/play.feature:6: ")
    assert "'x.{{ id }}'" in played.message
    assert "'id'" in played.message
    assert "features/play.feature:3" in played.message
    assert bench.heard == []


def test_a_topic_whose_variable_was_kept_in_an_earlier_phase_is_known(bench: Bench) -> None:
    bench.echo("a", "accepted", id=7)
    bench.echo("b", "x.7")
    bench.play(
        'When I publish "a"',
        'Then I expect "accepted"',
        'And I keep "id" of "accepted" as id',
        'When I publish "b"',
        'Then I expect "x.{{ id }}"',
    ).passed()


@pytest.mark.parametrize("check", ['"x"{}', 'another "x"{}', 'no other "x"{} for 20ms'])
def test_a_variable_changed_by_python_after_arming_is_an_error_that_says_so(bench: Bench, check: str) -> None:
    bench.echo("a", "x", colour="red")
    played = bench.play(
        'Given colour is "red"',
        'When I publish "a"',
        "And I repaint",
        f"""Then I expect {check.format(' where colour is "{{ colour }}"')}""",
        own={"I repaint": lambda run: run.set_variable("colour", "blue")},
    )
    assert played.message.startswith("features/play.feature:6: ")
    assert "changed by Python code after the phase had begun" in played.message


def test_a_variable_first_set_by_python_after_the_publish_is_used_when_the_check_comes(bench: Bench) -> None:
    bench.echo("a", "x", colour="red")
    bench.play(
        'When I publish "a"',
        "And I paint",
        'Then I expect "x" where colour is "{{ colour }}"',
        own={"I paint": lambda run: run.set_variable("colour", "red")},
    ).passed()


def test_an_undefined_variable_in_a_check_is_told_by_its_own_step(bench: Bench) -> None:
    bench.echo("a", "x")
    played = bench.play('When I publish "a"', 'Then I expect "x"', 'And I expect "x" where id is {{ nobody }}')
    assert played.failed_step == 'I expect "x" where id is {{ nobody }}'
    assert played.message.startswith("features/play.feature:5: ")
    assert "'nobody' is undefined" in played.message
    assert "set the variable in an earlier step" in played.message


# --- rule 7: each check waits for its own; deadlines run concurrently from the last publish ---------------------------


def test_each_absence_is_watched_from_the_publish_until_its_time_has_passed_after_its_step(bench: Bench) -> None:
    played = bench.play(
        'When I publish "a"',
        'Then I expect no "x" for 100ms',
        'And I expect no "y" for 100ms',
        'And I expect no "z" for 100ms',
    )
    waited = [handle.latency_ms for handle in played.passed().handles]
    assert waited == sorted(waited)
    assert min(waited) >= 100
    assert waited[-1] >= 300


def test_the_last_publish_sets_the_deadline_not_the_first(bench: Bench) -> None:
    bench.echo("b", "x", after_s=0.15)
    played = bench.play('When I publish "a"', "And I wait 100ms", 'And I publish "b"', 'Then I expect "x"')
    assert played.passed().outcomes == ["pass"]


def test_a_message_between_two_publishes_of_a_phase_cannot_end_the_wait(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {"n": 1})], after_s=0.3)
    bench.service("b", lambda _: [("x", {"n": 2})])
    played = bench.play('When I publish "a"', "And I wait 350ms", 'And I publish "b"', 'Then I expect "x" where n is 2')
    assert played.passed().outcomes == ["pass"]


def test_a_check_does_not_wait_for_its_neighbours(bench: Bench) -> None:
    bench.echo("a", "x")
    reached: list[list[str]] = []

    def look(run: ScenarioRun) -> None:
        assert run.scope is not None
        reached.append([each.handle.outcome.value for each in run.scope.expectations])

    bench.play(
        'When I publish "a"',
        'Then I expect "x"',
        "And I look",
        'And I expect no "y" for 100ms',
        own={"I look": look},
    ).passed()
    assert reached == [["pass", "pending"]]


def test_the_users_own_steps_between_publish_and_check_extend_the_patience(bench: Bench) -> None:
    """The step may be the act: its message gets the whole timeout, however long the step took."""
    bench.session.transport("bus")

    def act(run: ScenarioRun) -> None:
        bench.session.run(asyncio.sleep(0.3))  # longer than the timeout
        correlation_id = bench.heard[0][1]["correlation_id"]
        bench.say("x", {"correlation_id": correlation_id})

    bench.echo("a", "seen")
    bench.play('When I publish "a"', "And I act", 'Then I expect "x"', own={"I act": act}).passed()


# --- rule 8: after a failure ------------------------------------------------------------------------------------------


def test_what_is_armed_when_a_step_fails_still_gets_its_true_verdict_and_is_marked_unasserted(bench: Bench) -> None:
    bench.echo("a", "y")
    bench.echo("a", "z", n=2)
    played = bench.play(
        'When I publish "a"',
        'Then I expect "x"',
        'And I expect "y"',
        'And I expect "z" where n is 1',
        'And I expect no "y" for 50ms',
        'And I expect no "w" for 50ms',
    )
    assert played.failed_step == 'I expect "x"'
    assert played.outcomes == ["timeout", "pass", "fail", "fail", "pass"]
    assert [handle.asserted for handle in played.handles] == [True, False, False, False, False]


def test_a_slow_answer_after_a_failed_step_is_waited_for(bench: Bench) -> None:
    bench.echo("a", "y", after_s=0.15)
    played = bench.play('When I publish "a"', 'Then I expect no "a" for 100ms', 'And I expect "y"')
    assert played.outcomes == ["fail", "pass"]


def test_a_held_check_after_a_failed_step_gets_its_true_verdict_if_its_variable_is_known(bench: Bench) -> None:
    bench.service("a", lambda _: [("accepted", {"id": 7}), ("settled", {"id": 7})])
    played = bench.play(
        'When I publish "a"',
        'Then I expect "accepted"',
        'And I keep "id" of "accepted" as id',
        'And I expect "x"',
        'And I expect "settled" where id is {{ id }}',
    )
    assert played.outcomes == ["pass", "timeout", "pass"]
    assert [handle.asserted for handle in played.handles] == [True, True, False]


def test_a_held_check_that_cannot_be_read_is_aborted_with_the_reason_and_the_scenario_still_ends(bench: Bench) -> None:
    def gone_wrong(run: ScenarioRun) -> None:
        run.set_variable("x", "[")
        raise RuntimeError("a fault of the step's own")

    played = bench.play(
        'When I publish "go"',
        "And a step of my own",
        'Then I expect "answer":\n  status: !matches "{{ x }}"',
        own={"a step of my own": gone_wrong},
    )
    assert played.failed_step == "a step of my own"
    assert played.outcomes == ["timeout"]
    assert "aborted: " in played.handles[0].reason
    assert "unterminated character set" in played.handles[0].reason
    assert bench.session.transport("bus").active_subscription_count() == 0


def test_a_held_check_whose_variable_never_came_is_aborted_not_judged(bench: Bench) -> None:
    bench.service("a", lambda _: [("settled", {"id": 7})])
    played = bench.play(
        'When I publish "a"',
        'Then I expect "accepted"',
        'And I keep "id" of "accepted" as id',
        'And I expect "settled" where id is {{ id }}',
    )
    assert "aborted" in played.handles[1].reason
    assert not played.handles[1].asserted


def test_checks_of_a_phase_that_never_began_are_no_expectations(bench: Bench) -> None:
    played = bench.play('When I publish "a"', 'Then I expect "x"', 'When I publish "b"', 'Then I expect "y"')
    assert [handle.topic for handle in played.handles] == ["x"]


# --- rule 9: one scope ------------------------------------------------------------------------------------------------


def test_a_scenario_of_several_phases_is_one_result_with_one_id_and_one_timeline(bench: Bench) -> None:
    bench.echo("a", "x")
    bench.echo("b", "x")
    seen: list[tuple[Any, str | None]] = []

    def observer(result: Any, nodeid: str | None, completed: bool) -> None:
        seen.append((result, nodeid))

    token = observers.current_test_nodeid.set(None)  # as if this test itself were not reported on
    observers.register_observer(observer)
    try:
        bench.play(*TWO_PHASES).passed()
    finally:
        observers.unregister_observer(observer)
        observers.current_test_nodeid.reset(token)
    (result, nodeid), *others = seen
    assert others == []
    assert nodeid == "features/play.feature::play"
    published = [entry.topic for entry in result.timeline if entry.action.value == "published"]
    assert published == ["a", "b"]
    assert {message["correlation_id"] for _, message in bench.heard} == {result.correlation_id}


def test_a_timeline_keeps_thousands_of_events(bench: Bench) -> None:
    result = bench.play('When I publish 1500 "a" messages', 'Then I expect at least 1500 "a" messages').passed().result
    assert result is not None
    assert (len(result.timeline) > 3000, result.timeline_dropped) == (True, 0)


# --- rule 10: one message, several checks -----------------------------------------------------------------------------


def test_one_message_may_satisfy_several_checks(bench: Bench) -> None:
    bench.echo("a", "x", n=1, m=2)
    played = bench.play(
        'When I publish "a"',
        'Then I expect "x" where n is 1',
        'And I expect "x" where m is 2',
        'And I expect exactly 1 "x" message within 50ms',
    )
    assert played.passed().outcomes == ["pass", "pass", "pass"]


# --- rule 11: what was never seen ahead -------------------------------------------------------------------------------


def test_a_check_after_a_phase_that_failed_to_begin_says_so(bench: Bench) -> None:
    """A framework may be told to go on after a failed step."""
    run = bench.begin('When I publish "a":\n  id: "{{ nobody }}"', 'Then I expect no "x" for 10ms')
    with pytest.raises(Exception, match="'nobody' is undefined"):
        run.perform(0)
    with pytest.raises(Exception, match=r"features/play.feature:7: nothing listens for this check"):
        run.perform(1)
    run.finish()


def test_what_is_not_in_the_vocabulary_cannot_be_performed(bench: Bench) -> None:
    run = bench.begin("Given my own step")
    with pytest.raises(Exception, match=r"features/play.feature:3: .* is not a step of this vocabulary"):
        run.perform(0)


# --- nothing published by the scenario itself -------------------------------------------------------------------------


def say(bench: Bench, topic: str) -> Callable[[ScenarioRun], None]:
    def act(run: ScenarioRun) -> None:
        assert run.scope is not None
        bench.say(topic, {"correlation_id": run.scope.correlation_id})

    return act


def test_a_scenario_that_publishes_nothing_listens_before_its_first_step(bench: Bench) -> None:
    bench.play("When I act", 'Then I expect "x"', own={"I act": say(bench, "x")}).passed()


def test_without_the_hook_it_listens_from_the_first_library_step(bench: Bench) -> None:
    steps = ('Given id is "7"', "When I act", 'Then I expect "x"')
    bench.play(*steps, own={"I act": say(bench, "x")}, listen=False).passed()


def test_a_topic_may_name_a_variable_that_is_set_before_the_users_own_act(bench: Bench) -> None:
    steps = ('Given tenant is "acme"', "When I act", 'Then I expect "x.{{ tenant }}"')
    bench.play(*steps, own={"I act": say(bench, "x.acme")}).passed()


@pytest.mark.parametrize("check", ['I expect no "x" for 10ms', 'I expect "x"'])
def test_a_check_that_began_to_listen_after_the_users_act_fails_and_says_what_to_do(bench: Bench, check: str) -> None:
    bench.session.transport("bus")
    played = bench.play("When I act", f"Then {check}", own={"I act": lambda _: bench.say("x", {})}, listen=False)
    assert played.message.startswith("features/play.feature:4: ")
    assert "began to listen" in played.message
    assert "before_scenario(context)" in played.message


def test_a_topic_set_only_after_the_users_act_fails_and_says_so(bench: Bench) -> None:
    played = bench.play(
        "When I act",
        'Given tenant is "acme"',
        'Then I expect no "x.{{ tenant }}" for 10ms',
        own={"I act": lambda _: bench.say("x.acme", {})},
    )
    assert "began to listen at features/play.feature:4" in played.message


def test_a_topic_that_is_never_known_names_its_variable(bench: Bench) -> None:
    played = bench.play('Given id is "7"', 'Then I expect "x.{{ tenant }}"')
    assert played.message.startswith("features/play.feature:4: ")
    assert "'tenant'" in played.message
