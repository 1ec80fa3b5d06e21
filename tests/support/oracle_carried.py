"""What the scenarios of the oracle ask of all that a message carries: fields, key and headers, in each form there is.

Bursts and tables that the scenario itself publishes, requests and their replies, values kept and asked for later.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.support.oracle import (
    DURATIONS_MS,
    MOMENTS_MS,
    REPLIES,
    TIMEOUT_MS,
    TOPICS,
    Act,
    Check,
    Phase,
    Said,
    Scenario,
    World,
    on_bus,
)
from tests.support.oracle_conditions import Body, Holds

_MISSING = object()
_PATHS = ("n", "n", "s", "o.k", "@key", "@headers.h")


def bodies(draw: random.Random) -> Body:
    """Fields, and what stands around them under the names that steps have for it."""
    body: Body = {"n": draw.randint(0, 3), "s": draw.choice(("a", "b", "ab"))}
    body |= draw.choice(({}, {"o": {}}, {"o": {"k": 1}}, {"o": {"k": 3}}))
    body |= draw.choice(({}, {"@key": "a"}, {"@key": "ab"}, {"@key": "2"}))
    return body | draw.choice(({}, {"@headers": {"h": "b"}}, {"@headers": {"h": "2.0"}}))


def value_at(body: Body, path: str) -> object:
    node: object = body
    for part in path.split("."):
        node = node.get(part, _MISSING) if isinstance(node, dict) else _MISSING
    return node


# --- what is asked ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that is asked of a message, as a cell, as a condition and as a doc string say it."""

    path: str
    cell: str
    condition: str
    tag: str
    holds: Holds


def part(draw: random.Random, path: str) -> Part:
    number, text = draw.randint(1, 3), draw.choice(("a", "b", "ab"))
    numbers: Sequence[tuple[str, str, str, Callable[[float], bool]]] = (
        (f"{number}", f"is {number}", f"{number}", lambda value: value == number),
        (f"> {number}", f"> {number}", f"!gt {number}", lambda value: value > number),
        (f"<= {number}", f"<= {number}", f"!le {number}", lambda value: value <= number),
        (f"one of {number}, 9", f"is one of {number}, 9", f"!one_of [{number}, 9]", lambda value: value in (number, 9)),
        (
            f"between {number} and 3",
            f"is between {number} and 3",
            f"!between [{number}, 3]",
            lambda v: number <= v <= 3,
        ),
    )
    texts: Sequence[tuple[str, str, str, Callable[[str], bool]]] = (
        (text, f"is {text}", text, lambda value: value == text),
        (f"contains {text}", f"contains {text}", f"!contains {text}", lambda value: text in value),
        (f"starts with {text}", f"starts with {text}", f"!starts_with {text}", lambda value: value.startswith(text)),
        (f"matches /{text}.*/", f"matches /{text}.*/", f"!matches '{text}.*'", lambda value: value.startswith(text)),
    )
    presence = (("exists", "exists", "!exists", True), ("absent", "is absent", "!absent", False))
    is_number = path in ("n", "o.k") or (path != "s" and draw.random() < 0.5)
    if path not in ("n", "s") and draw.random() < 0.3:
        cell, condition, tag, wanted = draw.choice(presence)
        return Part(path, cell, condition, tag, lambda body: (value_at(body, path) is not _MISSING) is wanted)
    if is_number:
        cell, condition, tag, fits = draw.choice(numbers)
        return Part(
            path, cell, condition, tag, lambda body: (it := _number(value_at(body, path))) is not None and fits(it)
        )
    cell, condition, tag, reads = draw.choice(texts)
    return Part(path, cell, condition, tag, lambda body: isinstance(it := value_at(body, path), str) and reads(it))


def _number(value: object) -> float | None:
    """A number, or what reads as one on the wire."""
    if isinstance(value, str):
        return float(value) if value.replace(".", "").isdigit() else None
    return value if isinstance(value, int) else None


@dataclass(frozen=True, slots=True)
class Asked:
    """All that a check asks: the end of its sentence, what stands below it, and what both mean."""

    where: str
    below: str
    holds: Holds


