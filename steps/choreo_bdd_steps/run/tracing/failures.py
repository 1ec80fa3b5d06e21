"""What services say has failed in them, in words beside a verdict."""

from __future__ import annotations

from collections.abc import Callable

from choreo_bdd.redaction.printable import on_one_line
from choreo_bdd.traces.spans import Span

_TOLD_AT_MOST = 3


def failures(spans: tuple[Span, ...], after: Callable[[float], str]) -> list[str]:
    """What failed in which service; ``after`` tells how long a moment (epoch seconds) was after what made it come."""
    failed = [span for span in spans if span.has_failed]
    parents = {span.parent_id for span in failed}
    causes = [span for span in failed if span.span_id not in parents]  # what failed around it failed because of it
    return [on_one_line(_sentence(span, after(span.began))) for span in causes[:_TOLD_AT_MOST]]


def _sentence(span: Span, after: str) -> str:
    did = f"received {span.topic}" if span.kind == "consumer" and span.topic else f"worked on {span.name!r}"
    return f"{span.service} {did} {after}{' ' if after else ''}and failed: {span.error}"
