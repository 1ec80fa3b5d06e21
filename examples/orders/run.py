"""``python -m orders.run intake``: one service, or all of them, as a process on a NATS server."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from orders import pipeline
from orders.bus import NatsBus

NATS_URL = "nats://127.0.0.1:4222"


async def serve(url: str, names: Iterable[str]) -> int:
    """Run services until SIGTERM or SIGINT (0), or until the connection is lost (1)."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    bus = await NatsBus.connect(url)
    try:
        await pipeline.start(bus, names)
        print("ready", flush=True)
        waits = [asyncio.ensure_future(event.wait()) for event in (stopped, bus.lost)]
        _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in pending:
            wait.cancel()
        return 0 if stopped.is_set() else 1
    finally:
        await bus.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and serve; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m orders.run", description=__doc__)
    parser.add_argument("service", choices=[*pipeline.SERVICES, "all"])
    parser.add_argument(
        "--nats", metavar="URL", default=os.environ.get("NATS_URL", NATS_URL), help="default: $NATS_URL, or loopback"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    names = tuple(pipeline.SERVICES) if options.service == "all" else (options.service,)
    try:
        code = asyncio.run(serve(options.nats, names))
    except Exception as error:  # noqa: BLE001 - a process says in one line why it could not start
        print(f"orders: cannot use NATS at {_place(options.nats)}: {type(error).__name__}", file=sys.stderr)
        return 1
    if code:
        print(f"orders: the connection to NATS at {_place(options.nats)} was lost", file=sys.stderr)
    return code


def _place(url: str) -> str:
    parts = urlsplit(url)  # host and port only: the rest may hold a password
    return f"{parts.hostname}:{parts.port or 4222}"


if __name__ == "__main__":
    sys.exit(main())