def asked(draw: random.Random, most: int = 3) -> Asked:
    paths = list(dict.fromkeys(draw.choice(_PATHS) for _ in range(draw.randint(0, most))))
    parts = [part(draw, path) for path in paths]
    if len(parts) > 1 and draw.random() < 0.2:
        words = " or ".join(f"{each.path} {each.condition}" for each in parts)
        return Asked(f" where {words}", "", lambda body: any(each.holds(body) for each in parts))
    inside = draw.randint(0, len(parts))
    words = " and ".join(f"{each.path} {each.condition}" for each in parts[:inside])
    below = _below(draw, [(each.path, each.cell, each.tag) for each in parts[inside:]])
    return Asked(f" where {words}" if words else "", below, lambda body: all(each.holds(body) for each in parts))


def _below(draw: random.Random, rows: Sequence[tuple[str, str, str]]) -> str:
    """A table or a doc string."""
    if not rows:
        return ""
    if draw.random() < 0.5:
        return "\n".join(("\n| field | value |", *(f"| {path} | {cell} |" for path, cell, _ in rows)))
    lines = []
    for path, _, tag in rows:
        *above, last = (path.removeprefix("@headers.") if path.startswith("@headers.") else path).split(".")
        above = ["@headers"] if path.startswith("@headers.") else above
        lines += [f'"{name}":' for name in above]
        lines.append(f'{"  " if above else ""}"{last}": {tag}')
    return "\n".join(('\n"""', *lines, '"""'))


# --- checks -----------------------------------------------------------------------------------------------------------


def checks(draw: random.Random, *, with_reply: bool) -> Iterator[Check]:
    bus = draw.choice(("bus", "bus", "other"))
    kind = draw.choice((_looked_at, _looked_at, _absence, _count, _kept, *([_reply] * 3 if with_reply else [])))
    yield from kind(draw, bus)


def expecting(topic: str, bus: str, asks: Asked, taken: list[Body]) -> Check:
    def passes(world: World) -> bool:
        found = world.heard(bus, topic, asks.holds, world.began + TIMEOUT_MS)[:1]
        taken[:] = [world.said[each].body for each in found]
        return bool(found) and world.take(found)

    name = "a reply" if topic == REPLIES else f'"{topic}"{on_bus(bus)}'
    return Check(f"I expect {name}{asks.where}{asks.below}", passes, ((bus, topic),))


def _looked_at(draw: random.Random, bus: str) -> Iterator[Check]:
    topic, taken = draw.choice(TOPICS[bus]), list[Body]()
    yield expecting(topic, bus, asked(draw), taken)
    if draw.random() < 0.7:
        yield _has(draw, f'the "{topic}" message', taken)


def _has(draw: random.Random, what: str, taken: list[Body]) -> Check:
    parts = [part(draw, path) for path in dict.fromkeys(draw.choice(_PATHS) for _ in range(2))]
    is_refused = draw.random() < 0.5
    below = _below(draw, [(each.path, each.cell, each.tag) for each in parts])

    def passes(_: World) -> bool:
        held = [each.holds(taken[0]) for each in parts]
        return not any(held) if is_refused else all(held)

    return Check(f"{what} has{' not' if is_refused else ''}:{below}", passes)


def _reply(draw: random.Random, _: str) -> Iterator[Check]:
    taken = list[Body]()
    yield expecting(REPLIES, "bus", asked(draw, 2), taken)
    if draw.random() < 0.5:
        yield _has(draw, "the reply", taken)


def _absence(draw: random.Random, bus: str) -> Iterator[Check]:
    topic, asks, duration = draw.choice(TOPICS[bus]), asked(draw), draw.choice(DURATIONS_MS)

    def passes(world: World) -> bool:
        end = world.reached + duration
        return not world.heard(bus, topic, asks.holds, end) and world.take((), end)

    yield Check(f'I expect no "{topic}"{on_bus(bus)}{asks.where} for {duration}ms{asks.below}', passes, ((bus, topic),))


def _count(draw: random.Random, bus: str) -> Iterator[Check]:
    topic, asks, duration = draw.choice(TOPICS[bus]), asked(draw, 1), draw.choice(DURATIONS_MS)
    number = draw.randint(0, 4)

    def passes(world: World) -> bool:
        end = world.began + duration
        found = world.heard(bus, topic, asks.holds, end)
        return len(found) == number and world.take(found, end)

    text = f'I expect exactly {number} "{topic}" messages{on_bus(bus)}{asks.where} within {duration}ms{asks.below}'
    yield Check(text, passes, ((bus, topic),))


