"""Nothing is decided by not having looked: fences, late looks, windows and slices (spec/steps.md 1 and 5)."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from choreo_bdd import DictFieldPolicy, Handle, Harness, Outcome, Scenario, ScopeOptions
from choreo_bdd.codecs import JSONCodec
from choreo_bdd.exceptions import TransportError
from choreo_bdd.matchers import MatchResult, anything, eq, field_equals
from choreo_bdd.scenario import Cause
from choreo_bdd.scenario.backlog import Backlog
from choreo_bdd.transports import MockTransport
from tests.support.engine_doubles import CountingCodec

Arm = Callable[[Scenario], Handle]
Judging = Callable[[int], Iterator[None]]


class FencedTransport(MockTransport):
    """A bus behind a broker: what it still has comes with the fence, or the broker is silent."""

    def __init__(self) -> None:
        super().__init__()
        self.behind: list[tuple[str, Any]] = []
        self.silent: str | None = None
        self.asked: list[tuple[str, ...]] = []
        self.takes_s = 0.01

    async def fence(self, topics: Collection[str]) -> None:
        self.asked.append(tuple(topics))
        await asyncio.sleep(self.takes_s)
        if self.silent is not None:
            raise TransportError(self.silent)
        while self.behind:
            topic, payload = self.behind.pop(0)
            self.publish(topic, json.dumps(payload).encode())


@asynccontextmanager
async def fenced() -> AsyncIterator[tuple[FencedTransport, Harness]]:
    transport = FencedTransport()
    harness = Harness(transport)
    await harness.connect()
    yield transport, harness
    await harness.disconnect()


ABSENCE: Arm = lambda s: s.expect_none("t", eq(1))  # noqa: E731 - a table of ways to arm
EXACTLY: Arm = lambda s: s.expect_count("t", eq(1), exactly=0)  # noqa: E731 - as above
AT_MOST: Arm = lambda s: s.expect_count("t", eq(1), at_most=0)  # noqa: E731 - as above
ONE: Arm = lambda s: s.expect("t", eq(1))  # noqa: E731 - as above


class TestFence:
    @pytest.mark.parametrize("arm", [ABSENCE, EXACTLY, AT_MOST])
    async def test_what_the_broker_still_has_breaks_an_absence(self, arm: Arm) -> None:
        async with fenced() as (transport, harness), harness.scenario("behind") as s:
            handle = arm(s)
            s.publish("start", {})
            transport.behind.append(("t", 1))
            await s.await_all(timeout_ms=100)
        assert handle.outcome is Outcome.FAIL
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.UNEXPECTED

    @pytest.mark.parametrize("arm", [ABSENCE, EXACTLY, AT_MOST, ONE])
    async def test_a_silent_broker_is_a_failed_transport(self, arm: Arm) -> None:
        async with fenced() as (transport, harness), harness.scenario("silent") as s:
            handle = arm(s)
            s.publish("start", {})
            transport.silent = "no answer within 2 s"
            result = await s.await_all(timeout_ms=100)
        assert not result.passed
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.TRANSPORT_FAILED
        assert "no answer within 2 s" in handle.diagnosis.sentence

    async def test_a_match_that_comes_with_the_fence_is_no_timeout(self) -> None:
        async with fenced() as (transport, harness), harness.scenario("just behind") as s:
            handle = s.expect("t", eq(1))
            s.publish("start", {})
            transport.behind.append(("t", 1))
            await s.await_all(timeout_ms=100)
        assert handle.was_fulfilled()

    @pytest.mark.parametrize("is_awaited", [True, False])
    async def test_what_comes_long_after_the_window_is_late_however_slowly_the_broker_answers(
        self, *, is_awaited: bool
    ) -> None:
        async with fenced() as (transport, harness), harness.scenario("busy broker") as s:
            transport.takes_s = 0.2
            handle = s.expect("t", eq(1))
            s.publish("start", {})
            s.scope.close_at(handle, s.scope.clock() + 0.25)
            asyncio.get_running_loop().call_later(0.35, harness.publish, "t", 1)
            if not is_awaited:
                await asyncio.sleep(0.4)
            await s.scope.decide([s.scope.expectation_of(handle)])
        assert handle.outcome is Outcome.TIMEOUT
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.TOO_LATE
        assert "100.0 ms after" in handle.diagnosis.sentence

    async def test_how_late_it_came_is_told_from_the_end_of_the_wait(self) -> None:
        """And not from when the broker had told that there was no more."""
        async with fenced() as (transport, harness), harness.scenario("busy broker") as s:
            transport.takes_s = 0.5
            handle = s.expect("t", eq(1))
            s.publish("start", {})
            asyncio.get_running_loop().call_later(0.4, harness.publish, "t", 1)
            await s.await_all(timeout_ms=100)
        assert handle.diagnosis is not None
        assert "came 300.0 ms after the wait of 100 ms had ended" in handle.diagnosis.sentence

    async def test_a_result_waits_no_longer_than_asked_for_what_comes_late(self) -> None:
        async with fenced() as (transport, harness), harness.scenario("busy broker") as s:
            transport.takes_s = 0.2
            handle = s.expect("t", eq(1))
            s.publish("start", {})
            asyncio.get_running_loop().call_later(0.35, harness.publish, "t", 1)
            await s.await_all(timeout_ms=250)
        assert handle.outcome is Outcome.TIMEOUT

    async def test_only_what_is_undecided_is_asked_for(self) -> None:
        async with fenced() as (transport, harness), harness.scenario("asked") as s:
            s.expect("start", anything())
            s.expect_none("t")
            s.publish("start", {})
            assert (await s.await_all(timeout_ms=100)).passed
        assert transport.asked == [("t",)]

    async def test_what_is_met_needs_no_fence(self) -> None:
        async with fenced() as (transport, harness), harness.scenario("met") as s:
            s.expect("start", anything())
            s.publish("start", {})
            transport.silent = "nobody there"
            assert (await s.await_all(timeout_ms=100)).passed
        assert transport.asked == []

    async def test_a_step_that_decides_its_window_asks_too(self) -> None:
        async with fenced() as (transport, harness), harness.scenario("window") as s:
            handle = s.expect_none("t", eq(1))
            s.publish("start", {})
            s.scope.close_at(handle, s.scope.clock() + 0.5)
            transport.behind.append(("t", 1))
            await s.scope.decide([s.scope.expectation_of(handle)])
            assert handle.outcome is Outcome.FAIL


async def _turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


class TestBlockedLoop:
    @pytest.mark.parametrize(("arm", "outcome"), [(ABSENCE, Outcome.FAIL), (ONE, Outcome.PASS)])
    async def test_what_lay_in_the_socket_is_read_before_deciding(
        self, harness: Harness, arm: Arm, outcome: Outcome
    ) -> None:
        loop: Any = asyncio.get_running_loop()
        near, far = socket.socketpair()

        async def read() -> None:
            reader, writer = await asyncio.open_connection(sock=near)
            payload = await reader.readexactly(1)
            harness.publish("t", json.loads(payload))
            writer.close()

        reading = asyncio.ensure_future(read())
        async with harness.scenario("blocked") as s:
            handle = arm(s)
            s.publish("start", {})
            s.scope.close_at(handle, s.scope.clock() + 0.5)

            def block() -> None:
                far.send(b"1")
                loop._jumping.now += 30  # nothing else ran for so long

            loop.call_later(0.4, block)
            await s.scope.decide([s.scope.expectation_of(handle)])
            assert handle.outcome is outcome
        await reading
        far.close()


class TestAbsenceWindow:
    async def test_what_comes_before_the_step_is_reached_fails_it(self, harness: Harness) -> None:
        async with harness.scenario("late step") as s:
            handle = s.expect_none("forbidden")
            s.publish("start", {})
            s.scope.close_at(handle, s.scope.clock() + 0.1, lingers=True)
            await asyncio.sleep(0.7)
            harness.publish("forbidden", {})
            await asyncio.sleep(0.3)
            assert handle.outcome is Outcome.FAIL

    async def test_what_comes_within_the_window_after_the_step_is_reached_fails_it(self, harness: Harness) -> None:
        async with harness.scenario("late step") as s:
            handle = s.expect_none("forbidden")
            s.publish("start", {})
            s.scope.close_at(handle, s.scope.clock() + 0.1, lingers=True)
            await asyncio.sleep(1)
            asyncio.get_running_loop().call_later(0.09, harness.publish, "forbidden", {})
            s.scope.reached(handle, 0.1)
            await s.scope.decide([s.scope.expectation_of(handle)])
            assert handle.outcome is Outcome.FAIL

    async def test_a_publish_later_than_the_step_keeps_its_own_window(self, harness: Harness) -> None:
        async with harness.scenario("step first") as s:
            handle = s.expect_none("forbidden")
            s.publish("start", {})
            began = s.scope.clock()
            s.scope.close_at(handle, began + 0.5, lingers=True)
            s.scope.reached(handle, 0.1)
            await s.scope.decide([s.scope.expectation_of(handle)])
            assert handle.was_fulfilled()
            assert s.scope.clock() - began == pytest.approx(0.5)


class Failing:
    """A matcher that calls ``pytest.fail()``: not even an ``Exception``."""

    description = "calls pytest.fail()"

    def match(self, payload: Any) -> MatchResult:
        pytest.fail("not what I wanted")


class Cancelling:
    """A matcher that meets a cancelled future."""

    description = "meets a cancelled future"

    def match(self, payload: Any) -> MatchResult:
        raise asyncio.CancelledError


def _fail(*_: Any) -> Any:
    pytest.fail("not what I wanted")


class TestWhateverUserCodeRaises:
    @pytest.mark.parametrize(("matcher", "name"), [(Failing(), "Failed"), (Cancelling(), "CancelledError")])
    async def test_a_matcher_fails_its_own_expectation_alone(self, harness: Harness, matcher: Any, name: str) -> None:
        async with harness.scenario("raises") as s:
            raising, other = s.expect("t", matcher), s.expect("t", anything())
            s.publish("t", {})
            await s.await_all(timeout_ms=100)
        assert (raising.outcome, other.outcome) == (Outcome.FAIL, Outcome.PASS)
        assert f"raised {name}" in raising.reason

    async def test_a_reply_builder_fails_its_own_reply_alone(self, harness: Harness) -> None:
        async with harness.scenario("builds") as s:
            s.on("t").publish("never", _fail)
            s.on("t", Failing()).publish("never", {})
            handle = s.expect("t", anything())
            s.publish("t", {})
            result = await s.await_all(timeout_ms=100)
        assert handle.was_fulfilled()
        assert result.replies[0].builder_error == "Failed"

    async def test_a_stand_in_lives_on(self, harness: Harness) -> None:
        async def build(trigger: Any) -> Any:
            return _fail() if trigger == {"n": 1} else trigger

        stand_in = await harness.stand_in("t", "answers", build)
        async with harness.scenario("stand-in") as s:
            handle = s.expect("answers", field_equals("n", 2))
            s.publish("t", {"n": 1}).publish("t", {"n": 2})
            await s.await_all(timeout_ms=100)
        assert handle.was_fulfilled()
        assert stand_in.report().builder_error == "Failed"

    async def test_a_codec_makes_the_message_unreadable(self, transport: MockTransport) -> None:
        class Codec:
            def decode(self, data: bytes) -> Any:
                return _fail()

            def encode(self, value: Any) -> bytes:
                return json.dumps(value).encode()

        harness = Harness(transport, codec=Codec())
        await harness.connect()
        async with harness.scenario("codec") as s:
            handle = s.expect("t", anything())
            s.publish("t", {})
            await s.await_all(timeout_ms=100)
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.UNDECODABLE
        assert "Failed" in handle.diagnosis.sentence


class TestInbox:
    """However long judging takes, the loop gets back to its sockets."""

    @pytest.fixture
    def slow(self) -> tuple[Backlog, Judging, list[int]]:
        """A backlog, work for it that takes 0.75 ms each, and what has been done of it."""
        now, done = [0.0], list[int]()

        def work(number: int) -> Iterator[None]:
            done.append(number)
            now[0] += 0.00075
            yield from ()

        return Backlog(own_time=lambda: now[0], clock=lambda: now[0]), work, done

    async def test_work_that_takes_long_waits_for_a_quiet_loop(self, slow: tuple[Backlog, Judging, list[int]]) -> None:
        backlog, work, done = slow
        for number in range(5):
            backlog.put(work(number))
        assert done == [0, 1]
        await _turns(7)
        assert done == [0, 1]
        await _turns(1)
        assert done == [0, 1, 2, 3]
        backlog.put(work(5))
        assert done == [0, 1, 2, 3]
        backlog.flush()
        assert done == [0, 1, 2, 3, 4, 5]

    async def test_a_message_of_many_checks_takes_several_slices(
        self, slow: tuple[Backlog, Judging, list[int]]
    ) -> None:
        backlog, work, done = slow

        def checks(numbers: range) -> Iterator[None]:
            for number in numbers:
                yield from work(number)
                yield

        backlog.put(checks(range(3)))
        backlog.put(checks(range(3, 6)))
        assert done == [0, 1]
        await _turns(8)
        assert done == [0, 1, 2, 3]
        backlog.flush()
        assert done == list(range(6))

    async def test_nothing_is_judged_between_messages_that_come_turn_by_turn(
        self, slow: tuple[Backlog, Judging, list[int]]
    ) -> None:
        backlog, work, done = slow
        for number in range(60):
            backlog.put(work(number))
            await _turns(3)
        assert done == [0, 1]
        await _turns(8 * 30)
        assert done == list(range(60))

    async def test_a_loop_that_is_never_quiet_judges_all_the_same(
        self, slow: tuple[Backlog, Judging, list[int]]
    ) -> None:
        backlog, work, done = slow
        for number in range(300):
            backlog.put(work(number))
            await _turns(1)
        assert 2 < len(done) < 10
        backlog.flush()
        assert done == list(range(300))

    async def test_quick_work_is_done_at_once(self) -> None:
        done: list[int] = []
        backlog = Backlog(own_time=lambda: 0.0, clock=lambda: 0.0)
        for number in range(1000):
            backlog.put(map(done.append, [number]))
        assert done == list(range(1000))

    async def test_a_machine_that_is_busy_with_something_else_has_not_judged(self) -> None:
        own, wall, asked, done = [0.0], [0.0], [0], list[int]()

        def own_time() -> float:
            asked[0] += 1
            return own[0]

        def work() -> Iterator[None]:
            own[0] += 0.00001
            wall[0] += 0.004 if len(done) == 20 else 0.00001
            done.append(len(done))
            yield from ()

        backlog = Backlog(own_time, clock=lambda: wall[0])
        for _ in range(20):
            backlog.put(work())
        assert asked[0] == 1, "it is asked once a slice"
        for _ in range(20):
            backlog.put(work())
        assert done == list(range(40))


@pytest.mark.thorough
async def test_two_replies_that_answer_each_other_do_not_hold_up_the_loop(harness: Harness) -> None:
    async with harness.scenario("ping-pong") as s:
        s.on("ping").publish("pong", {}, times=100_000)
        s.on("pong").publish("ping", {}, times=100_000)
        handle = s.expect_count("ping", anything(), at_least=3000)
        s.publish("ping", {})
        for _ in range(10_000):
            await asyncio.sleep(0)
            if handle.was_fulfilled():
                break
        assert handle.was_fulfilled()
        assert handle.diagnosis is not None


class TestWhatCannotBeSeen:
    """Absence and counts see every message that could be meant (spec/steps.md 5)."""

    @pytest.fixture
    async def picky(self, transport: MockTransport) -> AsyncIterator[Harness]:
        """A harness whose codec cannot read every message."""
        harness = Harness(transport, codec=CountingCodec())
        await harness.connect()
        yield harness
        await harness.disconnect()

    async def test_an_unreadable_message_fails_an_absence_without_a_condition(self, picky: Harness) -> None:
        async with picky.scenario("unreadable") as s:
            handle = s.expect_none("t")
            s.publish("t", b"\xff")
            await s.await_all(timeout_ms=100)
        assert handle.outcome is Outcome.FAIL
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.UNDECODABLE
        assert "1 message that came could not be read" in handle.reason

    async def test_it_is_named_beside_an_absence_with_a_condition(self, picky: Harness) -> None:
        async with picky.scenario("unreadable") as s:
            handle = s.expect_none("t", eq(1))
            s.publish("t", b"\xff")
            await s.await_all(timeout_ms=100)
        assert handle.was_fulfilled()
        assert "could not be read" in handle.notes[0]
        assert "could not be read" in handle.reason

    @pytest.mark.parametrize(("at_most", "outcome"), [(1, Outcome.FAIL), (2, Outcome.PASS)])
    async def test_it_counts_where_any_message_does(self, picky: Harness, at_most: int, outcome: Outcome) -> None:
        async with picky.scenario("unreadable") as s:
            handle = s.expect_count("t", anything(), at_most=at_most)
            s.publish("t", {}).publish("t", b"\xff")
            await s.await_all(timeout_ms=100)
        assert handle.outcome is outcome

    @pytest.mark.parametrize(
        ("unattributed", "outcome", "notes"),
        [("warn", Outcome.PASS, 1), ("fail", Outcome.FAIL, 1), ("ignore", Outcome.PASS, 0)],
    )
    async def test_a_message_without_an_id_does_what_the_option_says(
        self, strict: Harness, unattributed: Any, outcome: Outcome, notes: int
    ) -> None:
        async with strict.scenario("no id", options=ScopeOptions(unattributed=unattributed)) as s:
            handle = s.expect_none("t", field_equals("n", 1))
            s.publish("start", {})
            strict.publish("t", {"n": 1})
            strict.publish("t", {"n": 2})
            await s.await_all(timeout_ms=100)
        assert (handle.outcome, len(handle.notes)) == (outcome, notes)

    @pytest.mark.parametrize("payload", [b'{"n": 1}', b"\xff"], ids=["without an id", "unreadable"])
    async def test_what_comes_after_the_window_of_a_count_is_no_concern_of_its(
        self, transport: MockTransport, payload: bytes
    ) -> None:
        harness = Harness(transport, codec=JSONCodec(strict=True), correlation=DictFieldPolicy(strict=True))
        await harness.connect()
        async with harness.scenario("count", options=ScopeOptions(unattributed="fail")) as s:
            handle = s.expect_count("t", anything(), exactly=1)
            s.publish("t", {"n": 1})
            s.scope.close_at(handle, s.scope.clock())
            await asyncio.sleep(0.01)
            harness.publish("t", payload)
            await asyncio.sleep(0.01)
            await s.scope.decide([s.scope.expectation_of(handle)])
        assert (handle.outcome, handle.notes) == (Outcome.PASS, ())
        await harness.disconnect()
