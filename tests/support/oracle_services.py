"""What the scenarios of the oracle play themselves: stand-ins, and what is said of them; a closer look at a message."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from tests.support.oracle import (
    DURATIONS_MS,
    TIMEOUT_MS,
    TOPICS,
    Check,
    Phase,
    Said,
    Scenario,
    World,
    checks,
    messages,
    on_bus,
    one,
)
from tests.support.oracle_conditions import BODIES, COMPARED, Body, Holds, always, compared, condition

_TRIGGERS = (("bus", "t.x"), ("other", "o.x"))
_REPLIES = (("bus", "t.y"), ("bus", "t.z"), ("other", "o.y"))
_TIMES = {"": 1_000, " once": 1, " twice": 2, " 3 times": 3}
_DELAYS_MS = (0, 23, 47, 113)


@dataclass(frozen=True, slots=True)
class StandIn:
    """A service that the scenario plays: what it hears, and what it says; ``reply`` is ``None`` where it is silent."""

    text: str
    trigger: tuple[str, str]
    holds: Holds
    reply: Said | None = None
    times: int = 1_000
    fails: bool = False

    def hears(self, message: Said) -> bool:
        return message.is_own and self.trigger == (message.bus, message.topic) and self.holds(message.body)

    def answers(self, heard: Iterable[Said]) -> Iterator[Said]:
        """What it says to messages in order of their time."""
        reply = self.reply
        for left, message in zip(range(self.times), filter(self.hears, heard), strict=False):
            if reply is not None and not self.fails:
                at = message.at + reply.at + 0.001 * (left + 1)  # answers of one moment come in order
                yield Said(reply.bus, reply.topic, at, reply.body, origin=self)


def stand_ins(draw: random.Random, acts: Sequence[str]) -> list[StandIn]:
    return [_stand_in(draw, acts) for _ in range(draw.randint(0, 2))]


def _stand_in(draw: random.Random, acts: Sequence[str]) -> StandIn:
    trigger = draw.choice([*(("bus", act) for act in acts), *_TRIGGERS])
    where, holds = ("", always) if trigger[1] in acts else condition(draw)
    heard = f'a service{on_bus(trigger[0])} that answers "{trigger[1]}"{where}'
    if draw.random() < 0.15:
        return StandIn(f"Given {heard.replace(' that answers ', ' that drops ')}", trigger, holds)
    bus, topic = draw.choice(_REPLIES)
    text = f'Given {heard} with "{topic}" on {bus}'
    if draw.random() < 0.15:
        return StandIn(f"{text} and fails", trigger, holds, Said(bus, topic, 0, {}), fails=True)
    delay, body, (times, number) = draw.choice(_DELAYS_MS), draw.choice(BODIES), draw.choice(list(_TIMES.items()))
    after = f" after {delay}ms" if delay else ""
    table = f"\n| n | s |\n| {body['n']} | {body['s']} |"
    said = Said(bus, topic, delay, {"n": body["n"], "s": body["s"]})
    return StandIn(f"{text}{after}{times}:{table}", trigger, holds, said, number)


def with_answers(said: Sequence[Said], services: Sequence[StandIn]) -> list[Said]:
    """All messages in order of time, with what stand-ins answer: no answer is a trigger."""
    heard = sorted(said, key=lambda each: each.at)
    answers = [answer for service in services for answer in service.answers(heard)]
    return sorted([*heard, *answers], key=lambda each: each.at)


def answered(draw: random.Random, services: Sequence[StandIn]) -> Check:
    """``the service answered``, which waits until it has, and while one more could spoil an exact number."""
    topic = draw.choice(services).trigger[1]
    played = [each for each in services if each.trigger[1] == topic]
    words, wanted = draw.choice((("answered", None), ("never answered", 0), *_COUNTED))

    def passes(world: World) -> bool:
        times = sorted(each.at for each in world.said if each.origin in played)
        least = 1 if wanted is None else wanted
        enough = times[least - 1] if 0 < least <= len(times) else 0.0
        if least > len(times) or enough > world.reached + TIMEOUT_MS:
            return False
        world.reached = max(world.reached, enough)
        if wanted is None:
            return True
        if any(_may_answer(each, world) for each in played):
            world.reached = max(world.reached, world.began + TIMEOUT_MS)
        return sum(each < world.reached for each in times) + sum(each == world.reached for each in times) == wanted

    name, _, number = words.partition(" ")
    sentence = f'{name} "{topic}" {number}' if name == "answered" else f'never answered "{topic}"'
    return Check(f"the service {sentence}".strip(), passes)


_COUNTED = (("answered once", 1), ("answered twice", 2), ("answered 3 times", 3))


def _may_answer(service: StandIn, world: World) -> bool:
    if service.reply is None:
        return False
    heard = [each for each in world.said if service.hears(each) and each.at <= world.reached]
    matches = min(len(heard), service.times)
    done = sum(each.origin is service and each.at <= world.reached for each in world.said)
    return len(heard) < service.times or done < matches


def not_before(draw: random.Random, bus: str) -> Check:
    topic, (where, holds), duration = draw.choice(TOPICS[bus]), condition(draw), draw.choice(DURATIONS_MS)

    def passes(world: World) -> bool:
        found = world.heard(bus, topic, holds, world.began + TIMEOUT_MS + duration)[:1]
        return bool(found) and world.said[found[0]].at - world.began >= duration and world.take(found)

    text = f'I expect "{topic}"{on_bus(bus)}{where} not before {duration}ms'
    return Check(text, passes, ((bus, topic),), (holds,))


def slow_hop(draw: random.Random, bus: str) -> Check:
    """``takes at least``: from a message to the first that follows it."""
    start, end = draw.sample(TOPICS[bus], 2)
    (of, starts), (to, ends), duration = condition(draw), condition(draw), draw.choice(DURATIONS_MS)

    def passes(world: World) -> bool:
        until = world.began + TIMEOUT_MS + duration
        first = world.heard(bus, start, starts, until)[:1]
        second = [each for each in world.heard(bus, end, ends, until) if first and each > first[0]][:1]
        if not second or world.said[second[0]].at - world.said[first[0]].at < duration:
            return False
        return world.take([*first, *second])

    text = f'from "{start}"{on_bus(bus)}{of} to "{end}"{on_bus(bus)}{to} takes at least {duration}ms'
    return Check(text, passes, ((bus, start), (bus, end)), (starts, ends))


_ORDINALS = {"first": 0, "second": 1, "third": 2, "last": -1}


def counted_and_looked_at(draw: random.Random, bus: str) -> Iterator[Check]:
    """A count, and of one of the messages it has taken what it has, or has not."""
    topic, number, least = draw.choice(TOPICS[bus]), draw.randint(1, 3), draw.randint(1, 2)
    duration, (name, place), (words, compare) = (
        draw.choice(DURATIONS_MS), draw.choice(list(_ORDINALS.items())), draw.choice(list(COMPARED.items())),
    )  # fmt: skip
    negated = draw.random() < 0.4
    taken: list[Body] = []

    def counts(world: World) -> bool:
        end = world.began + duration
        found = world.heard(bus, topic, always, end)
        taken[:] = [world.said[each].body for each in found]
        return least <= len(found) <= 3 and world.take(found, end)

    def holds(_: World) -> bool:
        if place >= len(taken):
            return False
        return partial(compared, compare, number)(taken[place]) is not negated

    yield Check(
        f'I expect between {least} and 3 "{topic}" messages{on_bus(bus)} within {duration}ms', counts, ((bus, topic),)
    )
    cell = {"is": "", "is not": "!= "}.get(words, f"{words} ")
    end = f"{'has not' if negated else 'has'}:\n| field | value |\n| n | {cell}{number} |"
    yield Check(f'the {name} "{topic}" message {end}', holds)


def scenario(draw: random.Random) -> Scenario:
    """Up to two stand-ins, and phases of which some have two publishes."""
    acts = [f"go.{place}" for place in range(draw.choice((1, 2)))]
    services = stand_ins(draw, acts)
    phases = [Phase(act, messages(draw), tuple(_checks(draw, services)), draw.choice((0, 0, 30))) for act in acts]
    return Scenario(
        phases,
        tuple(each.text for each in services),
        partial(with_answers, services=services),
        tuple(each.holds for each in services),
    )


def _checks(draw: random.Random, services: Sequence[StandIn]) -> Iterator[Check]:
    for _ in range(draw.randint(1, 3)):
        bus, kind = draw.choice(("bus", "bus", "other")), draw.randrange(5)
        if kind == 0 and services:
            yield answered(draw, services)
        elif kind == 1:
            yield draw.choice((not_before, slow_hop))(draw, bus)
        elif kind == 2:
            yield from counted_and_looked_at(draw, bus)
        else:
            yield from checks(draw, 1)
    yield one(draw, "bus")
    yield one(draw, "other")
