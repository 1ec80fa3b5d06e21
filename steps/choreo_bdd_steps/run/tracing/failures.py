"""What services say has failed in them, in words beside a verdict."""

from __future__ import annotations

from choreo_bdd.redaction.printable import on_one_line
from choreo_bdd.traces import Span

_TOLD_AT_MOST = 3


def failures(spans: tuple[Span, ...], sent_at: float | None) -> list[str]:
    """What failed in which service, and how long after the scenario's last publish (epoch seconds) it began."""
    failed = [span for span in spans if span.has_failed]
    parents = {span.parent_id for span in failed}
    causes = [span for span in failed if span.span_id not in parents]  # what failed around it failed because of it
    return [on_one_line(_sentence(span, sent_at)) for span in causes[:_TOLD_AT_MOST]]


def _sentence(span: Span, sent_at: float | None) -> str:
    after = (
        "" if sent_at is None or span.began < sent_at else f" {(span.began - sent_at) * 1000:.0f} ms after the publish"
    )
    did = f"received {span.topic}" if span.kind == "consumer" and span.topic else f"worked on {span.name!r}"
    return f"  {span.service} {did}{after} and failed: {span.error}"
