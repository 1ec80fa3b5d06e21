"""Calls over HTTP: publishing on the topic ``POST /orders`` sends a request, its answer comes on the same topic.

What leaves is a message, and so is what comes back, with its status in the header ``:status``, as HTTP/2 names it.
Header names of an answer are in lower case.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from ssl import SSLContext
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from choreo_bdd.codecs.media import MediaBytes
from choreo_bdd.environment import load_allowlist
from choreo_bdd.exceptions import ChoreoError, HostNotInAllowlist, TransportError
from choreo_bdd.message import NO_HEADERS, Message, NoPayload, headers_from
from choreo_bdd.redaction import safe_url
from choreo_bdd.shared.fitting import fits
from choreo_bdd.transports.base import Dated, OnSent, Ready, TransportCallback, TransportCapabilities
from choreo_bdd.transports.http.failures import told
from choreo_bdd.transports.shared.listeners import Listeners
from choreo_bdd.transports.shared.loopback import is_loopback

if TYPE_CHECKING:
    import httpx

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
STATUS = ":status"
_LARGEST_ANSWER = 16 * 1024 * 1024
_BEGINS_TO_LEAVE = "http11.send_request_headers.started"
_HAS_LEFT = "http11.send_request_body.complete"


class HttpTransport:
    """Calls one service. ``headers`` go with every request; ``login`` is a user and a password, or a bearer token.

    A call has ``timeout_s`` seconds from connecting to the end of its answer. Redirects are answers like any other,
    unless ``follow_redirects``; every address, also one that is redirected to and the proxy's, is held against the
    allowlist's ``http_hosts``, and without a list only this machine may be called. The environment's proxies are not
    used. ``ValueError`` for what is no URL of HTTP.
    """

    def __init__(
        self,
        *,
        url: str,
        headers: Mapping[str, str] = NO_HEADERS,
        login: tuple[str, str] | str | None = None,
        tls: SSLContext | None = None,
        timeout_s: float = 10.0,
        follow_redirects: bool = False,
        proxy: str | None = None,
        allowlist_path: str | Path | None = None,
    ) -> None:
        _require_url(url)
        self._url = url.rstrip("/")
        self._headers = dict(headers)
        self._login = login
        self._tls = tls
        self._timeout_s = timeout_s
        self._follow_redirects = follow_redirects
        self._proxy = proxy
        self._allowlist_path = allowlist_path
        self._client: httpx.AsyncClient | None = None
        self._listeners = Listeners()
        self._calls: set[asyncio.Task[None]] = set()

    @property
    def capabilities(self) -> TransportCapabilities:
        """An answer goes to whoever called; there are headers and no patterns."""
        return TransportCapabilities(broadcast_fanout=False, message_headers=True)

    @property
    def allowlist_path(self) -> str | Path | None:
        """The allowlist its addresses are held against."""
        return self._allowlist_path

    # --- lifecycle ------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Ask the allowlist and make the client ready; a connection is made by the first call."""
        for address in filter(None, (self._url, self._proxy)):
            self._require_permitted(address)
        try:
            import httpx  # noqa: PLC0415 - the extra's client, loaded when it is first needed
        except ModuleNotFoundError as error:
            raise TransportError(
                "HttpTransport needs the httpx client, the extra choreo_bdd[http]: pip install 'choreo-bdd[http]'"
            ) from error
        login, headers = self._login, dict(self._headers)
        if isinstance(login, str):
            headers["Authorization"] = f"Bearer {login}"
        self._client = httpx.AsyncClient(
            headers=headers,
            auth=httpx.BasicAuth(*login) if isinstance(login, tuple) else None,
            verify=self._tls if self._tls is not None else True,
            proxy=self._proxy,
            trust_env=False,
            timeout=None,
            follow_redirects=self._follow_redirects,
            event_hooks={"request": [self._held_against_the_allowlist]},
        )

    async def disconnect(self) -> None:
        """End calls that are under way and close their connections."""
        for call in self._calls:
            call.cancel()
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def probe(self) -> None:
        """Ask for the headers of the service's root: any answer shows that it is there.

        ``TransportError`` where there is none, or where it refuses the login.
        """
        response = await self._answered("HEAD", "/", {}, b"", None)
        if response.status_code in (401, 407) and self._login is not None:
            raise TransportError(
                f"{safe_url(self._url)} answers, and refuses the login ({response.status_code}): correct its auth"
            )

    async def _held_against_the_allowlist(self, request: httpx.Request) -> None:
        self._require_permitted(str(request.url.copy_with(raw_path=b"/")))

    def _require_permitted(self, address: str) -> None:
        shown = safe_url(address)
        if self._allowlist_path is not None:
            load_allowlist(self._allowlist_path).enforce(
                "http_hosts", [_origin(address)], label="HTTP address", normalise=_host_and_port
            )
        elif not is_loopback(address):
            raise HostNotInAllowlist(
                f"{shown!r} is not on this machine, and without an allowlist only loopback addresses may be called. "
                f"List it in a file under http_hosts and name that file as `allowlist:`"
            )

    # --- calls ----------------------------------------------------------------------------------------------------

    def subscribe(self, topic: str, callback: TransportCallback) -> Ready | None:
        """Deliver answers to calls of a topic such as ``POST /orders``."""
        self._listeners.add(topic, callback)
        return None

    def unsubscribe(self, topic: str, callback: TransportCallback) -> None:
        """Remove one registration of this callback on this topic."""
        self._listeners.remove(topic, callback)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        on_sent: OnSent | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        key: str | None = None,
    ) -> Ready | None:
        """Send a request; what this returns resolves once its answer has been delivered.

        It fails with ``TransportError`` where no answer came, and ``HostNotInAllowlist``.
        """
        method, _, path = topic.partition(" ")
        if method not in METHODS or not path.startswith("/"):
            raise TransportError(f"{safe_url(topic)!r} is no call, which is a method and a path, as in: POST /orders")
        if key is not None:
            raise TransportError("a request over HTTP has no key; put it into a header or the body")
        call = asyncio.ensure_future(self._call(topic, payload, on_sent, headers))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return call

    async def _call(self, topic: str, payload: bytes, on_sent: OnSent | None, headers: Mapping[str, str]) -> None:
        method, _, path = topic.partition(" ")
        response = await self._answered(method, path, headers, payload, on_sent)
        body = MediaBytes(response.content, response.headers.get("content-type", ""))
        pairs = [(name.lower(), value) for name, value in response.headers.multi_items()]
        around = headers_from([(STATUS, str(response.status_code)), *pairs])
        message = Message(topic, body, asyncio.get_running_loop().time(), around)
        for each in self._listeners:
            if each.topic == topic:
                each.deliver(message)

    async def _answered(
        self, method: str, path: str, headers: Mapping[str, str], payload: bytes, on_sent: OnSent | None
    ) -> httpx.Response:
        """The answer with its whole body; raises what is wrong as an error of ours, without any secret."""
        if self._client is None:
            raise RuntimeError("HttpTransport is not connected: call connect() first")
        where = safe_url(self._url + path)
        try:
            async with asyncio.timeout(self._timeout_s):
                request = self._request(method, path, headers, payload, on_sent)
                response = await self._client.send(request, stream=True)
                try:
                    await _read(response)
                finally:
                    await response.aclose()
        except ChoreoError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the client raises is why no answer came
            raise TransportError(f"{method} has no answer: {told(error, where, self._timeout_s)}") from None
        return response

    def _request(
        self, method: str, path: str, headers: Mapping[str, str], payload: bytes, on_sent: OnSent | None
    ) -> httpx.Request:
        assert self._client is not None  # _answered() has asked
        given = dict(headers)
        media_type = payload.media_type if isinstance(payload, MediaBytes) else "application/octet-stream"
        has_body = not isinstance(payload, NoPayload) and (payload or method in ("POST", "PUT", "PATCH"))
        if has_body and payload and "content-type" not in map(str.lower, given):
            given["Content-Type"] = media_type
        return self._client.build_request(
            method,
            self._url + path,
            headers=given,
            content=bytes(payload) if has_body else None,
            extensions={} if on_sent is None else {"trace": _Progress(on_sent)},
        )

    def active_subscription_count(self) -> int:
        """How many registrations there are."""
        return len(self._listeners)

    def clear_subscriptions(self) -> None:
        """Forget every registration."""
        self._listeners.clear()

    def __repr__(self) -> str:
        return f"HttpTransport({safe_url(self._url)!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("HttpTransport cannot be pickled: it holds live connections")


