"""Spans of the services under test: asked for with W3C traceparent, received as OTLP over HTTP (spec/steps.md 10)."""

from choreo_bdd.traces.receiver import Receiver
from choreo_bdd.traces.spans import Span, Spans, traceparent

__all__ = ["Receiver", "Span", "Spans", "traceparent"]