def _kept(draw: random.Random, bus: str) -> Iterator[Check]:
    """What a message carries is kept, and asked of another in one of the forms."""
    start, topic, name = draw.choice(TOPICS[bus]), draw.choice(TOPICS[bus]), f"v{draw.randrange(10**9)}"
    path, first, second = draw.choice(_PATHS), list[Body](), list[Body]()
    template = f"{{{{ {name} }}}}"
    yield expecting(start, bus, asked(draw, 1), first)
    yield Check(
        f'I keep "{path}" of "{start}" as {name}', lambda _: bool(first) and value_at(first[0], path) is not _MISSING
    )

    def holds(body: Body) -> bool:
        return value_at(body, path) == value_at(first[0], path)

    where = draw.random() < 0.4
    below = "" if where else _below(draw, [(path, template, f'"{template}"')])
    yield expecting(topic, bus, Asked(f" where {path} is {template}" if where else "", below, holds), second)


# --- acts -------------------------------------------------------------------------------------------------------------


def _burst(draw: random.Random, bus: str) -> Act:
    topic, number, rate = draw.choice(TOPICS[bus]), draw.randint(2, 4), draw.choice((None, 50, 100))
    pause = 0.0 if rate is None else 1000 / rate
    said = tuple(
        Said(bus, topic, index * pause, {"n": index, "s": "a", "@key": f"k{index}"}) for index in range(number)
    )
    paced = "" if rate is None else f" at {rate} per second"
    text = f'I publish {number} "{topic}" messages{on_bus(bus)} with key "k{{{{ index }}}}"{paced}'
    return Act(f'{text}:\n"""\nn: {{{{ index }}}}\ns: a\n"""', said)


def _one(draw: random.Random, bus: str) -> Act:
    topic, body = draw.choice(TOPICS[bus]), bodies(draw)
    around = {name.removeprefix("@"): value for name, value in body.items() if name.startswith("@")}
    payload = {name: value for name, value in body.items() if not name.startswith("@")}
    text = json.dumps({**around, "payload": payload})
    return Act(f'I publish "{topic}"{on_bus(bus)} as an envelope:\n"""\n{text}\n"""', (Said(bus, topic, 0, body),))


def _several(draw: random.Random, bus: str) -> Act:
    topic, rows = draw.choice(TOPICS[bus]), [(draw.randint(0, 3), draw.choice(("a", "b"))) for _ in range(2)]
    table = "\n".join(("| n | s | @headers.h |", *(f"| {number} | {text} | b |" for number, text in rows)))
    said = tuple(Said(bus, topic, 0, {"n": number, "s": text, "@headers": {"h": "b"}}) for number, text in rows)
    return Act(f'I publish "{topic}"{on_bus(bus)}:\n{table}', said)


def scenario(draw: random.Random) -> Scenario:
    return Scenario([_phase(draw, f"go.{place}") for place in range(draw.choice((1, 2, 2)))])


def _phase(draw: random.Random, act: str) -> Phase:
    asks = draw.random() < 0.3
    said = [_message(draw) for _ in range(draw.randint(1, 6))]
    if asks:
        said += [_answer(draw) for _ in range(draw.randint(0, 2))]
    acts = [
        draw.choice((_burst, _one, _several))(draw, draw.choice(("bus", "other"))) for _ in range(draw.randint(0, 2))
    ]
    wanted = [check for _ in range(draw.randint(1, 3)) for check in checks(draw, with_reply=asks)]
    # the last one listens to each transport, so that both take part
    last = [expecting(draw.choice(TOPICS[bus]), bus, Asked("", "", lambda _: True), []) for bus in TOPICS]
    return Phase(act, tuple(said), (*wanted, *last), acts=tuple(acts), is_request=asks)


def _message(draw: random.Random) -> Said:
    bus = draw.choice(("bus", "bus", "other"))
    return Said(bus, draw.choice(TOPICS[bus]), _moment(draw), bodies(draw), is_own=draw.random() < 0.85)


def _answer(draw: random.Random) -> Said:
    """A reply, which needs no correlation id: it comes to an inbox of the request's own."""
    return Said("bus", REPLIES, _moment(draw), {**bodies(draw), "@stranger": draw.random() < 0.5})


def _moment(draw: random.Random) -> float:
    return draw.choice(MOMENTS_MS) + draw.uniform(0.2, 0.8)  # never where a window ends
