"""Another message, the same message again, order, hops, schemas, replies."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path
from types import MappingProxyType

import pytest

from choreo_bdd.message import Message
from choreo_bdd_project.config import TransportConfig
from choreo_bdd_steps.run.scenario_run import ScenarioRun
from tests.steps.conftest import MakeBench
from tests.support.step_bench import Bench, Played

# --- another ----------------------------------------------------------------------------------------------------------


def test_another_needs_a_message_of_its_own(bench: Bench) -> None:
    bench.echo("a", "x")
    played = bench.play('When I publish "a"', 'Then I expect "x"', 'And I expect another "x"')
    assert played.failed_step == 'I expect another "x"'
    assert "too few: 1 message on 'x' within " in played.message
    assert "taken by features/play.feature:4; one more was wanted" in played.message


def test_a_message_that_differs_is_nearer_than_one_that_is_taken(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {"n": 1, "to": "Ada"}), ("x", {"n": 2, "to": "Ada"})])
    where = "where n is 1 and to is Ada"
    played = bench.play('When I publish "a"', f'Then I expect "x" {where}', f'And I expect another "x" {where}')
    assert "wrong shape: 2 near-misses" in played.message
    assert "n: expected 1, got 2" in played.message


def test_two_messages_alike_are_one_and_another(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {}), ("x", {})])
    bench.play('When I publish "a"', 'Then I expect "x"', 'And I expect another "x"').passed()


def test_a_third_check_wants_a_third_message(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {}), ("x", {})])
    steps = ('When I publish "a"', 'Then I expect "x"', 'And I expect another "x"', 'And I expect another "x"')
    assert bench.play(*steps).outcomes == ["pass", "pass", "fail"]


def test_a_message_an_earlier_check_has_refused_is_still_to_be_had(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {"n": 1}), ("x", {"n": 2})])
    bench.play('When I publish "a"', 'Then I expect "x" where n is 2', 'And I expect another "x" where n is 1').passed()


def test_another_leaves_out_what_a_pattern_has_taken(bench: Bench) -> None:
    bench.echo("a", "x.eu")
    played = bench.play('When I publish "a"', 'Then I expect "x.*"', 'And I expect another "x.eu"')
    assert played.outcomes == ["pass", "fail"]


@pytest.mark.parametrize("first", ["x.*", "x.eu"])
def test_another_leaves_out_what_an_earlier_check_hears_after_it(bench: Bench, first: str) -> None:
    """Which of two subscriptions is served first is the broker's affair: here the one that a stand-in began."""
    second = {"x.*": "x.eu", "x.eu": "x.*"}[first]
    bench.echo("a", "x.eu")
    played = bench.play(
        f'Given a service that answers "{second}" with "y":\n| n |\n| 1 |',
        'When I publish "a"',
        f'Then I expect "{first}"',
        f'And I expect another "{second}"',
    )
    assert played.outcomes == ["pass", "fail"]
    assert "taken by features/play.feature:7" in played.message


def test_another_waits_for_what_an_earlier_check_will_take(bench: Bench) -> None:
    """The earlier check is judged only when its variable is known; what it takes then is gone."""
    bench.service("a", lambda _: [("id", {"id": 1}), ("x", {"n": 1})])
    played = bench.play(
        'When I publish "a"',
        'Then I expect "id"',
        'And I keep "id" of "id" as n',
        'And I expect "x" where n is {{ n }}',
        'And I expect another "x"',
    )
    assert played.failed_step == 'I expect another "x"'


# --- the same message -------------------------------------------------------------------------------------------------


def test_the_message_taken_last_is_looked_at_again(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {"n": 1, "who": "Ada"}), ("x", {"n": 2, "who": "Bob"})])
    bench.play(
        'When I publish "a"',
        'Then I expect "x" where n is 2',
        'And the "x" message has:\n| field | value |\n| who | Bob |',
    ).passed()


def test_what_the_same_message_lacks_is_named(bench: Bench) -> None:
    bench.echo("a", "x", who="Ada")
    played = bench.play('When I publish "a"', 'Then I expect "x"', 'And the "x" message has:\n  who: Bob')
    assert played.message.startswith('[FAIL] the "x" message has:  (features/play.feature:5)\nwrong shape: ')
    assert 'who: expected "Bob", got "Ada"' in played.message


THREE = ('When I publish "a"', 'Then I expect exactly 3 "x" messages within 50ms')


