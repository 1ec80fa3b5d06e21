"""Spans of the services beside a timeline: in the page and in traces, never in ``results.json``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from choreo_bdd.observers.beside import ObservedSpan
from choreo_bdd.observers.observed import ObservedResult
from choreo_bdd_reporter.model.clock import epoch_seconds

SPANS_MAX = 500


def spans_of(result: ObservedResult, shown: Callable[[str], str]) -> dict[str, Any]:
    """The details of a scenario's spans, their times counted as the timeline counts; nothing without any.

    ``shown`` takes what is secret out of a text.
    """
    spans: Sequence[ObservedSpan] = getattr(result, "spans", ())  # only what was traced has any
    if not spans or not result.timeline:
        return {}
    first = result.timeline[0]
    began = epoch_seconds(first.wall_clock) * 1000 - first.offset_ms
    return {
        "spans": [
            {
                "id": span.span_id,
                "parent": span.parent_id,
                "service": shown(span.service),
                "name": shown(span.name),
                "kind": span.kind,
                "topic": None if span.topic is None else shown(span.topic),
                "error": None if span.error is None else shown(span.error),
                "offset_ms": round(span.began * 1000 - began, 3),
                "duration_ms": round((span.ended - span.began) * 1000, 3),
            }
            for span in spans[:SPANS_MAX]
        ]
    }
