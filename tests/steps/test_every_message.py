"""Any message on a watched topic is counted, named, or fails: none slips through a scenario unseen."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.step_bench import Bench

OWN, STRANGER, NOBODY = "own", "stranger", "nobody"
MESSAGES = st.lists(
    st.tuples(st.sampled_from([OWN, OWN, STRANGER, NOBODY, "unreadable"]), st.integers(1, 2)), max_size=5
)


def send(bench: Bench, messages: Sequence[tuple[str, int]]) -> None:
    """A service that says all of this on x when it hears of a."""
    transport = bench.session.transport("bus")

    def on_message(_: str, data: bytes) -> None:
        own = json.loads(data)["correlation_id"]
        for whose, number in messages:
            ids = {OWN: {"correlation_id": own}, STRANGER: {"correlation_id": "stranger"}}.get(whose, {})
            transport.publish("x", b"\xff" if whose == "unreadable" else json.dumps({"n": number, **ids}).encode())

    async def subscribe() -> None:
        transport.clear_subscriptions()
        bench.session.harness("bus").router.reset()
        transport.subscribe("a", on_message)

    bench.session.run(subscribe())


@pytest.mark.filterwarnings("ignore::UserWarning")
@examples(25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MESSAGES)
def test_no_message_slips_through_an_absence_or_a_count(bench: Bench, messages: list[tuple[str, int]]) -> None:
    send(bench, messages)
    own = sum(whose == OWN for whose, _ in messages)
    unreadable = sum(whose == "unreadable" for whose, _ in messages)
    nobodys = sum(whose == NOBODY for whose, _ in messages)
    played = bench.play(
        'When I publish "a"', f'Then I expect exactly {own} "x" messages within 20ms', 'And I expect no "x" for 20ms'
    )
    counted = played.handles[0]
    assert len(counted.messages) == own
    assert counted.outcome.value == ("fail" if unreadable else "pass")
    absent = played.handles[1]
    assert absent.outcome.value == ("fail" if own or unreadable else "pass")
    if nobodys and not own and not unreadable:
        assert any("without a correlation id" in note for note in absent.notes)


@pytest.mark.filterwarnings("ignore::UserWarning")
@examples(25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 3), min_size=1, max_size=5))
def test_nothing_else_fails_for_each_message_that_no_check_has_taken(bench: Bench, numbers: list[int]) -> None:
    send(bench, [(OWN, number) for number in numbers])
    first = numbers[0]
    played = bench.play(
        'When I publish "a"', f'Then I expect "x" where n is {first}', "And I expect nothing else for 20ms"
    )
    assert [handle.outcome.value for handle in played.handles] == ["pass", "pass" if len(numbers) == 1 else "fail"]