class _Progress:
    """Follows a request on its way out; where it is redirected to, it leaves a second time, and nobody is told."""

    def __init__(self, on_sent: OnSent) -> None:
        self._on_sent = on_sent
        self._has_left = False

    async def __call__(self, event: str, _: Mapping[str, Any]) -> None:
        if self._has_left:
            return
        if event == _BEGINS_TO_LEAVE and fits(self._on_sent, Dated):
            # when it has left is too late: whoever gets it may be let run before us
            self._on_sent.leaving(asyncio.get_running_loop().time())
        elif event == _HAS_LEFT:
            self._has_left = True
            self._on_sent()


async def _read(response: httpx.Response) -> None:
    """Read a body, bounded as it is unpacked."""
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > _LARGEST_ANSWER:
            largest = _LARGEST_ANSWER // 1024 // 1024
            raise TransportError(
                f"the answer of {safe_url(str(response.url))} is larger than {largest} MB, more than a check looks at"
            )
    response._content = bytes(body)


def _require_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_ours = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_ours = False
    if not is_ours or parts.query or parts.fragment:
        raise ValueError(f"{safe_url(url)!r} is no address to call; write one such as http://localhost:8000")
    if parts.username is not None:
        raise ValueError("a user stands in the URL; give user and password, or a token, under auth instead")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _host_and_port(url: str) -> str:
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
