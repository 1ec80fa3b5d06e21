"""Where a dead letter was before it was moved, as the headers of those who moved it tell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_DEATHS = "x-death"  # RabbitMQ, the latest death first
_REASONS = {
    "rejected": "rejected by queue {}",
    "expired": "expired in queue {}",
    "maxlen": "pushed out of the full queue {}",
    "delivery_limit": "delivered too often by queue {}",
}
_ORIGINS = {
    "kafka_dlt-original-topic": ("kafka_dlt-exception-fqcn", "kafka_dlt-original-consumer-group"),  # Spring
    "__connect.errors.topic": ("__connect.errors.exception.class.name", "__connect.errors.connector.name"),
}
"""Headers that name the first topic, with those that name the exception and who raised it."""


def moved(headers: Mapping[str, str]) -> dict[str, Any] | None:
    """``origins``, the topics it was on before, the latest first; and ``how`` it came to be moved, in words.

    ``None`` for a message that no header says was moved.
    """
    for name, (exception, who) in _ORIGINS.items():
        if name in headers:
            kind, by = headers.get(exception, "").rpartition(".")[2], headers.get(who)
            how = f"failed{f' in {by}' if by else ''}{f': {kind}' if kind else ''}"
            return {"origins": [headers[name]], "how": how}
    deaths = _deaths(headers.get(_DEATHS, ""))
    if not deaths:
        return None
    queue, reason = str(deaths[0].get("queue", "")), str(deaths[0].get("reason", ""))
    how = _REASONS[reason].format(queue) if reason in _REASONS else f"dead in queue {queue} ({reason})"
    return {"origins": [key for death in deaths for key in _keys(death)], "how": how}


def _deaths(text: str) -> list[dict[str, Any]]:
    try:
        told = json.loads(text)
    except ValueError:
        return []
    return [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []


def _keys(death: dict[str, Any]) -> list[str]:
    told = death.get("routing-keys")
    return [str(key) for key in told] if isinstance(told, list) else []
