"""That a server has taken messages: a PING goes out right behind them, and the PONG that answers it says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from choreo_bdd.transports.shared.outbound import Outgoing

_NAME = "NatsTransport"
_PING = b"PING\r\n"


class _Pong:
    """Stands for a future among the PONGs that the client waits for: it is told at once, and nobody cancels it."""

    __slots__ = ("_told",)

    def __init__(self, told: Callable[[], None]) -> None:
        self._told = told

    def set_result(self, _: object) -> None:
        """The PONG has come."""
        self._told()


class Confirmations:
    """Of the messages of one connection; ``refusal`` knows why a server took none on a topic, and ``send`` writes."""

    def __init__(self, client: Any, *, refusal: Callable[[str], str | None], send: Callable[[bytes], None]) -> None:
        self._client = client
        self._refusal = refusal
        self._send = send
        self._written: list[Outgoing] = []
        """What no PING has gone out behind yet: one is under way already."""
        self._asked: list[Outgoing] = []
        self._asked_at: float | None = None
        """When the PING was sent whose answer is due."""

    @property
    def are_due(self) -> bool:
        """Whether some message is not confirmed yet."""
        return bool(self._written or self._asked)

    def behind(self, written: Sequence[Outgoing]) -> bytes:
        """What to send right behind these messages: nothing while the answer to another PING is due."""
        self._written += written
        return b"" if self._asked_at is not None or not self._written else self._ask()

    def _ask(self) -> bytes:
        self._asked, self._written = self._written, []
        self._asked_at = asyncio.get_running_loop().time()
        self._client._pongs.append(_Pong(self._answered))
        return _PING

    def _answered(self) -> None:
        confirmed, self._asked, self._asked_at = self._asked, [], None
        self.settle(confirmed)
        if self._written:
            self._send(self._ask())

    def taken_over(self) -> list[Outgoing]:
        """What no PING has gone out behind: whoever sends one now settles it."""
        written, self._written = self._written, []
        return written

    def settle(self, written: Sequence[Outgoing], reason: str | None = None) -> None:
        """Confirm messages behind which the server has answered, or with a ``reason`` fail those still open."""
        for outgoing in written:
            why = self._refusal(outgoing.topic) if reason is None else reason
            if why is None:
                outgoing.confirm()
            else:
                outgoing.fail(_NAME, why)

    def give_up(self, reason: str, *, older_than_s: float = 0.0) -> None:
        """Fail what is not confirmed; or only if the answer has been due for longer than that."""
        now = asyncio.get_running_loop().time()
        if older_than_s and (self._asked_at is None or now - self._asked_at <= older_than_s):
            return
        self.settle([*self._asked, *self._written], reason)
        self._asked, self._written = [], []