def says_three(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {"n": 1}), ("x", {"n": 2}), ("x", {"n": 3})])


@pytest.mark.parametrize(
    ("which", "number"), [("first", 1), ("second", 2), ("third", 3), ("last", 3), ("1st", 1), ("2nd", 2), ("3rd", 3)]
)
def test_each_of_several_messages_is_looked_at_by_its_place(bench: Bench, which: str, number: int) -> None:
    says_three(bench)
    bench.play(*THREE, f'And the {which} "x" message has:\n  n: {number}').passed()
    played = bench.play(*THREE, f'And the {which} "x" message has:\n  n: 7')
    assert f"n: expected 7, got {number}" in played.message


def test_messages_of_several_checks_are_counted_together_as_they_came(bench: Bench) -> None:
    says_three(bench)
    bench.play(
        'When I publish "a"',
        'Then I expect "x" where n is 2',
        'And I expect another "x" where n is 1',
        'And the first "x" message has:\n  n: 1',
        'And the second "x" message has:\n  n: 2',
        'And the "x" message has:\n  n: 1',
    ).passed()


def test_messages_of_one_read_of_the_socket_are_counted_as_they_came(nats_bench: Bench) -> None:
    for _ in range(5):
        nats_bench.play(
            'When I publish "x":\n| n |\n| 1 |\n| 2 |\n| 3 |',
            'Then I expect "x" where n is 2',
            'And I expect another "x" where n is 1',
            'And the first "x" message has:\n  n: 1',
            'And the second "x" message has:\n  n: 2',
        ).passed()


def test_a_pattern_and_its_topic_count_no_message_twice(bench: Bench) -> None:
    bench.service("a", lambda _: [("x.eu", {"n": 1}), ("x.eu", {"n": 2})])
    bench.play(
        'When I publish "a"',
        'Then I expect exactly 2 "x.eu" messages within 50ms',
        'And I expect "x.*"',
        'And the second "x.eu" message has:\n  n: 2',
        'And the first "x.*" message has:\n  n: 1',
    ).passed()


def test_messages_that_a_pattern_and_its_topic_have_taken_are_counted_together(bench: Bench) -> None:
    bench.service("a", lambda _: [("x.eu", {"n": 1}), ("x.eu", {"n": 2}), ("x.eu", {"n": 1})])
    bench.play(
        'When I publish "a"',
        'Then I expect "x.eu" where n is 2',
        'And I expect exactly 2 "x.*" messages where n is 1 within 50ms',
        'And the first "x.eu" message has:\n  n: 1',
        'And the second "x.eu" message has:\n  n: 2',
        'And the last "x.eu" message has:\n  n: 1',
        'And I expect no other "x.eu" for 50ms',
    ).passed()


def test_a_later_phase_counts_its_own(bench: Bench) -> None:
    says_three(bench)
    bench.service("b", lambda _: [("x", {"n": 8})])
    bench.play(
        *THREE,
        'When I publish "b"',
        'Then I expect "x"',
        'And the first "x" message has:\n  n: 8',
        'And the last "x" message has:\n  n: 8',
    ).passed()


def test_a_place_that_no_message_has_is_told(bench: Bench) -> None:
    says_three(bench)
    played = bench.play('When I publish "a"', 'Then I expect "x"', 'And the second "x" message has:\n  n: 2')
    assert "features/play.feature:5: the checks of this phase have taken 1 message(s) on 'x'" in played.message
    assert 'I expect at least 2 "x" messages' in played.message


@pytest.mark.parametrize(
    "body",
    [
        "  n: 2",
        "  n: !gt 1\n  who: !exists",
        "| field | value |\n| n     | > 1   |",
        "| field  | value |\n| @topic | y     |",
        "| n | who |\n| 2 | Ada |",
    ],
)
def test_what_a_message_has_not(bench: Bench, body: str) -> None:
    bench.service("a", lambda _: [("x", {"n": 1})])
    bench.play('When I publish "a"', 'Then I expect "x"', f'And the "x" message has not:\n{body}').passed()


