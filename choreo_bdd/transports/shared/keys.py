"""Keys on buses that have none: an error, never dropped in silence."""

from __future__ import annotations

from choreo_bdd.exceptions import PublishFailed


def refuse_key(transport: str, topic: str, key: str | None, why: str) -> None:
    """``PublishFailed`` for a message with a key; ``why`` says what there is instead."""
    if key is not None:
        raise PublishFailed(transport, topic, f"it carries no keys, and {key!r} would be dropped: {why}")
