"""Prove: each check of a green scenario has to fail once the traffic it looks at is spoilt."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from msgspec import Struct, structs

from choreo_bdd_project.gherkin.scenario import Scenario
from choreo_bdd_project.harnesses import correlation_of
from choreo_bdd_steps.language.expectation_body import ExpectationBody
from choreo_bdd_steps.language.extensions import declared
from choreo_bdd_steps.language.paths import envelope_path, parse_field
from choreo_bdd_steps.language.templates.functions import Variables
from choreo_bdd_steps.language.templates.rendering import render
from choreo_bdd_steps.plan.plan import PlannedStep, make_plan
from choreo_bdd_steps.plan.settings import settings_for
from choreo_bdd_steps.proving import spoiling
from choreo_bdd_steps.proving.intruders import with_intruders
from choreo_bdd_steps.proving.making import Made, message_for, relaxed
from choreo_bdd_steps.proving.naming import Place, named_in
from choreo_bdd_steps.proving.replies import Replies, replies_of
from choreo_bdd_steps.recording import Recording
from choreo_bdd_steps.replaying.replay import ReplayContext, find_scenario, replay
from choreo_bdd_steps.vocabulary.acts import CheckService, CheckTaken, Expect, Keep, PlayService
from choreo_bdd_steps.vocabulary.expectation_spec import ExpectationSpec

_DEPENDS = re.compile(
    "no earlier check of this scenario has taken|is not set|is undefined in the template|nothing listens for this check"
)
"""What a check says that could not be asked, because a step before it has failed."""
_TEMPLATES = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


@dataclass(frozen=True, slots=True)  # as the proof that holds it, which is written whole
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


class _Spoilt(Struct, frozen=True):
    """Ways to spoil what one check looks at: it has to notice one of them."""

    told: str
    recordings: Sequence[Recording]
    is_sure: bool = True
    """Whether it looks at these at all; where that is not known, a check that still passes is no finding."""


class _Green(Struct, frozen=True):
    """A scenario that has passed: its traffic, what it means, and what stands around it."""

    recording: Recording
    scenario: Scenario
    steps: Sequence[PlannedStep]
    context: ReplayContext
    replies: Replies

    def judged(self, recording: Recording) -> Mapping[int, str]:
        """What its failing steps say on other traffic, by line."""
        return replay(recording, self.scenario, self.context, to_the_end=True).failures


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
            calls = context.own_steps.marked(scenario.steps)
            steps = make_plan(calls, scenario.transport or context.config.default_transport).steps
            green = _Green(recording, scenario, steps, context, replies_of(recording, steps))
            checks = [step for step in steps if isinstance(step.act, Expect | CheckTaken | CheckService)]
            ways = [(check, way) for check in checks for way in self._ways(green, check)]
        for check, way in ways:
            noticed = self._is_noticed(way, green, check.call.line)
            if noticed is None and (alone := self._alone(green, check)) is not None:
                noticed = self._is_noticed(way, alone, check.call.line)
            if noticed is None:
                if not way.is_sure:
                    told = "no message could be made that it must not let pass, so it is not known whether it can fail"
                    proof.unproven.append(f"{scenario.name}: line {check.call.line}: {told}: {check.call.text}")
                continue
            proof.tried += 1
            if not noticed:
                proof.survivors.append(
                    Survivor(recording.feature, check.call.line, f"{check.call.keyword} {check.call.text}", way.told)
                )

    @staticmethod
    def _is_noticed(way: _Spoilt, green: _Green, line: int) -> bool | None:
        """Whether the check fails; ``None`` where it could not be asked, because another one failed before it."""
        asked = False
        for recording in way.recordings:
            told = green.judged(recording).get(line)
            if told is None:
                asked = True
            elif not _DEPENDS.search(told):
                return True
        return False if way.is_sure and (asked or not way.recordings) else None

    @staticmethod
    def _alone(green: _Green, check: PlannedStep) -> _Green | None:
        """The scenario in which a further check is the first to say anything of its message; ``None`` without one."""
        if not isinstance(check.act, CheckTaken) or check.act.topic is None:
            return None
        if spoiling.came_on(green.recording, check.act.topic) != 1:  # another message may be taken then
            return None
        alone = structs.replace(green, scenario=relaxed(green.scenario, check.act.topic, check.call.line))
        return None if alone.judged(green.recording) else alone

    # --- what to spoil --------------------------------------------------------------------------------------------

    def _ways(self, green: _Green, check: PlannedStep) -> Iterator[_Spoilt]:
        recording = green.recording
        match check.act:
            case CheckService(times=0, topic=topic):
                for step in green.steps:
                    if isinstance(step.act, PlayService) and step.act.topic == topic and step.act.answers:
                        yield from self._triggered(green, step, step.act)
            case CheckService():
                yield _Spoilt("nothing came of what was published", [spoiling.withheld(recording)])
            case CheckTaken(topic=topic) as taken:
                for each in _topics(green, topic, check.phase, of_response=taken.of_response):
                    if taken.refused:
                        yield from self._refused(green, taken, each)
                    else:
                        yield from self._fields(green, check, taken.read(), each, but_own=True)
            case Expect() if check.spec is not None:
                yield from self._expectation(green, check, check.spec)

    def _expectation(self, green: _Green, check: PlannedStep, spec: ExpectationSpec) -> Iterator[_Spoilt]:
        recording, docstring = green.recording, check.call.docstring
        of_part = {
            part: _topics(green, None if part.is_reply else part.topic, check.phase, of_response=part.is_response)
            for part in spec.parts
        }
        topics = list(dict.fromkeys(chain.from_iterable(of_part.values())))
        if spec.occurs.minimum or spec.occurs.maximum is None:
            yield _Spoilt("nothing came of what was published", [spoiling.withheld(recording)])
            for part, on in of_part.items():
                for topic in on:
                    yield from self._fields(green, check, part.body, topic)
            settings = settings_for(green.context.config, green.scenario.tags)
            end = spec.chain[-1]
            if end.budget_s is not None:
                told = f"its message came {end.budget_s * 1000:g} ms later, past the budget"
                yield _Spoilt(told, [spoiling.delayed(recording, topics[-1], end.budget_s + 0.001)] if topics else [])
            if end.earliest_s is None and not spec.is_response:  # the call itself waits for that
                late_s = spec.patience(settings.timeout_s) + 60
                yield _Spoilt(
                    "its message came a minute too late", [spoiling.delayed(recording, each, late_s) for each in topics]
                )
        most, came = spec.occurs.maximum, any(spoiling.came_on(recording, each) for each in topics)
        if most and not spec.untaken and came:
            yield _Spoilt("its messages came again", [spoiling.repeated(recording, each, most) for each in topics])
        if most == 0 or (most and not came):
            made = {topic: message_for(spec.body, docstring, topic, recording) for topic in topics}
            link = next(iter(check.spec_transports), check.default_transport)
            told = "a message of the run came that it must not let pass" if most == 0 else "more came than may come"
            yield self._intruded(green, told, link, made, times=max(most, _taken_at_most(green.steps)) + 1)

    def _triggered(self, green: _Green, step: PlannedStep, service: PlayService) -> Iterator[_Spoilt]:
        condition = service.read_condition()
        for topic in _rendered([service.topic], green.recording):
            made = Made({}) if condition is None else message_for(condition, None, topic, green.recording)
            yield self._intruded(green, f"a message came on {topic!r} that it answers", step.transport, {topic: made})

    def _intruded(
        self, green: _Green, told: str, link: str, made: Mapping[str, Made | None], *, times: int = 1
    ) -> _Spoilt:
        recordings: list[Recording] = []
        if link in green.recording.links:
            capabilities = green.recording.links[link].capabilities
            policy = correlation_of(green.context.config.transports[link], capabilities)
            recordings += with_intruders(green.recording, link, made, self._all, policy, times=times)
        return _Spoilt(told, recordings, is_sure=any(each is not None for each in made.values()))

    @staticmethod
    def _refused(green: _Green, taken: CheckTaken, topic: str) -> Iterator[_Spoilt]:
        made = message_for(taken.read(), taken.call.docstring, topic, green.recording)
        spoilt = None if made is None else spoiling.with_what_it_refuses(green.recording, topic, made)
        if spoilt is not None or made is None:
            told = f"{green.replies.message(topic)} had all that it must not have"
            yield _Spoilt(told, [] if spoilt is None else [spoilt], is_sure=made is not None)

    @staticmethod
    def _fields(
        green: _Green, check: PlannedStep, body: ExpectationBody, topic: str, *, but_own: bool = False
    ) -> Iterator[_Spoilt]:
        """Each thing that a body says of a message, with each value that it should refuse.

        What is held against what was kept of it has to notice another value of its kind: that there is one at all, it
        notices wherever it follows the message.
        """
        kept = _kept(green, check, topic)
        for named in named_in(body, check.call.docstring):
            follows = bool(named.places) and all(_is_kept(each, kept) for each in named.places)
            spoilt = list(spoiling.with_others(green.recording, topic, named, but_own=but_own, of_its_kind=follows))
            what = f"the field {named.label}" if named.places else "each field"
            if spoilt:
                yield _Spoilt(f"{what} of {green.replies.name(topic)} was changed", spoilt)


def _kept(green: _Green, check: PlannedStep, topic: str) -> set[Place]:
    """The places of a topic's messages that were kept in the check's phase, by names which the check says."""
    said = "\n".join(str(each) for each in (check.call.text, check.call.docstring, check.call.table) if each)
    templates = "\n".join(_TEMPLATES.findall(said))
    return {
        _place(step.act.path)
        for step in green.steps
        if isinstance(step.act, Keep)
        and step.phase == check.phase
        and topic in _topics(green, step.act.topic, step.phase, of_response=step.act.of_response)
        and re.search(rf"\b{re.escape(step.act.name)}\b", templates)
    }


def _is_kept(place: Place, kept: Container[Place]) -> bool:
    """Whether it was kept, or is a part of what was."""
    return any(place[:length] in kept for length in range(1, len(place) + 1))


def _place(path: str) -> Place:
    field = parse_field(path)
    return field.segments if field.envelope is None else envelope_path(field.envelope)


def _topics(green: _Green, topic: str | None, phase: int, *, of_response: bool) -> Sequence[str]:
    """Where what a check of a phase is about came; without a ``topic`` that is a reply."""
    if of_response:
        called = (link for link in green.recording.links.values() if link.type == "http")
        return sorted({each.message.topic for link in called for each in link.heard})
    return green.replies.topics(phase) if topic is None else _rendered([topic], green.recording)


def _rendered(topics: Iterable[str], recording: Recording) -> list[str]:
    variables = Variables(dict(recording.variables))
    return list(dict.fromkeys(str(render(topic, variables)) for topic in topics))


def _taken_at_most(steps: Iterable[PlannedStep]) -> int:
    """The most messages that one of the checks may take, where it says how many."""
    return max((step.spec.occurs.maximum or 0 for step in steps if step.spec is not None), default=0)