@pytest.mark.parametrize(
    "body",
    [
        "  n: 1",
        "  n: 2\n  who: Ada",
        "  at: {town: Ulm, street: {name: Main, house: 7}}",
        "  '@headers': {tenant: acme, trace: z}",
        "| field | value |\n| n     | 2     |\n| who   | Ada   |",
        "| field  | value |\n| @topic | x     |",
        "| n | who |\n| 2 | Ada |",
    ],
)
def test_a_message_that_has_any_of_it_fails(bench: Bench, body: str) -> None:
    sent = """
    '@headers': {tenant: acme}
    n: 1
    who: Ada
    at: {town: Bonn, street: {name: Main}}
    """
    played = bench.play(
        f'When I publish "x":{sent}', 'Then I expect "x"', f'And the first "x" message has not:\n{body}'
    )
    assert "unexpected: the message on 'x' has what it should not have" in played.message
    assert played.message.startswith('[FAIL] the first "x" message has not:  (features/play.feature:11)')


def test_the_reply_is_looked_at_again_and_kept(bench: Bench) -> None:
    answer_requests(bench, "stock", level=7, shelf="B")
    bench.play(
        'When I request "stock"',
        "Then I expect a reply where level is 7",
        "And the reply has:\n  shelf: B",
        "And the reply has not:\n| field | value  |\n| error | exists |",
        'And I keep "shelf" of the reply as shelf',
        'When I publish "x":\n  shelf: "{{ shelf }}"',
        'Then I expect "x" where shelf is B',
    ).passed()


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("the reply has:\n  shelf: A", 'shelf: expected "A", got "B"'),
        ("the reply has not:\n  shelf: B", "has what it should not have"),
        ('I keep "size" of the reply as size', "no field 'size'"),
    ],
)
def test_a_reply_that_is_otherwise_is_told(bench: Bench, step: str, told: str) -> None:
    answer_requests(bench, "stock", level=7, shelf="B")
    assert told in bench.play('When I request "stock"', "Then I expect a reply", f"And {step}").message


def test_a_reply_nobody_has_expected_cannot_be_looked_at(bench: Bench) -> None:
    played = bench.play('When I publish "a"', "Then the reply has:\n  who: Bob")
    assert "no earlier check of this scenario has taken a reply" in played.message


def test_a_message_nobody_has_taken_cannot_be_looked_at(bench: Bench) -> None:
    played = bench.play('When I publish "a"', 'Then the "x" message has:\n  who: Bob')
    assert "features/play.feature:4: no earlier check of this scenario has taken a message on 'x'" in played.message


def test_looking_without_a_body_is_an_error(bench: Bench) -> None:
    bench.echo("a", "x")
    played = bench.play('When I publish "a"', 'Then I expect "x"', 'And the "x" message has')
    assert "features/play.feature:5: there is nothing to check" in played.message


# --- order ------------------------------------------------------------------------------------------------------------

IN_ORDER = "Then I expect in order:\n| topic | n |\n| x | 1 |\n| y | 2 |\n| x | 3 |"


def in_order(bench: Bench, *spoken: tuple[str, int]) -> list[str]:
    bench.service("a", lambda _: [(topic, {"n": n}) for topic, n in spoken])
    return bench.play('When I publish "a"', IN_ORDER).outcomes


def test_messages_in_order_pass(bench: Bench) -> None:
    assert in_order(bench, ("x", 1), ("y", 2), ("x", 3)) == ["pass", "pass", "pass"]


def test_messages_in_another_order_fail(bench: Bench) -> None:
    assert in_order(bench, ("y", 2), ("x", 1), ("x", 3))[1] == "fail"


def test_what_comes_in_between_does_not_matter(bench: Bench) -> None:
    assert in_order(bench, ("y", 2), ("x", 1), ("x", 3), ("y", 2), ("x", 3)) == ["pass", "pass", "pass"]


def two_buses(make_bench: MakeBench) -> Bench:
    buses = {name: TransportConfig(name, "memory", "the test", correlation_field=None) for name in ("bus", "far")}
    return make_bench(transports=MappingProxyType(buses), default_transport="bus")


@pytest.mark.parametrize(("first", "outcome"), [("bus", "pass"), ("far", "fail")])
def test_over_two_transports_the_time_of_arrival_is_the_order(make_bench: MakeBench, first: str, outcome: str) -> None:
    """Each bus counts its own messages: that one has carried more by then says nothing."""
    bench = two_buses(make_bench)

    def speak(_: ScenarioRun) -> None:
        for name, times in (("bus", 3), ("far", 1)) if first == "bus" else (("far", 3), ("bus", 1)):
            for number in range(times):
                bench.say({"bus": "x", "far": "y"}[name], {"n": number + 4 - times}, on=name)
            bench.pass_time(0.01)

    rows = "| topic | transport | n |\n| x | bus | 3 |\n| y | far | 3 |"
    played = bench.play(
        'When I publish "a"', "And they speak", f"Then I expect in order:\n{rows}", own={"they speak": speak}
    )
    assert played.outcomes == ["pass", outcome]


