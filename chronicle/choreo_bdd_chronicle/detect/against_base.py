"""One run's latencies against those of a base's runs: how much slower each topic is, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from choreo_bdd_chronicle.detect.factor import FEWEST_TOPICS
from choreo_bdd_chronicle.detect.records import EVERY_TOPIC, TopicSeries

FEWEST_RUNS = 3
"""With fewer runs of the base, nobody knows how much a topic varies by itself."""
_SURE = 4.0
_LEAST_MS = 1.0
_LEAST_SPREAD = 0.03
_TO_DEVIATION = 1.4826


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """A topic in a run and in its base, as means in milliseconds; ``change_pct`` is without what all topics share.

    ``is_clear``: further off than the base's own runs are from each other, and by a millisecond. ``EVERY_TOPIC`` stands
    for what all topics share; it has no means.
    """

    topic: str
    transport: str | None
    base_ms: float | None
    run_ms: float | None
    change_pct: float
    base_runs: int
    is_clear: bool


def distances(series: Sequence[TopicSeries], run_id: str) -> list[Distance]:
    """Of every topic that the run and enough runs of the base measured, the slowest first.

    ``series`` hold the base's runs and the run itself.
    """
    found = [one for each in series if (one := _split(each, run_id)) is not None]
    runs = sorted({run for one in found for run in one.base})
    usual = {index: median(one.base.values()) for index, one in enumerate(found)}
    shared = _shared([one.own - usual[index] for index, one in enumerate(found)])
    factors = {
        run: _shared([one.base[run] - usual[index] for index, one in enumerate(found) if run in one.base])
        for run in runs
    }
    result = list(_topics(found, shared, factors))
    if len(found) >= FEWEST_TOPICS:
        spread = _spread(list(factors.values()))
        result.append(
            Distance(
                topic=EVERY_TOPIC, transport=None, base_ms=None, run_ms=None, change_pct=math.expm1(shared) * 100,
                base_runs=len(runs), is_clear=abs(shared) >= _SURE * spread,
            )
        )  # fmt: skip
    return sorted(result, key=lambda one: -one.change_pct)


@dataclass(frozen=True, slots=True)
class _Topic:
    series: TopicSeries
    own: float
    base: dict[str, float]


def _split(series: TopicSeries, run_id: str) -> _Topic | None:
    logs = {each.run.run_id: each.mean_log_ms for each in series.runs if each.mean_log_ms is not None}
    own = logs.pop(run_id, None)
    return None if own is None or len(logs) < FEWEST_RUNS else _Topic(series, own, logs)


def _topics(found: Sequence[_Topic], shared: float, factors: dict[str, float]) -> Iterator[Distance]:
    for one in found:
        levels = [value - factors[run] for run, value in one.base.items()]
        usual = median(levels)
        change = one.own - shared - usual
        spread = _spread(levels)
        base_ms, run_ms = math.exp(usual), math.exp(one.own)
        yield Distance(
            topic=one.series.topic,
            transport=one.series.transport,
            base_ms=base_ms,
            run_ms=run_ms,
            change_pct=math.expm1(change) * 100,
            base_runs=len(levels),
            is_clear=abs(change) >= _SURE * spread and base_ms * abs(math.expm1(change)) >= _LEAST_MS,
        )


def _shared(values: Sequence[float]) -> float:
    return median(values) if len(values) >= FEWEST_TOPICS else 0.0


def _spread(values: Sequence[float]) -> float:
    middle = median(values)
    return max(_LEAST_SPREAD, _TO_DEVIATION * median(abs(value - middle) for value in values))
