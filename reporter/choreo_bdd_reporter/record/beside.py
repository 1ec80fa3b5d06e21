"""What stands beside a timeline, on its axis: spans of the services, and messages that met no expectation.

Both are in the page, spans in traces too; ``results.json`` has neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from choreo_bdd.observers.beside import ObservedSpan, ObservedStray
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
    began = _epoch_ms(result)
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


def strays_in(result: ObservedResult) -> Sequence[ObservedStray]:
    """The messages that met no expectation, of a result that has a timeline and knows of them."""
    return getattr(result, "strays", ()) if result.timeline else ()


def strays_of(
    result: ObservedResult,
    kept: Sequence[int],
    shown: Callable[[str], str],
    place: Callable[[Any], int],
    differences: Callable[[Sequence[Any]], dict[str, Any]],
) -> dict[str, Any]:
    """The details of these messages, their times counted as the timeline counts; nothing without any.

    ``shown`` takes what is secret out of a text, ``place`` keeps a message and says where, ``differences`` makes data
    of what differs. ``handle`` is the place of the expectation among those that are ``kept``, -1 for none.
    """
    strays = strays_in(result)
    if not strays:
        return {}
    began = _epoch_ms(result)
    places = {id(handle): number for number, handle in enumerate(result.handles[index] for index in kept)}
    return {
        "strays": [
            {
                "why": str(stray.why),
                "offset_ms": round(stray.at * 1000 - began, 3),
                "message": place(stray.message),
                "detail": shown(stray.detail),
                "handle": places.get(id(stray.handle), -1),
                **differences(stray.differences),
            }
            for stray in strays
        ]
    }


def _epoch_ms(result: ObservedResult) -> float:
    """Epoch milliseconds at which the timeline begins to count."""
    first = result.timeline[0]
    return epoch_seconds(first.wall_clock) * 1000 - first.offset_ms