def test_messages_of_two_transports_are_two_however_alike(make_bench: MakeBench) -> None:
    bench = two_buses(make_bench)

    def speak(_: ScenarioRun) -> None:
        bench.say("first here, as the act was there", {}, on="far")
        for name in ("bus", "far"):
            bench.say("x.a", {"n": 1}, on=name)
            bench.pass_time(0.01)

    rows = "| topic | transport | n |\n| x.a | bus | 1 |\n| x.* | far | 1 |"
    bench.play(
        'When I publish "a"', "And they speak", f"Then I expect in order:\n{rows}", own={"they speak": speak}
    ).passed()


def test_one_message_is_not_two_in_order(bench: Bench) -> None:
    bench.echo("a", "x")
    played = bench.play('When I publish "a"', "Then I expect in order:\n| topic |\n| x |\n| x |")
    assert played.outcomes[0] == "pass"
    assert played.outcomes[1] != "pass"


def test_a_message_out_of_order_is_named_as_the_cause(bench: Bench) -> None:
    bench.service("a", lambda _: [("y", {}), ("x", {})])
    played = bench.play('When I publish "a"', "Then I expect in order:\n| topic |\n| x |\n| y |")
    assert "out of order" in played.message


@pytest.mark.parametrize(("second", "outcomes"), [(None, ["timeout", "fail"]), (7, ["fail", "fail"])])
def test_what_waits_for_another_says_that_it_never_came(bench: Bench, second: int | None, outcomes: list[str]) -> None:
    spoken = [("x", 1), ("z", 3)] if second is None else [("x", 1), ("y", second), ("z", 3)]
    bench.service("a", lambda _: [(topic, {"n": n}) for topic, n in spoken])
    table = "| topic | n |\n| x | 1 |\n| y | 2 |\n| z | 3 |"
    played = bench.play('When I publish "a"', f"Then I expect in order:\n{table}")
    assert played.outcomes == ["pass", *outcomes]
    assert "came before the expected one on 'y', which never came" in played.message


def test_a_chain_of_services_in_one_turn_of_the_loop_is_in_order(bench: Bench) -> None:
    """On the memory bus the second service speaks before the first one's message has reached everybody."""
    bench.echo("x", "y")
    bench.echo("a", "x")
    assert bench.play('When I publish "a"', "Then I expect in order:\n| topic |\n| x |\n| y |").outcomes == [
        "pass",
        "pass",
    ]


def test_an_order_without_topics_is_an_error(bench: Bench) -> None:
    played = bench.play('When I publish "a"', "Then I expect in order:\n| name |\n| x |")
    assert "features/play.feature:4: this step needs a table with a column `topic`" in played.message


# --- hops -------------------------------------------------------------------------------------------------------------


def slow_pair(bench: Bench) -> None:
    bench.echo("a", "x")
    bench.echo("x", "y", after_s=0.08)


@pytest.mark.parametrize(("budget", "outcome"), [("150ms", "pass"), ("30ms", "slow")])
def test_a_hop_between_two_messages_of_others_has_a_budget(bench: Bench, budget: str, outcome: str) -> None:
    slow_pair(bench)
    played = bench.play('When I publish "a"', f'Then from "x" to "y" takes at most {budget}')
    assert played.outcomes == ["pass", outcome]
    assert played.handles[-1].latency_ms >= 70


@pytest.mark.parametrize(("budget", "outcome"), [("150ms", "pass"), ("30ms", "slow")])
def test_a_hop_may_begin_with_a_publish(bench: Bench, budget: str, outcome: str) -> None:
    slow_pair(bench)
    played = bench.play('When I publish "a"', f'Then from "a" to "y" takes at most {budget}')
    assert played.outcomes == [outcome]


