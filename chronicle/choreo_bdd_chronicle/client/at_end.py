"""A report sent when its run ends: queued first, then tried for a few seconds, so that no run waits or fails."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Thread

from choreo_bdd_chronicle.client.pushing import RESULTS, Pusher, Send, tenant_of
from choreo_bdd_chronicle.client.queue import Queue
from choreo_bdd_chronicle.client.sending import Target, send, server_address
from choreo_bdd_chronicle.settings import data_folder

PATIENCE = 10.0
"""Seconds that a run waits for the server at most."""

_once: Send = partial(send, pauses=())


def send_at_end(
    report: Path,
    url: str,
    say: Callable[[str], None],
    *,
    patience: float = PATIENCE,
    send: Send = _once,
) -> None:
    """Send the report in a folder, and what waits from earlier; what does not get through waits for the next time."""
    address, token = server_address(url), os.environ.get("CHRONICLE_TOKEN")
    queue = Queue(data_folder() / "waiting")
    body = (report / RESULTS).read_bytes()
    queue.put(body, Target(url=address, tenant=os.environ.get("CHRONICLE_TENANT") or tenant_of(body)))
    said: list[str] = []
    pusher = Pusher(url=address, queue=queue, say=said.append, token=token, send=send)
    thread = Thread(target=pusher.push_waiting, name="chronicle-push", daemon=True)
    thread.start()
    thread.join(patience)
    for line in said:
        say(f"chronicle: {line}")
    if any(True for _ in queue.waiting(address)):
        say(f"chronicle: {address} is away or slow; the report is kept, and the next run or push sends it")
