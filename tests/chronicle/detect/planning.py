"""What is planted in the topics of a tenant, and what in those that only waver by themselves."""

from __future__ import annotations

import math

import numpy as np

from tests.chronicle.detect.generating import Planted, drift, step, tail

STABLE = Planted("stable")
WANDERING = 0.03
"""A run; some 7 % in the end."""


def tenant(seed: int) -> list[Planted]:
    """Twelve topics, more than half of which change somewhere."""
    random = np.random.default_rng(seed)

    def place(earliest: int = 20, latest: int = 45) -> int:
        return int(random.integers(earliest, latest))

    single, double = place(8, 30), place(32, 50)
    seasonal = Planted("seasonal", factor=lambda run: 1 + 0.15 * math.sin(2 * math.pi * run / 7))
    outlier = Planted("outlier", factor=lambda run: 5.0 if run in (single, double, double + 1) else 1.0)
    return [
        *[STABLE] * 4,
        step("+30 %", place(), 1.3),
        step("+30 %", place(), 1.3),
        step("+100 %", place(), 2.0),
        drift(place(8, 30)),
        tail(place()),
        step("improving", place(), 0.7),
        seasonal,
        outlier,
    ]


def wave(turn: int) -> Planted:
    """A load that comes and goes, once in so many runs."""
    return Planted(f"wave of {turn}", factor=lambda run: 1 + 0.15 * math.sin(2 * math.pi * run / turn))