@pytest.mark.parametrize("begin", ["x", "a"])
@pytest.mark.parametrize(("earliest", "outcome"), [("30ms", "pass"), ("150ms", "fail")])
def test_a_hop_may_have_to_take_at_least_so_long(bench: Bench, begin: str, earliest: str, outcome: str) -> None:
    slow_pair(bench)
    played = bench.play('When I publish "a"', f'Then from "{begin}" to "y" takes at least {earliest}')
    assert played.outcomes[-1] == outcome
    if outcome == "fail":
        assert "too early: the message on 'y' came" in played.message
        assert f"ms after '{begin}'" in played.message


@pytest.mark.parametrize("take", ["most", "least"])
def test_a_hop_begins_with_the_message_where_the_scenario_publishes_its_topic_only_later(
    bench: Bench, take: str
) -> None:
    bench.echo("a", "y")
    bench.echo("a", "x", after_s=0.03)
    bench.echo("a", "y", after_s=0.1)
    played = bench.play(
        'When I publish "a"',
        f'Then from "x" to "y" takes at {take} 50ms',
        'When I publish "x"',
        'Then I expect "x"',
    )
    if take == "most":
        assert played.failed_step == 'from "x" to "y" takes at most 50ms'
    else:
        assert played.passed().handles[1].latency_ms == pytest.approx(70)


@pytest.mark.parametrize(
    "check",
    [
        'from "b" to "x" takes at most 100ms',
        'from "b" to "x" takes at least 10ms',
        'I expect "x" within 100ms of "b"',
        'I expect at least 1 "x" message within 100ms of "b"',
    ],
)
def test_what_came_before_the_publish_that_a_time_counts_from_is_not_what_it_is_about(bench: Bench, check: str) -> None:
    bench.echo("a", "x", after_s=0.02)
    acts = ('When I publish "a"', "And I wait 40ms", 'And I publish "b"')
    played = bench.play(*acts, f"Then {check}")
    assert "out of order: on 'x' a matching message came before the publish on 'b'" in played.message
    bench.echo("b", "x", after_s=0.03)
    assert bench.play(*acts, f"Then {check}").passed().handles[-1].latency_ms == pytest.approx(30)


def test_a_publish_on_another_transport_is_no_beginning_of_a_hop(make_bench: MakeBench) -> None:
    bench = two_buses(make_bench)
    bench.echo("x", "y")
    played = bench.play('When I publish "x"', 'Then from "x" on far to "y" on bus takes at most 50ms')
    assert "nothing arrived: no matching message arrived on 'x' on far" in played.message


@pytest.mark.parametrize("start", ["on bus ", ""])
def test_a_hop_counts_from_the_publish_on_its_own_transport(make_bench: MakeBench, start: str) -> None:
    bench = two_buses(make_bench)
    bench.echo("x", "y", after_s=0.11)
    played = bench.play(
        'When I publish "x"',
        "And I wait 100ms",
        'And I publish "x" on far',
        f'Then from "x" {start}to "y" takes at most 50ms',
    )
    assert played.outcomes[-1] == "slow"


def two_orders(bench: Bench) -> None:
    """The first order is accepted at once and settled late, the second the other way round."""
    bench.service("a", lambda _: [("x", {"id": 1}), ("y", {"id": 2})])
    bench.service("a", lambda _: [("x", {"id": 2}), ("y", {"id": 1})], after_s=0.08)


@pytest.mark.parametrize(
    ("hop", "outcome"),
    [
        ('from "x" where id is 1 to "y" where id is 1 takes at most 30ms', "slow"),
        ('from "x" where id is 1 to "y" where id is 1 takes at most 900ms', "pass"),
        ('from "x" where id is 1 to "y" where id is 1 takes at least 30ms', "pass"),
        ('from "x" to "y" where id is 2 takes at most 30ms', "pass"),
        ('from "a" where n is 1 to "y" where id is 1 takes at most 30ms', "slow"),
    ],
)
def test_conditions_tell_the_two_messages_of_a_hop_apart(bench: Bench, hop: str, outcome: str) -> None:
    two_orders(bench)
    assert bench.play('When I publish "a":\n  n: 1', f"Then {hop}").outcomes == ["pass", outcome]


def test_a_hop_that_begins_with_none_of_the_messages_says_so(bench: Bench) -> None:
    two_orders(bench)
    played = bench.play('When I publish "a"', 'Then from "x" where id is 9 to "y" takes at most 30ms')
    assert "wrong shape: 2 near-misses on 'x'" in played.message


