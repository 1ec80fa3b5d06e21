"""Prove: each check of a green scenario has to fail once the traffic it looks at is spoilt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any

from choreo_bdd.correlation import CorrelationPolicy, Envelope
from choreo_bdd.exceptions import CorrelationIdNotInNamespaceError, NoPlaceForIdError
from choreo_bdd.message import Message
from choreo_bdd_project.gherkin.scenario import Scenario
from choreo_bdd_project.harnesses import correlation_of
from choreo_bdd_steps.language.body import ExpectationBody
from choreo_bdd_steps.language.extensions import declared
from choreo_bdd_steps.language.templates.functions import Variables
from choreo_bdd_steps.language.templates.rendering import render
from choreo_bdd_steps.plan.plan import PlannedStep, make_plan
from choreo_bdd_steps.plan.settings import settings_for
from choreo_bdd_steps.proving import spoiling
from choreo_bdd_steps.proving.making import payload_for
from choreo_bdd_steps.proving.naming import named_in
from choreo_bdd_steps.recording import Recording
from choreo_bdd_steps.replaying.replay import ReplayContext, find_scenario, replay
from choreo_bdd_steps.vocabulary.acts import CheckService, CheckTaken, Expect, ExpectationSpec

_DEPENDS = re.compile(
    "no earlier check of this scenario has taken|is not set|is undefined in the template|nothing listens for this check"
)
"""What a check says that could not be asked, because a step before it has failed."""
_DONORS_MAX = 60


@dataclass(frozen=True, slots=True)
class Survivor:
    """A check that still passes: its place, its sentence, and what was spoilt."""

    feature: str
    line: int
    step: str
    spoilt: str


@dataclass(slots=True)
class Proof:
    """Of one feature: how many ways of spoiling were tried, how many no check noticed."""

    feature: str
    tried: int = 0
    survivors: list[Survivor] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)
    """Scenarios that could not be judged, and why."""

    @property
    def score(self) -> float:
        """The part that was noticed, from 0 to 1; 1 where there was nothing to spoil."""
        return 1.0 if not self.tried else (self.tried - len(self.survivors)) / self.tried


@dataclass(frozen=True, slots=True)
class _Spoilt:
    """Ways to spoil what one check looks at: it has to notice one of them."""

    told: str
    recordings: Sequence[Recording]
    is_sure: bool = True
    """Whether it looks at these at all; where that is not known, a check that still passes is no finding."""


class Prover:
    """Proves the scenarios of one run; ``all_recorded`` lend each other messages that must not come."""

    def __init__(self, all_recorded: Sequence[Recording]) -> None:
        self._all = all_recorded

    def prove(self, recording: Recording, context: ReplayContext, proof: Proof) -> None:
        """Spoil a green scenario's traffic check by check, and note what nobody notices."""
        scenario = find_scenario(recording)
        sound = replay(recording, scenario, context, to_the_end=True)
        if sound.failures:
            first = next(iter(sound.failures.values())).splitlines()[0]
            proof.unproven.append(f"{scenario.name}: its replay fails, where the run passed: {first}")
            return
        with declared(context.own_steps.matchers, context.own_steps.functions):
            steps = make_plan(
                context.own_steps.marked(scenario.steps), scenario.transport or context.config.default_transport
            ).steps
            checks = [step for step in steps if isinstance(step.act, Expect | CheckTaken | CheckService)]
            ways = [(check, way) for check in checks for way in self._ways(recording, scenario, check, context)]
        for check, way in ways:
            noticed = self._is_noticed(way, scenario, context, check.call.line)
            if noticed is None:
                continue
            proof.tried += 1
            if not noticed:
                proof.survivors.append(
                    Survivor(recording.feature, check.call.line, f"{check.call.keyword} {check.call.text}", way.told)
                )

    @staticmethod
    def _is_noticed(way: _Spoilt, scenario: Scenario, context: ReplayContext, line: int) -> bool | None:
        """Whether the check fails; ``None`` where it could not be asked, because another one failed before it."""
        asked = False
        for recording in way.recordings:
            told = replay(recording, scenario, context, to_the_end=True).failures.get(line)
            if told is None:
                asked = True
            elif not _DEPENDS.search(told):
                return True
        return False if way.is_sure and (asked or not way.recordings) else None

    # --- what to spoil --------------------------------------------------------------------------------------------

    def _ways(
        self, recording: Recording, scenario: Scenario, check: PlannedStep, context: ReplayContext
    ) -> Iterator[_Spoilt]:
        match check.act:
            case CheckService(times=0):
                return
            case CheckService():
                yield _Spoilt("nothing came of what was published", [spoiling.withheld(recording)])
            case CheckTaken(topic=topic, refused=False) as taken:
                for each in _rendered([topic], recording) if topic else _inboxes(recording):
                    yield from self._fields(recording, taken.read(), taken.call.docstring, each, but_own=True)
            case Expect() if isinstance(check.spec, ExpectationSpec):
                yield from self._expectation(recording, scenario, check, check.spec, context)

    def _expectation(
        self,
        recording: Recording,
        scenario: Scenario,
        check: PlannedStep,
        spec: ExpectationSpec,
        context: ReplayContext,
    ) -> Iterator[_Spoilt]:
        topics = _inboxes(recording) if spec.is_reply else _rendered([part.topic for part in spec.parts], recording)
        if spec.occurs.minimum:
            yield _Spoilt("nothing came of what was published", [spoiling.withheld(recording)])
            for part in spec.parts:
                for topic in topics if part.is_reply else _rendered([part.topic], recording):
                    yield from self._fields(recording, part.body, check.call.docstring, topic)
            settings = settings_for(context.config, scenario.tags)
            end = spec.chain[-1]
            if end.budget_s is not None:
                told = f"its message came {end.budget_s * 1000:g} ms later, past the budget"
                yield _Spoilt(told, [spoiling.delayed(recording, topics[-1], end.budget_s + 0.001)] if topics else [])
            if end.earliest_s is None:
                late_s = spec.patience(settings.timeout_s) + 60
                yield _Spoilt(
                    "its message came a minute too late", [spoiling.delayed(recording, each, late_s) for each in topics]
                )
        if spec.occurs.maximum and not spec.untaken and topics:
            more = spec.occurs.maximum
            yield _Spoilt("its messages came again", [spoiling.repeated(recording, each, more) for each in topics])
        if spec.occurs.maximum == 0:
            yield _Spoilt(
                "a message of the run came that it must not let pass",
                [*self._intruders(recording, check, spec, topics, context)],
                is_sure=payload_for(spec, recording) is not None,
            )

    @staticmethod
    def _fields(
        recording: Recording, body: ExpectationBody, docstring: str | None, topic: str, *, but_own: bool = False
    ) -> Iterator[_Spoilt]:
        """Each thing that a body says of a message, with each value that it should refuse."""
        for named in named_in(body, docstring):
            spoilt = list(spoiling.with_others(recording, topic, named, but_own=but_own))
            what = f"the field {named.label}" if named.places else "each field"
            if spoilt:
                yield _Spoilt(f"{what} of {topic!r} was changed", spoilt)

    def _intruders(
        self,
        recording: Recording,
        check: PlannedStep,
        spec: ExpectationSpec,
        topics: Sequence[str],
        context: ReplayContext,
    ) -> Iterator[Recording]:
        """The recording with one message more that this absence should not let pass, from anywhere in the run."""
        link = next(iter(check.spec_transports), check.default_transport)
        if link not in recording.links:
            return
        sent = [each.at for part in recording.links.values() for each in part.sent]
        moments = [at + 0.001 for at in sorted({*sent, *recording.acts.values()})] or [0.001]
        lent = (_as_ours(message, donor, recording) for topic in topics for donor, message in self._on(topic))
        policy = correlation_of(context.config.transports[link], recording.links[link].capabilities)
        for message in chain(_made(recording, link, spec, topics, policy), islice(lent, _DONORS_MAX)):
            yield from (spoiling.put_in(recording, link, message, at) for at in moments)

    def _on(self, topic: str) -> Iterator[tuple[Recording, Message]]:
        for donor in self._all:
            for part in donor.links.values():
                yield from ((donor, each.message) for each in part.heard if each.message.topic == topic)
                for sent in part.sent:
                    if sent.topic == topic:
                        yield donor, Message(topic, sent.payload, headers=sent.headers, key=sent.key)


