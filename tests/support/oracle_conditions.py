"""The ends of sentences that the oracle draws, ``where n > 2 and s is a``, and what each says of a body."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable
from functools import partial
from typing import Any

Body = dict[str, Any]
Holds = Callable[[Body], bool]


def always(_: Body) -> bool:
    return True


def is_idle(holds: Holds) -> bool:
    """Whether a condition holds for every body, or for none."""
    return holds is not always and len({holds(each) for each in BODIES}) == 1


def condition(draw: random.Random) -> tuple[str, Holds]:
    """The end of a sentence, and what it says."""
    parts = draw.sample(_parts(draw), draw.choice((0, 0, 1, 1, 2, 3)))
    if not parts:
        return "", always
    word, every = draw.choice((("and", all), ("or", any)))
    return " where " + f" {word} ".join(text for text, _ in parts), lambda body: every(h(body) for _, h in parts)


def _parts(draw: random.Random) -> list[tuple[str, Holds]]:
    number, text = draw.randint(1, 3), draw.choice(("a", "b", "ab"))
    return [
        *((f"n {words} {number}", partial(compared, compare, number)) for words, compare in COMPARED.items()),
        (f"n is one of {number}, 9", lambda body: body["n"] in (number, 9)),
        (f"s is {text}", lambda body: body["s"] == text),
        (f"s is not {text}", lambda body: body["s"] != text),
        (f"s matches /{text}.*/", lambda body: body["s"].startswith(text)),
        (f"s contains {text}", lambda body: text in body["s"]),
        ("o.k exists", lambda body: "k" in body.get("o", {})),
        ("o.k is absent", lambda body: "k" not in body.get("o", {})),
    ]


COMPARED = {"is": operator.eq, "is not": operator.ne, ">": operator.gt, "<=": operator.le}


def compared(compare: Callable[[int, int], bool], number: int, body: Body) -> bool:
    return compare(body["n"], number)


ABOUT: tuple[Body, ...] = ({}, {"o": {}}, {"o": {"k": 1}})
BODIES: tuple[Body, ...] = tuple(
    {"n": number, "s": text, **about} for number in (1, 2, 3) for text in ("a", "b", "ab", "ba") for about in ABOUT
)