def test_a_slow_hop_may_be_a_warning(make_bench: MakeBench) -> None:
    bench = make_bench(slow="warn")
    slow_pair(bench)
    assert bench.play('When I publish "a"', 'Then from "x" to "y" takes at most 30ms').passed().outcomes[-1] == "slow"


def test_a_hop_whose_beginning_nobody_saw_says_so(bench: Bench) -> None:
    bench.echo("a", "y")
    played = bench.play('When I publish "a"', 'Then from "x" to "y" takes at most 30ms')
    assert "no matching message arrived on 'x'" in played.message


def test_the_message_of_a_hop_within_one_topic_is_the_one_it_leads_to(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {"n": 1}), ("x", {"n": 2})])
    bench.play(
        'When I publish "a"',
        'Then from "x" where n is 1 to "x" where n is 2 takes at most 1s',
        'And the "x" message has:\n| field | value |\n| n | 2 |',
    ).passed()


# --- windows that begin with a publish --------------------------------------------------------------------------------


def test_a_count_may_be_watched_from_a_publish_that_is_named(bench: Bench) -> None:
    bench.echo("a", "x", after_s=0.6)
    played = bench.play(
        'When I publish "a"',
        "And I wait 500ms",
        'And I publish "b"',
        'Then I expect exactly 0 "x" messages within 300ms of "a"',  # as many of "b" would see the one that comes
        'And I expect at least 1 "x" message within 5s of "a"',
    )
    assert played.outcomes == ["pass", "pass"]


def count_of_x_from_b(bench: Bench, count: str, *, after: int) -> Played:
    """One comes before the publish on "b", and so many after it."""
    bench.echo("a", "x", after_s=0.02)
    bench.service("b", lambda _: [("x", {})] * after, after_s=0.03)
    acts = ('When I publish "a"', "And I wait 40ms", 'And I publish "b"')
    return bench.play(*acts, f'Then I expect {count} "x" messages within 100ms of "b"')


@pytest.mark.parametrize(
    ("count", "after"), [("exactly 0", 0), ("exactly 1", 1), ("at most 1", 1), ("between 2 and 3", 3)]
)
def test_what_came_before_the_publish_that_is_named_is_not_counted(bench: Bench, count: str, after: int) -> None:
    count_of_x_from_b(bench, count, after=after).passed()


def test_a_count_that_only_what_came_before_would_fill_says_so(bench: Bench) -> None:
    played = count_of_x_from_b(bench, "exactly 2", after=1)
    assert (
        "1 matching on 'x' within 100 ms, wanted exactly 2; a matching message came before the publish"
        in played.message
    )


def test_what_nobody_can_read_is_no_part_of_a_window_that_begins_after_it(bench: Bench) -> None:
    check = 'Then I expect exactly 0 "x" messages within 100ms of "b"'
    unreadable = 'When I publish "x" as raw bytes:\n  {oops'
    assert bench.play(unreadable, 'And I publish "b"', check).passed()
    assert "undecodable" in bench.play('When I publish "b"', unreadable, check).message


# --- schemas ----------------------------------------------------------------------------------------------------------

SCHEMA = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer", "maximum": 5}}}


@pytest.mark.parametrize(("n", "outcome"), [(5, "pass"), (6, "fail")])
@pytest.mark.parametrize("check", ['I expect "x"', 'I expect another "x"', 'I expect at least 1 "x" message'])
def test_a_payload_is_held_against_a_schema(tmp_path: Path, bench: Bench, check: str, n: int, outcome: str) -> None:
    (tmp_path / "order.json").write_text(json.dumps(SCHEMA))
    bench.echo("a", "x", n=n)
    steps = ('When I publish "a"', f'Then {check} matching schema "order.json"')
    assert bench.play(*steps, file=str(tmp_path / "a.feature")).outcomes == [outcome]


def test_a_schema_that_is_not_there_is_an_error(bench: Bench) -> None:
    played = bench.play('When I publish "a"', 'Then I expect "x" matching schema "none.json"')
    assert "none.json" in played.message


# --- replies ----------------------------------------------------------------------------------------------------------


def answer_requests(bench: Bench, topic: str, *, after_s: float = 0, **payload: object) -> None:
    """A service that answers where a request wants it, and knows nothing of correlation ids."""
    transport = bench.session.transport("bus")

    class Service:
        def __call__(self, spoken: str, data: bytes) -> None:
            raise NotImplementedError

        def deliver(self, message: Message) -> None:
            answer = partial(transport.publish, message.headers["reply-to"], json.dumps(payload).encode())
            asyncio.get_running_loop().call_later(after_s, answer)

    async def subscribe() -> None:
        transport.subscribe(topic, Service())

    bench.session.run(subscribe())


