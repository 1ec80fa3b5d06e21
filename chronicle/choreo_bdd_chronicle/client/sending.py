"""One report to one server, tried again while the server is away."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass

PAUSES = (0.5, 2.0)
"""Seconds between tries."""
TIMEOUT = 30.0
_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_ELSEWHERE = (404, 405)
_NO_CHRONICLE = "; no Chronicle takes reports at this address: give the one that `chronicle serve` says"
_NOT_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where reports go: the server's address, whose they are, and the token if it asks for one."""

    url: str
    tenant: str
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A report that is kept; ``is_known`` when it was before."""

    run_id: str
    is_known: bool
    warnings: tuple[str, ...] = ()


class RefusedError(Exception):
    """The server will not take this report, now or later; the text is its own."""


class UnreachableError(Exception):
    """No answer that counts, after every try; the text says what came instead."""


def send(
    body: bytes, target: Target, *, pauses: Sequence[float] = PAUSES, sleep: Callable[[float], None] = time.sleep
) -> Sent:
    """Send a report's bytes. Raises ``RefusedError``, and ``UnreachableError`` when the server does not answer.

    Sending it once more is harmless: the key is the SHA-256 of its bytes.
    """
    request = _request(body, target)
    for pause in (*pauses, None):
        try:
            return _tried(request)
        except UnreachableError:
            if pause is None:
                raise
            sleep(pause)
    raise AssertionError("the last try answers or raises")


def server_address(url: str) -> str:
    """The address of a server as it is used. Raises ``ValueError`` where it can be none."""
    try:
        parts = urllib.parse.urlsplit(url)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_one = False
    if not is_one:
        raise ValueError("the address of the server cannot be used; it is one such as http://127.0.0.1:8000")
    if "@" in parts.netloc:
        raise ValueError("the address of the server has a login, which it does not take; whoever may write has a token")
    return url.rstrip("/")


def slug_of(name: str | None) -> str:
    """A tenant's name out of a project's."""
    found = _NOT_SLUG.sub("-", (name or "").lower()).strip("-")[:64].strip("-")
    return found if len(found) > 1 else "default"


def _request(body: bytes, target: Target) -> urllib.request.Request:
    headers = {
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
        "X-Chronicle-Tenant": target.tenant,
        "Idempotency-Key": hashlib.sha256(body).hexdigest(),
    }
    if target.token:
        headers["Authorization"] = f"Bearer {target.token}"
    address = f"{target.url.rstrip('/')}/api/v1/runs"
    return urllib.request.Request(address, gzip.compress(body, mtime=0), headers, method="POST")


def _tried(request: urllib.request.Request) -> Sent:
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            found = json.load(response)
            return Sent(
                run_id=found["run_id"], is_known=found["duplicate"], warnings=tuple(found.get("warnings") or ())
            )
    except urllib.error.HTTPError as answer:
        detail = f"{answer.code} {_detail(answer)}{_NO_CHRONICLE if answer.code in _ELSEWHERE else ''}"
        raise (UnreachableError if answer.code in _TRY_AGAIN else RefusedError)(detail) from answer
    except (OSError, http.client.HTTPException) as problem:
        raise UnreachableError(str(getattr(problem, "reason", None) or problem)) from problem
    except (ValueError, KeyError, TypeError) as problem:
        raise RefusedError("whatever answers there is no Chronicle") from problem


def _detail(answer: urllib.error.HTTPError) -> str:
    try:
        found = json.load(answer)["detail"]
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return str(answer.reason)
    return str(found)
