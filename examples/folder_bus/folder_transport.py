"""A bus in a folder: each message is a file, and whoever subscribes looks for new ones.

The example of a transport of one's own: see docs/transports.md. It passes the contract of the built-in transports.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import logging
import os
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NoReturn

from choreo_bdd.exceptions import TransportError
from choreo_bdd.message import NO_HEADERS, Message
from choreo_bdd.transports.base import OnLost, OnSent, TransportCallback, TransportCapabilities
from choreo_bdd.transports.shared.listeners import Listener, Listeners
from choreo_bdd_project.config import Config, ConfigError, TransportConfig

_LOG = logging.getLogger(__name__)
_LOOK_EVERY_S = 0.005
_numbers = itertools.count()


def from_configuration(config: Config, transport: TransportConfig) -> FolderTransport:
    """What the entry point names: the transport that an entry of choreo.yaml means. Raises ``ConfigError``."""
    folder = transport.options.get("folder")
    if not isinstance(folder, str):
        raise ConfigError(f"{transport.place}: a folder transport needs the name of its folder, as in `folder: bus`")
    return FolderTransport(config.base_dir / folder)


class FolderTransport:
    """Messages as files in ``folder``, which is made when it is missing; all that use one folder hear each other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listeners = Listeners()
        self._too_early: dict[Listener, frozenset[str]] = {}
        """Files that stood in the folder before a subscription, and that nobody had read yet."""
        self._on_lost: list[OnLost] = []
        self._seen: set[str] = set()
        self._reader: asyncio.Task[None] | None = None
        self._lost: str | None = None

    @property
    def capabilities(self) -> TransportCapabilities:
        """Broadcast, ordered; knows patterns and headers."""
        return TransportCapabilities(topic_patterns=True, message_headers=True, cheap_patterns=True)

    @property
    def lost(self) -> str | None:
        """Why the folder can be read no more; ``None`` while all is well."""
        return self._lost

    def on_lost(self, listener: OnLost) -> None:
        """Call ``listener(reason)`` when somebody takes the folder away."""
        self._on_lost.append(listener)

    async def connect(self) -> None:
        """Make the folder, and begin to look for new files. Raises ``TransportError``."""
        if self._reader is not None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._seen = self._files()
        except OSError as error:
            raise TransportError(f"FolderTransport: {self._folder} cannot be used: {error.strerror}") from error
        self._lost = None
        self._reader = asyncio.create_task(self._read_on())

    async def disconnect(self) -> None:
        """Look no more; subscriptions stay until they are cleared."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
            await asyncio.wait([reader])

    def subscribe(self, topic: str, callback: TransportCallback) -> None:
        """Deliver the files that come from now on; the subscription is live at once."""
        self._require_connection("subscribe")
        self._too_early[self._listeners.add(topic, callback)] = frozenset(self._files() - self._seen)

    def unsubscribe(self, topic: str, callback: TransportCallback) -> None:
        """Remove one registration of this callback on this topic."""
        removed = self._listeners.remove(topic, callback)
        if removed is not None:
            del self._too_early[removed]

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        on_sent: OnSent | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        key: str | None = None,
    ) -> None:
        """Write the message beside its name and rename it, so that nobody reads half of it."""
        self._require_connection("publish")
        data = base64.b64encode(payload).decode()
        text = json.dumps({"topic": topic, "payload": data, "headers": dict(headers), "key": key})
        file = self._folder / f"{time.time_ns():020}-{os.getpid():08}-{next(_numbers):08}.message"
        beside = file.with_suffix(".part")
        beside.write_text(text, "utf-8")
        beside.replace(file)
        if on_sent is not None:
            on_sent()

    def active_subscription_count(self) -> int:
        """How many registrations there are."""
        return len(self._listeners)

    def clear_subscriptions(self) -> None:
        """Forget every registration."""
        self._listeners.clear()
        self._too_early.clear()

    async def fence(self, topics: Collection[str]) -> None:
        """Look once more, at once: what has been written by now is delivered. Raises ``TransportError``."""
        if self._reader is None or self._lost is not None:
            raise TransportError(f"FolderTransport is not connected: {self._lost or 'call connect() first'}")
        missing = set(topics) - {listener.topic for listener in self._listeners}
        if missing:
            raise TransportError(f"FolderTransport has no subscription to {', '.join(sorted(missing))}")
        self._read_new()

    async def _read_on(self) -> None:
        while True:
            try:
                self._read_new()
            except OSError as error:
                self._lost = f"{self._folder} cannot be read: {error.strerror}"
                for tell in tuple(self._on_lost):
                    tell(self._lost)
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    def _read_new(self) -> None:
        for file in sorted(self._files() - self._seen):  # names begin with the time
            self._seen.add(file)
            written = json.loads((self._folder / file).read_text("utf-8"))
            payload = base64.b64decode(written["payload"])
            arrived = asyncio.get_running_loop().time()
            message = Message(written["topic"], payload, arrived, written["headers"], written["key"])
            for listener in self._listeners.hearing(message.topic):
                if file not in self._too_early.get(listener, ()):
                    _deliver(listener, message)

    def _files(self) -> set[str]:
        return {name for name in os.listdir(self._folder) if name.endswith(".message")}

    def _require_connection(self, wanted: str) -> None:
        if self._reader is None:
            raise RuntimeError(f"FolderTransport is not connected: call connect() before {wanted}()")

    def __repr__(self) -> str:
        return f"FolderTransport({self._folder.name!r}, connected={self._reader is not None})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("FolderTransport cannot be pickled: it belongs to one event loop")


def _deliver(listener: Listener, message: Message) -> None:
    """Hand a message over; what one subscriber raises keeps it from nobody else."""
    try:
        listener.deliver(message)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - pytest.fail is not an Exception
        _LOG.warning("a subscriber of %r failed: %s", listener.topic, type(error).__name__)