def _inboxes(recording: Recording) -> list[str]:
    """Where replies came: the topics that were made up for them."""
    heard = {each.message.topic for link in recording.links.values() for each in link.heard}
    return sorted(topic for topic in heard if any(token in topic for token in recording.tokens))


def _rendered(topics: Iterable[str], recording: Recording) -> list[str]:
    variables = Variables(dict(recording.variables))
    return list(dict.fromkeys(str(render(topic, variables)) for topic in topics))


def _as_ours(message: Message, donor: Recording, ours: Recording) -> Message:
    """A message of another scenario as it would be in this one: with its ids and its variables."""
    pairs = [
        *zip(donor.tokens, ours.tokens, strict=False),
        *(
            (str(value), str(ours.variables[name]))
            for name, value in donor.variables.items()
            if name in ours.variables and isinstance(value, str) and len(value) > 2
        ),
    ]
    payload, headers = message.payload.decode("utf-8", "surrogateescape"), dict(message.headers)
    for theirs, own in pairs:
        payload = payload.replace(theirs, own)
        headers = {name: value.replace(theirs, own) for name, value in headers.items()}
    return replace(message, payload=payload.encode("utf-8", "surrogateescape"), headers=headers)


def _own_id(recording: Recording, link: str, policy: CorrelationPolicy) -> str | None:
    """The id that the scenario's own messages carried; ``None`` where it sent none with one, and none was drawn."""
    for sent in recording.links[link].sent:
        found = policy.read(Envelope(sent.topic, _json(sent.payload), sent.headers))
        if found is not None:
            return found
    return f"{getattr(policy, 'prefix', '')}{recording.tokens[0]}" if recording.tokens else None


def _json(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return None


def _made(
    recording: Recording, link: str, spec: ExpectationSpec, topics: Sequence[str], policy: CorrelationPolicy
) -> Iterator[Message]:
    """Messages of this scenario that say what a check's condition asks for, where it asks for plain values."""
    payload, own = payload_for(spec, recording), _own_id(recording, link, policy)
    for topic in topics if payload is not None else ():
        bare = Envelope(topic, payload)
        try:
            stamped = bare if own is None else policy.write(bare, own)
        except (
            CorrelationIdNotInNamespaceError,
            NoPlaceForIdError,
        ):  # the condition asks for an id of another namespace
            stamped = bare
        yield Message(topic, json.dumps(stamped.payload).encode(), headers=stamped.headers)
