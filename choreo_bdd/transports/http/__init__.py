"""HTTP: something a scenario calls, never something it listens to (spec/steps.md 10)."""

from choreo_bdd.transports.http.transport import HttpTransport

__all__ = ["HttpTransport"]
