"""Around everything: a request id, security headers on every answer, and no error without the one form."""

from __future__ import annotations

import logging
import re
from urllib.parse import urlsplit
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger("choreo_bdd_chronicle")
_REQUEST_ID = re.compile(r"[a-zA-Z0-9._-]{1,128}")
_NO_GZIP = re.compile(r"(?:^|,)\s*gzip\s*;\s*q\s*=\s*0(?:\.0*)?\s*(?:,|$)", re.IGNORECASE)
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
}
_HSTS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}


class Guard:
    """Wraps the whole application, so that even the answers to its failures are in good order."""

    def __init__(self, app: ASGIApp, *, sends_hsts: bool, root: str = "") -> None:
        self._app = app
        self._root = root
        named = SECURITY_HEADERS | (_HSTS if sends_hsts else {})
        self._headers = [(name.lower().encode(), value.encode()) for name, value in named.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = self._below_root(scope)
        headers = Headers(scope=scope)
        if any(map(_NO_GZIP.search, headers.getlist("Accept-Encoding"))):  # else all look for the word alone
            kept = [each for each in scope["headers"] if each[0] != b"accept-encoding"]
            scope = {**scope, "headers": kept}
        given = headers.get("X-Request-ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid4())
        is_told = False

        async def send_guarded(message: Message) -> None:
            nonlocal is_told
            is_told = message["type"] == "http.response.body" and not message.get("more_body", False)
            if message["type"] == "http.response.start":
                own = [self._placed(name, value) for name, value in message.get("headers", ())]
                names = {name.lower() for name, _ in own}
                added = [each for each in self._headers if each[0] not in names]
                message["headers"] = [*own, *added, (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_guarded)
        except Exception:  # the client is told no more than the id to ask about
            _log.exception("request %s to %s failed", request_id, scope["path"])
            if not is_told:
                raise

    def _placed(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        """Where a redirect leads, as whoever asked sees it: behind a proxy only the path is known for sure."""
        if name.lower() != b"location":
            return name, value
        _, _, path, query, _ = urlsplit(value)
        return name, self._root.encode() + path + (b"?" + query if query else b"")

    def _below_root(self, scope: Scope) -> Scope:
        """The request as it is without a proxy: some take the path away that they serve us below, some do not."""
        path: str = scope["path"]
        if not self._root or not (path == self._root or path.startswith(f"{self._root}/")):
            return scope
        return {**scope, "path": path.removeprefix(self._root) or "/"}
