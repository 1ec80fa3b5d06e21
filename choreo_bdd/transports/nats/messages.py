"""How messages look in NATS."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from choreo_bdd.message import NO_HEADERS, headers_from
from choreo_bdd.transports.shared.lifecycle import HANGS
from choreo_bdd.transports.shared.outbound import Outgoing

REPLY_TO = "nats.reply_to"
"""The header under which the reply subject of a message travels between us and our users."""

_SUBJECT_BYTES = 4000
"""A server hangs up on a command line of more than 4096 bytes (its ``max_control_line``), at the cost of all."""
_LINE_ENDS = frozenset("\r\n")
_BLANK = re.compile(r"[\x00-\x20]")
_SERVERS_OWN = ("Error", "AuthorizationError")


_HEAD_BYTES = len(b"NATS/1.0\r\n\r\n")
_LINE_BYTES = len(b": \r\n")


def require_fitting(outgoing: Outgoing, most: int) -> None:
    """``ValueError`` for a message that a server would hang up on, or that would not arrive as it is.

    ``most`` is how many bytes the server takes, headers included: the client counts the payload alone, and trims the
    headers.
    """
    require_subject(outgoing.topic)
    headers, size = outgoing.headers, len(outgoing.payload)
    if headers:
        size += _HEAD_BYTES
        for name, value in headers.items():
            if name == REPLY_TO:
                require_subject(value)
                continue
            if not name or name.strip() != name or value.strip() != value or not _LINE_ENDS.isdisjoint(value):
                raise ValueError(
                    f"NATS cannot carry the header {name!r} as it is: a name may not be empty, neither name nor value "
                    f"may begin or end with a blank, and a value has no line breaks"
                )
            size += len(name.encode()) + len(value.encode()) + _LINE_BYTES
    if size > most:
        raise ValueError(
            f"the message is too large: {size} bytes with its headers, where the server takes {most} (max_payload)"
        )


def command_to_publish(outgoing: Outgoing) -> bytes:
    """What the client would write for a message without headers that is fit to be sent."""
    return b"PUB %b %d\r\n%b\r\n" % (outgoing.topic.encode(), len(outgoing.payload), outgoing.payload)


@lru_cache(maxsize=1024)  # asked of every message
def require_subject(subject: str) -> None:
    """``ValueError`` for a subject that a server would hang up on, take for another one, or deliver to nobody."""
    if _BLANK.search(subject) or "" in subject.split("."):
        raise ValueError(f"NATS has no subject {subject!r}: no part between dots may be empty, or have a blank in it")
    size = len(subject.encode())
    if size > _SUBJECT_BYTES:
        raise ValueError(f"the subject is too long: {size} bytes, where {_SUBJECT_BYTES} can be sent")


def last_words(client: Any) -> str:
    """What is known of how a connection has ended, to go behind a sentence; what the server said, if it hung up."""
    error = getattr(client, "last_error", None)
    if type(error).__name__ == "ErrStaleConnection":
        return f"; {HANGS}"
    if type(error).__name__ == "UnexpectedEOF":
        return "; it hung up without a word: it has ended, or took us for a slow consumer (its log tells)"
    if type(error).__name__ not in _SERVERS_OWN or "permissions violation" in str(error).lower():
        return ""
    return f"; it said: {str(error).removeprefix('nats: ')}"


def says_nobody_listens(raw: Any) -> bool:
    """The server's own answer to a request on a subject without a subscriber: status 503 and no data."""
    return not raw.data and (raw.headers or NO_HEADERS).get("Status") == "503"


def keep_repeated_headers(client: Any) -> None:
    """Have every value of a header that comes several times kept, where the client keeps the last."""
    parse = client._parse_header_lines

    def keeping(raw: bytes) -> Mapping[str, str]:
        headers: Mapping[str, str] = parse(raw)
        lines = [line for line in raw.split(b"\r\n") if line]
        if len(headers) == len(lines):
            return headers
        return headers_from([pair for line in lines for pair in parse(line).items()])

    client._parse_header_lines = keeping


def headers_of(raw: Any) -> Mapping[str, str]:
    """A message's headers, its reply subject among them."""
    headers: Mapping[str, str] = raw.headers or NO_HEADERS
    return {**headers, REPLY_TO: raw.reply} if raw.reply else headers
