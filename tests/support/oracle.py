"""Random scenarios, and what must come of each, found by reading what is said in order and not by listening.

An oracle for the judge: it knows all messages and their times beforehand and shares no line with the engine.
"""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from tests.support.oracle_conditions import BODIES, COMPARED, Body, Holds, always, compared, condition, is_idle

TIMEOUT_MS = 200.0
TOPICS = {"bus": ("t.x", "t.y", "t.z"), "other": ("o.x", "o.y")}
PATTERNS = {"bus": ("t.*", "t.>"), "other": ("o.*",)}
DURATIONS_MS = (20, 40, 60, 100)
REPLIES = "(the inbox of the request)"
MOMENTS_MS = (0, 0, 5, 5, 15, 35, 55, 75, 95, 130, 170, 230)


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the system under test; ``at`` in ms from the publish of its phase, or from the scenario's begin."""

    bus: str
    topic: str
    at: float
    body: Body
    is_own: bool = True
    origin: object = None
    """The stand-in that says it; ``None`` for the system."""


@dataclass(slots=True)
class World:
    """What has been said, in order, and how far the scenario has come; all times in ms from its begin."""

    said: list[Said]
    listened: frozenset[tuple[str, str]]
    opened: float = 0.0
    """When the phase has begun to listen, and below when its last publish has left."""
    began: float = 0.0
    reached: float = 0.0
    taken: set[int] = field(default_factory=set)

    def heard(self, bus: str, topic: str, holds: Holds, until: float) -> list[int]:
        """Which messages of this phase a check sees before a moment, in order of arrival."""
        return [
            place
            for place, each in enumerate(self.said)
            if each.is_own and self.opened < each.at < until and fits(bus, topic, each) and holds(each.body)
        ]

    def take(self, places: Sequence[int], until: float | None = None) -> bool:
        self.taken.update(places)
        last = until if until is not None else max((self.said[each].at for each in places), default=self.reached)
        self.reached = max(self.reached, last)
        return True


@dataclass(frozen=True, slots=True)
class Check:
    """A step, and whether it passes; what it listens to as (transport, topic)."""

    text: str
    passes: Callable[[World], bool]
    listens: tuple[tuple[str, str], ...] = ()
    conditions: tuple[Holds, ...] = ()


def fits(bus: str, topic: str, message: Said) -> bool:
    return bus == message.bus and (topic == message.topic or (topic[-1] in "*>" and topic[0] == message.topic[0]))


# --- checks -----------------------------------------------------------------------------------------------------------


def checks(draw: random.Random, count: int) -> Iterator[Check]:
    kinds = (one, _another, _absence, _no_other, _nothing_else, _count, _rows, _in_order, _hop, _wait)
    for _ in range(count):
        bus = draw.choice(("bus", "bus", "other"))
        if draw.random() < 0.15:
            yield from _kept(draw, bus)
        else:
            yield draw.choice(kinds)(draw, bus)


def on_bus(bus: str) -> str:
    return "" if bus == "bus" else f" on {bus}"


def _topic(draw: random.Random, bus: str) -> str:
    return draw.choice(TOPICS[bus] * 2 + PATTERNS[bus])


def one(draw: random.Random, bus: str) -> Check:
    topic, (where, holds), kind = _topic(draw, bus), condition(draw), draw.choice(("", "within", "waiting up to"))
    duration = draw.choice(DURATIONS_MS)

    def passes(world: World) -> bool:
        patience = duration if kind == "waiting up to" else TIMEOUT_MS
        found = world.heard(bus, topic, holds, world.began + patience)[:1]
        in_time = kind != "within" or all(world.said[each].at - world.began <= duration for each in found)
        return bool(found) and in_time and world.take(found)

    end = f" {kind} {duration}ms" if kind else ""
    return Check(f'I expect "{topic}"{on_bus(bus)}{where}{end}', passes, ((bus, topic),), (holds,))


def _another(draw: random.Random, bus: str) -> Check:
    topic, (where, holds) = _topic(draw, bus), condition(draw)

    def passes(world: World) -> bool:
        heard = world.heard(bus, topic, holds, world.began + TIMEOUT_MS)
        found = [each for each in heard if each not in world.taken][:1]
        return bool(found) and world.take(found)

    return Check(f'I expect another "{topic}"{on_bus(bus)}{where}', passes, ((bus, topic),), (holds,))


def _absence(draw: random.Random, bus: str) -> Check:
    topic, (where, holds), duration = _topic(draw, bus), condition(draw), draw.choice(DURATIONS_MS)

    def passes(world: World) -> bool:
        end = world.reached + duration
        return not world.heard(bus, topic, holds, end) and world.take((), end)

    return Check(f'I expect no "{topic}"{on_bus(bus)}{where} for {duration}ms', passes, ((bus, topic),), (holds,))


