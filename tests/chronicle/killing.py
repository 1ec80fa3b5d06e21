"""Ending a server as a crash does, while reports come in, and looking at what is left."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from httpx2 import Client, HTTPError

from tests.chronicle.servers import start

SENDERS = 4
ENOUGH = 10
"""So many reports are acknowledged at least before the end."""


def killed(folder: Path, options: Sequence[str], content: bytes) -> list[str]:
    """Start a server, have some clients send a report over and over, kill it: the runs it acknowledged."""
    process, url = start(folder, *options)
    acknowledged: list[str] = []
    enough = threading.Event()

    def send() -> None:
        with Client(base_url=url, headers={"X-Chronicle-Tenant": "alpha"}) as http:
            try:
                while True:
                    answer = http.post("/api/v1/runs", content=content)
                    assert answer.status_code == 201
                    acknowledged.append(answer.json()["run_id"])
                    if len(acknowledged) >= ENOUGH:
                        enough.set()
            except HTTPError:
                return

    senders = [threading.Thread(target=send) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    assert enough.wait(30)
    process.kill()
    process.communicate(timeout=30)
    for sender in senders:
        sender.join(30)
    return acknowledged


def kept_whole(url: str, content: bytes, acknowledged: Sequence[str]) -> int:
    """See that all acknowledged runs are there, and every run that is there is whole; how many there are."""
    with Client(base_url=f"{url}/api/v1", timeout=30) as http:
        kept: list[str] = []
        while page := http.get("/runs", params={"tenant": "alpha", "limit": 500, "offset": len(kept)}).json()["items"]:
            kept += [run["id"] for run in page]
        assert set(acknowledged) <= set(kept)
        for run in kept:
            assert http.get(f"/runs/{run}/raw").content == content
            assert len(http.get(f"/runs/{run}").json()["scenarios"]) == 1
        topics = http.get("/topics", params={"tenant": "alpha"}).json()["items"]
        assert [each["sample_count"] for each in topics] == [len(kept)] * 30
    return len(kept)
