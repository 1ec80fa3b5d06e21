"""Which routing keys a binding key stands for."""

from __future__ import annotations

import random

import pytest

from choreo_bdd.transports.rabbitmq.messages import is_meant


def _means(binding: tuple[str, ...], key: tuple[str, ...]) -> bool:
    """The same by its definition."""
    if not binding:
        return not key
    if binding[0] == "#":
        return any(_means(binding[1:], key[skipped:]) for skipped in range(len(key) + 1))
    return bool(key) and binding[0] in ("*", key[0]) and _means(binding[1:], key[1:])


def test_it_is_as_defined() -> None:
    rng = random.Random(12)
    for _ in range(3000):
        binding = rng.choices("ab*#", k=rng.randint(1, 5))
        key = rng.choices("ab", k=rng.randint(1, 6))
        assert is_meant(".".join(binding), [".".join(key)]) is _means(tuple(binding), tuple(key)), (binding, key)


@pytest.mark.timeout(10)
def test_many_wildcards_cannot_stall_the_loop() -> None:
    words = ["b"] * 120
    assert not is_meant("#.b." * 20 + "c", [".".join(words)])
    assert is_meant("#.b." * 20 + "c", [".".join([*words, "c"])])
