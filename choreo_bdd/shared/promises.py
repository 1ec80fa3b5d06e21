"""Promises that are broken: futures which somebody may wait for, and may not."""

from __future__ import annotations

import asyncio
from typing import Any


def break_promise(promise: asyncio.Future[Any], error: BaseException) -> None:
    """Fail what is still open. asyncio prints an error that nobody has asked for: here whoever waited may have gone."""
    if not promise.done():
        promise.set_exception(error)
        promise.exception()