def _no_other(draw: random.Random, bus: str) -> Check:
    topic, (where, holds), duration = _topic(draw, bus), condition(draw), draw.choice(DURATIONS_MS)

    def passes(world: World) -> bool:
        end = world.reached + duration
        return set(world.heard(bus, topic, holds, end)) <= world.taken and world.take((), end)

    return Check(f'I expect no other "{topic}"{on_bus(bus)}{where} for {duration}ms', passes, ((bus, topic),), (holds,))


def _nothing_else(draw: random.Random, bus: str) -> Check:
    duration, only = draw.choice(DURATIONS_MS), draw.choice((None, bus))

    def passes(world: World) -> bool:
        end = world.reached + duration
        meant = [each for each in world.listened if only in (None, each[0])]
        heard = {place for of, topic in meant for place in world.heard(of, topic, always, end)}
        return heard <= world.taken and world.take((), end)

    named = "" if only is None else f" on {only}"
    return Check(f"I expect nothing else{named} for {duration}ms", passes)


def _count(draw: random.Random, bus: str) -> Check:
    topic, (where, holds), duration = _topic(draw, bus), condition(draw), draw.choice(DURATIONS_MS)
    number = draw.randint(1, 3)
    words, least, most = draw.choice(
        (
            (f"exactly {number}", number, number),
            (f"at least {number}", number, 1_000),
            (f"at most {number}", 0, number),
            (f"between {number} and {number + 1}", number, number + 1),
        )
    )

    def passes(world: World) -> bool:
        end = world.began + duration
        found = world.heard(bus, topic, holds, end)
        if not least <= len(found) <= most:
            return False
        return world.take(found, world.said[found[least - 1]].at if most == 1_000 else end)

    text = f'I expect {words} "{topic}" messages{on_bus(bus)}{where} within {duration}ms'
    return Check(text, passes, ((bus, topic),), (holds,))


def _rows(draw: random.Random, bus: str) -> Check:
    topic = _topic(draw, bus)
    rows = [(draw.randint(1, 3), draw.choice(("a", "b", "ab"))) for _ in range(draw.randint(2, 3))]

    def passes(world: World) -> bool:
        left = world.heard(bus, topic, always, world.began + TIMEOUT_MS)
        found: list[int] = []
        for row in rows:
            own = [each for each in left if (world.said[each].body["n"], world.said[each].body["s"]) == row][:1]
            if not own:
                return False
            found += own
            left.remove(own[0])
        return world.take(found)

    table = "\n".join(("| n | s |", *(f"| {number} | {text} |" for number, text in rows)))
    return Check(f'I expect "{topic}"{on_bus(bus)}:\n{table}', passes, ((bus, topic),))


def _in_order(draw: random.Random, bus: str) -> Check:
    rows = [(draw.choice(TOPICS[bus]), draw.randint(1, 3)) for _ in range(draw.randint(2, 3))]

    def passes(world: World) -> bool:
        found: list[int] = []
        for topic, number in rows:
            heard = world.heard(bus, topic, partial(compared, operator.eq, number), world.began + TIMEOUT_MS)
            later = [each for each in heard if not found or each > found[-1]][:1]
            if not later:
                return False
            found += later
        return world.take(found)

    table = "\n".join(("| topic | n |", *(f"| {topic} | {number} |" for topic, number in rows)))
    return Check(f"I expect in order{on_bus(bus)}:\n{table}", passes, tuple((bus, topic) for topic, _ in rows))


def _hop(draw: random.Random, bus: str) -> Check:
    start, end = draw.choice(TOPICS[bus]), draw.choice(TOPICS[bus])
    (of, starts), (to, ends), duration = condition(draw), condition(draw), draw.choice(DURATIONS_MS)

    def passes(world: World) -> bool:
        until = world.began + TIMEOUT_MS
        first = world.heard(bus, start, starts, until)[:1]
        second = [each for each in world.heard(bus, end, ends, until) if first and each > first[0]][:1]
        if not second or world.said[second[0]].at - world.said[first[0]].at > duration:
            return False
        return world.take([*first, *second])

    text = f'from "{start}"{on_bus(bus)}{of} to "{end}"{on_bus(bus)}{to} takes at most {duration}ms'
    return Check(text, passes, ((bus, start), (bus, end)), (starts, ends))


