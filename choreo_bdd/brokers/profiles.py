"""Transports of choreo.yaml for brokers started here."""

from __future__ import annotations

from typing import Any

from choreo_bdd.brokers.options import TlsFiles


def with_tls(transport: dict[str, Any], tls: TlsFiles | None) -> dict[str, Any]:
    """The transport, told whom to trust when the broker speaks TLS."""
    return transport if tls is None else {**transport, "tls": {"ca": str(tls.ca)}}
