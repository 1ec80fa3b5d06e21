"""What went wrong between us and RabbitMQ, in words."""

from __future__ import annotations

import asyncio
import re

import aiormq

from choreo_bdd.exceptions import TransportError
from choreo_bdd.transports.shared.lifecycle import HANGS

NAME = "RabbitTransport"
CONFIRM_S = 10.0
"""How long the broker may take for an answer."""

_OTHER_TYPE = re.compile(r"arg 'type' for exchange .* but current is '([^']+)'")


def last_word(closing: asyncio.Future[None]) -> str:
    """What the broker said when it closed a channel or connection."""
    error = None if not closing.done() or closing.cancelled() else closing.exception()
    return "no reason given" if error is None else words_of(error)


def end_of_connection(closing: asyncio.Future[None]) -> str:
    """Why a connection has ended that we have not closed."""
    if closing.done() and not closing.cancelled() and isinstance(closing.exception(), asyncio.CancelledError):
        return HANGS  # no heartbeat
    return last_word(closing)


def reason_of(error: BaseException) -> str:
    """Why a step failed, for whoever has asked for it."""
    ours = ValueError | TransportError  # ValueError: a name too long for AMQP
    return str(error) if isinstance(error, ours) else words_of(error)


def words_of(error: BaseException) -> str:
    """What an error of the client says, in words that hold no secret."""
    match error:
        case TimeoutError():
            return f"no answer within {CONFIRM_S:g} s"
        case aiormq.PublishError():
            return "there is no such queue (the broker returned the message)"
        case aiormq.DeliveryError():
            return "the broker refused the message (nack)"
        case aiormq.InvalidFrameError():  # what the client makes of a refusal at this stage
            return "the server broke off, as for a virtual host that is missing or closed to this user"
        case aiormq.AMQPError() | OSError():
            said = [part for part in error.args if isinstance(part, str)]
            return said[-1].rstrip(".") if said else type(error).__name__
    return type(error).__name__


def type_of_existing(refusal: BaseException, *, asked: str) -> str | None:
    """The type of an exchange that was not declared as ``asked``; ``None`` if the broker keeps it to itself."""
    said = words_of(refusal)
    other = _OTHER_TYPE.search(said)
    if other is not None:
        return other[1]
    return asked if "inequivalent arg" in said else None  # the type is what a server looks at first
