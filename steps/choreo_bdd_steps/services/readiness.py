"""Whether a service is ready, by what it was said to show: a line, a port, an answer, a message."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from msgspec import Struct

from choreo_bdd.brokers.ports import HOST
from choreo_bdd.loop import LoopThread
from choreo_bdd_project.config import Config
from choreo_bdd_project.harnesses import build_harness
from choreo_bdd_project.service_settings import Ready
from choreo_bdd_steps.services.errors import ServiceFailed
from choreo_bdd_steps.services.output import Output

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_ASK_S = 1.0
_LISTEN_S = 10.0


class Watch(Struct, frozen=True):
    """What is waited for; ``sought`` says it in words, and what came instead, for the case that it does not come."""

    is_ready: Callable[[], bool]
    sought: Callable[[], str]
    port: int | None = None
    """The loopback port at which it is looked for."""


@contextlib.contextmanager
def watching(ready: Ready | None, output: Output, config: Callable[[], Config], place: str) -> Iterator[Watch]:
    """Look for it from now on, by the configuration as it reads now. Raises ``ServiceFailed`` if it cannot be."""
    match ready:
        case None:
            yield Watch(lambda: True, str)
        case Ready("log", text):
            yield Watch(output.has_come.is_set, lambda: f"no line with {text!r} came")
        case Ready("port", port) if port.isdecimal():
            yield Watch(lambda: _listens(int(port)), lambda: f"nothing listens on port {port}", int(port))
        case Ready("port", port):
            raise ServiceFailed(f"{place}.ready.port", f"expected a number, found {port!r}")
        case Ready("http", url):
            yield _answering(url, place)
        case Ready("topic", topic, transport):
            with _message_on(topic, transport, config(), place) as has_come:
                yield Watch(has_come, lambda: f"no message came on topic {topic!r}")


def _answering(url: str, place: str) -> Watch:
    try:
        parts = urlsplit(url)
        port = parts.port or 80
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme != "http" or parts.hostname not in _LOOPBACK:
        raise ServiceFailed(
            f"{place}.ready.http",
            "expected an address of this machine, where the service is started: http://127.0.0.1:PORT/PATH",
        )
    asked = _Asked(url)
    return Watch(asked.has_answered, asked.told, port)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), _ASK_S):
        return True
    return False


class _Asked:
    """A URL that is asked until it answers as it should."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._last = "there was no answer"

    def has_answered(self) -> bool:
        """Whether it does now."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self._url, timeout=_ASK_S):
                return True
        except urllib.error.HTTPError as error:
            self._last = f"the last answer was {error.code}"
        except (OSError, ValueError, http.client.HTTPException) as error:
            self._last = f"the last try ended in {type(error).__name__}"
        return False

    def told(self) -> str:
        """What is missing."""
        return f"{self._url} has not answered with a status below 400; {self._last}"


@contextlib.contextmanager
def _message_on(topic: str, named: str | None, config: Config, place: str) -> Iterator[Callable[[], bool]]:
    transport = named or config.default_transport
    if transport not in config.transports:
        raise ServiceFailed(f"{place}.ready", f"there is no transport {transport!r} in profile {config.profile!r}")
    has_come = threading.Event()
    loop = LoopThread("choreo-ready")
    loop.start()
    try:
        harness = build_harness(config, config.transports[transport])

        async def listen() -> None:
            await harness.connect()
            live = harness.subscribe(topic, lambda *_: has_come.set())
            if live is not None:
                await live

        try:
            loop.run(listen(), timeout_s=_LISTEN_S)
            yield has_come.is_set
        finally:
            with contextlib.suppress(Exception):
                loop.run(harness.disconnect(), timeout_s=_LISTEN_S)
    finally:
        loop.stop()
