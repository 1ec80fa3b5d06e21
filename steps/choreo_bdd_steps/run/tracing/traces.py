"""Traces: what the scenario sends is put into a trace of its own, and services tell what they did in it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from functools import partial

from choreo_bdd.correlation import TRACEPARENT, trace_of, traceparent
from choreo_bdd.scenario import Scope
from choreo_bdd.traces.spans import Span, SpanSource
from choreo_bdd_project.carried import carried
from choreo_bdd_project.config import Config, ConfigError

_FAILURE_S = 1.0
_LOOK_S = 0.05
_SETTLE_S = 0.25
"""How long services that tell anything are given, at the end of a scenario, to tell the rest."""


class Traces:
    """The traces of a run: a receiver on this machine, and one trace a scenario."""

    def __init__(self, config: Config) -> None:
        from choreo_bdd.traces.receiver import Receiver  # noqa: PLC0415 - a server, loaded where traces are wanted

        self._config = config
        self._receiver = Receiver()
        self._spans: SpanSource = self._receiver.spans
        self._own: dict[str, list[str]] = {}
        """Traces that authors have begun in messages of their own, by the trace of their scenario."""

    def start(self) -> None:
        """Begin to listen. Raises ``ConfigError`` where what reads traces is not installed."""
        try:
            import opentelemetry.proto.collector.trace.v1.trace_service_pb2  # noqa: F401, PLC0415 - of the extra
        except ImportError as error:
            raise ConfigError(
                f"{self._config.source}: `traces: true` needs the extra choreo_bdd[traces]: "
                f"pip install 'choreo-bdd[traces]'"
            ) from error
        self._receiver.start()

    def stop(self) -> None:
        """Listen no more."""
        self._receiver.stop()

    @property
    def environment(self) -> Mapping[str, str]:
        """What services are to be started with, so that they tell here what they do."""
        return self._receiver.environment

    def hear(self, spans: SpanSource) -> None:
        """Read spans from somewhere else: where services that are shared send theirs."""
        self._spans = spans

    def follow(self, scope: Scope, trace_id: str, links: Mapping[str, str | None]) -> None:
        """Put what a scope sends into its trace, wherever messages have headers, and keep what services tell of it."""
        self._spans.expect(trace_id)
        self._own.clear()  # one scenario is at work at a time
        for name, link in links.items():
            scope.links[link].trace_headers = partial(self._headers, trace_id, name)

    def _headers(self, trace_id: str, transport: str, topic: str, written: Mapping[str, str]) -> Mapping[str, str]:
        """What a message is given beside the headers it has; a trace that its author has begun belongs here, too."""
        if TRACEPARENT in map(str.lower, written):
            own = trace_of(written)
            if own is not None and own != trace_id:
                self._spans.expect(own)
                self._own.setdefault(trace_id, []).append(own)
            return {}
        has_headers = carried(self._config.transports[transport], topic).headers
        return {TRACEPARENT: traceparent(trace_id)} if has_headers else {}

    async def settle(self) -> None:
        """Give services time to tell the rest, where any of them tells anything."""
        if self._spans.heard:
            await asyncio.sleep(_SETTLE_S)

    async def hear_of_failure(self, trace_id: str) -> None:
        """Where a check has failed and services tell anything, wait a little longer for one that has failed, too."""
        deadline = time.monotonic() + _FAILURE_S
        while self._spans.heard and time.monotonic() < deadline:
            if any(span.has_failed for span in self.told(trace_id)):
                return
            await asyncio.sleep(_LOOK_S)

    def told(self, trace_id: str) -> tuple[Span, ...]:
        """What services have told of a scenario's trace, and of those that its author has begun."""
        traces = dict.fromkeys((trace_id, *self._own.get(trace_id, ())))
        return tuple(span for each in traces for span in self._spans.of(each))
