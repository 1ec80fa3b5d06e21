"""What stands behind an error is looked through, and that comes to an end."""

from __future__ import annotations

from typing import Any

import pytest

from choreo_bdd.exceptions import TransportError
from choreo_bdd.shared.causes import causes_of
from choreo_bdd.transports.shared.lifecycle import Kind, Lifecycle


def in_a_circle() -> Exception:
    first, second = EOFError("first"), ValueError("second")
    first.__context__, second.__cause__ = second, first
    return first


def test_each_is_told_once_also_in_a_circle() -> None:
    assert list(map(str, causes_of(in_a_circle()))) == ["first", "second"]
    assert list(causes_of(None)) == []


@pytest.mark.timeout(5)
async def test_a_connection_that_fails_with_errors_in_a_circle_has_failed() -> None:
    kind = Kind("Transport", "server", "client", "extra", "servers", "Are the credentials right?")
    life: Lifecycle[Any] = Lifecycle(kind, ["nats://host:1"], auth=None, patience_s=1)

    async def log_in(_: object) -> Any:
        raise in_a_circle()

    with pytest.raises(
        TransportError, match=r"could not connect to nats://host:1: first\. Are the credentials right\?"
    ):
        await life.connect(log_in, load=lambda: None, reason_of=str, allowlist_path=None)
