"""Sending: what a scenario publishes or requests, once its phase is armed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from msgspec import structs

from choreo_bdd.correlation import Envelope
from choreo_bdd.scenario.links import Link
from choreo_bdd.topic_patterns import unspeakable
from choreo_bdd.transports.base import Ready
from choreo_bdd_project.reply_addresses import ReplyAddress, reply_address
from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.payload_body import OutgoingMessage, PayloadBody
from choreo_bdd_steps.language.templates.rendering import render
from choreo_bdd_steps.plan.plan import PlannedStep
from choreo_bdd_steps.run.arming import Arming
from choreo_bdd_steps.run.state import SEND_TIMEOUT_S, State
from choreo_bdd_steps.vocabulary.acts import Publish, Request
from choreo_bdd_steps.vocabulary.phrase import StepCall
from choreo_bdd_steps.vocabulary.reading import read


class ReusedId(UserWarning):
    """A scenario writes an id that an earlier scenario of the run has written."""


class Sending:
    """Publishes for the step at work."""

    def __init__(self, state: State, arming: Arming) -> None:
        self._state = state
        self._arming = arming

    def publish(self, act: Publish, call: StepCall) -> None:
        """Arm the phase if this begins it, prove it live, then publish; returns when the messages have left."""
        body = read(call, act.body.read)
        if act.is_tombstone and not self._has_keys(act, call):
            act = structs.replace(act, key=None)
        extras = [{}] if act.count is None else [{"index": index} for index in range(act.count)]
        outgoing = [message for extra in extras for message in read(call, partial(self._built, act, body, extra))]
        named = body.around if act.key is None else body.around | {"key"}
        self._send(act, call, outgoing, named)

    def _has_keys(self, act: Publish, call: StepCall) -> bool:
        transport = self._state.step.transport
        self._state.require_bus(transport, call)
        return self._state.carries_keys(transport, str(self._state.render(act.topic, call)))

    def _built(self, act: Publish, body: PayloadBody, extra: Mapping[str, object]) -> list[OutgoingMessage]:
        functions = self._state.functions
        built = body.build(functions, **extra)
        if act.key is None:
            return built
        key = str(render(act.key, functions.extended(**extra)))
        return [structs.replace(message, key=key) for message in built]

    def request(self, act: Request, call: StepCall) -> None:
        """Publish a message that says where its reply is wanted."""
        body = read(call, act.body.read)
        state, step = self._state, self._state.step
        state.require_bus(step.transport, call)
        address = reply_address(state.session.config.transports[step.transport], state.inbox(step.phase))
        built = read(call, partial(body.build, state.functions))
        self._send(act, call, [read(call, partial(_addressed, message, address)) for message in built], body.around)

    def _send(
        self, act: Publish | Request, call: StepCall, outgoing: list[OutgoingMessage], named: Iterable[str]
    ) -> None:
        per_second = act.per_second if isinstance(act, Publish) else None
        state = self._state
        step: PlannedStep = state.step
        link = state.require_bus(step.transport, call)
        topic = state.render(act.topic, call)
        if problem := unspeakable(str(topic)):
            raise StepError(call.place, problem)
        state.require_carried(step.transport, str(topic), named)
        state.name_unknown(str(topic), call)
        adopt_written(state, outgoing, topic, step.transport)
        checks = self._arming.enter(step)

        async def send() -> None:
            await self._arming.listen_to(checks)
            if isinstance(act, Request):
                self._arming.asked(step, str(topic))
            promises: list[Ready] = []
            for position, message in enumerate(outgoing):
                if per_second is not None and position:
                    await asyncio.sleep(1 / per_second)
                ready = state.scope.publish(topic, message.payload, link=link, headers=message.headers, key=message.key)
                if ready is not None:
                    promises.append(ready)
            if promises:
                await asyncio.wait_for(asyncio.gather(*promises), SEND_TIMEOUT_S)
            self._arming.start_clocks(step)

        state.act(call, send())


def adopt_written(state: State, outgoing: Sequence[OutgoingMessage], topic: str, transport: str) -> None:
    """An id that the scenario writes itself becomes its own before anybody listens for it."""
    for message in outgoing:
        written = state.written_id(transport, Envelope(topic, message.payload, message.headers))
        if written is None:
            continue
        link = state.links[transport]
        where = state.scope.links[link]
        if written != where.wire_id:
            _require_nobody_elses(state, where, written)
            state.adopt(link, written)


def _require_nobody_elses(state: State, link: Link, written: str) -> None:
    """Two scenarios of one id cannot be told apart: an error while both run, a warning of one after the other."""
    place = state.step.call.place
    owner = link.harness.router.dispatcher.owner(written)
    if owner is not None and owner is not state.scope:
        raise StepError(
            place,
            f"the id {written!r} is that of a scenario that is still running ({owner.name!r}), and each would take the "
            f"other's messages; give this one an id of its own, as in: Given order_id is a unique id",
        )
    before = state.session.user_of_id(written, state.info)
    if before is not None and state.session.hints(ReusedId.__name__):
        told = (
            f"{place}: the id {written!r} was that of scenario {before!r} before: what still comes of that one counts "
            f"here as well; give each an id of its own, as in: Given order_id is a unique id"
        )
        state.session.warn(told, ReusedId)


def _addressed(message: OutgoingMessage, address: ReplyAddress) -> OutgoingMessage:
    try:
        payload = address.payload(message.payload)
    except TypeError as error:
        raise BodyError(str(error)) from error
    return OutgoingMessage(payload, message.key, {**message.headers, **address.headers})
