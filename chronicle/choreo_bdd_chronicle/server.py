"""One process that takes reports, answers questions and shows the dashboard."""

from __future__ import annotations

import gc
import logging
import socket
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import uvicorn
from starlette.types import ASGIApp

from choreo_bdd_chronicle import tokens
from choreo_bdd_chronicle.answer.app import Api, build_app
from choreo_bdd_chronicle.answer.stream import Broadcaster
from choreo_bdd_chronicle.receive.checkers import Checker, ProcessChecker, ThreadChecker
from choreo_bdd_chronicle.receive.understanding import GARBAGE
from choreo_bdd_chronicle.settings import Settings
from choreo_bdd_chronicle.store import Store, open_store
from choreo_bdd_chronicle.webhooks import WebhookNotifier, read_webhooks

_log = logging.getLogger("choreo_bdd_chronicle")
_TURN_SECONDS = 0.001  # whoever answers gets his turn soon, however hard another thread calculates
_DRAIN_SECONDS = 2  # for the requests at hand


def create_app(settings: Settings) -> ASGIApp:
    """The application of a server, its database opened and brought up to date. Raises ``StoreError``."""
    return _built(settings, ThreadChecker())[0]


def serve(settings: Settings, begun: Callable[[str], None]) -> None:
    """Serve until a signal ends it; ``begun`` is told the address.

    Raises ``StoreError``, ``WebhookError``, and ``OSError`` when the port is taken.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with listening_at(settings) as listening:
        app, broadcaster = _built(settings, ProcessChecker())
        sys.setswitchinterval(_TURN_SECONDS)
        gc.freeze()  # what is loaded now stays; looking through it again would double the time of reading a report
        gc.set_threshold(GARBAGE)
        begun(f"http://{_shown(settings.host)}:{listening.getsockname()[1]}")
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )  # fmt: skip
        _Server(config, broadcaster).run(sockets=[listening])


class _Server(uvicorn.Server):
    """Ends the event streams before it waits for the requests at hand: they have no end of their own."""

    def __init__(self, config: uvicorn.Config, broadcaster: Broadcaster) -> None:
        super().__init__(config)
        self._broadcaster = broadcaster

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let go of everybody."""
        self._broadcaster.end()
        await super().shutdown(sockets)


def listening_at(settings: Settings) -> socket.socket:
    """Bound ahead, so that the address is known and a port that is taken is told before anything is opened."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    made = socket.create_server((settings.host.strip("[]"), settings.port), family=family, backlog=1024)
    # asyncio turns Nagle's delay off (40 ms an answer) only for sockets that name their protocol
    return socket.socket(made.family, made.type, socket.IPPROTO_TCP, fileno=made.detach())


def _built(settings: Settings, checker: Checker) -> tuple[ASGIApp, Broadcaster]:
    webhooks = read_webhooks(settings.webhooks, settings.webhook_hosts)
    store = open_store(settings.database)
    if settings.needs_token:
        _warn_of_no_token(store)
    broadcaster = Broadcaster(store, settings.listeners_max)
    notifier = WebhookNotifier(store, webhooks)
    api = Api(store, broadcaster, notifier, checker, settings=settings, version=_version())
    return build_app(api, settings), broadcaster


def _warn_of_no_token(store: Store) -> None:
    with store.reading() as connection:
        if not tokens.known(connection):
            _log.warning(
                "nobody can send or read a report before there is a token: choreo-bdd chronicle tokens create NAME"
            )


def _shown(host: str) -> str:
    return f"[{host.strip('[]')}]" if ":" in host else host


def _version() -> str:
    try:
        return version("choreo-bdd")
    except PackageNotFoundError:
        return "0"
