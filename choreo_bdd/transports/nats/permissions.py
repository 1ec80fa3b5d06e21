"""What a NATS server keeps from this user below a pattern it lets us subscribe to, as far as it says so."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from choreo_bdd.exceptions import TransportError
from choreo_bdd.topic_patterns import is_pattern, overlap

_ASKED = "$SYS.REQ.USER.INFO"
_ANSWER_S = 0.5
_OF_THE_SERVER = ("$", "_")


class Permissions:
    """Of the user of one connection; asked for once, and only where a server has users and a pattern is judged."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._denied: tuple[str, ...] | None = None

    async def require_whole(self, topics: Iterable[str]) -> None:
        """``TransportError`` for a pattern with denied subjects below: the server drops their messages without a word.

        Servers before 2.10 do not tell, nor do those where the user may not ask (``$SYS.REQ.USER.INFO``).
        """
        patterns = [each for each in topics if is_pattern(each)]
        if not patterns or not self._client._server_info.get("auth_required"):
            return
        if self._denied is None:
            self._denied = await self._ask()
        for pattern in patterns:
            if hidden := [each for each in self._denied if overlap(pattern, each)]:
                raise TransportError(
                    f"of {pattern!r} the server hides {', '.join(map(repr, hidden))} from this user (permissions): "
                    f"let it subscribe there, or name the topics that are meant"
                )

    async def _ask(self) -> tuple[str, ...]:
        try:
            answer = await self._client.request(_ASKED, timeout=_ANSWER_S)
            told = json.loads(answer.data)["data"]["permissions"]["subscribe"]["deny"]
            return tuple(each for each in told if not each.startswith(_OF_THE_SERVER) and " " not in each)
        except Exception:  # noqa: BLE001 - no answer, or one without permissions: nothing is known to be denied
            return ()
