"""The name under which topics count as one hop that differ only in an id, such as inboxes or paths of HTTP calls."""

from __future__ import annotations

import re
from functools import lru_cache

ID = (
    r"(?<=_INBOX\.).+|(?<=choreo\.reply\.).+|(?<=amq\.gen-).+|(?<=amq\.rabbitmq\.reply-to\.).+"
    r"|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}"
    r"|(?<=[/=])\d+(?![^/?&])|(?<![^.:])\d{4,}(?![^.:])"
    r"|(?<![^/.:=_-])(?=[a-f]*\d)[\da-f]{8,}(?![^/.:?&_-])"
    r"|(?<![^/.:=_-])(?=[a-z]*\d+[a-z]+\d)[\da-z]{20,}(?![^/.:?&_-])"
)
"""What is an id in a topic, case apart: a pattern that means the same to ``page/js/core/format.js``.

An inbox as a whole, a UUID; digits alone in a path or, four of them or more, between dots; eight hexadecimal digits or
more, and twenty letters and digits that alternate.
"""
_ID = re.compile(ID, re.IGNORECASE | re.ASCII)


@lru_cache(maxsize=4096)
def hop_name(topic: str) -> str:
    """The topic with ``{id}`` for what is an id in it: ``GET /orders/{id}``, ``_INBOX.{id}``."""
    return _ID.sub("{id}", topic)
