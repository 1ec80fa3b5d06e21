"""Traces in the event format of Chrome, which Perfetto draws: a process a scenario, a thread a transport.

Arrows lead from each message to what it caused; they need a slice at both ends, so an instant is one of a microsecond,
and ids that are numbers, without which Perfetto drops them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from types import MappingProxyType
from typing import Any

from choreo_bdd_reporter.outputs.spans import Moment, Span, Trace, traces

_SCENARIO_THREAD = 0
_INSTANT = 1


def as_chrome_trace(results: Any, gherkin: Any = MappingProxyType({})) -> dict[str, Any]:
    """The object form, times in microseconds; every scenario with a timeline is in it."""
    ids = count(1)
    found = enumerate(traces(results, gherkin), start=1)
    events = [event for number, trace in found for event in _events(number, trace, ids)]
    return {"displayTimeUnit": "ms", "traceEvents": events}


def _events(process: int, trace: Trace, ids: Iterator[int]) -> Iterator[dict[str, Any]]:
    names = {*(span.transport for span in trace.spans), *(moment.transport for moment in trace.moments)} - {None}
    threads: dict[str | None, int] = {name: thread for thread, name in enumerate(sorted(map(str, names)), start=1)}
    threads[None] = _SCENARIO_THREAD
    whole = {"pid": process, "tid": _SCENARIO_THREAD}
    yield _named("process_name", trace.test["nodeid"], whole)
    yield _named("thread_name", "scenario", whole)
    for name, thread in threads.items():
        if name is not None:
            yield _named("thread_name", name, {"pid": process, "tid": thread})
    facts = {name: trace.scenario[name] for name in ("outcome", "timeline_dropped")} | {"test": trace.test["outcome"]}
    head = {"name": trace.scenario["name"] or trace.test["name"], "cat": "scenario", "args": facts}
    yield {**whole, "ph": "X", "ts": trace.start, "dur": trace.end - trace.start, **head}
    places = [{"pid": process, "tid": threads[span.transport]} for span in trace.spans]
    for span, place, own in zip(trace.spans, places, ids, strict=False):
        yield from _span(span, own, place)
        if span.parent is not None:
            yield from _arrow(trace.spans[span.parent], places[span.parent], span, place, own)
    for moment in trace.moments:
        yield {**_mark(moment.at), "pid": process, "tid": threads[moment.transport], **_verdict(moment)}


def _named(kind: str, name: str, place: dict[str, int]) -> dict[str, Any]:
    return {"ph": "M", "name": kind, **place, "args": {"name": name}}


def _span(span: Span, own: int, place: dict[str, int]) -> Iterator[dict[str, Any]]:
    """A message on its way is asynchronous, because others overtake it; where it was sent and came is a slice."""
    if span.kind == "act":
        facts = {"cat": "act", "args": {"error": span.error} if span.error else {}}
        yield {**place, **facts, "ph": "X", "ts": span.start, "dur": span.end - span.start, "name": span.topic}
        return
    facts = {"cat": "message", "args": {"topic": span.topic, "transport": span.transport}}
    yield {**place, **facts, "ph": "X", "ts": span.end, "dur": _INSTANT, "name": f"{span.kind} {span.topic}"}
    if span.kind == "receive":
        for phase, at in (("b", span.start), ("e", span.end)):
            yield {"ph": phase, "id": own, "ts": at, "name": span.topic, **place, **facts}


def _arrow(
    cause: Span, there: dict[str, int], effect: Span, here: dict[str, int], own: int
) -> Iterator[dict[str, Any]]:
    if cause.start > effect.end:  # by its stamp, and an arrow cannot lead back in time
        return
    name = "came of" if effect.is_told else "probably came of"
    facts = {"cat": "cause", "name": name, "id": own}
    end = cause.end - _INSTANT if cause.kind == "act" else cause.end  # inside the slice
    left = min(end, cause.left_by(effect.end))
    yield {**there, **facts, "ph": "s", "ts": max(cause.start, left)}
    yield {**here, **facts, "ph": "f", "bp": "e", "ts": effect.end}


def _verdict(moment: Moment) -> dict[str, Any]:
    name = moment.name if moment.topic is None else f"{moment.name} {moment.topic}"
    return {"name": name, "cat": "verdict", "args": {"detail": moment.detail}}


def _mark(at: int) -> dict[str, Any]:
    return {"ph": "i", "s": "t", "ts": at}