def _kept(draw: random.Random, bus: str) -> Iterator[Check]:
    """A value of one message, and a check that has to hold what it hears until it knows that."""
    start, topic, name = draw.choice(TOPICS[bus]), _topic(draw, bus), f"v{draw.randrange(10**9)}"
    (words, compare), duration = draw.choice(list(COMPARED.items())), draw.choice(DURATIONS_MS)
    wanted = f"{on_bus(bus)} where n {words} {{{{ {name} }}}}"
    known: list[int] = []

    def starts(world: World) -> bool:
        found = world.heard(bus, start, always, world.began + TIMEOUT_MS)[:1]
        known[:] = [world.said[each].body["n"] for each in found]
        return bool(found) and world.take(found)

    def comes(world: World) -> bool:
        found = world.heard(bus, topic, partial(compared, compare, known[0]), world.began + TIMEOUT_MS)[:1]
        return bool(found) and world.take(found)

    def stays_away(world: World) -> bool:
        end = world.reached + duration
        return not world.heard(bus, topic, partial(compared, compare, known[0]), end) and world.take((), end)

    yield Check(f'I expect "{start}"{on_bus(bus)}', starts, ((bus, start),))
    yield Check(f'I keep "n" of "{start}" as {name}', lambda _: True)
    if draw.random() < 0.6:
        yield Check(f'I expect "{topic}"{wanted}', comes, ((bus, topic),))
    else:
        yield Check(f'I expect no "{topic}"{wanted} for {duration}ms', stays_away, ((bus, topic),))


def _wait(draw: random.Random, _: str) -> Check:
    duration = draw.choice(DURATIONS_MS)
    return Check(f"I wait {duration}ms", lambda world: world.take((), world.reached + duration))


# --- scenarios --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Act:
    """A step that publishes, and what: ``at`` counts from the step."""

    text: str
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Phase:
    """What the system says once it hears of ``act``, another publish after a ``pause``, and the checks behind both.

    ``acts`` are further ones of the scenario's own; with ``is_request`` the first one asks for ``REPLIES``.
    """

    act: str
    said: tuple[Said, ...]
    checks: tuple[Check, ...]
    pause: float = 0.0
    acts: tuple[Act, ...] = ()
    is_request: bool = False

    @property
    def steps(self) -> list[str]:
        acts = [f'When I {"request" if self.is_request else "publish"} "{self.act}"']
        acts += [f"And {each.text}" for each in self.acts]
        if self.pause:
            acts += [f"And I wait {self.pause:.0f}ms", 'And I publish "nobody.listens"']
        return [*acts, *(f"Then {check.text}" for check in self.checks)]


def _by_time(said: Sequence[Said]) -> list[Said]:
    return sorted(said, key=lambda each: each.at)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Phases, and above them the services that the scenario plays itself.

    ``answering`` adds to what is said what these answer, and puts all in order of time.
    """

    phases: Sequence[Phase]
    given: tuple[str, ...] = ()
    answering: Callable[[Sequence[Said]], list[Said]] = _by_time
    conditions: tuple[Holds, ...] = ()

    @property
    def steps(self) -> list[str]:
        return [*self.given, *(step for phase in self.phases for step in phase.steps)]

    @property
    def is_idle(self) -> bool:
        """Whether one of its conditions says nothing, which the grammar refuses."""
        conditions = [each for phase in self.phases for check in phase.checks for each in check.conditions]
        return any(map(is_idle, [*self.conditions, *conditions]))


def scenario(draw: random.Random) -> Scenario:
    """Up to three phases; the last one listens to each transport, so that there is always something else to hear."""
    acts = [f"go.{place}" for place in range(draw.choice((1, 2, 2, 3)))]
    phases = [Phase(act, messages(draw), (*checks(draw, draw.randint(0, 3)), one(draw, "bus"))) for act in acts[:-1]]
    last = (*checks(draw, draw.randint(0, 3)), one(draw, "bus"), one(draw, "other"))
    return Scenario([*phases, Phase(acts[-1], messages(draw), last)])


def messages(draw: random.Random) -> tuple[Said, ...]:
    return tuple(_message(draw) for _ in range(draw.randint(0, 5)))


def _message(draw: random.Random) -> Said:
    bus = draw.choice(("bus", "bus", "other"))
    at = draw.choice(MOMENTS_MS) + draw.uniform(0.2, 0.8)  # never where a window ends
    return Said(bus, draw.choice(TOPICS[bus]), at, draw.choice(BODIES), is_own=draw.random() < 0.85)


def first_broken(scenario: Scenario) -> Check | None:
    """The first check that must fail, ``None`` where all pass."""
    phases, in_order = scenario.phases, scenario.answering
    listened = frozenset(each for phase in phases for check in phase.checks for each in check.listens)
    world, spoken = World([], listened), list[Said]()
    for phase in phases:
        world.opened = world.reached
        spoken.append(Said("bus", phase.act, world.opened + 0.0001, {}))
        world.began = world.reached = world.opened + phase.pause
        for act in phase.acts:
            spoken += [replace(each, at=each.at + world.reached + 0.0002) for each in act.said]
            world.began = world.reached = world.reached + act.said[-1].at
        spoken += [replace(each, at=each.at + world.opened) for each in phase.said]
        world.said = in_order(spoken)  # all that was taken is older than what is new here, and keeps its place
        for check in phase.checks:
            if not check.passes(world):
                return check
    return None