def test_a_request_gets_its_reply(bench: Bench) -> None:
    answer_requests(bench, "stock", level=7)
    bench.play('When I request "stock":\n  sku: tea', "Then I expect a reply where level is 7 within 150ms").passed()


def test_a_reply_of_another_shape_is_told(bench: Bench) -> None:
    answer_requests(bench, "stock", level=7)
    played = bench.play('When I request "stock"', "Then I expect a reply:\n  level: 8")
    assert "level: expected 8, got 7" in played.message


def test_a_slow_reply_is_told_without_the_name_of_its_inbox(bench: Bench) -> None:
    answer_requests(bench, "stock", after_s=0.1, level=7)
    played = bench.play('When I request "stock"', "Then I expect a reply within 50ms")
    assert "over budget: the message on the inbox of the request took 100.0 ms" in played.message
    assert "choreo.reply" not in played.message


def test_a_request_nobody_answers_times_out(bench: Bench) -> None:
    assert bench.play('When I request "stock"', "Then I expect a reply").outcomes == ["timeout"]


def test_each_request_has_its_own_inbox(bench: Bench) -> None:
    answer_requests(bench, "stock", level=7)
    played = bench.play(
        'When I request "stock"', "Then I expect a reply", 'When I request "silent"', "Then I expect a reply"
    )
    assert played.outcomes == ["pass", "timeout"]


def test_a_reply_without_a_request_is_an_error(bench: Bench) -> None:
    played = bench.play('When I publish "stock"', "Then I expect a reply")
    assert "features/play.feature:4: no step of this phase requests anything" in played.message


def test_a_bare_template_sets_a_variable_as_it_does_in_quotes(bench: Bench) -> None:
    played = bench.play(
        "Given id is {{ uuid() }}",
        "And copy is {{ id }}",
        'When I publish "t":\n| id | copy |\n| {{ id }} | {{ copy }} |',
        'Then I expect "t" where id is a uuid',
    ).passed()
    payload = played.handles[0].message
    assert payload["id"] == payload["copy"]


def test_a_template_inside_a_json_value_says_where_it_belongs(bench: Bench) -> None:
    played = bench.play('Given x is {"a": {{ uuid() }}}', 'When I publish "t"', 'Then I expect "t"')
    assert "a template inside a value belongs below `the variables:`, in the row | x | … |" in played.message


# --- headers that are missing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("carried", "told"),
    [
        ({"tenant": "acme", "Region": "eu"}, "nothing (missing; there is Region, tenant)"),
        ({}, "nothing (missing; there is no header at all)"),
    ],
)
@pytest.mark.parametrize(
    "check", [('Then I expect "t" waiting up to 50ms',), ('Then I expect "t"', 'And the "t" message has')]
)
def test_a_missing_header_lists_those_that_are_there(
    bench: Bench, check: tuple[str, ...], carried: dict[str, str], told: str
) -> None:
    sent = "".join(f"\n  | @headers.{name} | {value} |" for name, value in carried.items())
    played = bench.play(
        f'When I publish "t":\n  | field | value |\n  | n | 1 |{sent}',
        *check[:-1],
        f"{check[-1]}:\n  | field | value |\n  | @headers.region | eu |",
    )
    assert f'@headers.region: expected "eu", got {told}' in played.message


def test_a_missing_key_says_nothing_of_headers(bench: Bench) -> None:
    played = bench.play('When I publish "t"', 'Then I expect "t" where @key is "k" waiting up to 50ms')
    assert "nothing (missing)" in played.message


@pytest.mark.parametrize("body", ["|field|value|\n|m.lines[0].sku|x|", "m: {lines: [{sku: x}]}"])
def test_an_element_of_a_list_is_named_as_its_author_writes_it(bench: Bench, body: str) -> None:
    bench.service("a", lambda _: [("x", {"m": {"lines": [{"sku": "y"}]}})])
    for check in (f'Then I expect "x":\n{body}', f'Then the "x" message has:\n{body}'):
        told = bench.play('When I publish "a"', 'Then I expect "x"', check).message
        assert 'm.lines[0].sku: expected "x", got "y"' in told
        assert ".0." not in told
