"""HTTP: something a scenario calls, never something it listens to."""

from choreo_bdd.transports.http.transport import HttpTransport

__all__ = ["HttpTransport"]
