"""Spans of the services under test: asked for with W3C traceparent, received as OTLP over HTTP."""
