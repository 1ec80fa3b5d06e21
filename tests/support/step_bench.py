"""Scenarios without a test framework: steps as text, played on a session's own memory bus."""

from __future__ import annotations

import asyncio
import json
import textwrap
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from msgspec import structs

from choreo_bdd.scenario import Handle
from choreo_bdd_steps.plan.plan import Plan, make_plan
from choreo_bdd_steps.run.scenario_run import AnyResult, ScenarioInfo, ScenarioRun
from choreo_bdd_steps.run.session import Session
from choreo_bdd_steps.vocabulary.phrase import StepCall

FILE = "features/play.feature"
Message = dict[str, Any]
Answer = Callable[[Message], Sequence[tuple[str, Message]]]


def read_steps(*steps: str, file: str = FILE) -> list[StepCall]:
    """Steps as they stand in a feature file: the sentence, and below it the lines of a doc string or a table."""
    calls: list[StepCall] = []
    line = 3
    for step in steps:
        sentence, _, below = textwrap.dedent(step).strip().partition("\n")
        keyword, _, text = sentence.partition(" ")
        body = textwrap.dedent(below).removeprefix('"""\n').removesuffix('"""')
        table = [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in body.splitlines()]
        is_table = body.lstrip().startswith("|")
        calls.append(
            StepCall(
                text, file, line, keyword, None if is_table or not body else body, None, table if is_table else None
            )
        )
        line += 1 + (len(table) + (0 if is_table else 2) if body else 0)
    return calls


def plan_of(*steps: str, default_transport: str = "bus") -> Plan:
    return make_plan(read_steps(*steps), default_transport)


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a scenario: the result, the first error and the step that raised it."""

    run: ScenarioRun
    result: AnyResult | None
    error: Exception | None
    failed_step: str | None

    @property
    def message(self) -> str:
        assert self.error is not None, "the scenario passed"
        return str(self.error)

    @property
    def handles(self) -> tuple[Handle, ...]:
        assert self.result is not None
        return self.result.handles

    @property
    def outcomes(self) -> list[str]:
        return [handle.outcome.value for handle in self.handles]

    def passed(self) -> Played:
        if self.error is not None:
            raise AssertionError(f"{self.failed_step}\n{self.error}") from self.error
        return self


@dataclass
class Bench:
    """A session, services on its bus, and scenarios played on it as a framework would: up to the first failure."""

    session: Session
    heard: list[tuple[str, Message]] = field(default_factory=list)

    def say(self, topic: str, payload: Message, *, on: str = "bus") -> None:
        """Publish from outside, as somebody else's program would."""

        transport = self.session.transport(on)

        async def send() -> None:
            transport.publish(topic, json.dumps(payload).encode())

        self.session.run(send())

    def pass_time(self, seconds: float) -> None:
        """Let time go by on the session's clock, as a step that sleeps does."""
        self.session.run(asyncio.sleep(seconds))

    def service(self, topic: str, answer: Answer, *, after_s: float = 0.0) -> None:
        """A service that answers in the same turn of the loop, or later."""
        transport = self.session.transport("bus")

        def send(messages: Sequence[tuple[str, Message]], correlation_id: str | None) -> None:
            for reply, payload in messages:
                transport.publish(reply, json.dumps({"correlation_id": correlation_id, **payload}).encode())

        def on_message(spoken: str, data: bytes) -> None:
            message = json.loads(data)
            self.heard.append((spoken, message))
            answers, own_id = answer(message), message.get("correlation_id")
            if after_s:
                asyncio.get_running_loop().call_later(after_s, send, answers, own_id)
            else:
                send(answers, own_id)

        async def subscribe() -> None:
            transport.subscribe(topic, on_message)

        self.session.run(subscribe())

    def echo(self, topic: str, reply: str, *, after_s: float = 0.0, **payload: Any) -> None:
        """A service that answers with what it got, and a little more."""
        self.service(topic, lambda message: [(reply, {**message, **payload})], after_s=after_s)

    def begin(self, *steps: str, tags: Sequence[str] = (), file: str = FILE, acts: Container[str] = ()) -> ScenarioRun:
        calls = [structs.replace(call, is_act=call.text in acts) for call in read_steps(*steps, file=file)]
        return self.session.scenario(ScenarioInfo("play", f"{FILE}::play", calls, tags))

    def play(
        self,
        *steps: str,
        tags: Sequence[str] = (),
        own: Mapping[str, Callable[[ScenarioRun], object]] = MappingProxyType({}),
        acts: Mapping[str, Callable[[ScenarioRun], object]] = MappingProxyType({}),
        file: str = FILE,
        listen: bool = True,
    ) -> Played:
        run = self.begin(*steps, tags=tags, file=file, acts=acts)
        error, failed_step = None, None
        try:
            if listen:
                run.listen()
            for index, call in enumerate(read_steps(*steps, file=file)):
                failed_step = call.text
                if call.text in own:
                    own[call.text](run)
                elif call.text in acts:
                    run.begin_act(index)
                    try:
                        acts[call.text](run)
                    except Exception as raised:
                        run.fail_act(raised)
                        raise
                    run.end_act()
                else:
                    run.perform(index)
            failed_step = None
        except Exception as raised:
            error = raised
        return Played(run, run.finish(passed=None if error else len(steps)), error, failed_step)
